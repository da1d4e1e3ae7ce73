//! The table of all layers: the one place where a name of the language becomes a rule.

use crate::{Fusion, Parameter, Shape, ShapeError, Text, Value, rules};

/// A const generic of a layer's type in nn-runtime, where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The last axis of the input.
    InputLast,
    /// A [`Value::Number`] argument.
    Argument(&'static str),
    /// The height (0) or width (1) of a [`Value::Pair`] argument.
    ArgumentAxis(&'static str, usize),
    /// A method of the struct of arguments, `const fn(&self, Shape) -> usize`, called with the
    /// first input's shape. `nth` in [`Row::computed`] gives its value while expanding.
    Computed(&'static str),
    /// The last axis of the input where all these flags are true, otherwise 0.
    InputLastIf(&'static [&'static str]),
    /// The last parameter of the type, left out (its default) where this flag is true and 0 where
    /// it is false: `bias = false`.
    Unless(&'static str),
}

/// How a size of the output follows from sizes of the input: lets const generics of the user's flow
/// through a network, where stable Rust cannot compute with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The same as the input's.
    Keep,
    /// A [`Value::Number`] argument.
    Argument(&'static str),
    /// Anything else: the rule computes it.
    Compute,
}

/// How a layer's output shape follows, axis by axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flows {
    /// All axes but the last.
    pub leading: Flow,
    /// The last axis.
    pub last: Flow,
    /// Whether the output has as many axes as the input. Where not, all but the last are computed.
    pub keeps_rank: bool,
}

impl Flows {
    /// The output has the input's shape.
    pub const SAME: Self = Self { leading: Flow::Keep, last: Flow::Keep, keeps_rank: true };
    /// The rule computes every axis.
    pub const COMPUTE: Self =
        Self { leading: Flow::Compute, last: Flow::Compute, keeps_rank: false };
}

/// How many inputs a layer takes of the line it stands in. Each argument of [`Kind::Input`](crate::Kind)
/// that is given is a further one, behind these, in the order of the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// One: a line of a chain.
    One,
    /// One input of the network, which holds numbers of tokens: `Embedding`.
    Indices,
    /// Two or more branches that it joins: `Add`, `Mul`, `Concat`.
    Branches,
}

/// How a layer's code works on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Output beside the input.
    Separate,
    /// Forward and backward may overwrite input with output and output gradient with input
    /// gradient; backward needs the output alone.
    InPlace,
    /// The same numbers under another shape: no code at all (`Flatten`).
    View,
}

/// What `backward` reads again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The values that went in.
    pub input: bool,
    /// The values that came out.
    pub output: bool,
}

/// What a layer makes of sequences that end before their shape does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Each step by itself: the first axis of its output counts the steps of its input.
    Each,
    /// It leaves out what lies behind the end. Where its output has as many axes as its input, the first
    /// counts the same steps.
    Valid,
    /// A kernel goes over them, and leaves out what lies behind the end: how many come out is what the
    /// method `step_map` of the struct of arguments says, a `const fn(&self) -> StepMap`.
    Kernel,
    /// It takes all that there is room for, and can do nothing with less.
    All,
}

/// In which order PyTorch has the numbers of what a layer gives over steps, `[T, C]` here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `[T, C]`, as here: recurrent layers, embeddings.
    StepsFirst,
    /// `[C, T]`: convolutions and pools.
    ChannelsFirst,
    /// As what goes in; the first where branches of both orders meet.
    AsInput,
}

/// Whether a layer can take a sequence step by step.
#[derive(Clone, Copy, Debug)]
pub enum Streaming {
    /// If the leading axes pass through it, or each step is its own.
    Pointwise,
    /// It cannot: what it does to a step depends on all steps.
    Whole,
    /// It carries what it needs of the steps before, if its arguments allow that.
    CarriesIf(fn(&[Value]) -> bool),
}

/// A count that follows from the inputs' shapes and the arguments' values.
pub type Count = fn(&[Shape], &[Value]) -> usize;

/// One kind of layer.
pub struct Row {
    /// Its name in the language and of its types: `Conv2d`.
    pub name: &'static str,
    /// Its files and the names of weights: `conv2d`.
    pub stem: &'static str,
    /// One line of what it does, for tables.
    pub summary: &'static str,
    /// Its arguments.
    pub parameters: &'static [Parameter],
    /// How many of the first arguments may be given without their names.
    pub positional: usize,
    /// How many inputs.
    pub inputs: Inputs,
    /// Inputs' shapes and argument values to the output's shape. Every mistake of shapes or of
    /// arguments' values is found here and nowhere else.
    pub rule: fn(&[Shape], &[Value]) -> Result<Shape, ShapeError>,
    /// How many trained numbers it has, after `rule` has agreed.
    pub params: Count,
    /// How many stored numbers are not trained (the running statistics of BatchNorm), after `rule`
    /// has agreed.
    pub buffers: Count,
    /// How the output's shape came about, such as `height (28 + 2*0 - 3)/1 + 1 = 26`, after `rule`
    /// has agreed; empty where it is plain.
    pub how: fn(&[Shape], &[Value]) -> Text,
    /// How many multiply-adds one sample costs forward, after `rule` has agreed.
    pub macs: Count,
    /// The const generics of its type in nn-runtime.
    pub sizes: &'static [Size],
    /// The values of the [`Size::Computed`] among them, in order.
    pub computed: &'static [Count],
    /// The rows and columns that files give its weight, if a later layer can have it as its own: only
    /// [`Size::InputLast`] and [`Size::Argument`].
    pub weight: Option<[Size; 2]>,
    /// How axes flow through it.
    pub flows: Flows,
    /// How its code works on memory.
    pub storage: Storage,
    /// What its backward needs.
    pub needs: Needs,
    /// Whether training takes more than one phase, because it looks across the batch (BatchNorm).
    pub crosses_batch: bool,
    /// Whether it has the same number of features, each with a weight of its own or none, so that
    /// PyTorch's order of flattened features passes through it to the next `Dense`.
    pub keeps_features: bool,
    /// What it makes of sequences that end before their shape does.
    pub steps: Steps,
    /// In which order PyTorch has what it gives.
    pub order: Order,
    /// Whether it can take a sequence step by step.
    pub streaming: Streaming,
    /// What it does at inference together with its neighbours.
    pub fusion: Fusion,
}

impl Row {
    /// As most layers do: where all axes but the last pass through it, each step is its own; where all
    /// do, and in joins, PyTorch's order is that of the input.
    pub(crate) const fn usual(self) -> Self {
        let steps = match self.flows.leading {
            Flow::Keep => Steps::Each,
            _ => Steps::All,
        };
        let order = match (self.inputs, self.flows.leading, self.flows.last) {
            (Inputs::Branches, ..) | (_, Flow::Keep, Flow::Keep) => Order::AsInput,
            _ => Order::StepsFirst,
        };
        Self { order, ..self.with_steps(steps) }
    }

    /// The row of a layer whose weight, of so many rows and columns in files, a later one can have as its own.
    pub(crate) const fn with_weight(self, shape: [Size; 2]) -> Self {
        Self { weight: Some(shape), ..self }
    }

    /// The row of a layer that PyTorch has channels first, also over steps.
    pub(crate) const fn with_channels_first(self) -> Self {
        Self { order: Order::ChannelsFirst, ..self }
    }

    /// The row of a layer that PyTorch has with the steps first, whatever goes in.
    pub(crate) const fn with_steps_first(self) -> Self {
        Self { order: Order::StepsFirst, ..self }
    }

    /// The row of a layer that makes this of short sequences.
    pub(crate) const fn with_steps(self, steps: Steps) -> Self {
        Self { steps, ..self }
    }

    /// The row of a layer that streams like this.
    pub(crate) const fn with_streaming(self, streaming: Streaming) -> Self {
        Self { streaming, ..self }
    }

    /// The row of a layer that does this together with its neighbours.
    pub(crate) const fn with_fusion(self, fusion: Fusion) -> Self {
        Self { fusion, ..self }
    }

    /// Whether the layer can take a sequence step by step, with these arguments.
    #[must_use]
    pub fn streams(&self, values: &[Value]) -> bool {
        match self.streaming {
            Streaming::Pointwise => self.flows.leading == Flow::Keep || self.steps == Steps::Each,
            Streaming::Whole => false,
            Streaming::CarriesIf(allow) => allow(values),
        }
    }
}

/// The layer of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().copied().find(|row| row.name == name)
}

/// Every layer of the language, in the order of the documentation.
pub static ROWS: &[&Row] = &[
    &rules::dense::ROW,
    &rules::conv2d::ROW,
    &rules::ws_conv2d::ROW,
    &rules::conv_transpose2d::ROW,
    &rules::max_pool2d::ROW,
    &rules::avg_pool2d::ROW,
    &rules::global_avg_pool::ROW,
    &rules::global_max_pool::ROW,
    &rules::upsample::ROW,
    &rules::conv1d::ROW,
    &rules::max_pool1d::ROW,
    &rules::avg_pool1d::ROW,
    &rules::rnn::ROW,
    &rules::lstm::ROW,
    &rules::gru::ROW,
    &rules::multi_head_attention::ROW,
    &rules::embedding::ROW,
    &rules::positional_embedding::ROW,
    &rules::positional_encoding::ROW,
    &rules::flatten::ROW,
    &rules::reshape::ROW,
    &rules::batch_norm::ROW,
    &rules::layer_norm::ROW,
    &rules::rms_norm::ROW,
    &rules::group_norm::ROW,
    &rules::instance_norm::ROW,
    &rules::scale::ROW,
    &rules::dropout::ROW,
    &rules::relu::ROW,
    &rules::leaky_relu::ROW,
    &rules::prelu::ROW,
    &rules::elu::ROW,
    &rules::gelu::ROW,
    &rules::silu::ROW,
    &rules::sigmoid::ROW,
    &rules::tanh::ROW,
    &rules::softplus::ROW,
    &rules::hard_swish::ROW,
    &rules::softmax::ROW,
    &rules::log_softmax::ROW,
    &rules::add::ROW,
    &rules::mul::ROW,
    &rules::concat::ROW,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use std::collections::HashSet;

    fn kind_of(row: &Row, argument: &str) -> Option<Kind> {
        row.parameters.iter().find(|p| p.name == argument).map(|p| p.kind)
    }

    #[test]
    fn names_and_stems_are_unique() {
        let names: HashSet<_> = ROWS.iter().map(|row| row.name).collect();
        let stems: HashSet<_> = ROWS.iter().map(|row| row.stem).collect();
        assert_eq!((names.len(), stems.len()), (ROWS.len(), ROWS.len()));
    }

    #[test]
    fn every_row_is_found_by_its_name() {
        for row in ROWS {
            assert_eq!(find(row.name).unwrap().stem, row.stem);
        }
        assert!(find("Linear").is_none());
    }

    #[test]
    fn stems_are_snake_case() {
        for row in ROWS {
            let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(row.stem.starts_with(|c: char| c.is_ascii_lowercase()), "{}", row.stem);
            assert!(row.stem.chars().all(letters), "{}", row.stem);
            assert_eq!(row.stem.replace('_', ""), row.name.to_lowercase());
        }
    }

    #[test]
    fn sizes_name_arguments_of_their_kind() {
        for row in ROWS {
            for (nth, size) in row.sizes.iter().enumerate() {
                match *size {
                    Size::Argument(name) => assert_eq!(kind_of(row, name), Some(Kind::Number)),
                    Size::ArgumentAxis(name, axis) => {
                        assert_eq!(kind_of(row, name), Some(Kind::Pair));
                        assert!(axis < 2, "{}", row.name);
                    }
                    Size::Unless(name) => {
                        assert_eq!(kind_of(row, name), Some(Kind::Flag));
                        assert_eq!(nth, row.sizes.len() - 1, "{}: only the last", row.name);
                    }
                    Size::InputLastIf(names) => {
                        let kinds = names.iter().map(|name| kind_of(row, name));
                        assert!(kinds.into_iter().all(|kind| kind == Some(Kind::Flag)));
                    }
                    Size::InputLast | Size::Computed(_) => {}
                }
            }
            for size in row.weight.iter().flatten() {
                match *size {
                    Size::Argument(name) => assert_eq!(kind_of(row, name), Some(Kind::Number)),
                    size => assert_eq!(size, Size::InputLast, "{}", row.name),
                }
            }
            let computed = row.sizes.iter().filter(|size| matches!(size, Size::Computed(_)));
            assert_eq!(computed.count(), row.computed.len(), "{}", row.name);
        }
    }

    #[test]
    fn flows_name_numbers() {
        for row in ROWS {
            for flow in [row.flows.leading, row.flows.last] {
                if let Flow::Argument(name) = flow {
                    assert_eq!(kind_of(row, name), Some(Kind::Number), "{}", row.name);
                }
            }
        }
    }

    #[test]
    fn arguments_are_sound() {
        for row in ROWS {
            assert!(row.positional <= row.parameters.len(), "{}", row.name);
            assert!(!row.summary.is_empty() && !row.summary.ends_with('.'), "{}", row.name);
            let mut optional = false;
            for parameter in row.parameters {
                let place = std::format!("{}, {}", row.name, parameter.name);
                assert!(!optional || parameter.default.is_some(), "{place}: defaults come last");
                optional = parameter.default.is_some();
                match (parameter.kind, parameter.default) {
                    (Kind::Word(words), Some(Value::Word(word))) => {
                        assert!(words.contains(&word), "{place}");
                    }
                    (Kind::Word(_), default) => assert!(default.is_none(), "{place}"),
                    _ => {}
                }
            }
        }
    }

    /// A value for each parameter: its default, or something small.
    fn values(row: &Row) -> std::vec::Vec<Value> {
        let value = |kind| match kind {
            Kind::Number => Value::Number(4),
            Kind::Pair => Value::Pair([2, 2]),
            Kind::Real => Value::Real(0.5),
            Kind::Shape => Value::Shape(Shape::new(&[2, 72])),
            Kind::Input => Value::Input(Some(1)),
            _ => panic!("other arguments have defaults"),
        };
        row.parameters.iter().map(|p| p.default.unwrap_or_else(|| value(p.kind))).collect()
    }

    #[test]
    fn flows_agree_with_rules() {
        let picture = Shape::new(&[6, 6, 4]);
        for row in ROWS {
            let values = values(row);
            let takes_pictures = (row.rule)(&[picture, picture], &values).is_ok();
            let input = if takes_pictures { picture } else { Shape::new(&[36, 4]) };
            let takes_more = values.contains(&Value::Input(Some(1)));
            let inputs = match row.inputs {
                Inputs::One | Inputs::Indices if !takes_more => &[input][..],
                _ => &[input, input],
            };
            let output = (row.rule)(inputs, &values).unwrap();
            if row.flows.keeps_rank {
                assert_eq!(output.rank(), input.rank(), "{}", row.name);
            }
            if row.flows.leading == Flow::Keep {
                assert_eq!(output.with_last(1), input.with_last(1), "{}", row.name);
            }
            match row.flows.last {
                Flow::Keep => assert_eq!(output.last(), input.last(), "{}", row.name),
                Flow::Argument(_) => assert_eq!(output.last(), 4, "{}", row.name),
                Flow::Compute => {}
            }
            if row.storage != Storage::Separate {
                assert_eq!(output.len(), input.len(), "{}", row.name);
            }
            let trained = (row.params)(inputs, &values) > 0;
            assert!(!trained || !row.sizes.is_empty(), "{}: weights need sizes", row.name);
        }
    }
}
