//! Arguments of layers: what they are called, which values they take, and their defaults.

use crate::Shape;

/// How a convolution or a pool pads its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// This many zeros on both sides of each axis (height, width).
    Explicit([usize; 2]),
    /// As many as keep the output as large as the input (only with stride 1), as in PyTorch; the
    /// odd one goes to the end.
    Same,
}

/// How a convolution over steps pads its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepPadding {
    /// This many zeros on both sides.
    Explicit(usize),
    /// As many as keep the number of steps (only with stride 1), as in PyTorch; the odd one goes to the
    /// end.
    Same,
    /// All before the first step, so that no output reads what comes after its step.
    Causal,
}

/// The value of an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A count.
    Number(usize),
    /// A count per axis: height, width. One number in the user's code stands for both.
    Pair([usize; 2]),
    /// `same`, a number, or one per axis.
    Padding(Padding),
    /// `same`, `causal`, or a number.
    StepPadding(StepPadding),
    /// `true` or `false`.
    Flag(bool),
    /// A real number.
    Real(f64),
    /// One of a few words, such as `tanh` in `approximate = tanh`.
    Word(&'static str),
    /// A shape, such as `4x4x8`.
    Shape(Shape),
    /// The number of the layer's input that a named value became, as in `memory = encoded`: the rule
    /// finds its shape there. `None` where the argument is left out.
    Input(Option<usize>),
    /// The shape that files give the weight that a layer has in common with a line before it, as in
    /// `weight = tokens`. `None` where the argument is left out: it has a weight of its own.
    Weight(Option<Shape>),
}

/// Which values an argument takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// [`Value::Number`]
    Number,
    /// [`Value::Pair`]
    Pair,
    /// [`Value::Padding`]
    Padding,
    /// [`Value::StepPadding`]
    StepPadding,
    /// [`Value::Flag`]
    Flag,
    /// [`Value::Real`]
    Real,
    /// [`Value::Word`], one of these.
    Word(&'static [&'static str]),
    /// [`Value::Shape`]
    Shape,
    /// [`Value::Input`]: the name of an input of the network or of a line before, which the layer takes
    /// as a further input.
    Input,
    /// [`Value::Weight`]: the name of a line before, whose weight is the layer's own too; of a layer whose
    /// [`Row::weight`](crate::registry::Row::weight) is there. In nn-runtime the layer's type is then
    /// `Tied` and its name.
    Weight,
}

/// One argument of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name, as in `kernel = 3`, and the name of its field in the layer's struct.
    pub name: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// What it is when it is left out; `None`: it must be given.
    pub default: Option<Value>,
    /// What its default is called, where the value only stands for it: `kernel`, `none`.
    pub shown: Option<&'static str>,
}

/// Defines the struct of a layer's arguments, its list of [`Parameter`]s, and the way from values
/// (in that list's order) to the struct.
///
/// ```text
/// arguments! {
///     /// A fully connected layer.
///     pub struct Dense {
///         /// How many outputs.
///         units: Number,
///         /// Whether a bias is added.
///         bias: Flag = true,
///         /// What stands for something else has a name of its own in tables.
///         stride: Number = AS_KERNEL => "kernel",
///     }
/// }
/// ```
macro_rules! arguments {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident {
            $( $(#[$field_meta:meta])* $field:ident : $kind:ident $( ( $($word:literal),* ) )? $(= $default:expr $(=> $shown:literal)?)? , )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $Name {
            $( $(#[$field_meta])* pub $field: $crate::arguments::field_type!($kind), )*
        }

        impl $Name {
            /// The arguments, in order.
            pub const PARAMETERS: &'static [$crate::Parameter] = &[
                $( $crate::Parameter {
                    name: stringify!($field),
                    kind: $crate::arguments::kind!($kind $( ( $($word),* ) )?),
                    default: $crate::arguments::default!($kind $( $default )?),
                    shown: $crate::arguments::shown!($( $( $shown )? )?),
                }, )*
            ];

            /// The arguments from one value for each of [`Self::PARAMETERS`].
            ///
            /// # Panics
            /// When number or kinds of the values differ from them.
            #[must_use]
            #[allow(unused_mut, unused_assignments, unused_variables, reason = "layers without arguments")]
            pub const fn from_values(values: &[$crate::Value]) -> Self {
                assert!(values.len() == Self::PARAMETERS.len(), "one value for each parameter");
                let mut i = 0;
                $(
                    let $field = match values[i] {
                        $crate::Value::$kind(value) => value,
                        _ => panic!("a value of the parameter's kind"),
                    };
                    i += 1;
                )*
                Self { $( $field, )* }
            }
        }
    };
}

macro_rules! field_type {
    (Number) => { usize };
    (Pair) => { [usize; 2] };
    (Padding) => { $crate::Padding };
    (StepPadding) => { $crate::StepPadding };
    (Flag) => { bool };
    (Real) => { f64 };
    (Word) => { &'static str };
    (Shape) => { $crate::Shape };
    (Input) => { Option<usize> };
    (Weight) => { Option<$crate::Shape> };
}

macro_rules! kind {
    (Word ( $($word:literal),* )) => { $crate::Kind::Word(&[ $($word),* ]) };
    ($kind:ident) => { $crate::Kind::$kind };
}

macro_rules! default {
    ($kind:ident) => {
        None
    };
    ($kind:ident $default:expr) => {
        Some($crate::Value::$kind($default))
    };
}

macro_rules! shown {
    () => {
        None
    };
    ($shown:literal) => {
        Some($shown)
    };
}

pub(crate) use {arguments, default, field_type, kind, shown};
