//! Silero VAD and CREPE (`tests/reference/audio_models.py`): their state dicts load without renaming.

use crate::case::{Case, copy};
use crate::state_dict::{check_in_folder, check_small, infer, names};
use unrolled::prelude::*;

/// The chunks of a recording in the script.
const CHUNKS: usize = 12;

network! {
    /// The magnitudes of a Fourier transform of four windows, convolutions over them, and the state of a cell.
    #[allow(sigmoid_at_output, reason = "as in PyTorch")]
    block Vad(window, wide, narrow) {
        Pad1d((0, window / 4), mode = reflect),
        stft_conv: Conv1d(window + 2, kernel = window, stride = window / 2, bias = false),
        Add { { Split(2, 0), Pow(2.0) }, { Split(2, 1), Pow(2.0) } },
        Sqrt,
        conv1: Conv1d(wide, kernel = 3, padding = 1), ReLU,
        conv2: Conv1d(narrow, kernel = 3, stride = 2, padding = 1), ReLU,
        conv3: Conv1d(narrow, kernel = 3, stride = 2, padding = 1), ReLU,
        conv4: Conv1d(wide, kernel = 3, padding = 1), ReLU,
        lstm_cell: LSTM(wide, names = cell), ReLU,
        final_conv: Conv1d(1, kernel = 1), Sigmoid,
        Flatten,
    }

    struct SileroVad(576x1) -> 1 { _: Vad(256, wide = 128, narrow = 64) }
    struct SmallVad(36x1) -> 1 { _: Vad(16, wide = 8, narrow = 4) }

    /// Six convolutions of one frame (Kim et al., 2018).
    #[allow(sigmoid_at_output, reason = "as in PyTorch")]
    block Pitch(first, kernel, channels, bins) {
        conv1: Conv2d(8 * channels, kernel = (first, 1), stride = (4, 1), padding = same),
        ReLU, conv1_BN: BatchNorm(eps = 0.001, momentum = 0.0), MaxPool2d((2, 1)),
        conv2: Conv2d(channels, kernel = (kernel, 1), padding = same),
        ReLU, conv2_BN: BatchNorm(eps = 0.001, momentum = 0.0), MaxPool2d((2, 1)),
        conv3: Conv2d(channels, kernel = (kernel, 1), padding = same),
        ReLU, conv3_BN: BatchNorm(eps = 0.001, momentum = 0.0), MaxPool2d((2, 1)),
        conv4: Conv2d(channels, kernel = (kernel, 1), padding = same),
        ReLU, conv4_BN: BatchNorm(eps = 0.001, momentum = 0.0), MaxPool2d((2, 1)),
        conv5: Conv2d(2 * channels, kernel = (kernel, 1), padding = same),
        ReLU, conv5_BN: BatchNorm(eps = 0.001, momentum = 0.0), MaxPool2d((2, 1)),
        conv6: Conv2d(4 * channels, kernel = (kernel, 1), padding = same),
        ReLU, conv6_BN: BatchNorm(eps = 0.001, momentum = 0.0), MaxPool2d((2, 1)),
        Transpose(0, 2), Flatten,
        classifier: Dense(bins), Sigmoid,
    }

    #[allow(non_snake_case, reason = "names in files")]
    struct Crepe(1024x1x1) -> 360 { _: Pitch(512, kernel = 64, channels = 16, bins = 360) }
    #[allow(non_snake_case, reason = "names in files")]
    struct SmallCrepe(512x1x1) -> 12 { _: Pitch(32, kernel = 8, channels = 2, bins = 12) }
}

/// Each chunk of a recording after those before it.
fn infer_chunks<N: Network<Input: Values>>(net: &N, case: &Case) -> Vec<f32> {
    let mut input = N::Input::zeroed_box();
    let mut outputs = Vec::new();
    for recording in case.values("input.0").chunks_exact(CHUNKS * N::Input::LEN) {
        let mut state = State::new();
        for chunk in recording.chunks_exact(N::Input::LEN) {
            copy(chunk, input.as_floats_mut());
            outputs.extend_from_slice(net.forward_from(&mut state, &input).as_floats());
        }
    }
    outputs
}

#[test]
fn names_are_those_of_the_packages() {
    assert_eq!(names::<SileroVad>(), include_str!("../reference/audio/silero_vad.txt"));
    assert_eq!(names::<Crepe>(), include_str!("../reference/audio/crepe.txt"));
}

#[test]
fn small_models() {
    check_small::<SmallVad>("audio/silero_vad_small", infer_chunks);
    check_small::<SmallCrepe>("audio/crepe_small", infer);
}

#[test]
#[ignore = "needs weights and outputs of tests/reference/audio_models.py; UNROLLED_MODELS names their folder"]
fn outputs_are_those_of_pytorch() {
    check_in_folder::<SileroVad>("silero_vad", infer_chunks);
    check_in_folder::<Crepe>("crepe", infer);
}
