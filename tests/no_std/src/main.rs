//! Convolutional networks, an LSTM and a transformer on a target that has neither an operating system nor an allocator.
//! One has the weights of a file, the others zeros in static memory: what is checked is that everything compiles and links.
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use unrolled::WeightSlice;
use unrolled::prelude::*;

/// Exponential moving average: a hand-written layer with a state.
#[derive(Weights)]
pub struct Average;

impl Layer for Average {
    type Input = [[f32; 8]; 24];
    type Output = [[f32; 8]; 24];
    const STATE: usize = 8;

    fn forward(&self, x: &[[f32; 8]; 24], y: &mut [[f32; 8]; 24]) {
        let mut state = [0.0; 8];
        for (x, y) in x.iter().zip(y) {
            self.step(&mut state, x, y);
        }
    }

    fn backward(
        &self,
        _: &[[f32; 8]; 24],
        _: &[[f32; 8]; 24],
        _: &[[f32; 8]; 24],
        _: &mut [[f32; 8]; 24],
        _: &mut Self,
    ) {
    }
}

impl StreamingLayer for Average {
    fn step(&self, state: &mut [f32], x: &[f32; 8], y: &mut [f32; 8]) {
        for ((state, x), y) in state.iter_mut().zip(x).zip(y) {
            *state += 0.25 * (x - *state);
            *y = *state;
        }
    }
}

network! {
    /// Handwritten digits.
    #[allow(bias_before_batch_norm, softmax_at_output)]
    pub struct Digits(28x28x1) -> 10 {
        Conv2d(8, kernel = 3), BatchNorm, ReLU, MaxPool2d(2),
        Conv2d(16, kernel = 3), ReLU, MaxPool2d(2),
        Flatten,
        Dense(32), ReLU, Dropout(0.5),
        Dense(10), Softmax,
    }

    /// An image classifier with the weights of a file.
    #[weights("../reference/models/lenet_weights.safetensors")]
    #[fits(flash = 4K, ram = 4K)]
    pub struct LeNet(8x8x2) -> 3 {
        conv: Conv2d(4, kernel = 3), ReLU, MaxPool2d(2),
        Flatten, norm: BatchNorm,
        fc1: Dense(6), ReLU,
        fc2: Dense(3),
    }

    /// A filter of a signal.
    pub struct Filter(24x3) -> 24x1 { LSTM(8), average: Average, Dense(1) }

    /// A forecast from a series.
    pub struct Series(24x3) -> 1 {
        LSTM(16, output = last),
        Dense(1),
    }

    /// Scores of the next token at each step.
    pub struct Text(tokens: 16) -> 16x32 {
        Embedding(32, 16), PositionalEncoding,
        TransformerEncoder(16, heads = 2, hidden = 32, causal = true),
        Dense(32),
    }
}

/// Weights of zeros, without code that runs at start-up.
macro_rules! zeros {
    ($Network:ty) => {{
        const LEN: usize = <$Network as Weights>::LEN;
        static WEIGHTS: [f32; LEN] = [0.0; LEN];
        <$Network as WeightSlice>::from_floats(&WEIGHTS)
    }};
}

/// The sum of all outputs.
///
/// # Safety
/// `input` points to 28 * 28 values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn digits(input: *const [[[f32; 1]; 28]; 28]) -> f32 {
    let mut workspace = [0.0; Digits::WORKSPACE_LEN];
    // SAFETY: valid by the contract of this function.
    let input = unsafe { &*input };
    zeros!(Digits).forward_in(&mut workspace, input).iter().sum()
}

static LENET: &LeNet = LeNet::pretrained();

/// The sum of all outputs.
///
/// # Safety
/// `input` points to 8 * 8 * 2 values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lenet(input: *const [[[f32; 2]; 8]; 8]) -> f32 {
    let mut workspace = [0.0; LeNet::WORKSPACE_LEN];
    // SAFETY: valid by the contract of this function.
    let input = unsafe { &*input };
    LENET.forward_in(&mut workspace, input).iter().sum()
}

/// One step of the filter.
///
/// # Safety
/// `state` points to the state, `input` to three values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn filter(
    state: *mut [f32; Filter::STATE_LEN],
    input: *const [f32; 3],
) -> f32 {
    let mut workspace = [0.0; Filter::STEP_WORKSPACE_LEN];
    // SAFETY: valid by the contract of this function.
    let (state, input) = unsafe { (&mut *state, &*input) };
    zeros!(Filter).step_in(state, &mut workspace, input)[0]
}

/// The forecast.
///
/// # Safety
/// `input` points to 24 * 3 values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn series(input: *const [[f32; 3]; 24]) -> f32 {
    let mut workspace = [0.0; Series::WORKSPACE_LEN];
    // SAFETY: valid by the contract of this function.
    let input = unsafe { &*input };
    zeros!(Series).forward_in(&mut workspace, input)[0]
}

/// The first score of the last step.
///
/// # Safety
/// `input` points to 16 token numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn text(input: *const [u32; 16]) -> f32 {
    let mut workspace = [0.0; Text::WORKSPACE_LEN];
    // SAFETY: valid by the contract of this function.
    let input = unsafe { &*input };
    zeros!(Text).forward_in(&mut workspace, input)[15][0]
}

/// The entry point, so that the linker keeps all networks.
///
/// # Safety
/// As the functions above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _start(
    image: *const [[[f32; 1]; 28]; 28],
    steps: *const [[f32; 3]; 24],
    tokens: *const [u32; 16],
    pixels: *const [[[f32; 2]; 8]; 8],
    state: *mut [f32; Filter::STATE_LEN],
    step: *const [f32; 3],
) -> f32 {
    // SAFETY: valid by the contract of this function.
    unsafe { digits(image) + series(steps) + text(tokens) + lenet(pixels) + filter(state, step) }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
