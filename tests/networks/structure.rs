//! Networks of all structural forms: what they compute, and that their gradients agree with finite differences. Their
//! layers are smooth, because finite differences are not gradients at the kinks of layers such as `MaxPool2d`.

use crate::common::{fill, random_values};
use unrolled::check_gradients;
use unrolled::prelude::*;

fn inputs<I: Inputs>(count: usize) -> Vec<I> {
    let sample = |i: usize| {
        let mut input = I::zero();
        for (j, _) in I::LENS.iter().enumerate() {
            fill(input.input_mut(j), (10 * i + j) as u64);
        }
        input
    };
    (0..count).map(sample).collect()
}

fn outputs<O: Values>(count: usize) -> Vec<O> {
    (0..count).map(|i| random_values(1000 + i as u64)).collect()
}

/// Checks that the gradients of weights and inputs agree with finite differences, and that a gradient does not depend
/// on what its memory held before.
#[track_caller]
fn check<N: Network>() -> Box<N> {
    let mut net = N::new(7);
    let (xs, targets) = (inputs::<N::Input>(11), outputs::<N::Output>(11));
    let found = check_gradients(&*net, &MeanSquaredError, &xs, &targets).expect("a fit batch");
    assert!(found.worst < 2e-3, "{found}");
    assert!(found.tried > 0, "nothing was compared");

    let mut d_net = N::zeros();
    net.loss_and_gradients(&MeanSquaredError, &xs, &targets, &mut d_net, RngKey::new(1))
        .expect("a fit batch");
    let first = d_net.params().to_vec();
    d_net.params_mut().fill(f32::NAN);
    net.loss_and_gradients(&MeanSquaredError, &xs, &targets, &mut d_net, RngKey::new(1))
        .expect("a fit batch");
    // Running statistics are not part of the gradient.
    for (layer, range) in N::trained() {
        assert_eq!(first[range.clone()], d_net.params()[range], "{layer}");
    }
    net
}

network! {
    /// Layers with outputs of their own, in place, and views.
    struct Chain(6x6x2) -> 3 {
        conv: Conv2d(4, kernel = 3)  -> 4x4x4,
        Tanh,
        AvgPool2d(2)                 -> 2x2x4,
        Flatten                      -> 16,
        fc1: Dense(9),
        Sigmoid,
        Reshape(3x3),
        fc2: Dense(3),
        SiLU,
        Flatten,
        fc3: Dense(3),
    }
}

#[test]
fn a_chain() {
    let net = check::<Chain>();
    assert_eq!(Chain::PARAMS, 2 * 9 * 4 + 4 + 16 * 9 + 9 + 3 * 3 + 3 + 9 * 3 + 3);
    assert_eq!(net.params().len(), Chain::PARAMS);
    assert_eq!(net.fc1.bias.len(), 9);
    assert_eq!(Chain::LAYERS.len(), 11);
    assert_eq!(Chain::LAYERS[0].kind, "Conv2d(4, kernel = 3)");
}

network! {
    /// Layers in place at the beginning, at the end, and one after the other.
    #[allow(sigmoid_at_output)]
    struct InPlace(5) -> 5 {
        Tanh,
        fc: Dense(5),
        Sigmoid,
        Dropout(0.25),
        Tanh,
        Sigmoid,
    }

    /// A network without weights.
    #[allow(sigmoid_at_output)]
    struct Nothing(4) -> 4 { Tanh, Sigmoid }

    /// The input with another shape.
    struct View(2x3) -> 6 { Flatten }

    /// Layers without weights before the first ones with weights.
    struct Late(4x4x1) -> 2 { AvgPool2d(2), Tanh, Flatten, Dense(2) }
}

#[test]
fn layers_in_place_at_both_ends() {
    check::<InPlace>();
}

#[test]
fn no_weights_at_all() {
    check::<Nothing>();
    assert_eq!(Nothing::PARAMS, 0);
    let [y, ..] = Nothing::new(0).forward(&[0.5; 4]);
    assert!((y - 1.0 / (1.0 + (-0.5_f32.tanh()).exp())).abs() < 1e-6, "{y}");
}

#[test]
fn a_view_of_the_input() {
    check::<View>();
    let y = View::new(0).forward(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(y, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn layers_without_weights_first() {
    check::<Late>();
}

network! {
    /// A skip connection.
    block Basic(channels, stride = 1) {
        Residual {
            Conv2d(channels, kernel = 3, stride = stride, padding = 1), Tanh,
            Conv2d(channels, kernel = 3, padding = same),
        } skip {
            Conv2d(channels, kernel = 1, stride = stride),
        },
        Tanh,
    }

    /// Residuals with and without `skip`, one inside the other, repeated.
    struct Residuals(5x5x2) -> 2 {
        stem: Conv2d(3, kernel = 1),
        Residual { Tanh, Residual { Conv2d(3, kernel = 3, padding = same) } },
        stage: Repeat(2) { Residual { a: Conv2d(3, kernel = 3, padding = same), SiLU } },
        Basic(4, stride = 2),
        GlobalAvgPool,
        head: Dense(2),
    }

    /// A skip connection from the input of the network.
    struct FromInput(4) -> 4 {
        Residual { Dense(4), Tanh },
    }

    /// Skip connections around layers that work in place.
    struct AroundInPlace(4) -> 4 {
        Dense(4),
        Residual { Tanh },
        Residual { Tanh, Sigmoid },
    }
}

#[test]
fn residuals() {
    check::<Residuals>();
    let names: Vec<String> = Residuals::trained().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "stem",
            "conv2d",
            "stage.0.a",
            "stage.1.a",
            "basic.conv2d",
            "basic.conv2d_2",
            "basic.skip.conv2d",
            "head"
        ]
    );
}

#[test]
fn a_skip_connection_from_the_input() {
    check::<FromInput>();
}

#[test]
fn a_skip_connection_around_layers_in_place() {
    check::<AroundInPlace>();
}

network! {
    /// Several inputs.
    struct Fusion(image: 4x4x1, table: 5) -> 3 {
        Concat {
            image => { Conv2d(2, kernel = 3), Tanh, AvgPool2d(2), Flatten },
            table => { Dense(4), SiLU },
        },
        mix: Dense(6), Tanh,
        Mul { { gate: Dense(6), Sigmoid }, { value: Dense(6) }, { } },
        Add { { Tanh }, { Dense(6) } },
        Dense(3),
    }

    /// A node with two inputs that another node also reads, so that their gradients are sums.
    struct ReadTwice(3) -> 9 {
        a: Dense(3), b: Dense(3),
        Mul { a => { }, b => { }, { Tanh } },
        Concat { { }, a => { }, b => { } },
    }

    /// One input in two branches, unchanged in one of them.
    struct Twice(a: 3, b: 3) -> 9 {
        Concat { a => { }, b => { Tanh }, a => { Sigmoid } },
    }
}

#[test]
fn several_inputs_and_branches() {
    let net = check::<Fusion>();
    let y = net.forward((&[[[0.5]; 4]; 4], &[1.0; 5]));
    let mut ys = [[0.0; 3]; 5];
    net.forward_batch(&[([[[0.5]; 4]; 4], [1.0; 5]); 5], &mut ys);
    assert_eq!(ys, [y; 5]);
    assert_eq!(<Fusion as Shaped>::INPUT_NAMES, ["image", "table"]);
}

#[test]
fn gradients_added_to_two_inputs_of_a_node() {
    check::<ReadTwice>();
}

#[test]
fn one_input_twice() {
    let net = check::<Twice>();
    let y = net.forward((&[1.0, 2.0, 3.0], &[0.0; 3]));
    assert_eq!(y[..6], [1.0, 2.0, 3.0, 0.0, 0.0, 0.0]);
}

network! {
    /// Two convolutions at one resolution of a U-Net.
    #[allow(bias_before_batch_norm)]
    block Level(channels) {
        Conv2d(channels, kernel = 3, padding = same), BatchNorm, Tanh,
    }

    /// One level of the decoder, joined with the encoder's value of the same size.
    block Up(skip, side, channels) {
        Flatten,
        Dense({ side * side * channels }),
        Reshape([side, side, channels]),
        Concat { {}, skip },
        Level(channels),
    }

    /// A small U-Net.
    struct Skips(8x8x1) -> 8x8x1 {
        high: Level(2),
        AvgPool2d(2),
        low: Level(3),
        AvgPool2d(2),
        Level(3),
        Up(low, 4, 3),
        Up(high, 8, 2),
        Conv2d(1, kernel = 1),
    }

    /// Lines that begin with inputs and with earlier values. Each value is read more than once, also by layers in
    /// place.
    struct Lines(image: 4x4x1, table: 5) -> 3 {
        image => Conv2d(2, kernel = 3),
        Tanh,
        flat: Flatten,
        measured: table => Dense(8),
        bent: Tanh,
        measured => Sigmoid,
        again: Residual { Dense(8), Add { {}, flat, bent } },
        flat => Repeat(2) { kept: Dense(4), Tanh, Mul { {}, kept } },
        Concat { {}, again, table => { Dense(2) } },
        measured_twice: Concat { {}, measured },
        Dense(3),
    }

    /// The value of the first layer is read by the last.
    struct Far(3) -> 6 { first: Dense(3), Tanh, Dense(3), Tanh, Dense(3), Concat { {}, first } }
}

#[test]
fn skip_connections_of_a_u_net() {
    check::<Skips>();
    assert_eq!(Skips::LAYERS.iter().filter(|layer| layer.kind == "Concat").count(), 2);
}

#[test]
fn lines_that_begin_with_named_values() {
    check::<Lines>();
    let net = check::<Far>();
    let [.., a, b, c] = net.forward(&[1.0, -1.0, 0.5]);
    let [w0, w1, w2] = net.first.weight;
    for (nth, found) in [a, b, c].into_iter().enumerate() {
        let expected = w0[nth] - w1[nth] + 0.5 * w2[nth] + net.first.bias[nth];
        assert!((found - expected).abs() < 1e-6, "{nth}");
    }
}

network! {
    /// BatchNorm splits a training step into phases.
    #[allow(bias_before_batch_norm)]
    struct Normed(4x4x2) -> 2 {
        Conv2d(3, kernel = 3, bias = false), bn1: BatchNorm, Tanh,
        Residual {
            Conv2d(3, kernel = 3, padding = same), bn2: BatchNorm, Tanh,
            Conv2d(3, kernel = 3, padding = same), bn3: BatchNorm,
        },
        Tanh,
        Flatten,
        fc: Dense(2),
    }

    /// BatchNorm as the first and the last layer.
    #[allow(batch_norm_at_output, bias_before_batch_norm)]
    struct NormedEnds(3) -> 3 { BatchNorm, Dense(3), BatchNorm }
}

#[test]
fn batch_statistics() {
    check::<Normed>();
    let names: Vec<String> = Normed::trained().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["conv2d", "bn1", "conv2d_2", "bn2", "conv2d_3", "bn3", "fc"]);
    assert!(Normed::PARAMS < Normed::new(0).params().len(), "running statistics are not trained");
}

#[test]
fn batch_statistics_at_both_ends() {
    check::<NormedEnds>();
}

network! {
    /// A nested network with phases of its own.
    #[allow(bias_before_batch_norm)]
    struct Encoder(4x4x2) -> 5 {
        Conv2d(3, kernel = 3), BatchNorm, Tanh, Flatten, fc: Dense(5),
    }

    /// Two layers of the same network, each with weights of its own.
    struct Outer(image: 4x4x2, table: 4) -> 2 {
        Concat {
            image => { left: Encoder },
            image => { right: Encoder, Tanh },
            table => { plain: Plain },
        },
        BatchNorm,
        Dense(2),
    }

    struct Plain(4) -> 3 { Dense(3), Tanh }

    /// A nested network as the only layer.
    struct Wrapper(4) -> 3 { Plain }
}

#[test]
fn networks_in_networks() {
    check::<Outer>();
    let names: Vec<String> = Outer::trained().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "image.left.conv2d",
            "image.left.batch_norm",
            "image.left.fc",
            "image_2.right.conv2d",
            "image_2.right.batch_norm",
            "image_2.right.fc",
            "table.plain.dense",
            "batch_norm",
            "dense"
        ]
    );
    assert_eq!(Outer::PARAMS, 2 * Encoder::PARAMS + Plain::PARAMS + 2 * 13 + 13 * 2 + 2);
    check::<Wrapper>();
}

const SIDE: usize = 6;
const ONE: usize = 1;
const CHANNELS: usize = 2;

network! {
    /// Sizes that are constants.
    struct Constants([SIDE, SIDE, 1]) -> 3 {
        Conv2d(CHANNELS, kernel = 3, groups = 1) -> [{ SIDE - 2 }, 4, CHANNELS],
        Tanh,
        AvgPool2d(2),
        Residual { Conv2d({ CHANNELS }, kernel = 1) },
        Flatten -> { CHANNELS * 4 },
        Dense({ 2 * CHANNELS }),
        Dense(3),
    }

    /// Sizes that are const generics.
    #[allow(bias_before_batch_norm)]
    struct Generic<const IN: usize, const HIDDEN: usize>(IN) -> 2 {
        Dense(HIDDEN), Tanh,
        Residual { Dense(HIDDEN), BatchNorm, Tanh },
        Dense(HIDDEN) -> HIDDEN,
        Dense(2),
    }

    /// Earlier values whose sizes are constants or const generics.
    struct NamedConstants([SIDE, CHANNELS]) -> [SIDE, { 3 * CHANNELS }] {
        first: Dense(CHANNELS), Tanh,
        wide: Dense({ 2 * CHANNELS }),
        first => Dense(CHANNELS),
        Concat { { Tanh }, wide },
    }

    /// The same with const generics.
    struct NamedGeneric<const N: usize>(N) -> N {
        first: Dense(N), Tanh,
        gated: Mul { {}, first },
        first => Residual { Dense(N), Tanh },
        Add { {}, gated },
    }

    /// Channels and groups that are constants.
    struct Grouped([4, 4, CHANNELS]) -> 4x4x4 {
        Conv2d({ CHANNELS + 2 }, kernel = 1, groups = ONE), Tanh, Dense(CHANNELS),
        Conv2d(4, kernel = 1, groups = CHANNELS),
    }

    /// A generic network as a layer.
    struct UsesGeneric(3) -> 2 { Dense(4), Generic::<4, 6>, Tanh }
}

#[test]
fn constants() {
    check::<Constants>();
    assert_eq!(Constants::PARAMS, (9 * 2 + 2) + (2 * 2 + 2) + (8 * 4 + 4) + (4 * 3 + 3));
    assert_eq!(Constants::LAYERS[5].output, unrolled::Shape::new(&[8]));
    check::<NamedConstants>();
}

#[test]
fn constant_groups() {
    check::<Grouped>();
    assert_eq!(Grouped::PARAMS, (4 * 2 + 4) + (4 * 2 + 2) + (4 + 4));
}

#[test]
fn const_generics() {
    check::<Generic<3, 5>>();
    assert_eq!(Generic::<3, 5>::PARAMS, 20 + 30 + 10 + 30 + 12);
    check::<UsesGeneric>();
    check::<NamedGeneric<4>>();
}

#[test]
fn in_a_function_body() {
    const UNITS: usize = 3;
    network! {
        struct Local(4) -> 2 { Dense(UNITS), Tanh, Dense(2) }
    }
    check::<Local>();
}

network! {
    /// A deep network: expanded code must not nest constants as deep as the network, or rustc overflows its stack.
    #[allow(bias_before_batch_norm)]
    block Deeper(channels) {
        Residual { Conv2d(channels, kernel = 1), BatchNorm, Tanh },
    }

    struct Deep(2x2x2) -> 2 {
        Repeat(60) { Deeper(2) },
        GlobalAvgPool,
    }

    /// The same with constants as sizes.
    struct DeepConstants([2, { SIDE - 4 }, CHANNELS]) -> 2 {
        Repeat(60) { Deeper(CHANNELS) },
        GlobalAvgPool,
    }
}

#[test]
fn deep_networks() {
    assert_eq!(Deep::LAYERS.len(), 4 * 60 + 1);
    let y = Deep::new(1).forward(&[[[0.5; 2]; 2]; 2]);
    assert!(y.iter().all(|y| y.is_finite()));
    assert_eq!(DeepConstants::new(1).forward(&[[[0.5; 2]; 2]; 2]), y);
}

network! {
    /// A pool of other pixels than those of the convolution.
    struct PooledView(2x2x1) -> 1x2x1 {
        conv: Conv2d(2, kernel = 1, bias = false),
        Reshape(2x4x1),
        MaxPool2d(2),
    }
}

#[test]
fn inference_pools_the_pixels_of_a_view() {
    let mut net = PooledView::new(1);
    net.params_mut().copy_from_slice(&[1.0, 10.0]);
    // The pixels 1 2 3 4, each times 1 and 10, are the rows 1 10 2 20 and 3 30 4 40.
    assert_eq!(net.forward(&[[[1.0], [2.0]], [[3.0], [4.0]]]), [[[30.0], [40.0]]]);
}

#[test]
fn no_samples_have_no_outputs() {
    Chain::new(1).forward_batch(&[], &mut []);
}

/// Arrays of `f32` are values and weights.
#[test]
fn arrays_are_slices_with_the_prelude_alone() {
    let mut x = [[1.0_f32, 2.0], [3.0, 4.0]];
    x.as_floats_mut()[3] = 5.0;
    assert_eq!(x.as_floats(), [1.0, 2.0, 3.0, 5.0]);
    assert_eq!([7_u32].as_floats().len(), 1);
}

network! {
    /// An input called like the parameter of `forward_into`.
    struct Renamed(output: 2, input: 2) -> 2 { Add { output, input } }
}

#[test]
fn inputs_may_be_called_output() {
    let mut y = [0.0; 2];
    Renamed::new(1).forward_into((&[1.0, 2.0], &[3.0, 4.0]), &mut y);
    assert_eq!(y, [4.0, 6.0]);
    InferenceExt::forward_into(&*Renamed::new(1), &([1.0, 2.0], [3.0, 5.0]), &mut y);
    assert_eq!(y, [4.0, 7.0]);
}
