//! What every expanded network offers.

use crate::data::Data;
#[cfg(feature = "files")]
use crate::io::{self, LoadError, SaveError};
use crate::loss::Loss;
use crate::state::{self, State};
use crate::train::{self, Score};
use crate::weights::zeros_on_line;
use crate::{BatchError, batch, optim, step, summary};
use crate::{Head, Inputs, Spec, Station, Streams, Values, Weights, Whole};
use nn_shape::{Shape, ShapeError, StepsOf, Text, checks};
#[cfg(feature = "files")]
use serde::{Serialize, de::DeserializeOwned};
use std::ops::Range;
#[cfg(feature = "files")]
use std::path::Path;

/// One line of [`Shaped::LAYERS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerInfo {
    /// Its path: `stage1.0.conv2d`.
    pub name: &'static str,
    /// Its kind with its arguments, as the user wrote it: `Conv2d(32, kernel = 3)`.
    pub kind: &'static str,
    /// The shape of its output.
    pub output: Shape,
    /// How many trained numbers it has.
    pub params: usize,
    /// How many multiply-adds one sample costs forward.
    pub macs: usize,
    /// Where its numbers begin among all numbers of the network; the trained ones come first.
    pub offset: usize,
    /// The layers inside of it, if it is a network; their offsets count from its own.
    pub inner: &'static [Self],
}

/// What is known of a type that can stand as a layer in a `network!` block: a network, or a layer
/// of the user's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    label = "expected a network, or a type that implements `Layer`"
)]
pub trait Shaped: Weights {
    /// The shapes that it takes.
    const INPUTS: &'static [Shape];
    /// What it calls its inputs, where it has several.
    const INPUT_NAMES: &'static [&'static str] = &[];
    /// The shape that it gives.
    const OUTPUT: Shape;
    /// The same, or why it cannot be: [`Layer::RULE`](crate::Layer::RULE).
    const RULE: Result<Shape, ShapeError> = Ok(Self::OUTPUT);
    /// Of which input its output has the steps, if its first axis counts any.
    const OUTPUT_STEPS: Option<StepsOf> = None;
    /// Its outputs, where it has several: then `OUTPUT` is all their numbers along one axis.
    const HEADS: &'static [Head] = &[];
    /// How many trained numbers it has.
    const PARAMS: usize = Self::LEN;
    /// Multiply-adds of one sample, forward.
    const MACS: usize = 0;
    /// Its layers in order, if it is a network.
    const LAYERS: &'static [LayerInfo] = &[];

    /// What a network that it stands in looks at.
    #[doc(hidden)]
    const USE: Use = Use {
        inputs: Self::INPUTS,
        input_names: Self::INPUT_NAMES,
        output: Self::OUTPUT,
        rule: Self::RULE,
        heads: Self::HEADS.len(),
    };
}

/// What it takes to use a [`Shaped`] type as a layer: its constants of the same names.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Use {
    inputs: &'static [Shape],
    input_names: &'static [&'static str],
    output: Shape,
    rule: Result<Shape, ShapeError>,
    heads: usize,
}

/// What expanded code asks of a type of the user's that stands in a network as station `S`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    label = "expected a network, or a type that implements `Layer`"
)]
pub trait Standing<S: Spec>: Station<S> + Shaped {}

#[diagnostic::do_not_recommend]
impl<S: Spec, T: Station<S> + Shaped> Standing<S> for T {}

/// A type that `network!` made.
pub trait Network: Station<Whole> + Shaped {
    /// One sample: an array, or a tuple of arrays for several inputs.
    type Input: Inputs;
    /// What it gives for one sample: an array, or a struct of one array for each of several outputs.
    type Output: Values;

    /// Fails to compile where shapes that depend on const generics do not fit.
    #[doc(hidden)]
    const CHECKS: () = ();

    /// Bytes of all its numbers.
    const PARAM_BYTES: usize = size_of::<Self>();
    /// Bytes of memory that inference on one sample uses besides the weights.
    const WORKSPACE_BYTES: usize =
        (<Self as Station<Whole>>::WORK + <Self as Station<Whole>>::SCRATCH) * size_of::<f32>();
    /// Bytes of memory that a training step uses for one sample, besides weights and gradients.
    const TRAIN_BYTES: usize = step::train_len::<Self>() * size_of::<f32>();

    /// A new network with PyTorch's initialisation, made in place on the heap. The same seed gives
    /// the same weights.
    #[must_use]
    fn new(seed: u64) -> Box<Self> {
        const { Self::CHECKS }
        let mut net = zeros_on_line::<Self>();
        Station::<Whole>::initialise(&mut *net, Streams::new(seed));
        net
    }

    /// A new network whose seed is drawn from `rng`.
    #[must_use]
    fn from_rng<R: rand::Rng + ?Sized>(rng: &mut R) -> Box<Self> {
        Self::new(rng.next_u64())
    }

    /// Inference on one sample that goes on where `state` left off: the next stretch of a longer sequence.
    #[must_use]
    fn forward_from(&self, state: &mut State<Self>, input: &Self::Input) -> Self::Output {
        state::forward_from(self, state, input)
    }

    /// Whether the network takes these inputs: the numbers of tokens that an `Embedding` reads must be
    /// in its vocabulary. With inputs that were checked, inference never panics.
    ///
    /// # Errors
    /// For the first input that it does not take, with its place.
    fn check_inputs(inputs: &[Self::Input]) -> Result<(), BatchError> {
        batch::check_inputs::<Self>(inputs)
    }

    /// Inference on all samples, on all threads.
    ///
    /// # Panics
    /// When `inputs` and `outputs` differ in length, and when the network does not take an input: see
    /// [`check_inputs`](Self::check_inputs).
    fn forward_batch(&self, inputs: &[Self::Input], outputs: &mut [Self::Output]) {
        step::infer_batch(self, inputs, outputs);
    }

    /// The mean loss of a batch, in training mode, and its gradient, written to `d_net`.
    ///
    /// The random numbers of layers such as `Dropout` follow from the weights and the size of the
    /// batch, so that the same call gives the same result. [`loss_and_gradients`](crate::loss_and_gradients)
    /// takes them as an argument.
    ///
    /// # Errors
    /// When the batch is empty, when there are not as many targets as inputs, or when the loss
    /// refuses a target.
    fn loss_and_gradients<L: Loss<Self::Output>>(
        &mut self,
        loss: &L,
        inputs: &[Self::Input],
        targets: &[L::Target],
        d_net: &mut Self,
    ) -> Result<f32, BatchError> {
        let streams = streams_of(self.as_floats(), inputs.len());
        step::loss_and_gradients(self, loss, inputs, targets, d_net, streams)
    }

    /// The mean loss and the accuracy on a data set, in inference mode, on all threads.
    ///
    /// # Errors
    /// As [`loss_and_gradients`](Self::loss_and_gradients).
    fn evaluate<L: Loss<Self::Output>>(
        &self,
        data: &Data<Self::Input, L::Target>,
        loss: &L,
    ) -> Result<Score, BatchError> {
        train::evaluate(self, data, loss)
    }

    /// All numbers as one flat slice, layer by layer.
    #[must_use]
    fn params(&self) -> &[f32] {
        self.as_floats()
    }

    /// All numbers as one flat slice, to be written.
    fn params_mut(&mut self) -> &mut [f32] {
        self.as_floats_mut()
    }

    /// The Euclidean norm of each layer's numbers, with its path: of a gradient, which has the network's own
    /// type, how strongly each layer learns. [`Health`](crate::train::Health) says what is wrong with it.
    ///
    /// ```
    /// # use nn_runtime::{Network, loss::CrossEntropy};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
    /// # ) -> Result<(), nn_runtime::BatchError> {
    /// let mut d_net = N::zeros();
    /// net.loss_and_gradients(&CrossEntropy::new(), xs, classes, &mut d_net)?;
    /// for (layer, norm) in d_net.gradient_norms() {
    ///     println!("{layer}: {norm:.2e}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    fn gradient_norms(&self) -> Vec<(String, f64)> {
        let layers = Self::trained().into_iter();
        layers.map(|(name, range)| (name, optim::norm(&self.as_floats()[range]))).collect()
    }

    /// The table of its layers: kind, output, trained parameters and multiply-adds of each, and how
    /// much memory it takes.
    #[must_use]
    fn summary() -> String {
        summary::of::<Self>()
    }

    /// Writes the weights to `path` as a PyTorch state_dict; see [`io`]. They are written beside it
    /// first, then renamed, so that a failure leaves an older file as it was.
    ///
    /// # Errors
    /// When the file cannot be written.
    #[cfg(feature = "files")]
    fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        io::save(self, None, path.as_ref())
    }

    /// As [`save`](Self::save), with something that belongs to the weights: the
    /// [`Standardizer`](crate::data::Standardizer) of the inputs, the names of the classes. It stands as
    /// JSON in the file's metadata, where PyTorch's `load_state_dict` does not mind it:
    ///
    /// ```python
    /// json.loads(safetensors.safe_open("net.safetensors", "pt").metadata()["extra"])
    /// ```
    ///
    /// # Errors
    /// When the file cannot be written, or `extra` cannot be written as JSON.
    #[cfg(feature = "files")]
    fn save_with<E: Serialize>(&self, path: impl AsRef<Path>, extra: &E) -> Result<(), SaveError> {
        let extra = serde_json::to_value(extra).map_err(SaveError::Extra)?;
        io::save(self, Some(extra), path.as_ref())
    }

    /// A network with the weights in the file `path`, filled in place on the heap.
    ///
    /// # Errors
    /// When the file cannot be read, is no safetensors file or damaged, or does not fit the network;
    /// then with all differences at once.
    #[cfg(feature = "files")]
    fn load(path: impl AsRef<Path>) -> Result<Box<Self>, LoadError> {
        Ok(io::load(path.as_ref())?.0)
    }

    /// As [`load`](Self::load), with what [`save_with`](Self::save_with) kept with the weights.
    ///
    /// # Errors
    /// As [`load`](Self::load), and when the file keeps nothing with its weights, or something else.
    #[cfg(feature = "files")]
    fn load_with<E: DeserializeOwned>(path: impl AsRef<Path>) -> Result<(Box<Self>, E), LoadError> {
        let path = path.as_ref();
        let (net, extra) = io::load(path)?;
        let extra = io::extra_of(extra, path)?;
        let extra = serde_json::from_value(extra)
            .map_err(|why| LoadError::Extra { path: path.into(), why })?;
        Ok((net, extra))
    }

    /// Where trained numbers stand among all numbers, layer by layer, with the path of each layer:
    /// without running statistics.
    #[must_use]
    fn trained() -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        trained_of(Self::LAYERS, "", 0, &mut found);
        found
    }
}

/// Random streams that depend on a few evenly spaced weights and on the batch's size.
fn streams_of(weights: &[f32], batch: usize) -> Streams {
    const ASKED: usize = 16;
    let every = weights.len().div_ceil(ASKED).max(1);
    let few = weights.iter().step_by(every);
    few.fold(Streams::new(batch as u64), |streams, weight| streams.child(weight.to_bits().into()))
}

fn trained_of(
    layers: &[LayerInfo],
    path: &str,
    offset: usize,
    found: &mut Vec<(String, Range<usize>)>,
) {
    for layer in layers {
        let name = format!("{path}{}", layer.name);
        let begin = offset + layer.offset;
        if !layer.inner.is_empty() {
            trained_of(layer.inner, &format!("{name}."), begin, found);
        } else if layer.params > 0 {
            found.push((name, begin..begin + layer.params));
        }
    }
}

/// How a layer with several inputs is used.
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

/// The shape that a layer gives, if it takes the shapes `found`.
///
/// # Errors
/// When it takes others, and when its own rule refuses its sizes.
#[doc(hidden)]
pub const fn check_inputs(layer: &Use, found: &[Shape]) -> Result<Shape, ShapeError> {
    let Use { inputs, input_names, output, rule, heads } = *layer;
    if heads > 0 {
        let message = Text::of("gives ").number(heads).text(" outputs, but a line gives one");
        let help = Text::of(
            "a network with several outputs stands alone: write its lines here, as a block",
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
            let message = Text::of("gives ").shape(output).text(" by the type of its output");
            Err(ShapeError::layer(message.text(", but ").shape(shape).text(" by its rule")))
        }
        Ok(shape) => checks::layer_output(shape),
        Err(error) => Err(error),
    }
}
