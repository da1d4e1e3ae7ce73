//! Public functions in threads with small stacks, on values that are larger than these.

use std::process::Command;
use std::thread;
use unrolled::data::{Augment, Idx, Standardizer, mixup, resize};
use unrolled::loss::Mixed;
use unrolled::prelude::*;
use unrolled::train::Confusion;
use unrolled::{check_gradients, loss_and_all_gradients, parallel};

/// Kilobytes of the stack of inference and of all other functions. Without optimisation, each function has all values of
/// its callees that were inlined.
const INFERENCE: usize = if cfg!(debug_assertions) { 128 } else { 64 };
const OTHERS: usize = if cfg!(debug_assertions) { 1024 } else { 256 };

network! {
    /// Outputs of 4 MB.
    #[allow(large_output_on_stack)]
    struct Pixels(512x512x1) -> 512x512x4 { Conv2d(4, kernel = 1) }

    /// Without multiply-adds, as small networks have few.
    #[allow(large_output_on_stack)]
    struct Clipped(512x512x4) -> 512x512x4 { ReLU }

    /// Inputs of 1 MB, and a gradient that is cheap.
    struct Brightness(512x512x1) -> 1 { GlobalAvgPool, Dense(1) }

    /// Weights of 2 MB, and more classes than a matrix of them fits.
    struct Classes(512) -> 1000 { Dense(1000) }

    /// Chunks of a sequence of 2 MB.
    struct Chunks(4x131072) -> 4x1 { LSTM(1) }

    /// Layers of images.
    #[allow(bias_before_batch_norm, softmax_at_output)]
    struct Image(16x16x6) -> 5 {
        Conv2d(8, kernel = 3, padding = same), BatchNorm, ReLU,
        Conv2d(8, kernel = 3, padding = same, groups = 8), GroupNorm(2), SiLU,
        Conv2d(8, kernel = 5, padding = same, groups = 8, dilation = 2), InstanceNorm, GELU,
        Residual { Conv2d(8, kernel = 1), PReLU, Dropout(0.5) },
        Conv2d(16, kernel = 3, groups = 2, stride = 2), LayerNorm, ELU,
        ConvTranspose2d(8, kernel = 3, stride = 2), Softplus,
        Upsample(2), MaxPool2d(2), AvgPool2d(2), Tanh,
        Mul { {}, { GlobalMaxPool, Dense(8), Sigmoid } },
        Flatten, Dense(32), HardSwish, Dense(5), LogSoftmax,
    }

    /// Layers of sequences.
    #[allow(softmax_at_output)]
    struct Text(..12) -> 3 {
        Embedding(9, 16), PositionalEncoding,
        TransformerEncoder(16, heads = 4, hidden = 32, rotary = true),
        RMSNorm, Conv1d(8, kernel = 3, padding = causal),
        RNN(8), GRU(8, bidirectional = true), LSTM(8, output = last),
        Dense(3), Softmax,
    }
}

/// Runs `f` in a thread with a stack of `kilobytes`.
fn on_stack_of(kilobytes: usize, f: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(kilobytes << 10);
        thread.spawn_scoped(scope, f).expect("a thread").join().expect("no panic");
    });
}

#[test]
fn inference_needs_little_stack() {
    let (pixels, clipped, image, text) =
        (Pixels::new(1), Clipped::new(1), Image::new(1), Text::new(1));
    let x = Values::zeroed_box();
    let (mut y, mut z) = (<[[[f32; 4]; 512]; 512]>::zeroed_box(), Values::zeroed_box());
    let words = Sequence::new(&[1, 8, 3]).expect("words");
    on_stack_of(INFERENCE, || {
        pixels.forward_into(&x, &mut y);
        InferenceExt::forward_into(&*clipped, &y, &mut z);
        clipped.forward_batch(std::slice::from_ref(&*y), std::slice::from_mut(&mut *z));
        let mut scores = [0.0; 5];
        image.forward_into(&[[[0.5; 6]; 16]; 16], &mut scores);
        assert_eq!(scores, image.forward(&[[[0.5; 6]; 16]; 16]));
        let mut scores = [0.0; 3];
        InferenceExt::forward_into(&*text, &words, &mut scores);
        assert_eq!(scores, text.forward(&words));
    });
    assert!(z.as_floats().iter().zip(y.as_floats()).all(|(z, y)| *z == y.max(0.0)));
}

/// The environment variable that makes a process of this test call the functions.
const CHILD: &str = "UNROLLED_TEST_STACK";

/// In a process of its own, where all threads have such stacks, those of the pool too.
#[test]
fn public_functions_need_little_stack() {
    if std::env::var_os(CHILD).is_some() {
        return parallel::with_threads(2, public_functions);
    }
    let test = std::env::current_exe().expect("this test");
    let mut child = Command::new(test);
    child.args(["--exact", "stack::public_functions_need_little_stack", "--nocapture"]);
    child.env(CHILD, "1").env("RUST_MIN_STACK", (OTHERS << 10).to_string());
    let output = child.output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn public_functions() {
    data_sets();
    training_of_pixels();
    gradients_of_large_inputs();
    large_weights();
    chunks();
    layers();
}

fn data_sets() {
    let mut file = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 2, 0, 0, 0, 2, 0];
    file.extend((0..3 * 512 * 512).map(|i| (i >> 18) as u8 * 51));
    let mut images =
        Idx::parse("images", &file).expect("a file").images::<512, 512>().expect("images");
    assert_eq!(images[2][511][511], [0.4]);
    let small = resize::<512, 512, 1, 600, 600>(&images[1]);
    assert!((small[599][0][0] - 0.2).abs() < 1e-6);
    let standardizer = Standardizer::over_all(&images).expect("images");
    standardizer.apply_all(&mut images);
    let mut changed = images.clone();
    Augment::new().shift(2).flip().images(&images, 1, &mut changed);
    let mut data = Data { targets: images.clone(), inputs: images };
    data.shuffle(1);
    assert_eq!(data.inputs, data.targets);
    let tail = data.split_off(1);
    assert_eq!(tail.len(), 1);
    let mixed = mixup(&data, 0.4, 1);
    assert_eq!(mixed.targets[1].first, data.targets[1]);
}

fn training_of_pixels() {
    let targets = <[[u32; 512]; 512]>::zeroed_vec(2);
    let data = Data { inputs: Values::zeroed_vec(2), targets };
    let mut net = Pixels::new(1);
    let mixed = mixup(&data, 0.4, 1);
    let mut trainer =
        Trainer::new(SGD::new(0.1)).epochs(1).validate(&mixed).keep_best(true).quiet();
    trainer.fit(&mut net, &mixed, &Mixed(CrossEntropy::new())).expect("a network that learns");
    net.evaluate(&data, &CrossEntropy::new()).expect("data that fit");
}

fn gradients_of_large_inputs() {
    let net = Brightness::new(1);
    let (inputs, targets, loss) = (Values::zeroed_vec(2), [[0.5], [-1.0]], MeanSquaredError);
    let found = check_gradients(&*net, &loss, &inputs, &targets).expect("data that fit");
    assert!(found.worst < 1e-3, "{found}");
    let (mut net, mut d_net, mut d_inputs) =
        (net.clone_boxed(), Brightness::zeros(), inputs.clone());
    let key = RngKey::new(1);
    loss_and_all_gradients(&mut *net, &loss, &inputs, &targets, &mut d_net, &mut d_inputs, key)
        .expect("data that fit");
}

fn large_weights() {
    let net = Classes::new(1);
    let copy = net.clone_boxed();
    assert_eq!(copy.params(), net.params());
    let data = Data { inputs: vec![[1.0; 512]; 30], targets: vec![999; 30] };
    let confusion = Confusion::of(&*copy, &data).expect("data that fit");
    assert_eq!(confusion.counts()[999].iter().sum::<usize>(), 30);
    let path = std::env::temp_dir().join(format!("unrolled-stack-{}", std::process::id()));
    net.save(&path).expect("a file");
    assert_eq!(Classes::load(&path).expect("a network").params(), net.params());
    std::fs::remove_file(&path).expect("a file");
}

fn chunks() {
    let data = Data { inputs: Values::zeroed_vec(2), targets: vec![[[0.5]; 4]; 2] };
    let mut trainer = Trainer::new(SGD::new(0.1)).batch(1).epochs(1).carry_state().quiet();
    trainer = trainer.validate(&data);
    trainer.fit(&mut Chunks::new(1), &data, &MeanSquaredError).expect("a network that learns");
}

fn layers() {
    let images = Data { inputs: vec![[[[0.5; 6]; 16]; 16]; 4], targets: vec![1; 4] };
    let mut trainer = Trainer::new(Adam::new(1e-3)).epochs(1).quiet();
    trainer.fit(&mut Image::new(1), &images, &CrossEntropy::new()).expect("a network that learns");
    let words = Sequence::new(&[1, 8, 3]).expect("words");
    let texts = Data { inputs: vec![words; 4], targets: vec![2; 4] };
    let mut trainer = Trainer::new(AdamW::new(1e-3)).clip(Clip::Norm(1.0)).epochs(1).quiet();
    trainer.fit(&mut Text::new(1), &texts, &CrossEntropy::new()).expect("a network that learns");
}
