//! [`Shaped`]: the shapes and costs of a type that is used as a layer.

#[cfg(feature = "std")]
use super::graph::Graph;
use super::node::Node;
use super::spec::Spec;
#[cfg(feature = "train")]
use super::train_node::TrainNode;
use crate::types::{OutputInfo, Weights};
use unrolled_shape::{Shape, ShapeError, StepsOf, Text, checks};

/// One line of [`Shaped::LAYERS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerInfo {
    /// Its path: `stage1.0.conv2d`.
    pub name: &'static str,
    /// Its kind and arguments as written: `Conv2d(32, kernel = 3)`.
    pub kind: &'static str,
    /// The shape of its output.
    pub output: Shape,
    /// The number of trained parameters.
    pub params: usize,
    /// Multiply-adds of the forward pass of one sample.
    pub macs: usize,
    /// The offset of its weights among all weights of the network; trained ones come first.
    pub offset: usize,
    /// Its layers, if it is a network; their offsets count from its own.
    pub inner: &'static [Self],
}

impl LayerInfo {
    /// That of the layer that is node `S`.
    #[doc(hidden)]
    #[must_use]
    pub const fn of<S: Spec>(
        kind: &'static str,
        params: usize,
        macs: usize,
        offset: usize,
    ) -> Self {
        Self { name: S::NAME, kind, output: S::OUTPUT, params, macs, offset, inner: &[] }
    }
}

/// The shapes and costs of a type that can be used as a layer in a `network!` block: a network, or a hand-written layer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    label = "expected a network, or a type that implements `Layer`"
)]
pub trait Shaped: Weights {
    /// The shapes of its inputs.
    const INPUTS: &'static [Shape];
    /// The names of its inputs, where it has several.
    const INPUT_NAMES: &'static [&'static str] = &[];
    /// The shape of its output.
    const OUTPUT: Shape;
    /// The same, or why its sizes are not allowed: [`Layer::RULE`](crate::Layer::RULE).
    const RULE: Result<Shape, ShapeError> = Ok(Self::OUTPUT);
    /// The input whose steps the first axis of its output counts, if any.
    const OUTPUT_STEPS: Option<StepsOf> = None;
    /// Its outputs, where it has several: then `OUTPUT` is all their elements along one axis.
    const OUTPUTS: &'static [OutputInfo] = &[];
    /// The number of trained parameters.
    const PARAMS: usize = Self::LEN;
    /// Multiply-adds of the forward pass of one sample.
    const MACS: usize = 0;
    /// Its layers in order, if it is a network.
    const LAYERS: &'static [LayerInfo] = &[];
    /// Its nodes.
    #[cfg(feature = "std")]
    #[doc(hidden)]
    const GRAPH: Graph;

    /// What a network that contains it reads.
    #[doc(hidden)]
    const SIGNATURE: Signature = Signature {
        inputs: Self::INPUTS,
        input_names: Self::INPUT_NAMES,
        output: Self::OUTPUT,
        rule: Self::RULE,
        outputs: Self::OUTPUTS.len(),
    };
}

/// What is needed to use a [`Shaped`] type as a layer: its constants of the same names.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    inputs: &'static [Shape],
    input_names: &'static [&'static str],
    output: Shape,
    rule: Result<Shape, ShapeError>,
    outputs: usize,
}

/// The bound of expanded code on a user's type that is node `S` of a network.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    label = "expected a network, or a type that implements `Layer`"
)]
pub trait Embeds<S: Spec>: Node<S> + Shaped {}

#[diagnostic::do_not_recommend]
impl<S: Spec, T: Node<S> + Shaped> Embeds<S> for T {}

/// As [`Embeds`], in a network that can be trained. One bound holds all that expanded code needs, so that a
/// type that is not a layer is one error.
#[cfg(feature = "train")]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    label = "expected a network, or a type that implements `Layer`"
)]
pub trait TrainEmbeds<S: Spec>: TrainNode<S> + Shaped {}

#[cfg(feature = "train")]
#[diagnostic::do_not_recommend]
impl<S: Spec, T: TrainNode<S> + Shaped> TrainEmbeds<S> for T {}

/// The help for a layer with several inputs in a chain.
const fn as_branches(names: &[&str]) -> Text {
    let text =
        Text::of("write a branch for each input behind its name, `{ a => { .. }, b => { .. } }`");
    let mut text = text.text(": it takes ").quoted(names[0]);
    let mut i = 1;
    while i < names.len() {
        text = text.text(", ").quoted(names[i]);
        i += 1;
    }
    text
}

/// The output shape of a layer for inputs of the shapes `found`.
///
/// # Errors
/// When it takes other shapes, and when its own rule refuses its sizes.
#[doc(hidden)]
pub const fn check_inputs(layer: &Signature, found: &[Shape]) -> Result<Shape, ShapeError> {
    let Signature { inputs, input_names, output, rule, outputs } = *layer;
    if outputs > 0 {
        let message = Text::of("has ").number(outputs).text(" outputs, but a line has one");
        let help = Text::of(
            "a network with several outputs cannot be a layer: write its lines here, or as a block",
        );
        return Err(ShapeError::layer(message).help(help));
    }
    if inputs.len() != found.len() {
        let message = Text::of("takes ").number(inputs.len()).text(" inputs, but gets ");
        let error = ShapeError::layer(message.number(found.len()));
        return Err(if input_names.len() > 1 {
            error.help(as_branches(input_names))
        } else {
            error
        });
    }
    let mut i = 0;
    while i < inputs.len() {
        let name = if i < input_names.len() { input_names[i] } else { "" };
        if let Err(error) = checks::layer_input(found[i], inputs[i], name) {
            return Err(error);
        }
        i += 1;
    }
    match rule {
        Ok(shape) if !shape.same(&output) => {
            let message = Text::of("has the output ").shape(output).text(" by its type");
            Err(ShapeError::layer(message.text(", but ").shape(shape).text(" by its rule")))
        }
        Ok(shape) => checks::layer_output(shape),
        Err(error) => Err(error),
    }
}
