//! Arguments of layers: their names, the values they take, their defaults.

use crate::shape::Shape;
use core::convert::Infallible;

/// One size of an argument: a number for the rules, an expression in the macro, where a size may be a
/// constant of the user's.
pub trait Dimension: Sized {
    /// A shape of such sizes.
    type Shape;
}

impl Dimension for usize {
    type Shape = Shape;
}

/// The padding of a convolution or a pool over height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding<Size = usize> {
    /// This many zeros on both sides of each axis (height, width).
    Explicit([Size; 2]),
    /// This many zeros on each side: top, bottom, left, right.
    Sides([Size; 4]),
    /// As many zeros as keep the output as large as the input, or its `1/stride`, rounded up, with a stride, as in
    /// TensorFlow; an odd one goes to the end.
    Same,
}

/// The padding of a convolution or a pool over depth, height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumePadding<Size = usize> {
    /// This many zeros on both sides of each axis (depth, height, width).
    Explicit([Size; 3]),
    /// This many zeros on each side: front, back, top, bottom, left, right.
    Sides([Size; 6]),
    /// As many zeros as keep the output as large as the input, or its `1/stride`, rounded up, with a stride, as in
    /// TensorFlow; an odd one goes to the end.
    Same,
}

/// The padding of a convolution or a pool over steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepPadding<Size = usize> {
    /// This many zeros on both sides.
    Explicit(Size),
    /// This many zeros before the first and after the last step.
    Sides([Size; 2]),
    /// As many zeros as keep the number of steps, or its `1/stride`, rounded up, with a stride, as in TensorFlow; an
    /// odd one goes to the end.
    Same,
    /// All zeros before the first step, so that no output reads a later step.
    Causal,
}

impl Padding {
    /// Whether the arguments give its numbers.
    pub(crate) const fn is_given(&self) -> bool {
        matches!(self, Self::Explicit(_) | Self::Sides(_))
    }
}

impl VolumePadding {
    /// Whether the arguments give its numbers.
    pub(crate) const fn is_given(&self) -> bool {
        matches!(self, Self::Explicit(_) | Self::Sides(_))
    }
}

impl StepPadding {
    /// Whether the arguments give its numbers.
    pub(crate) const fn is_given(&self) -> bool {
        matches!(self, Self::Explicit(_) | Self::Sides(_))
    }
}

/// One of the words that an argument takes, such as `bilinear` in `mode = bilinear`: a variant of an enum
/// in the module of the layer's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word in the language: `bilinear`.
    pub text: &'static str,
    /// The enum: `Mode`.
    pub enumeration: &'static str,
    /// Its variant: `Bilinear`.
    pub variant: &'static str,
    /// The variant's index in `ALL` of its enum, by which a `const fn` finds it: comparing strings is not const.
    pub index: usize,
}

/// The value of an argument. In a `Value<usize>`, which the rules take, all sizes are numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<Size: Dimension = usize> {
    /// The argument is left out and has no value: see [`Parameter::is_optional`].
    Absent,
    /// A count.
    Number(Size),
    /// A count per axis: height, width. One number in the user's code stands for both.
    Pair([Size; 2]),
    /// A count per axis: depth, height, width. One number in the user's code stands for all.
    Triple([Size; 3]),
    /// `same`, a number, one per axis, or one per side.
    Padding(Padding<Size>),
    /// `same`, a number, one per axis, or one per side.
    VolumePadding(VolumePadding<Size>),
    /// `same`, `causal`, a number, or one per side.
    StepPadding(StepPadding<Size>),
    /// `true` or `false`.
    Flag(bool),
    /// A real number.
    Real(f64),
    /// One of a few words, such as `tanh` in `approximate = tanh`.
    Word(Word),
    /// A shape, such as `4x4x8`.
    Shape(Size::Shape),
    /// A named value, as in `memory = encoded`: the index of the layer's input that it became, where the
    /// rule finds its shape.
    Input(usize),
    /// A named line whose weight the layer shares, as in `weight = tokens`: the shape of that weight in
    /// files.
    Weight(Size::Shape),
}

/// The kind of values that an argument takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// [`Value::Number`]
    Number,
    /// [`Value::Pair`]
    Pair,
    /// [`Value::Triple`]
    Triple,
    /// [`Value::Padding`]
    Padding,
    /// [`Value::VolumePadding`]
    VolumePadding,
    /// [`Value::StepPadding`]
    StepPadding,
    /// [`Value::Flag`]
    Flag,
    /// [`Value::Real`]
    Real,
    /// [`Value::Word`], one of these.
    Word(&'static [Word]),
    /// [`Value::Shape`]
    Shape,
    /// [`Value::Input`]: the name of an input of the network or of an earlier line, which becomes a further
    /// input of the layer.
    Input,
    /// [`Value::Weight`]: the name of an earlier line whose layer has a
    /// [`Row::weight`](crate::registry::Row::weight). The layer's type in nn-runtime is then `Tied` and its
    /// name.
    Weight,
}

/// One argument of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name, as in `kernel = 3`, which is also the name of its field in the layer's struct.
    pub name: &'static str,
    /// The kind of values it takes.
    pub kind: Kind,
    /// Its value when it is left out; `None` where it must be given.
    pub default: Option<Value>,
    /// What tables show as the default of an optional argument: `kernel`, `none`; otherwise empty.
    pub shown: &'static str,
}

impl<Size: Dimension> Value<Size> {
    /// The same value with each size and each shape converted.
    #[must_use]
    pub fn map<To: Dimension>(
        &self,
        size: impl Fn(&Size) -> To,
        shape: impl Fn(&Size::Shape) -> To::Shape,
    ) -> Value<To> {
        let Ok(value) =
            self.try_map(|it| Ok::<_, Infallible>(size(it)), |it| Ok::<_, Infallible>(shape(it)));
        value
    }

    /// The same value with each size and each shape converted.
    ///
    /// # Errors
    /// The first error of a conversion.
    pub fn try_map<To: Dimension, Error>(
        &self,
        size: impl Fn(&Size) -> Result<To, Error>,
        shape: impl Fn(&Size::Shape) -> Result<To::Shape, Error>,
    ) -> Result<Value<To>, Error> {
        let pair = |[a, b]: &[Size; 2]| Ok([size(a)?, size(b)?]);
        let triple = |[a, b, c]: &[Size; 3]| Ok([size(a)?, size(b)?, size(c)?]);
        Ok(match self {
            Self::Absent => Value::Absent,
            Self::Number(number) => Value::Number(size(number)?),
            Self::Pair(sizes) => Value::Pair(pair(sizes)?),
            Self::Triple(sizes) => Value::Triple(triple(sizes)?),
            Self::VolumePadding(VolumePadding::Same) => Value::VolumePadding(VolumePadding::Same),
            Self::VolumePadding(VolumePadding::Explicit(sizes)) => {
                Value::VolumePadding(VolumePadding::Explicit(triple(sizes)?))
            }
            Self::VolumePadding(VolumePadding::Sides([front, back, top, bottom, left, right])) => {
                let [front, back, top] = [size(front)?, size(back)?, size(top)?];
                let [bottom, left, right] = [size(bottom)?, size(left)?, size(right)?];
                let sides = [front, back, top, bottom, left, right];
                Value::VolumePadding(VolumePadding::Sides(sides))
            }
            Self::Padding(Padding::Same) => Value::Padding(Padding::Same),
            Self::Padding(Padding::Explicit(sizes)) => {
                Value::Padding(Padding::Explicit(pair(sizes)?))
            }
            Self::Padding(Padding::Sides([top, bottom, left, right])) => {
                let sides = [size(top)?, size(bottom)?, size(left)?, size(right)?];
                Value::Padding(Padding::Sides(sides))
            }
            Self::StepPadding(StepPadding::Sides(sides)) => {
                Value::StepPadding(StepPadding::Sides(pair(sides)?))
            }
            Self::StepPadding(StepPadding::Same) => Value::StepPadding(StepPadding::Same),
            Self::StepPadding(StepPadding::Causal) => Value::StepPadding(StepPadding::Causal),
            Self::StepPadding(StepPadding::Explicit(both)) => {
                Value::StepPadding(StepPadding::Explicit(size(both)?))
            }
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Real(real) => Value::Real(*real),
            Self::Word(word) => Value::Word(*word),
            Self::Shape(sizes) => Value::Shape(shape(sizes)?),
            Self::Input(nth) => Value::Input(*nth),
            Self::Weight(sizes) => Value::Weight(shape(sizes)?),
        })
    }
}

impl Parameter {
    /// Whether leaving it out means that there is no such value, so that its field is an [`Option`].
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        matches!(self.default, Some(Value::Absent))
    }
}

/// Defines the struct of a layer's arguments, its list of [`Parameter`]s, and the conversion of values
/// (in the order of that list) to the struct.
///
/// ```text
/// arguments! {
///     /// A fully connected layer.
///     pub struct Dense {
///         /// The number of outputs.
///         units: Number,
///         /// Whether a bias is added.
///         bias: Flag = true,
///         /// One of the words of `enum Mode`, which `words!` defines.
///         mode: Word(Mode) = Mode::Nearest,
///         /// An optional argument: the field is an `Option`, and tables show `kernel` as its default.
///         stride: Number or "kernel",
///     }
/// }
/// ```
macro_rules! arguments {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident : $kind:ident $( ( $Words:ident ) )? $( or $shown:literal )? $( = $default:expr )?,
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $Name {
            $(
                $(#[$field_meta])*
                pub $field: $crate::arguments::field_type!($kind $( ( $Words ) )? $( or $shown )?),
            )*
        }

        impl $Name {
            /// The arguments, in order.
            pub const PARAMETERS: &'static [$crate::arguments::Parameter] = &[
                $( $crate::arguments::Parameter {
                    name: stringify!($field),
                    kind: $crate::arguments::kind!($kind $( ( $Words ) )?),
                    default: $crate::arguments::default!($kind $( or $shown )? $( = $default )?),
                    shown: concat!($( $shown )?),
                }, )*
            ];

            /// The arguments from one value for each of [`Self::PARAMETERS`].
            ///
            /// # Panics
            /// When number or kinds of the values differ from them.
            #[must_use]
            #[allow(unused_mut, unused_assignments, unused_variables, reason = "layers without arguments")]
            pub const fn from_values(values: &[$crate::arguments::Value]) -> Self {
                assert!(values.len() == Self::PARAMETERS.len(), "one value for each parameter");
                let mut i = 0;
                $(
                    let $field =
                        $crate::arguments::field!(values[i], $kind $( ( $Words ) )? $( or $shown )?);
                    i += 1;
                )*
                Self { $( $field, )* }
            }
        }
    };
}

/// Defines the enum of the words that an argument takes.
///
/// ```text
/// words! {
///     /// How new pixels are computed.
///     pub enum Mode {
///         /// `nearest`: copies of the nearest old pixel.
///         Nearest = "nearest",
///     }
/// }
/// ```
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident { $( $(#[$variant_meta:meta])* $Variant:ident = $text:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Name { $( $(#[$variant_meta])* $Variant, )* }

        impl $Name {
            /// The variants, in order.
            pub const ALL: &'static [Self] = &[$( Self::$Variant ),*];
            /// The words, in the same order.
            pub const WORDS: &'static [$crate::arguments::Word] = &[$( Self::$Variant.word() ),*];

            /// The word in the language.
            #[must_use]
            pub const fn word(self) -> $crate::arguments::Word {
                match self {
                    $( Self::$Variant => $crate::arguments::Word {
                        text: $text,
                        enumeration: stringify!($Name),
                        variant: stringify!($Variant),
                        index: Self::$Variant as usize,
                    }, )*
                }
            }
        }
    };
}

/// The type of the field for an argument, by its kind.
macro_rules! field_type {
    ($kind:ident or $shown:literal) => { Option<$crate::arguments::field_type!($kind)> };
    (Number) => { usize };
    (Pair) => { [usize; 2] };
    (Triple) => { [usize; 3] };
    (Padding) => { $crate::arguments::Padding };
    (VolumePadding) => { $crate::arguments::VolumePadding };
    (StepPadding) => { $crate::arguments::StepPadding };
    (Flag) => { bool };
    (Real) => { f64 };
    (Word ( $Words:ident )) => { $Words };
    (Shape) => { $crate::shape::Shape };
    (Input) => { usize };
    (Weight) => { $crate::shape::Shape };
}

/// The [`Kind`] of an argument.
macro_rules! kind {
    (Word ( $Words:ident )) => {
        $crate::arguments::Kind::Word($Words::WORDS)
    };
    ($kind:ident) => {
        $crate::arguments::Kind::$kind
    };
}

/// The default of an argument as an `Option<Value>`: none, absent, a word, or a value of its kind.
macro_rules! default {
    ($kind:ident) => {
        None
    };
    ($kind:ident or $shown:literal) => {
        Some($crate::arguments::Value::Absent)
    };
    // Before the general arm: the default is a variant of the enum, not yet a `Word`.
    (Word = $default:expr) => {
        Some($crate::arguments::Value::Word($default.word()))
    };
    ($kind:ident = $default:expr) => {
        Some($crate::arguments::Value::$kind($default))
    };
}

/// The field for an argument from its [`Value`].
macro_rules! field {
    ($value:expr, Word ( $Words:ident )) => {
        match $value {
            $crate::arguments::Value::Word(word) => $Words::ALL[word.index],
            _ => panic!("a word of the parameter's kind"),
        }
    };
    ($value:expr, $kind:ident or $shown:literal) => {
        match $value {
            $crate::arguments::Value::$kind(value) => Some(value),
            $crate::arguments::Value::Absent => None,
            _ => panic!("a value of the parameter's kind, or none"),
        }
    };
    ($value:expr, $kind:ident) => {
        match $value {
            $crate::arguments::Value::$kind(value) => value,
            _ => panic!("a value of the parameter's kind"),
        }
    };
}

pub(crate) use {arguments, default, field, field_type, kind, words};

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macros define public items")]
mod tests {
    use super::*;

    words! {
        /// Words of a test.
        pub enum Mode {
            /// `nearest`
            Nearest = "nearest",
            /// `bilinear`
            Bilinear = "bilinear",
        }
    }

    arguments! {
        /// Arguments of a test.
        pub struct Test {
            /// Required.
            kernel: Pair,
            /// Optional.
            stride: Pair or "kernel",
            /// A word.
            mode: Word(Mode) = Mode::Bilinear,
        }
    }

    #[test]
    fn parameters_describe_the_fields() {
        let [kernel, stride, mode] = Test::PARAMETERS else { panic!("three parameters") };
        assert!(kernel.default.is_none() && !kernel.is_optional());
        assert!(stride.is_optional());
        assert_eq!((stride.kind, stride.shown), (Kind::Pair, "kernel"));
        assert_eq!(mode.kind, Kind::Word(Mode::WORDS));
        assert_eq!(mode.default, Some(Value::Word(Mode::Bilinear.word())));
    }

    #[test]
    fn values_become_fields() {
        let word = Value::Word(Mode::Nearest.word());
        let values = [Value::Pair([3, 5]), Value::Absent, word];
        let expected = Test { kernel: [3, 5], stride: None, mode: Mode::Nearest };
        assert_eq!(Test::from_values(&values), expected);
        let values = [Value::Pair([3, 5]), Value::Pair([2, 2]), word];
        assert_eq!(Test::from_values(&values), Test { stride: Some([2, 2]), ..expected });
    }

    #[test]
    fn sizes_are_converted_or_refused() {
        let value: Value = Value::Padding(Padding::Explicit([1, 2]));
        let twice = value.map(|size| 2 * size, |shape| *shape);
        assert_eq!(twice, Value::Padding(Padding::Explicit([2, 4])));
        let odd = |size: &usize| if size.is_multiple_of(2) { Ok(*size) } else { Err(*size) };
        let result: Result<Value, usize> = value.try_map(odd, |shape| Ok(*shape));
        assert_eq!(result, Err(1));
    }
}
