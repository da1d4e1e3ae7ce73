//! [`Row`]: everything that the macro has to know of one kind of layer. The rows themselves are in the
//! files of their rules, [`registry`](crate::registry) lists them.

use crate::arguments::{Parameter, Value};
use crate::error::ShapeError;
use crate::fusion::Fusion;
use crate::role::Role;
use crate::shape::Shape;
use crate::tensors::TensorSink;
use crate::text::Text;

/// Where a const generic of a layer's type in nn-runtime comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The last axis of the input.
    InputLast,
    /// A [`Value::Number`] argument.
    Argument(&'static str),
    /// The height (0) or width (1) of a [`Value::Pair`] argument; depth, height or width of a [`Value::Triple`].
    ArgumentAxis(&'static str, usize),
    /// A method of the struct of arguments, `const fn(&self, Shape) -> usize`, called with the first
    /// input's shape. The entry of the same position in [`Row::computed`] returns the same number while
    /// the macro expands.
    Computed(&'static str),
    /// The last axis of the input where all these flags are true, otherwise 0.
    InputLastIf(&'static [&'static str]),
    /// The elements along the last axes of the input, as many as this [`Value::Number`] argument states, where all these
    /// flags are true, otherwise 0.
    InputAxesIf(&'static str, &'static [&'static str]),
    /// The last axis of the input where the first argument is left out or is the second one; otherwise as
    /// [`Self::Computed`], by this method.
    InputLastUnless([&'static str; 2], &'static str),
    /// The last parameter of the type: left out (its default) where this flag is true, and 0 where it is
    /// false: `bias = false`.
    Unless(&'static str),
}

/// How a size of the output follows from sizes of the input. The macro needs it to pass const generics
/// of the user's through a network, because stable Rust cannot compute with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The same as the input's.
    Keep,
    /// A [`Value::Number`] argument.
    Argument(&'static str),
    /// Computed by the rule.
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

/// How many inputs a layer takes from its line. Each argument of
/// [`Kind::Input`](crate::arguments::Kind::Input) that is given is a further one, after these, in the order
/// of the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// One: a line of a chain.
    One,
    /// One input of the network, which holds indices of tokens: `Embedding`.
    Indices,
    /// One; and its argument names an input of the network that holds indices: `Gather`.
    OneAndIndices,
    /// Two or more branches that it joins: `Add`, `Mul`, `Concat`.
    Branches,
}

/// How a layer's code uses memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Input and output have memory of their own.
    Separate,
    /// Forward and backward may overwrite the input with the output and the output gradient with the input
    /// gradient; backward reads the output only.
    InPlace,
    /// The same elements with another shape: no code at all (`Flatten`).
    View,
}

/// What a layer's backward pass reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The inputs of its forward pass.
    pub input: bool,
    /// The output of its forward pass.
    pub output: bool,
}

impl Needs {
    /// Neither: gradients depend on the output gradient, the weights and what forward saved.
    pub const NOTHING: Self = Self { input: false, output: false };
    /// The inputs.
    pub const INPUT: Self = Self { input: true, output: false };
    /// The output.
    pub const OUTPUT: Self = Self { input: false, output: true };
}

/// What a layer does with sequences that are shorter than their shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// It computes each step by itself: the first axis of its output counts the steps of its input.
    Each,
    /// It ignores the steps after the end. Where its output has as many axes as its input, the first axis
    /// counts the same steps.
    Valid,
    /// A kernel moves over the steps and ignores those after the end: the method `step_map` of the struct
    /// of arguments, a `const fn(&self, Shape) -> StepMap`, returns how many come out of an input of this shape.
    Kernel,
    /// It reads as many steps as the shape has, so that it cannot take shorter sequences.
    All,
    /// It begins a `PerStep`: its output is one step.
    Begin,
    /// It ends a `PerStep`: the first axis of its output counts the steps of that one's input.
    End,
}

/// Where PyTorch has the channels of a layer's output; here they are always last. See [`Features`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// `[C, D, H, W]`, `[C, H, W]`, `[C, T]`: convolutions and pools.
    First,
    /// `[T, C]`: linear and recurrent layers, embeddings, attention.
    Last,
    /// As in the input; last where branches of both kinds meet.
    AsInput,
    /// As in the input, of which the layer removes another axis.
    Kept {
        /// That axis.
        removed: usize,
    },
    /// Nowhere, because the layer removes them: the axes that are left have the same order in PyTorch, whether the input's
    /// channels are first or last there.
    Removed,
    /// As in the input, of which the layer takes off the first axis; that comes first in PyTorch, too.
    OneStep,
    /// As in the input, to which the layer adds a first axis; that comes first in PyTorch, too.
    AllSteps,
}

/// What a layer does with the order of features. PyTorch flattens an image channels first, so that the features of a
/// flattened value, and the weights that belong to them, have another order there than here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Features {
    /// All inputs and the output have the same order: elementwise functions, norms, pools, sums.
    Same,
    /// The input may have any order, and so may the output: there is a weight for each pair of features.
    Any,
    /// The input may have any order; the output has the same order in PyTorch.
    AnyInput,
    /// Inputs and output have the same order in PyTorch.
    Fixed,
    /// The features of all inputs, side by side.
    Concat,
    /// The elements of the input along other axes.
    View,
}

/// Whether a layer can take a sequence one step at a time.
#[derive(Clone, Copy, Debug)]
pub enum Streaming {
    /// It can, without a state, if the leading axes pass through it or it computes each step by itself.
    Pointwise,
    /// It cannot: each step of its output depends on all steps of its input.
    Whole,
    /// It can, with a recurrent state, if its arguments allow that.
    CarriesIf(fn(&[Value]) -> bool),
}

/// A count that follows from the inputs' shapes and the arguments' values.
pub type Count = fn(&[Shape], &[Value]) -> usize;

/// A layer's output shape. Every mistake of shapes or of arguments' values is found here and nowhere else.
pub type Rule = fn(&[Shape], &[Value]) -> Result<Shape, ShapeError>;

/// How a layer's output shape is computed, such as `height (28 + 2*0 - 3)/1 + 1 = 26`.
pub type How = fn(&[Shape], &[Value]) -> Text;

/// Where PyTorch has the channels of a layer's output, given its inputs and arguments.
pub type ChannelsOf = fn(&[Shape], &[Value]) -> Channels;

/// What a layer does with short sequences, given its inputs and arguments.
pub type StepsFor = fn(&[Shape], &[Value]) -> Steps;

/// The tensors of a layer's weights in files.
pub type Tensors = fn(&[Shape], &[Value], &mut TensorSink<'_>);

/// One kind of layer.
///
/// Rows are written as `Row { name: "ReLU", .., ..Row::ELEMENTWISE }`: a layer names what differs from
/// [`Row::BASE`] only. Where [`Self::params`], [`Self::macs`] or [`Self::how`] is given, the struct of
/// arguments has a method of that name, `const fn(&self, &[Shape])`, which expanded code calls; and always
/// one named `output`, the rule.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name in the language and of its types: `Conv2d`.
    pub name: &'static str,
    /// The name of its files and of its weights: `conv2d`.
    pub stem: &'static str,
    /// One line of what it computes, for tables.
    pub summary: &'static str,
    /// Its arguments.
    pub parameters: &'static [Parameter],
    /// How many of the first arguments may be given without their names.
    pub positional: usize,
    /// How many inputs it takes.
    pub inputs: Inputs,
    /// Its output shape.
    pub rule: Rule,
    /// How many trained parameters it has, where the rule succeeds; `None` for none.
    pub params: Option<Count>,
    /// How many stored values are not trained (the running statistics of BatchNorm), where the rule
    /// succeeds; `None` for none.
    pub buffers: Option<Count>,
    /// How its output shape is computed, where the rule succeeds; `None` where that is plain.
    pub how: Option<How>,
    /// How many multiply-adds one sample costs in the forward pass, where the rule succeeds; `None` for
    /// none.
    pub macs: Option<Count>,
    /// The const generics of its type in nn-runtime.
    pub sizes: &'static [Size],
    /// The values of the [`Size::Computed`] and [`Size::InputLastUnless`] among them, in order.
    pub computed: &'static [Count],
    /// The tensors of its weights in files, where the rule succeeds; `None` for a layer without weights. The struct of
    /// arguments has a method of that name, which the layer's type in nn-runtime calls.
    pub tensors: Option<Tensors>,
    /// The rows and columns of its weight in files, if a later layer can share it: only
    /// [`Size::InputLast`] and [`Size::Argument`].
    pub weight: Option<[Size; 2]>,
    /// How axes pass through it.
    pub flows: Flows,
    /// How its code uses memory.
    pub storage: Storage,
    /// What its backward pass reads.
    pub needs: Needs,
    /// Whether training takes more than one phase: it looks across the batch (BatchNorm), or its buffers change once per step
    /// (spectral normalisation).
    pub several_phases: bool,
    /// What it does with the order of features.
    pub features: Features,
    /// What it does with sequences that are shorter than their shape.
    pub steps: Steps,
    /// The same where it depends on the arguments; `None` where it is [`Self::steps`].
    pub steps_for: Option<StepsFor>,
    /// Where PyTorch has the channels of its output; see [`Self::channels`].
    pub channels: Channels,
    /// The same where it depends on the arguments; `None` where it is [`Self::channels`]. The struct of arguments has a
    /// method `channels`, a `const fn(&self, &[Shape]) -> Channels`, which expanded code calls.
    pub channels_of: Option<ChannelsOf>,
    /// Whether it can take a sequence one step at a time.
    pub streaming: Streaming,
    /// How inference computes it together with its neighbours.
    pub fusion: Fusion,
    /// What warnings about common mistakes have to know of it.
    pub role: Role,
}

impl Row {
    /// A layer of one input and no arguments, whose output has the input's shape, computed step by step.
    pub const BASE: Self = Self {
        name: "",
        stem: "",
        summary: "",
        parameters: &[],
        positional: 0,
        inputs: Inputs::One,
        rule: |inputs, _| Ok(inputs[0]),
        params: None,
        buffers: None,
        how: None,
        macs: None,
        sizes: &[],
        computed: &[],
        tensors: None,
        weight: None,
        flows: Flows::SAME,
        storage: Storage::Separate,
        needs: Needs::NOTHING,
        several_phases: false,
        features: Features::Fixed,
        steps: Steps::Each,
        steps_for: None,
        channels: Channels::AsInput,
        channels_of: None,
        streaming: Streaming::Pointwise,
        fusion: Fusion::None,
        role: Role::Other,
    };

    /// A function of each element by itself.
    pub const ELEMENTWISE: Self = Self { features: Features::Same, ..Self::BASE };

    /// Which of its inputs, in their order, is an input of the network that holds indices.
    #[must_use]
    pub const fn indices(&self) -> Option<usize> {
        match self.inputs {
            Inputs::One | Inputs::Branches => None,
            Inputs::Indices => Some(0),
            Inputs::OneAndIndices => Some(1),
        }
    }

    /// Whether it normalises by statistics of the batch in training, and by running ones at inference.
    #[must_use]
    pub fn is_batch_norm(&self) -> bool {
        self.several_phases && self.role == Role::ChannelNorm
    }

    /// The number of trained parameters, where the rule succeeds.
    #[must_use]
    pub fn params(&self, inputs: &[Shape], values: &[Value]) -> usize {
        self.params.map_or(0, |params| params(inputs, values))
    }

    /// The number of stored values that are not trained, where the rule succeeds.
    #[must_use]
    pub fn buffers(&self, inputs: &[Shape], values: &[Value]) -> usize {
        self.buffers.map_or(0, |buffers| buffers(inputs, values))
    }

    /// The multiply-adds of one sample in the forward pass, where the rule succeeds.
    #[must_use]
    pub fn macs(&self, inputs: &[Shape], values: &[Value]) -> usize {
        self.macs.map_or(0, |macs| macs(inputs, values))
    }

    /// How the output shape is computed, where the rule succeeds; empty where that is plain.
    #[must_use]
    pub fn how(&self, inputs: &[Shape], values: &[Value]) -> Text {
        self.how.map_or(Text::new(), |how| how(inputs, values))
    }

    /// What the layer does with sequences that are shorter than their shape, where the rule succeeds.
    #[must_use]
    pub fn steps(&self, inputs: &[Shape], values: &[Value]) -> Steps {
        self.steps_for.map_or(self.steps, |steps| steps(inputs, values))
    }

    /// Where PyTorch has the channels of the output, where the rule succeeds.
    #[must_use]
    pub fn channels(&self, inputs: &[Shape], values: &[Value]) -> Channels {
        self.channels_of.map_or(self.channels, |channels| channels(inputs, values))
    }

    /// Whether the layer can take a sequence one step at a time, with these arguments.
    #[must_use]
    pub fn streams(&self, values: &[Value]) -> bool {
        match self.streaming {
            Streaming::Pointwise => self.flows.leading == Flow::Keep || self.steps == Steps::Each,
            Streaming::Whole => false,
            Streaming::CarriesIf(allow) => allow(values),
        }
    }
}
