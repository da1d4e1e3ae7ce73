//! Neural networks as plain structs: shapes checked at compile time, straight-line code.
//!
//! ```
//! use unrolled::prelude::*;
//!
//! network! {
//!     /// The side of a line that a point is on.
//!     pub struct Sides(2) -> 1 {
//!         fc1: Dense(8),
//!         Tanh,
//!         fc2: Dense(1),
//!     }
//! }
//!
//! let net = Sides::new(42);
//! let [score] = net.forward(&[0.5, -1.0]);
//! # assert!(score.is_finite());
//! ```
//!
//! [`network!`] documents the language. A network has the methods `forward` and, if its layers can run step by step,
//! `step`. The others are in extension traits, which the prelude imports: [`InferenceExt`] (batches, the caller's
//! memory, a summary), `TrainingExt` (`new`, gradients, evaluation) and `FilesExt` (`save`, `load`).
//! `train::Trainer` trains networks; `loss`, `optim` and `data` have losses, optimisers and data sets. [`layers`] lists
//! the layers, and [`rules`] explains their arguments.
//!
//! Layers, arguments and weights files follow PyTorch. The main differences: images are channels last, `nn.Linear` is
//! `Dense`, and `hidden_size` of recurrent layers is `units`.
//!
//! The features `train` and `files`, on by default, add training and weights files. Without the default features the
//! crate is `no_std` without an allocator, and [`InferenceExt::forward_in`] replaces `forward`.
#![cfg_attr(not(feature = "std"), no_std)]

pub use unrolled_macros::Weights;
#[cfg(feature = "files")]
pub use unrolled_runtime::FilesExt;
#[cfg(feature = "files")]
pub use unrolled_runtime::io;
#[cfg(feature = "train")]
pub use unrolled_runtime::{
    Activation, Activations, GradientCheck, TrainNode, TrainPass, TrainingExt, UnknownPath,
    check_gradients, distributed, init, loss, loss_and_all_gradients, loss_and_gradients,
    loss_and_gradients_from, optim, rand, train, train::metrics,
};
#[cfg(feature = "nalgebra")]
pub use unrolled_runtime::{AsMatrix, nalgebra};
#[cfg(feature = "std")]
pub use unrolled_runtime::{
    BatchError, DynNetwork, Element, State, StreamingCheck, Tensor, check_streaming, data,
    infer_batch, parallel,
};
pub use unrolled_runtime::{
    Half, InSteps, InferenceExt, Input, InputError, Inputs, InputsInSteps, Isa, Layer, LayerCtx,
    LayerInfo, Network, Node, OutputInfo, Outputs, Parameters, RngKey, Root, Sequence,
    SequenceError, Shaped, StepInput, StepOutput, Streaming, StreamingLayer, Values, WeightSlice,
    Weights, layers, sizes, typenum,
};
pub use unrolled_shape::{Shape, ShapeError, StepsOf, Text, rules};

/// Defines a struct for each network in the block, with all sizes known at compile time.
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     /// Two convolutions with a skip connection around them.
///     block Basic(channels) {
///         Residual {
///             Conv2d(channels, kernel = 3, padding = same), ReLU,
///             Conv2d(channels, kernel = 3, padding = same),
///         },
///         ReLU,
///     }
///
///     /// Classifies images into ten classes.
///     pub struct Images(8x8x3) -> 10 {
///         stem: Conv2d(4, kernel = 3)  -> 6x6x4,
///         ReLU,
///         stage: Repeat(2) { Basic(4) },
///         GlobalAvgPool                -> 4,
///         head: Dense(10),
///     }
/// }
///
/// let net = Images::new(1);
/// let scores: [f32; 10] = net.forward(&[[[0.0; 3]; 8]; 8]);
/// # assert!(scores.iter().all(|score| score.is_finite()));
/// assert_eq!(Images::PARAMS, 754);
/// ```
///
/// A header is a function signature: input shapes in parentheses, output shape after the arrow. A line of the
/// body is one layer: `[name:] [value =>] Layer(arguments) [-> shape],`. Shapes are channels-last. The shape
/// after a layer's arrow is optional; where it is written, it is checked. The arguments of a layer are the fields
/// of the struct of its name in [`rules`]; [`layer_reference`] has an example of each.
///
/// # Named values
///
/// The input of a line is the output of the line before it, unless it names another value: `value => Layer`
/// reads an input of the network or the output of an earlier line of that name. Branches of a join begin in the
/// same way: `value => { layers }`, `value` alone for the value itself, `{}` for the output of the line before.
/// Some layers also take named values as arguments. A value may be used any number of times. Its scope is from
/// its line to the end of the braces around that line; a block can use the values that are passed as its
/// arguments.
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     /// Joins the decoder with a value of the encoder.
///     block Up(skip) {
///         Concat { {}, skip },
///         Dense(8), ReLU,
///     }
///
///     /// An image and a table of measurements.
///     pub struct Fusion(image: 8x8x1, table: 12) -> 3 {
///         image => Conv2d(4, kernel = 3),
///         ReLU,
///         seen: GlobalAvgPool               -> 4,
///         measured: table => Dense(4),
///         Mul { seen, measured => { Sigmoid } },
///         Up(measured),
///         Dense(3),
///     }
/// }
///
/// let net = Fusion::new(1);
/// let scores: [f32; 3] = net.forward((&[[[0.0; 1]; 8]; 8], &[0.0; 12]));
/// # assert!(scores.iter().all(|score| score.is_finite()));
/// ```
///
/// # Shared weights
///
/// `right: b => same(left)` applies the earlier line `left` again, with its weights, to another value: what a PyTorch model
/// does that calls one module twice. `left` may be a layer, a block, a list of lines, a network or a hand-written layer. The
/// value must have the shape that `left` takes. All that `left` reads of its input is read of the value; other named
/// values stay. `Repeat(4, shared = true) { .. }` applies its lines four times with one set of weights.
///
/// A line with several inputs takes others where it was given the first ones:
///
/// | first | again |
/// |---|---|
/// | `mix: Mix { a, b }`, `mix: Add { a => { .. }, b => { .. } }` | `same(mix) { c, d }`, a branch for each of the first ones |
/// | `look: a => MultiHeadAttention(4, memory = b)` | `c => same(look, memory = d)` |
/// | `up: a => Up(b)`, where `Up` is `block Up(skip) { .. }` | `c => same(up, skip = d)` |
/// | `list: a => [.., MultiHeadAttention(4, memory = b)]` | `c => same(list, b = d)`, by the value's name |
///
/// Named inputs that are left out stay. Each new value must have the shape of the first one.
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     block Encoder(units) { Dense(units), LayerNorm, ReLU }
///
///     /// How far apart two inputs are.
///     pub struct Siamese(a: 12, b: 12) -> 1 {
///         left: a => Encoder(8),
///         right: b => same(left),
///         Sub { left, right },
///         Repeat(2, shared = true) { Residual { Dense(8), Tanh } },
///         Dense(1),
///     }
/// }
///
/// // The encoder, one `Dense(8)` of 8 features, and the last layer.
/// assert_eq!(Siamese::PARAMS, (12 * 8 + 8 + 16) + (8 * 8 + 8) + (8 + 1));
/// let net = Siamese::new(1);
/// assert_eq!(net.forward((&[0.5; 12], &[0.5; 12])), net.forward((&[2.0; 12], &[2.0; 12])));
/// ```
///
/// Gradients of all applications add up. `Dropout` draws a mask for each of them, `BatchNorm` moves its running statistics
/// once for each, and recurrent layers have a state for each. Weights, files and optimisers know the weights once, under
/// the name of the first line. A layer can also use the weight of another layer alone: `Dense(65, weight = tokens)`.
///
/// # Lines for each step
///
/// `PerStep { .. }` applies its lines to each step of a sequence, with the same weights: a convolutional network to each frame
/// of a video, a network of words to each sentence. Its input is `T x ..`, its lines see one step, and its output is `T x` what
/// the last of them gives. PyTorch has `x.flatten(0, 1)` before such a module and `unflatten` after it.
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     pub struct Video(12x16x16x1) -> 12x5 {
///         PerStep { conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(16) },
///         ReLU,
///         LSTM(32),
///         head: Dense(5),
///     }
/// }
///
/// let net = Video::new(1);
/// let video = [[[[0.5; 1]; 16]; 16]; 12];
/// let scores: [[f32; 5]; 12] = net.forward(&video);
/// // A frame at a time.
/// let mut state = State::<Video>::new();
/// assert_eq!(video.map(|frame| net.step(&mut state, &frame)), scores);
/// ```
///
/// For its lines each step is a sample: `BatchNorm` has the statistics of all steps of the batch, `Dropout` a mask for each
/// step, recurrent layers begin anew. They may be any lines, also those that need a whole sequence or image, types of the
/// user's, and another `PerStep`. They read nothing of other steps, and no named value from outside: a value that all steps
/// read joins the sequence before, by `RepeatSteps(12)`. Steps after the end of a short sequence have no part in gradients
/// and statistics.
///
/// # Constants and const generics
///
/// A size may be a constant, an expression in braces, or a const generic of the network. Constants are checked where the
/// network is defined, const generics where a program makes one: `Mlp::<30>` below does not compile.
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     pub struct Mlp<const FEATURES: usize>(5x5x4) -> 10 {
///         Flatten -> FEATURES,
///         Dense(10),
///     }
/// }
///
/// assert_eq!(Mlp::<100>::new(1).params().len(), 1010);
/// ```
///
/// ```compile_fail,E0080
/// # use unrolled::prelude::*;
/// # network! {
/// #     pub struct Mlp<const FEATURES: usize>(5x5x4) -> 10 {
/// #         Flatten -> FEATURES,
/// #         Dense(10),
/// #     }
/// # }
/// // layer `Flatten` gives 5x5x4 = 100, but its arrow says 30
/// let net = Mlp::<30>::zeros();
/// ```
///
/// # Names of layers
///
/// Each layer has a path, which is its name in weights files, errors and `summary`. With `_` in place of `.` it is the
/// field of the struct: the layer `stage.0.basic.conv2d` of `Images` above has the weight
/// `net.stage_0_basic_conv2d.weight`, in files `stage.0.basic.conv2d.weight`.
///
/// - A line with a name has that name. A line without one is named after its layer: `conv2d`, the next `conv2d_2`.
/// - Lines of a block are inside of the line that uses it (`basic.conv2d`), lines of a `Repeat` inside of the copy's
///   index (`stage.0.conv2d`, or `repeat.0.conv2d` if the `Repeat` has no name).
/// - Lines of a `Residual` or a `PerStep` are inside of it only if it has a name (`first.conv2d`); lines of its `skip` are
///   inside of `skip` (`skip.conv2d`).
/// - Lines of a branch `image => { .. }` are inside of `image` (`image.conv2d`), or of the join and `image` if the
///   join has a name (`sum.image.conv2d`). Lines of a branch `{ .. }` are inside of the join and the branch's index,
///   counted from 0 (`concat.1.dense`).
///
/// - Lines in brackets are numbered, like the modules of an `nn.Sequential`: `layer1: [Basic(64), Basic(64)]` has the
///   lines of its blocks inside of `layer1.0` and `layer1.1`. Brackets may replace all braces around lines.
/// - Lines of `stage: Repeat(3, shared = true) { .. }` are inside of the line alone (`stage.conv2d`). Where `right` is
///   `same(left)`, the values of its lines are inside of it, too (`right.conv2d`), and the weights those of `left`.
/// - A line with `_` as its name adds no level: the lines of `_: Basic(64)` are inside of what is around it. In
///   brackets, the copies of `_: Repeat(3) { .. }` take the next three indices.
/// - `Residual { .. } downsample: skip { .. }` names a skip connection.
///
/// So lines can have the names of any PyTorch module. This is a part of torchvision's ResNet-18:
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     block Halving(channels) {
///         Residual {
///             conv1: Conv2d(channels, kernel = 3, stride = 2, padding = 1, bias = false), bn1: BatchNorm, ReLU,
///             conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
///         }
///         downsample: skip [Conv2d(channels, kernel = 1, stride = 2, bias = false), BatchNorm],
///         ReLU,
///     }
///
///     struct Part(8x8x64) -> 10 {
///         layer2: [Halving(128)],
///         GlobalAvgPool,
///         fc: Dense(10),
///     }
/// }
///
/// let names: Vec<String> = Part::tensors().into_iter().map(|tensor| tensor.name).collect();
/// assert_eq!(names[0], "layer2.0.conv1.weight");
/// assert!(names.contains(&"layer2.0.downsample.1.running_mean".to_string()));
/// ```
///
/// # Shared weights
///
/// A line can share the weight of an earlier line: `Dense(65, weight = tokens)` uses the weight of `tokens`, an
/// `Embedding(65, 128)` or a `Dense(65)`, and has a bias of its own unless `bias = false`. The weight is stored
/// once, is initialised by its owner, and its gradient is the sum of the gradients of all lines that use it.
/// Files contain it under all names, as PyTorch's `state_dict` does after `head.weight = tokens.weight`. A file with
/// one of the names can be loaded, too.
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     /// Predicts the next of 65 characters at each step.
///     pub struct Tied(text: 16) -> 16x65 {
///         tokens: Embedding(65, 32),
///         LSTM(32),
///         head: Dense(65, weight = tokens),
///     }
/// }
///
/// let net = Tied::new(1);
/// let scores: [[f32; 65]; 16] = net.forward(&[7; 16]);
/// # assert!(scores.as_flattened().iter().all(|score| score.is_finite()));
/// assert_eq!(net.head.bias.len(), 65);
/// assert_eq!(Tied::PARAMS, 65 * 32 + 2 * 4 * 32 * (32 + 1) + 65);
/// ```
///
/// # Several outputs
///
/// A header with several outputs names the lines that compute them. The output type is then a struct with an
/// array for each, named after the network with the suffix `Output`. Such a network is trained with a tuple of
/// losses and tuples of targets, one for each output in the order of the header. The total loss is the sum of
/// the losses, each a mean over the batch; `weighted` sets the weight of one of them.
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     /// The class of a digit and its position.
///     pub struct Finder(8x8x1) -> (digit: 10, place: 2) {
///         Flatten,
///         shared: Dense(16),
///         ReLU,
///         seen: Dense(16),
///         digit: Dense(10),
///         place: seen => Dense(2),
///     }
/// }
///
/// let mut net = Finder::new(1);
/// let FinderOutput { digit, place } = net.forward(&[[[0.0; 1]; 8]; 8]);
/// # assert!(digit.iter().chain(&place).all(|number| number.is_finite()));
///
/// let loss = (CrossEntropy::new(), MeanSquaredError.weighted(0.3));
/// let data = Data { inputs: vec![[[[0.0; 1]; 8]; 8]], targets: vec![(7, [0.5, 0.25])] };
/// for output in net.evaluate(&data, &loss).expect("data that fit").outputs() {
///     println!("{}: {:.4}", output.name, output.loss);
/// }
/// ```
///
/// # Warnings
///
/// The compiler warns about networks that compile and learn badly, such as two layers without an activation between them
/// (`dense_after_dense`) or a `Softmax` at the output (`softmax_at_output`). `#[allow(dense_after_dense)]`, `expect`,
/// `warn`, `deny` and `forbid` on the struct or on a `block` set the level of a warning, and those of `deprecated` that of
/// all. `docs/lints.md` of the repository explains each of them.
///
/// # Weights in the program, and budgets
///
/// `#[weights("digits.safetensors")]` on a `struct` reads the file, whose path begins at the folder of the package's
/// Cargo.toml, while the macro expands. `Digits::pretrained()` is then a `&'static Digits` in read-only memory. A file that
/// does not fit is an error at the path, in the words of `load`. Sizes must be literals, and layers those of the language.
/// `#[weights("digits.safetensors", storage = f16)]` stores two bytes for each weight: `pretrained()` is then a [`Half`], whose
/// `forward_in` has the bits of a network with the rounded weights.
///
/// `#[fits(flash = 256K, ram = 64K)]` fails the build where the weights or the memory of `forward_in` (workspace, input and
/// output) have more bytes, and names the layer with most weights, or at which memory peaks.
///
/// # Predefined blocks
///
/// The layers of transformers (Vaswani et al., 2017) are predefined blocks, written in this language; a block of
/// the same name replaces one of them. They are PyTorch's `nn.TransformerEncoderLayer` and
/// `nn.TransformerDecoderLayer` with `activation="gelu"` and have the same names of weights, so that files work in
/// both. `hidden` is PyTorch's `dim_feedforward`, `width` its `d_model`, `heads` its `nhead`.
///
/// | block | description | in PyTorch |
/// |---|---|---|
/// | `TransformerEncoder(width, heads, hidden)` | self-attention, then two dense layers, each after a `LayerNorm` and with a skip connection | `norm_first=True` |
/// | `PostNormTransformerEncoder(width, heads, hidden)` | the same with each `LayerNorm` after its sum | `norm_first=False` |
/// | `TransformerDecoder(memory, width, heads, hidden)` | causal self-attention, attention to a named value, dense layers | `norm_first=True` |
/// | `PostNormTransformerDecoder(memory, width, heads, hidden)` | the same with each `LayerNorm` after its sum | `norm_first=False` |
///
/// All take `dropout = 0.1`, `rotary = false`, `kv_heads = heads` and `alibi = false`, encoders also `causal = false`;
/// PyTorch's have no counterparts of `rotary`, `kv_heads` and `alibi`. `width` is the number of features of
/// the input and the output.
///
/// ```
/// use unrolled::prelude::*;
///
/// network! {
///     /// Predicts the next of 65 characters at each step.
///     pub struct Gpt(text: ..64) -> 64x65 {
///         Embedding(65, 32), PositionalEmbedding,
///         Repeat(2) { TransformerEncoder(32, heads = 4, hidden = 128, causal = true) },
///         LayerNorm,
///         Dense(65, bias = false),
///     }
///
///     /// Translates from one language to another.
///     pub struct Translator(read: ..20, written: ..24) -> 24x500 {
///         foreign: read => Embedding(800, 32),
///         PositionalEncoding,
///         understood: TransformerEncoder(32, 4, 64),
///         written => Embedding(500, 32),
///         PositionalEncoding,
///         TransformerDecoder(understood, 32, 4, 64),
///         Dense(500),
///     }
/// }
///
/// // One character at a time: the state holds the keys and values of earlier characters.
/// let (gpt, mut state) = (Gpt::new(1), State::new());
/// let scores: [f32; 65] = gpt.step(&mut state, &12);
/// assert_eq!(scores, gpt.forward(&Sequence::new(&[12]).unwrap())[0]);
/// ```
#[macro_export]
macro_rules! network {
    ($($tokens:tt)*) => {
        // A procedural macro has no `$crate` of its own: expanded code finds this crate by the one that is passed.
        $crate::__private::network_impl! { $crate; $($tokens)* }
    };
}

/// Functions for C and for languages that call C, with the weights of `#[weights("..")]`:
///
/// ```ignore
/// network! {
///     #[weights("digits.safetensors")]
///     pub struct Digits(8x8x1) -> 10 { .. }
/// }
/// unrolled::c_api!(Digits);
/// ```
///
/// ```c
/// int digits_forward(const float *x, float *y);
/// int digits_forward_in(float *workspace, const float *x, float *y);
/// ```
///
/// They return 0, or the number of an error, and no panic leaves them. `digits_forward` needs the feature `std`.
/// `DIGITS_HEADER` is the C header as a string, with the numbers of elements as constants. `examples/c` is a library that
/// a C program and a Python script use, with a test that writes the header to a file.
///
/// The network must be in scope by its name and have one input, whose sequences have one length. Token indices are
/// `uint32_t`, several outputs follow each other in `y`.
#[macro_export]
macro_rules! c_api {
    ($($tokens:tt)*) => {
        $crate::__private::c_api_impl! { $crate; $($tokens)* }
    };
}

/// The items that most programs need: `use unrolled::prelude::*;`
///
/// [`WeightSlice`] is not among them: arrays of `f32` have its methods under the names of those of
/// `Values`, so that `x.as_floats()` would be ambiguous.
pub mod prelude {
    pub use crate::network;
    pub use unrolled_macros::Weights;
    #[cfg(feature = "files")]
    pub use unrolled_runtime::FilesExt;
    pub use unrolled_runtime::{
        Half, InferenceExt, Inputs, Layer, Network, Sequence, Shaped, StreamingLayer, Values,
        Weights,
    };
    #[cfg(feature = "train")]
    pub use unrolled_runtime::{
        RngKey, TrainPass, TrainingExt,
        loss::{
            BinaryCrossEntropyWithLogits, CrossEntropy, Huber, Loss, MeanAbsoluteError,
            MeanSquaredError,
        },
        optim::{
            Adagrad, Adam, AdamW, Clip, Ema, Groups, LAMB, LBFGS, Lion, Muon, NAdam, Optimizer,
            OptimizerExt, RAdam, RMSprop, SGD,
        },
        train::{Accuracy, EarlyStopping, F1, Precision, Recall, Trainer},
    };
    #[cfg(feature = "std")]
    pub use unrolled_runtime::{
        State,
        data::{Data, Dataset},
    };
}

/// For expanded code only.
#[doc(hidden)]
pub mod __private {
    pub use core::option::Option::{self, None, Some};
    #[cfg(feature = "std")]
    pub use unrolled_macros::c_api_std as c_api_impl;
    #[cfg(all(feature = "std", not(feature = "train")))]
    pub use unrolled_macros::network_std as network_impl;
    #[cfg(feature = "train")]
    pub use unrolled_macros::network_train as network_impl;
    #[cfg(not(feature = "std"))]
    pub use unrolled_macros::{c_api_core as c_api_impl, network_core as network_impl};
    pub use unrolled_runtime::{
        AtRunTime, Buffer, CHeader, ConvBands, Embeds, Epilogue, Field, Half, Halves, InPlaceSlot,
        Infer, InferCtx, InferenceExt, Input, InputError, Instructions, Is, Isa, LayerInfo, Layout,
        Lengths, Network, Node, OF_FIRST_INPUT, OutputInfo, Outputs, Parameters, PerStep, RngKey,
        Root, Sequence, Shaped, Slot, Spec, StaticWeights, StepsOfInputs, Streaming, StreamingIn,
        Values, Weights, add_to, c_forward_in, check_inputs, largest, layers, len_of_fields,
        len_of_weights, step_in, step_in_as, steps_through, take,
    };
    #[cfg(feature = "train")]
    pub use unrolled_runtime::{
        Backward, Forward, Pass, Phases, Shards, TrainCtx, TrainEmbeds, TrainLayout, TrainNode,
        TrainSlot,
    };
    #[cfg(feature = "std")]
    pub use unrolled_runtime::{
        Graph, GraphLayer, GraphNode, LayerWeights, State, Tensor, c_forward, infer_inlined,
        infer_one, infer_one_from, infer_one_from_into, infer_one_into, step_inlined, step_one,
        step_one_as,
    };
    #[cfg(feature = "std")]
    pub use unrolled_shape::registry::{Channels, Features};
    pub use unrolled_shape::{
        LayerMemory, Lifetime, Padding, Shape, ShapeError, StepPadding, StepsOf, Text,
        VolumePadding, check_flash, check_ram, checks, expect, plan, rules, trace,
    };
}

#[cfg(doc)]
#[doc = include_str!("../docs/layers.md")]
pub mod layer_reference {}

/// The code of the book, which is tested like that of the documentation.
#[cfg(doctest)]
mod book {
    macro_rules! chapters {
        ($($name:ident)*) => {
            $(
                #[doc = include_str!(concat!("../docs/book/src/", stringify!($name), ".md"))]
                mod $name {}
            )*
        };
    }

    chapters! {
        first_network choosing_layers choosing_settings data training curves inputs_and_outputs own_loops
        transfer_learning own_layers testing deployment
    }
}
