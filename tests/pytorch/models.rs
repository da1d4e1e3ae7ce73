//! Whole models (`tests/reference/models.py`): weights written by PyTorch give its outputs and gradients here, loaded
//! or as `#[weights(..)]`, and are saved byte for byte as PyTorch wrote them. PyTorch loads files written here.

use crate::case::{Case, floats};
use crate::common::temporary;
use safetensors::{SafeTensors, tensor::TensorView};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use unrolled::io::Dtype;
use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;

/// The script with the same models in PyTorch.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/models.py");

/// The environment variable that names a Python with PyTorch. The default is `python3`.
const PYTHON: &str = "UNROLLED_PYTHON";

network! {
    #[weights("tests/reference/models/lstm_weights.safetensors")]
    struct Tagger(7x5) -> 7x3 { LSTM(4, layers = 2, bidirectional = true), Dense(3) }
    #[weights("tests/reference/models/gru_weights.safetensors")]
    struct Classifier(7x5) -> 2 { GRU(6, output = last), Dense(2) }
    #[weights("tests/reference/models/rnn_weights.safetensors")]
    struct Forecaster(7x5) -> 7x1 { RNN(6), Dense(1) }
    #[weights("tests/reference/models/conv1d_weights.safetensors")]
    struct Convolutions(12x4) -> 3 {
        conv1: Conv1d(6, 3, padding = same, bias = false), BatchNorm, Tanh,
        conv2: Conv1d(8, 4, stride = 2, padding = 1, groups = 2), SiLU, AvgPool1d(2),
        GlobalAvgPool, Dense(3),
    }
    #[weights("tests/reference/models/embedding_weights.safetensors")]
    struct Words(7) -> 2 {
        words: Embedding(11, 6, padding_index = 0), Dense(5), GlobalAvgPool, Tanh, Dense(2),
    }
    #[allow(attention_without_positions)]
    #[weights("tests/reference/models/encoder_weights.safetensors")]
    struct Encoder(7) -> 2 {
        words: Embedding(11, 6),
        first: PostNormTransformerEncoder(6, heads = 2, hidden = 10, dropout = 0.0),
        second: PostNormTransformerEncoder(6, heads = 3, hidden = 10, dropout = 0.0),
        GlobalAvgPool, Dense(2),
    }
    #[allow(attention_without_positions)]
    #[weights("tests/reference/models/stack_weights.safetensors")]
    struct Stack(5x6) -> 5x3 {
        encoder: {
            layers: Repeat(2) { _: PostNormTransformerEncoder(6, heads = 2, hidden = 10, dropout = 0.0) },
            norm: LayerNorm,
        },
        head: Dense(3),
    }
    #[weights("tests/reference/models/decoder_weights.safetensors")]
    struct Decoder(7) -> 7x11 {
        tokens: Embedding(11, 6), places: PositionalEmbedding,
        first: TransformerEncoder(6, heads = 2, hidden = 10, dropout = 0.0, causal = true),
        second: TransformerEncoder(6, heads = 3, hidden = 10, dropout = 0.0, causal = true),
        norm: LayerNorm, head: Dense(11, bias = false),
    }

    #[weights("tests/reference/models/tied_decoder_weights.safetensors")]
    struct TiedDecoder(7) -> 7x11 {
        tokens: Embedding(11, 6), places: PositionalEmbedding,
        first: TransformerEncoder(6, heads = 2, hidden = 10, dropout = 0.0, causal = true),
        second: TransformerEncoder(6, heads = 3, hidden = 10, dropout = 0.0, causal = true),
        norm: LayerNorm, head: Dense(11, weight = tokens),
    }
    #[weights("tests/reference/models/tied_dense_weights.safetensors")]
    struct TiedDense(7x6) -> 7x6 {
        first: Dense(6), Tanh,
        second: Dense(6, bias = false, weight = first), Tanh,
        third: Dense(6, weight = second),
    }

    /// Two convolutions with a skip connection.
    block Basic(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
        },
        ReLU,
    }

    /// The same, halving height and width.
    block Halving(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 3, stride = 2, padding = 1, bias = false),
            bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
        } skip {
            Conv2d(channels, kernel = 1, stride = 2, bias = false), BatchNorm,
        },
        ReLU,
    }

    /// He et al. 2015, for small images.
    #[weights("tests/reference/models/resnet20_weights.safetensors")]
    struct ResNet20(8x8x3) -> 5 {
        conv1: Conv2d(4, kernel = 3, padding = 1, bias = false), bn1: BatchNorm, ReLU,
        layer1: Repeat(3) { Basic(4) },
        halving2: Halving(6), layer2: Repeat(2) { Basic(6) },
        halving3: Halving(8), layer3: Repeat(2) { Basic(8) },
        GlobalAvgPool,
        fc: Dense(5),
    }

    /// Two convolutions at one resolution.
    block Twice(channels) {
        Conv2d(channels, kernel = 3, padding = 1, bias = false), BatchNorm, ReLU,
        Conv2d(channels, kernel = 3, padding = 1, bias = false), BatchNorm, ReLU,
    }

    /// Ronneberger et al. 2015, in two levels.
    #[weights("tests/reference/models/unet_weights.safetensors")]
    struct UNet(8x8x2) -> 8x8x3 {
        fine: Twice(4), MaxPool2d(2),
        coarse: Twice(6), MaxPool2d(2),
        bottom: Twice(8),
        up_coarse: ConvTranspose2d(6, kernel = 2, stride = 2),
        Concat { coarse, {} },
        join_coarse: Twice(6),
        up_fine: ConvTranspose2d(4, kernel = 2, stride = 2),
        Concat { fine, {} },
        join_fine: Twice(4),
        head: Conv2d(3, kernel = 1),
    }

    /// LeCun et al. 1998, with a norm of flattened features.
    #[weights("tests/reference/models/lenet_weights.safetensors")]
    struct LeNet(8x8x2) -> 3 {
        conv: Conv2d(4, kernel = 3), ReLU, MaxPool2d(2),
        Flatten, norm: BatchNorm,
        fc1: Dense(6), ReLU,
        fc2: Dense(3),
    }
}

/// A file written by PyTorch.
fn theirs(name: &str) -> PathBuf {
    Path::new(SCRIPT).with_file_name("models").join(format!("{name}.safetensors"))
}

/// A file written by a test.
fn ours(folder: &str, name: &str) -> PathBuf {
    temporary(&format!("{folder}/{name}.safetensors"))
}

fn infer<N: Network>(net: &N, case: &Case) -> Vec<N::Output> {
    let inputs: Vec<N::Input> = case.samples("input");
    let mut outputs = vec![N::Output::zeroed(); inputs.len()];
    net.forward_batch(&inputs, &mut outputs);
    outputs
}

/// Loads weights of PyTorch, saves them again, and compares outputs, loss and gradients. `pretrained` has the same
/// weights.
fn check_loaded<N: Network>(name: &'static str, case: &'static str, pretrained: &N) {
    let case = Case::read(case);
    let weights = theirs(&format!("{name}_weights"));
    let mut net = N::load(&weights).unwrap();
    let bits = |net: &N| net.params().iter().map(|weight| weight.to_bits()).collect::<Vec<_>>();
    assert!(bits(pretrained) == bits(&net), "the weights that the macro has laid out");
    case.compare("inference", floats(&infer(pretrained, &case)));
    let again = ours("loaded", name);
    net.save(&again).unwrap();
    assert!(fs::read(&again).unwrap() == fs::read(&weights).unwrap(), "byte for byte");
    case.compare("inference", floats(&infer(&*net, &case)));

    let (inputs, targets) = (case.samples("input"), case.outputs("target"));
    let mut d_net = N::zeros();
    let loss = net
        .loss_and_gradients(&MeanSquaredError, &inputs, &targets, &mut d_net, RngKey::new(1))
        .unwrap();
    case.compare("loss", [loss]);
    let gradients = ours("gradients", name);
    d_net.save(&gradients).unwrap();
    let bytes = fs::read(gradients).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for tensor in case.names("gradients.") {
        let values = file.tensor(&tensor).unwrap().data().chunks_exact(4);
        let values = values.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
        case.compare(&format!("gradients.{tensor}"), values);
    }
}

/// Writes the weights of a new network, of four and of two bytes each, and its outputs for PyTorch's inputs, for the script to check.
fn write<N: Network>(name: &str, case: &'static str) {
    let net = N::new(7);
    net.save(ours("for_pytorch", &format!("{name}_weights"))).unwrap();
    for (dtype, suffix) in [(Dtype::F16, "f16"), (Dtype::BF16, "bf16")] {
        net.save_as(ours("for_pytorch", &format!("{name}_weights_{suffix}")), dtype).unwrap();
    }
    let outputs: Vec<u8> =
        floats(&infer(&*net, &Case::read(case))).flat_map(f32::to_le_bytes).collect();
    let tensor =
        TensorView::new(safetensors::Dtype::F32, vec![outputs.len() / 4], &outputs).unwrap();
    let file = safetensors::serialize([("inference", tensor)], None).unwrap();
    fs::write(ours("for_pytorch", name), file).unwrap();
}

/// A Python that has PyTorch.
fn python() -> String {
    let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".into());
    let imports = Command::new(&python).args(["-c", "import torch, safetensors"]).output();
    let found = imports.is_ok_and(|output| output.status.success());
    assert!(found, "{python} has no torch and safetensors: name a Python that has with {PYTHON}");
    python
}

macro_rules! models {
    ($($Network:ident: $name:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let case = concat!("models/", stringify!($name));
                check_loaded(stringify!($name), case, $Network::pretrained());
            }
        )*

        #[test]
        #[ignore = "needs a Python with torch and safetensors; UNROLLED_PYTHON names it"]
        fn pytorch_loads_what_is_written_here() {
            $(write::<$Network>(stringify!($name), concat!("models/", stringify!($name)));)*
            let python = python();
            let folder = ours("for_pytorch", "lstm");
            let folder = folder.parent().unwrap();
            let output = Command::new(python).args([SCRIPT, "check"]).arg(folder).output().unwrap();
            let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
            println!("{}{}", printed[0], printed[1]);
            assert!(output.status.success());
            assert_eq!(printed[0].matches("strict=True").count(), [$(stringify!($name)),*].len());
        }
    };
}

models! {
    Tagger: lstm;
    Classifier: gru;
    Forecaster: rnn;
    Convolutions: conv1d;
    Words: embedding;
    Encoder: encoder;
    Stack: stack;
    Decoder: decoder;
    TiedDecoder: tied_decoder;
    TiedDense: tied_dense;
    ResNet20: resnet20;
    UNet: unet;
    LeNet: lenet;
}
