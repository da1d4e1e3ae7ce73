//! Every layer with its options against values that PyTorch computed in float64 (`tests/reference/make.py`): outputs in
//! training and inference, loss, gradients of weights and inputs, running statistics.

use crate::case::{Case, Offsets, floats};
use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;
use unrolled::{Element, RngKey};

fn check<N: Network>(name: &'static str) {
    let case = Case::read(name);
    let offsets = Offsets::of::<N>(&case);
    let mut net = case.network::<N>(&offsets);

    let inputs: Vec<N::Input> = case.samples("input");
    let mut outputs = vec![N::Output::zeroed(); inputs.len()];
    unrolled::infer_batch(&*net, &inputs, &mut outputs);
    case.compare("inference", floats(&outputs));

    let targets: Vec<N::Output> = case.outputs("target");
    let mut d_net = N::zeros();
    let mut d_inputs = inputs.clone();
    let loss = unrolled::loss_and_all_gradients(
        &mut *net,
        &MeanSquaredError,
        &inputs,
        &targets,
        &mut *d_net,
        &mut d_inputs,
        RngKey::new(0),
    );
    case.compare("loss", [loss.unwrap()]);
    for index in (0..N::Input::LENS.len()).filter(|&index| N::Input::REAL[index]) {
        let d = d_inputs.iter().flat_map(|d| d.input(index).iter().copied());
        case.compare(&format!("d_input.{index}"), d);
    }
    case.compare_weights("gradients", &offsets, &*d_net);
    case.compare_weights("after", &offsets, &*net);
    assert!(
        offsets
            .tensors
            .iter()
            .all(|t| (t.element == Element::I64) == t.name.ends_with("num_batches_tracked"))
    );
}

macro_rules! references {
    ($( $name:ident: $header:tt -> $output:tt { $($body:tt)* } )*) => { $(
        #[test]
        fn $name() {
            network! { #[allow(deprecated, reason = "parts of networks")] struct Reference $header -> $output { $($body)* } }
            check::<Reference>(stringify!($name));
        }
    )* };
}

network! {
    struct ConvBody(4x4x2) -> 3x3x3 { Conv2d(3, kernel = 2) }
    struct FlatBody(4x4x2) -> 27 { Conv2d(3, kernel = 2), Flatten }
    struct Head(24) -> 5 { Dense(6), ReLU, Dense(5) }
    struct StepsBody(8x3) -> 6x4 { Conv1d(4, kernel = 3) }
}

references! {
    dense: (7) -> 5 { Dense(5) }
    dense_without_bias: (7) -> 5 { Dense(5, bias = false) }
    dense_wide: (131) -> 67 { Dense(67) }
    dense_on_each_pixel: (5x4x3) -> 5x4x4 { Dense(4) }

    conv2d: (7x6x3) -> 5x4x5 { Conv2d(5, kernel = 3) }
    conv2d_without_bias: (7x6x3) -> 5x4x5 { Conv2d(5, kernel = 3, bias = false) }
    conv2d_kernel_per_axis: (6x7x2) -> 5x5x4 { Conv2d(4, kernel = (2, 3)) }
    conv2d_stride: (9x8x3) -> 4x3x5 { Conv2d(5, kernel = 3, stride = 2) }
    conv2d_stride_per_axis: (9x11x3) -> 7x3x5 { Conv2d(5, kernel = 3, stride = (1, 3)) }
    conv2d_padding: (6x5x3) -> 6x5x5 { Conv2d(5, kernel = 3, padding = 1) }
    conv2d_padding_per_axis: (6x5x3) -> 8x3x5 { Conv2d(5, kernel = 3, padding = (2, 0)) }
    conv2d_same_even_kernel: (6x5x3) -> 6x5x5 { Conv2d(5, kernel = 4, padding = same) }
    conv2d_same_dilation: (7x8x2) -> 7x8x3 { Conv2d(3, kernel = 3, padding = same, dilation = 2) }
    conv2d_dilation: (9x8x3) -> 5x4x5 { Conv2d(5, kernel = 3, dilation = 2) }
    conv2d_groups: (5x5x6) -> 5x5x4 { Conv2d(4, kernel = 3, groups = 2, padding = 1) }
    conv2d_depthwise: (7x7x5) -> 4x4x5 { Conv2d(5, kernel = 3, groups = 5, padding = 1, stride = 2) }
    conv2d_1x1: (4x5x17) -> 4x5x19 { Conv2d(19, kernel = 1) }
    conv2d_everything: (9x8x4) -> 5x8x6 {
        Conv2d(6, kernel = (3, 2), stride = (2, 1), padding = (1, 1), dilation = (1, 2), groups = 2, bias = false)
    }
    conv2d_wide: (5x3x33) -> 5x3x65 { Conv2d(65, kernel = 3, padding = 1) }
    conv2d_many_pixels: (11x13x1) -> 9x11x32 { Conv2d(32, kernel = 3) }

    max_pool2d: (7x6x3) -> 3x3x3 { MaxPool2d(2) }
    max_pool2d_stride_padding: (8x7x3) -> 4x4x3 { MaxPool2d(3, stride = 2, padding = 1) }
    max_pool2d_dilation: (6x6x3) -> 4x4x3 { MaxPool2d(2, stride = 1, dilation = 2) }
    avg_pool2d: (7x6x3) -> 3x3x3 { AvgPool2d(2) }
    avg_pool2d_padding: (8x7x3) -> 4x4x3 { AvgPool2d(3, stride = 2, padding = 1) }
    avg_pool2d_padding_not_counted: (8x7x3) -> 4x4x3 {
        AvgPool2d((3, 2), stride = 2, padding = 1, count_include_pad = false)
    }
    global_avg_pool: (4x3x5) -> 5 { GlobalAvgPool }
    global_max_pool: (4x3x5) -> 5 { GlobalMaxPool }

    conv3d: (4x5x4x2) -> 2x3x2x3 { Conv3d(3, kernel = 3) }
    conv3d_without_bias: (3x3x4x2) -> 2x2x3x3 { Conv3d(3, 2, bias = false) }
    conv3d_kernel_per_axis: (2x4x4x2) -> 2x3x2x3 { Conv3d(3, kernel = (1, 2, 3)) }
    conv3d_stride: (5x6x7x2) -> 2x2x3x3 { Conv3d(3, kernel = 3, stride = 2) }
    conv3d_stride_per_axis: (3x4x5x2) -> 2x2x2x3 { Conv3d(3, kernel = 2, stride = (1, 2, 3)) }
    conv3d_padding: (3x4x3x2) -> 3x4x3x3 { Conv3d(3, kernel = 3, padding = 1) }
    conv3d_padding_per_axis: (2x4x3x2) -> 4x2x3x3 { Conv3d(3, kernel = 3, padding = (2, 0, 1)) }
    conv3d_sides: (2x3x3x2) -> 2x4x3x3 { Conv3d(3, kernel = 2, padding = (1, 0, 0, 2, 1, 0)) }
    conv3d_same_even_kernel: (3x4x3x2) -> 3x4x3x3 { Conv3d(3, kernel = 2, padding = same) }
    conv3d_dilation: (4x3x5x2) -> 2x2x2x3 { Conv3d(3, kernel = 2, dilation = (2, 1, 3)) }
    conv3d_groups: (3x3x2x4) -> 2x2x1x6 { Conv3d(6, kernel = 2, groups = 2) }
    conv3d_depthwise: (3x4x3x5) -> 3x4x3x5 { Conv3d(5, kernel = 3, groups = 5, padding = 1) }
    conv3d_everything: (4x5x3x4) -> 2x5x2x6 {
        Conv3d(6, kernel = (3, 2, 1), stride = (2, 1, 2), padding = (1, 1, 0), dilation = (1, 2, 1), groups = 2,
            bias = false)
    }
    conv3d_wide: (2x1x2x17) -> 3x2x3x19 { Conv3d(19, kernel = 2, padding = 1) }
    max_pool3d: (5x4x6x2) -> 2x2x3x2 { MaxPool3d(2) }
    max_pool3d_stride_padding: (3x6x5x2) -> 3x3x3x2 {
        MaxPool3d((1, 3, 3), stride = (1, 2, 2), padding = (0, 1, 1))
    }
    max_pool3d_dilation: (3x4x5x2) -> 2x2x2x2 { MaxPool3d(2, stride = 1, dilation = (1, 2, 3)) }
    max_pool3d_ceil_mode: (4x5x6x2) -> 2x2x2x2 { MaxPool3d(2, stride = 3, ceil_mode = true) }
    avg_pool3d: (5x4x6x2) -> 2x2x3x2 { AvgPool3d(2) }
    avg_pool3d_padding: (4x5x3x2) -> 2x3x2x2 { AvgPool3d(3, stride = 2, padding = 1) }
    avg_pool3d_padding_not_counted: (4x3x3x2) -> 2x4x2x2 {
        AvgPool3d((3, 2, 3), stride = (2, 1, 2), padding = 1, count_include_pad = false)
    }
    avg_pool3d_ceil_mode: (4x5x6x2) -> 3x3x4x2 { AvgPool3d(3, stride = 2, padding = 1, ceil_mode = true) }
    adaptive_avg_pool3d: (3x5x4x2) -> 2x3x1x2 { AdaptiveAvgPool3d((2, 3, 1)) }
    adaptive_max_pool3d: (3x5x7x2) -> 2x3x4x2 { AdaptiveMaxPool3d((2, 3, 4)) }
    global_avg_pool_of_volumes: (2x3x4x5) -> 5 { GlobalAvgPool }
    global_max_pool_of_volumes: (2x3x4x5) -> 5 { GlobalMaxPool }
    batch_norm_volumes: (2x3x4x3) -> 2x3x4x3 { BatchNorm }
    group_norm_of_volumes: (2x3x2x6) -> 2x3x2x6 { GroupNorm(2) }
    instance_norm_of_volumes: (2x3x4x3) -> 2x3x4x3 { InstanceNorm(affine = true) }
    conv3d_flatten_dense: (3x4x5x2) -> 5 { Conv3d(3, kernel = 2), Flatten, Dense(5) }
    residual_of_volumes: (3x4x2x3) -> 3x4x2x3 {
        Residual {
            Conv3d(3, kernel = 3, padding = 1, bias = false), BatchNorm, GELU,
            Conv3d(3, kernel = 1), Dropout(0.0), PReLU(per_channel = true),
        }
    }
    video_classifier: (4x12x12x3) -> 5 {
        stem: Conv3d(4, kernel = (3, 7, 7), stride = (1, 2, 2), padding = (1, 3, 3), bias = false), BatchNorm, ReLU,
        Conv3d(6, kernel = 3, stride = 2, padding = 1, bias = false), BatchNorm, ReLU,
        GlobalAvgPool, Dense(5),
    }

    conv1d: (9x3) -> 7x5 { Conv1d(5, 3) }
    conv1d_without_bias: (9x3) -> 6x5 { Conv1d(5, kernel = 4, bias = false) }
    conv1d_stride_padding: (10x3) -> 6x5 { Conv1d(5, kernel = 3, stride = 2, padding = 2) }
    conv1d_same_even_kernel: (9x3) -> 9x5 { Conv1d(5, kernel = 4, padding = same) }
    conv1d_same_dilation: (11x2) -> 11x3 { Conv1d(3, kernel = 3, padding = same, dilation = 3) }
    conv1d_dilation: (12x3) -> 4x4 { Conv1d(4, kernel = 3, dilation = 4) }
    conv1d_groups: (8x6) -> 8x4 { Conv1d(4, kernel = 3, groups = 2, padding = 1) }
    conv1d_depthwise: (9x5) -> 4x5 { Conv1d(5, kernel = 3, groups = 5, stride = 2) }
    conv1d_wide: (6x35) -> 6x67 { Conv1d(67, kernel = 5, padding = 2) }
    conv1d_causal: (9x3) -> 9x5 { Conv1d(5, kernel = 4, padding = causal) }
    conv1d_causal_stride_dilation: (11x3) -> 6x5 {
        Conv1d(5, kernel = 3, stride = 2, padding = causal, dilation = 3)
    }
    conv1d_stack: (12x3) -> 4 {
        c1: Conv1d(8, kernel = 3, padding = same), ReLU, MaxPool1d(2),
        c2: Conv1d(6, kernel = 3, padding = causal), ReLU, GlobalAvgPool, fc: Dense(4),
    }
    max_pool1d: (9x3) -> 4x3 { MaxPool1d(2) }
    max_pool1d_everything: (10x3) -> 4x3 { MaxPool1d(3, stride = 2, padding = 1, dilation = 2) }
    avg_pool1d: (9x3) -> 4x3 { AvgPool1d(2) }
    avg_pool1d_padding: (10x3) -> 5x3 { AvgPool1d(3, stride = 2, padding = 1) }
    avg_pool1d_padding_not_counted: (10x3) -> 4x3 {
        AvgPool1d(4, stride = 3, padding = 2, count_include_pad = false)
    }
    global_avg_pool_of_steps: (7x5) -> 5 { GlobalAvgPool }
    global_max_pool_of_steps: (7x5) -> 5 { GlobalMaxPool }

    batch_norm_images: (4x5x3) -> 4x5x3 { BatchNorm }
    batch_norm_features: (6) -> 6 { BatchNorm }
    batch_norm_without_affine: (4x5x3) -> 4x5x3 { BatchNorm(affine = false) }
    batch_norm_momentum_eps: (4x5x3) -> 4x5x3 { BatchNorm(momentum = 0.3, eps = 1e-2) }

    conv_transpose2d: (4x3x3) -> 6x5x5 { ConvTranspose2d(5, kernel = 3) }
    conv_transpose2d_without_bias: (4x3x3) -> 6x5x5 { ConvTranspose2d(5, kernel = 3, bias = false) }
    conv_transpose2d_stride: (4x3x3) -> 8x6x5 { ConvTranspose2d(5, kernel = 2, stride = 2) }
    conv_transpose2d_padding: (4x3x3) -> 8x6x5 { ConvTranspose2d(5, kernel = 4, stride = 2, padding = 1) }
    conv_transpose2d_output_padding: (4x3x3) -> 8x6x5 {
        ConvTranspose2d(5, kernel = 3, stride = 2, padding = 1, output_padding = 1)
    }
    conv_transpose2d_dilation: (4x3x3) -> 7x6x5 {
        ConvTranspose2d(5, kernel = 2, dilation = 2, output_padding = 1)
    }
    conv_transpose2d_groups: (3x3x6) -> 5x5x4 { ConvTranspose2d(4, kernel = 3, groups = 2) }
    conv_transpose2d_many_weights: (1x2x20) -> 1x2x6 { ConvTranspose2d(6, kernel = 3, padding = 1) }
    conv_transpose2d_everything: (2x2x4) -> 6x7x6 {
        ConvTranspose2d(6, kernel = (3, 2), stride = (2, 3), padding = (1, 0), output_padding = (1, 2),
            dilation = (2, 1), groups = 2, bias = false)
    }
    upsample: (4x5x3) -> 8x10x3 { Upsample(2) }
    upsample_per_axis: (4x2x3) -> 12x4x3 { Upsample((3, 2)) }
    upsample_bilinear: (4x5x3) -> 8x10x3 { Upsample(2, mode = bilinear) }
    upsample_bilinear_corners: (4x3x3) -> 8x9x3 { Upsample((2, 3), mode = bilinear, align_corners = true) }

    ws_conv2d: (5x4x3) -> 5x4x5 { WSConv2d(5, kernel = 3, padding = 1) }
    ws_conv2d_everything: (7x6x4) -> 4x6x6 {
        WSConv2d(6, kernel = (3, 2), stride = (2, 1), padding = (1, 1), dilation = (1, 2), groups = 2,
            bias = false, eps = 1e-2)
    }
    ws_conv2d_same: (4x5x2) -> 4x5x4 { WSConv2d(4, kernel = 2, padding = same) }
    wn_dense: (7) -> 5 { layer: WNDense(5) }
    wn_dense_without_bias: (131) -> 67 { layer: WNDense(67, bias = false) }
    wn_dense_on_each_pixel: (5x4x3) -> 5x4x4 { layer: WNDense(4) }
    wn_conv1d: (9x3) -> 10x5 { layer: WNConv1d(5, kernel = 4, padding = 2) }
    wn_conv1d_causal: (11x3) -> 6x5 {
        layer: WNConv1d(5, kernel = 3, stride = 2, padding = causal, dilation = 3, bias = false)
    }
    wn_conv1d_weight_g: (9x3) -> 6x5 { layer: WNConv1d(5, kernel = 4, names = weight_g) }
    wn_conv2d: (5x4x3) -> 5x4x5 { layer: WNConv2d(5, kernel = 3, padding = 1) }
    wn_conv2d_everything: (7x6x4) -> 4x6x6 {
        layer: WNConv2d(6, kernel = (3, 2), stride = (2, 1), padding = (1, 1), dilation = (1, 2), groups = 2,
            bias = false)
    }
    wn_conv2d_flatten_wn_dense: (5x4x3) -> 5 {
        conv: WNConv2d(4, kernel = 3), ReLU, Flatten, dense: WNDense(5, names = weight_g)
    }
    sn_dense: (7) -> 5 { layer: SNDense(5) }
    sn_dense_without_bias: (131) -> 67 { layer: SNDense(67, bias = false) }
    sn_dense_on_each_pixel: (5x4x3) -> 5x4x4 { layer: SNDense(4) }
    sn_conv1d: (9x3) -> 10x5 { layer: SNConv1d(5, kernel = 4, padding = 2) }
    sn_conv2d: (5x4x3) -> 5x4x5 { layer: SNConv2d(5, kernel = 3, padding = 1) }
    sn_conv2d_everything: (7x6x4) -> 4x6x6 {
        layer: SNConv2d(6, kernel = (3, 2), stride = (2, 1), padding = (1, 1), dilation = (1, 2), groups = 2,
            bias = false)
    }
    sn_conv2d_flatten_sn_dense: (5x4x3) -> 5 {
        conv: SNConv2d(4, kernel = 3), ReLU, Flatten, dense: SNDense(5)
    }
    scale: (4x5x3) -> 4x5x3 { Scale(1.0) }
    scale_per_channel: (4x5x3) -> 4x5x3 { Scale(1e-5, per_channel = true) }
    scale_fixed: (6) -> 5 { Dense(5), Scale(0.2, trained = false) }
    residual_that_begins_as_nothing: (5x5x4) -> 5x5x4 {
        Residual { WSConv2d(4, kernel = 3, padding = 1), ReLU, Scale(0) }
    }

    layer_norm: (7) -> 7 { LayerNorm }
    layer_norm_of_each_step: (5x37) -> 5x37 { LayerNorm }
    layer_norm_of_each_pixel: (3x4x6) -> 3x4x6 { LayerNorm }
    layer_norm_of_images: (3x4x6) -> 3x4x6 { LayerNorm(axes = 3) }
    layer_norm_of_rows: (3x4x6) -> 3x4x6 { LayerNorm(axes = 2, eps = 1e-2) }
    layer_norm_of_sequences: (5x7) -> 5x7 { LayerNorm(axes = 2, bias = false) }
    conv1d_layer_norm_flatten_dense: (8x3) -> 5 { Conv1d(4, kernel = 3), LayerNorm(axes = 2), Flatten, Dense(5) }
    layer_norm_without_bias: (5x7) -> 5x7 { LayerNorm(eps = 1e-2, bias = false) }
    layer_norm_without_affine: (5x7) -> 5x7 { LayerNorm(affine = false) }
    flatten_layer_norm_dense: (3x4x2) -> 5 { Flatten, LayerNorm, RMSNorm(eps = 1e-3), Dense(5) }
    rms_norm: (7) -> 7 { RMSNorm }
    rms_norm_of_each_step: (5x37) -> 5x37 { RMSNorm(eps = 1e-2) }
    rms_norm_without_affine: (5x7) -> 5x7 { RMSNorm(affine = false) }
    group_norm: (4x5x6) -> 4x5x6 { GroupNorm(3) }
    group_norm_of_features: (8) -> 8 { GroupNorm(2) }
    group_norm_of_steps: (5x34) -> 5x34 { GroupNorm(2) }
    group_norm_without_affine: (4x5x3) -> 4x5x3 { GroupNorm(1, eps = 1e-2, affine = false) }
    instance_norm: (4x5x3) -> 4x5x3 { InstanceNorm }
    instance_norm_affine: (4x5x3) -> 4x5x3 { InstanceNorm(eps = 1e-2, affine = true) }
    instance_norm_of_steps: (6x17) -> 6x17 { InstanceNorm(affine = true) }

    relu: (37) -> 37 { ReLU }
    leaky_relu: (37) -> 37 { LeakyReLU }
    leaky_relu_slope: (37) -> 37 { LeakyReLU(0.2) }
    elu: (37) -> 37 { ELU }
    elu_alpha: (37) -> 37 { ELU(0.5) }
    gelu: (37) -> 37 { GELU }
    gelu_tanh: (37) -> 37 { GELU(approximate = tanh) }
    silu: (37) -> 37 { SiLU }
    sigmoid: (37) -> 37 { Sigmoid }
    tanh: (37) -> 37 { Tanh }
    softplus: (37) -> 37 { Softplus }
    softplus_beta: (37) -> 37 { Softplus(beta = 2.0, threshold = 3.0) }
    hard_swish: (37) -> 37 { HardSwish }
    relu6: (37) -> 37 { ReLU6 }
    hard_sigmoid: (37) -> 37 { HardSigmoid }
    hard_tanh: (37) -> 37 { HardTanh }
    hard_tanh_of_half: (37) -> 37 { HardTanh(-2.0, 0.5) }
    mish: (37) -> 37 { Mish }
    selu: (37) -> 37 { SELU }
    celu: (37) -> 37 { CELU }
    celu_alpha: (37) -> 37 { CELU(0.5) }
    softsign: (37) -> 37 { Softsign }
    log_sigmoid: (37) -> 37 { LogSigmoid }
    threshold: (37) -> 37 { Threshold(0.5, -1.5) }
    identity: (37) -> 37 { Identity }
    prelu: (4x5x3) -> 4x5x3 { PReLU }
    prelu_per_channel: (4x5x3) -> 4x5x3 { PReLU(per_channel = true) }
    softmax: (11) -> 11 { Softmax }
    softmax_of_each_pixel: (3x5x4) -> 3x5x4 { Softmax }
    log_softmax: (11) -> 11 { LogSoftmax }

    conv1d_flatten_dense: (8x3) -> 5 {
        Conv1d(4, kernel = 3), ReLU, BatchNorm, MaxPool1d(2), Flatten, PReLU(per_channel = true), Dense(5),
    }
    residual_conv1d_flatten_dense: (5x3) -> 4 {
        Residual { Conv1d(3, kernel = 3, padding = 1) }, Flatten, Dense(4),
    }
    lstm_flatten_dense: (5x3) -> 3 { LSTM(4), Flatten, Dense(3) }
    order_of_nested_image: (4x4x2) -> 5 { body: ConvBody, Flatten, Dense(5) }
    order_of_nested_flatten: (4x4x2) -> 5 { body: FlatBody, Dense(5) }
    order_of_nested_dense: (3x4x2) -> 5 { Flatten, head: Head }
    order_of_nested_steps: (8x3) -> 5 { body: StepsBody, Flatten, Dense(5) }
    order_of_residual: (3x4x2) -> 5 { Flatten, Residual { Dense(24), ReLU }, Dense(5) }
    order_of_product: (3x4x2) -> 5 {
        Flatten, Mul { {}, { Dense(24), Sigmoid } }, LayerNorm, Dense(5)
    }
    order_of_gated_steps: (8x3) -> 5 {
        Conv1d(4, kernel = 3), Mul { {}, { GlobalAvgPool, Dense(4), Sigmoid } }, Flatten, Dense(5)
    }
    order_of_reshaped_features: (6) -> 8x8x2 {
        Dense(48), ReLU, Reshape(4x4x3), ConvTranspose2d(2, kernel = 2, stride = 2)
    }
    order_of_tokens_on_two_axes: (2x3) -> 5 { Embedding(11, 4), Flatten, Dense(5) }
    order_of_reshape_to_one_axis: (4x4x2) -> 5 { Conv2d(3, kernel = 2), Reshape(27), Dense(5) }
    flatten_dense: (5x6x2) -> 5 { Conv2d(3, kernel = 3), Flatten, Dense(5) }
    flatten_batch_norm_prelu_dense: (3x4x2) -> 5 { Flatten, BatchNorm, PReLU(per_channel = true), Dense(5) }
    residual: (5x5x4) -> 5x5x4 {
        Residual { Conv2d(4, kernel = 3, padding = 1), ReLU, Conv2d(4, kernel = 3, padding = 1) }
    }
    residual_skip: (7x7x4) -> 4x4x6 {
        Residual {
            Conv2d(6, kernel = 3, stride = 2, padding = 1, bias = false), BatchNorm, ReLU,
            Conv2d(6, kernel = 3, padding = 1, bias = false), BatchNorm,
        } skip {
            Conv2d(6, kernel = 1, stride = 2, bias = false), BatchNorm,
        }
    }
    reshape: (3x2x4) -> 4x5 { Reshape(4x6), Dense(5) }
    add: (6) -> 5 { Add { { Dense(5) }, { Dense(5), Tanh } } }
    mul: (6) -> 5 { Mul { { Dense(5) }, { Dense(5), Tanh } } }
    mul_scales_channels: (5x4x3) -> 5x4x4 {
        Mul {
            { Conv2d(4, kernel = 3, padding = 1) },
            { GlobalAvgPool, Dense(4), Sigmoid },
        }
    }
    conv2d_sides: (6x5x3) -> 5x5x4 { Conv2d(4, kernel = 3, padding = (0, 1, 2, 0)) }
    conv2d_same_stride: (7x8x3) -> 4x4x4 { Conv2d(4, kernel = 3, stride = 2, padding = same) }
    conv1d_sides: (9x3) -> 9x4 { Conv1d(4, kernel = 4, padding = (1, 2)) }
    conv1d_same_stride: (10x3) -> 5x4 { Conv1d(4, kernel = 4, stride = 2, padding = same) }
    max_pool2d_sides: (4x5x3) -> 4x5x3 { MaxPool2d(2, stride = 1, padding = (0, 1, 1, 0)) }
    max_pool2d_same: (7x8x3) -> 4x4x3 { MaxPool2d(3, stride = 2, padding = same) }
    max_pool2d_ceil_mode: (6x8x3) -> 4x5x3 { MaxPool2d(3, stride = 2, padding = 1, ceil_mode = true) }
    avg_pool2d_ceil_mode: (6x8x3) -> 4x5x3 { AvgPool2d(3, stride = 2, padding = 1, ceil_mode = true) }
    avg_pool2d_ceil_mode_not_counted: (7x10x3) -> 3x4x3 {
        AvgPool2d(2, stride = 3, count_include_pad = false, ceil_mode = true)
    }
    max_pool2d_same_dilation: (5x7x3) -> 5x7x3 { MaxPool2d(3, stride = 1, padding = same, dilation = (2, 3)) }
    max_pool1d_causal_dilation: (8x3) -> 4x3 { MaxPool1d(3, stride = 2, padding = causal, dilation = 3) }
    avg_pool1d_causal: (8x3) -> 8x3 { AvgPool1d(4, stride = 1, padding = causal) }
    avg_pool1d_causal_not_counted: (8x3) -> 8x3 {
        AvgPool1d(4, stride = 1, padding = causal, count_include_pad = false)
    }
    max_pool1d_ceil_mode: (8x3) -> 4x3 { MaxPool1d(3, stride = 2, ceil_mode = true) }
    avg_pool1d_ceil_mode: (8x3) -> 5x3 { AvgPool1d(3, stride = 2, padding = 1, ceil_mode = true) }
    pad1d: (5x3) -> 8x3 { Pad1d((2, 1), value = -0.5) }
    pad1d_reflect: (5x3) -> 8x3 { Pad1d((2, 1), mode = reflect) }
    pad2d: (5x4x3) -> 9x6x3 { Pad2d((1, 3, 2, 0)) }
    pad2d_replicate: (5x4x3) -> 9x6x3 { Pad2d((1, 3, 2, 0), mode = replicate) }
    pad2d_circular: (5x4x3) -> 7x8x3 { Pad2d((1, 2), mode = circular) }
    pad2d_conv2d_flatten_dense: (4x4x2) -> 5 {
        Conv2d(3, kernel = 2), Pad2d((0, 1, 1, 0), mode = reflect), Flatten, Dense(5),
    }
    adaptive_avg_pool1d: (7x3) -> 4x3 { AdaptiveAvgPool1d(4) }
    adaptive_max_pool1d: (7x3) -> 4x3 { AdaptiveMaxPool1d(4) }
    adaptive_avg_pool2d: (5x7x3) -> 3x4x3 { AdaptiveAvgPool2d((3, 4)) }
    adaptive_max_pool2d: (5x7x3) -> 3x4x3 { AdaptiveMaxPool2d((3, 4)) }
    upsample_size_nearest: (4x5x3) -> 7x3x3 { Upsample(size = (7, 3)) }
    upsample_size_bilinear: (4x5x3) -> 7x3x3 { Upsample(size = (7, 3), mode = bilinear) }
    upsample_size_bilinear_corners: (4x5x3) -> 7x3x3 {
        Upsample(size = (7, 3), mode = bilinear, align_corners = true)
    }
    upsample_size_bicubic: (4x5x3) -> 7x3x3 { Upsample(size = (7, 3), mode = bicubic) }
    upsample_size_bicubic_corners: (4x5x3) -> 7x3x3 {
        Upsample(size = (7, 3), mode = bicubic, align_corners = true)
    }
    conv_transpose1d: (4x3) -> 6x5 { ConvTranspose1d(5, kernel = 3) }
    conv_transpose1d_everything: (3x4) -> 11x6 {
        ConvTranspose1d(6, 3, stride = 2, padding = 1, output_padding = 2, dilation = 3, groups = 2, bias = false)
    }
    vision_transformer: (8x8x3) -> 5 {
        patch_embed: { proj: Conv2d(6, kernel = 4, stride = 4) },
        Reshape(4x6),
        cls_token: ClassToken,
        pos_embed: PositionalEmbedding(parameter = true),
        blocks: Repeat(2) {
            Residual { norm1: LayerNorm(eps = 1e-6), attn: MultiHeadAttention(2, names = timm) },
            Residual { norm2: LayerNorm(eps = 1e-6), mlp: { fc1: Dense(24), GELU, fc2: Dense(6) } },
        },
        norm: LayerNorm(eps = 1e-6),
        Slice(0, 1), Flatten,
        head: Dense(5),
    }
    transformer_encoder_stack: (5x6) -> 5x6 {
        layers: Repeat(2) { _: TransformerEncoder(6, 2, 10, dropout = 0.0) },
        norm: LayerNorm,
    }
    exp: (37) -> 37 { Exp }
    log: (37) -> 37 { Softplus, Log }
    powers: (37) -> 37 { Abs, Clip(0.05, 3.0), Sqrt, Pow(-1.5), Neg }
    clip_one_side: (37) -> 37 { Clip(max = 0.5) }
    pow: (37) -> 37 { Pow(2), Pow(3.0) }
    glu: (5x8) -> 5x4 { GLU }
    glu_conv2d_flatten_dense: (4x4x2) -> 5 { Conv2d(6, kernel = 2), GLU, Flatten, Dense(5) }
    swi_glu: (5x8) -> 5x4 { SwiGLU }
    sub: (6) -> 5 { Sub { { Dense(5) }, { Dense(5), Softplus } } }
    div: (6) -> 5 { Div { { Dense(5) }, { Dense(5), Softplus } } }
    min: (6) -> 5 { Min { { Dense(5) }, { Dense(5), Softplus } } }
    max: (6) -> 5 { Max { { Dense(5) }, { Dense(5), Softplus } } }
    joins_with_channels: (7x4) -> 7x5 {
        Dense(5),
        Sub { {}, { GlobalAvgPool } },
        Div { {}, { Reduce(max), Softplus } },
        Min { {}, { Reduce(max), Scale(0.5, trained = false) } },
        Max { {}, { Sub { { Reduce(mean) }, { Reduce(mean), Pow(0), Scale(0.5, trained = false) } } } },
    }
    add_to_channels: (5x4x3) -> 5 {
        Add { { Conv2d(4, kernel = 3) }, { GlobalAvgPool, Dense(4) } }, Flatten, Dense(5),
    }
    slice: (7x5) -> 3x5 { Slice(1, 6, step = 2) }
    split: (6x5) -> 2x5 { Split(3, 1, axis = 0) }
    split_of_channels: (3x4x6) -> 3x4x2 { Split(3, 2) }
    split_gated: (7x6) -> 5 {
        both: Dense(6),
        value: both => Split(2),
        gate: both => Split(2, 1),
        Sigmoid,
        Mul { value, {} },
        Flatten,
        Dense(5),
    }
    split_conv1d_flatten_dense: (8x3) -> 5 { Conv1d(4, kernel = 3), Split(2, 1), Flatten, Dense(5) }
    slice_of_channels: (3x4x5) -> 3x4x3 { Slice(2, axis = 2) }
    slice_conv1d_flatten_dense: (8x3) -> 5 { Conv1d(4, kernel = 3), Slice(1, 5), Flatten, Dense(5) }
    transpose: (7x5) -> 5x7 { Transpose }
    transpose_conv1d_flatten_dense: (8x3) -> 5 {
        Conv1d(4, kernel = 3), Transpose(0, 1), Flatten, Dense(5),
    }
    repeat_steps: (3x4x2) -> 3x5 { Flatten, RepeatSteps(3), Dense(5) }
    pixel_shuffle: (3x2x12) -> 6x4x3 { PixelShuffle(2) }
    reduce_mean: (7x5) -> 5 { Reduce }
    reduce_sum: (5x4x3) -> 5x3 { Reduce(sum, axis = 1) }
    reduce_max_conv2d_flatten_dense: (4x4x2) -> 5 {
        Conv2d(3, kernel = 2), Reduce(max, axis = 0), Flatten, Dense(5),
    }
    reduce_channels_flatten_dense: (4x5x2) -> 5 {
        Conv2d(3, kernel = 2), Reduce(mean, axis = 2), Flatten, Dense(5),
    }
    reduce_pixels_of_dense_flatten_dense: (3x4x2) -> 5 {
        Dense(6), Reduce(sum, axis = 1), Flatten, Dense(5),
    }
    softmax_of_steps: (7x5) -> 7x5 { Softmax(axis = 0) }
    dropout_of_none: (6) -> 5 { Dense(5), Dropout(0) }
    gaussian_noise_of_none: (6) -> 5 { Dense(5), GaussianNoise(0) }
    dropout_of_all: (6) -> 5 { Dense(5), Dropout(1) }
    concat_of_inputs: (image: 6x7x1, table: 4) -> 7 {
        Concat {
            image => { Conv2d(3, kernel = 3), ReLU, Flatten },
            table => { Dense(6), ReLU },
        },
        Dense(7),
    }
    digits_classifier: (20x20x1) -> 10 {
        conv1: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 3), ReLU, MaxPool2d(2),
        Flatten, fc1: Dense(24), ReLU, fc2: Dense(10),
    }

    rnn: (7x6) -> 7x5 { RNN(5) }
    rnn_last: (7x6) -> 5 { RNN(5, output = last) }
    rnn_without_bias: (7x6) -> 7x5 { RNN(5, bias = false) }
    rnn_bidirectional: (7x6) -> 7x10 { RNN(5, bidirectional = true) }
    rnn_deep: (7x6) -> 7x10 { RNN(5, layers = 2, bidirectional = true) }
    rnn_deep_last: (7x6) -> 10 { RNN(5, layers = 2, bidirectional = true, bias = false, output = last) }
    rnn_wide: (9x35) -> 9x67 { RNN(67, layers = 3) }
    rnn_cell: (7x6) -> 7x5 { RNN(5, names = cell) }
    rnn_relu: (7x6) -> 7x5 { RNN(5, layers = 2, nonlinearity = relu) }

    lstm: (7x6) -> 7x5 { LSTM(5) }
    lstm_last: (7x6) -> 5 { LSTM(5, output = last) }
    lstm_without_bias: (7x6) -> 7x5 { LSTM(5, bias = false) }
    lstm_bidirectional: (7x6) -> 7x10 { LSTM(5, bidirectional = true) }
    lstm_deep: (7x6) -> 7x10 { LSTM(5, layers = 2, bidirectional = true) }
    lstm_deep_last: (7x6) -> 10 { LSTM(5, layers = 2, bidirectional = true, bias = false, output = last) }
    lstm_cell: (7x6) -> 7x5 { LSTM(5, names = cell) }
    lstm_wide: (9x35) -> 9x67 { LSTM(67, layers = 3) }

    rnn_state: (x: 7x6, h: 5) -> 7x5 { x => RNN(5, state = h) }
    gru_state: (x: 7x6, h: 5) -> 7x5 { x => GRU(5, state = h) }
    gru_state_deep: (x: 7x6, h: 20) -> 10 {
        x => GRU(5, layers = 2, bidirectional = true, output = last, state = h),
    }
    lstm_state: (x: 7x6, h: 5, c: 5) -> 7x5 { x => LSTM(5, state = h, cell = c) }
    lstm_state_deep: (x: 7x6, h: 20, c: 20) -> 7x10 {
        x => LSTM(5, layers = 2, bidirectional = true, bias = false, state = h, cell = c),
    }
    lstm_state_projection: (x: 7x6, h: 12, c: 20) -> 6 {
        x => LSTM(5, layers = 2, bidirectional = true, output = last, projection = 3, state = h, cell = c),
    }
    encoder_decoder: (read: 6x3, written: 5x2) -> 5x5 {
        encoder: read => GRU(4, output = last),
        written => GRU(4, state = encoder),
        Dense(5),
    }
    lstm_projection: (7x6) -> 7x3 { LSTM(5, projection = 3) }
    lstm_projection_deep: (7x6) -> 7x6 { LSTM(5, layers = 2, bidirectional = true, projection = 3) }
    lstm_projection_deep_last: (7x6) -> 4 {
        LSTM(5, layers = 2, bidirectional = true, bias = false, projection = 2, output = last),
    }
    lstm_projection_wide: (9x35) -> 9x33 { LSTM(67, layers = 3, projection = 33) }

    gru: (7x6) -> 7x5 { GRU(5) }
    gru_last: (7x6) -> 5 { GRU(5, output = last) }
    gru_without_bias: (7x6) -> 7x5 { GRU(5, bias = false) }
    gru_bidirectional: (7x6) -> 7x10 { GRU(5, bidirectional = true) }
    gru_deep: (7x6) -> 7x10 { GRU(5, layers = 2, bidirectional = true) }
    gru_deep_last: (7x6) -> 10 { GRU(5, layers = 2, bidirectional = true, bias = false, output = last) }
    gru_cell: (7x6) -> 7x5 { GRU(5, bias = false, names = cell) }
    gru_wide: (9x35) -> 9x67 { GRU(67, layers = 3) }

    multi_head_attention: (5x6) -> 5x6 { MultiHeadAttention(2) }
    multi_head_attention_without_bias: (5x6) -> 5x6 { MultiHeadAttention(3, bias = false) }
    multi_head_attention_causal: (19x6) -> 19x6 { MultiHeadAttention(2, causal = true) }
    multi_head_attention_cross: (text: 4x6, encoded: 7x6) -> 4x6 {
        text => MultiHeadAttention(2, memory = encoded),
    }
    multi_head_attention_dropout_of_all: (5x6) -> 5x6 { MultiHeadAttention(2, dropout = 1.0) }
    multi_head_attention_alibi: (5x6) -> 5x6 { MultiHeadAttention(2, alibi = true) }
    multi_head_attention_alibi_causal: (19x6) -> 19x6 { MultiHeadAttention(3, causal = true, alibi = true) }
    multi_head_attention_grouped: (5x8) -> 5x8 { MultiHeadAttention(4, kv_heads = 2) }
    multi_head_attention_grouped_alibi_causal: (19x6) -> 19x6 {
        MultiHeadAttention(3, kv_heads = 1, causal = true, alibi = true, bias = false)
    }
    multi_head_attention_grouped_cross: (text: 4x8, encoded: 7x8) -> 4x8 {
        text => MultiHeadAttention(4, memory = encoded, kv_heads = 2),
    }
    multi_head_attention_separate: (5x8) -> 5x8 { MultiHeadAttention(4, kv_heads = 2, names = llama) }
    multi_head_attention_rotary: (5x8) -> 5x8 { MultiHeadAttention(2, rotary = true) }
    multi_head_attention_rotary_causal: (9x12) -> 9x12 {
        MultiHeadAttention(3, causal = true, rotary = true)
    }

    transformer_encoder: (5x6) -> 5x6 { TransformerEncoder(6, 2, 10, dropout = 0.0) }
    transformer_encoder_causal: (5x6) -> 5x6 {
        TransformerEncoder(6, 2, hidden = 10, dropout = 0.0, causal = true)
    }
    transformer_decoder: (text: 5x6, encoded: 7x6) -> 5x6 {
        text => TransformerDecoder(encoded, 6, 2, 10, dropout = 0.0),
    }
    post_norm_transformer_encoder: (5x6) -> 5x6 {
        PostNormTransformerEncoder(6, 2, 10, dropout = 0.0)
    }
    post_norm_transformer_encoder_causal: (5x6) -> 5x6 {
        PostNormTransformerEncoder(6, 2, 10, dropout = 0.0, causal = true)
    }
    post_norm_transformer_decoder: (text: 5x6, encoded: 7x6) -> 5x6 {
        text => PostNormTransformerDecoder(encoded, 6, 2, 10, dropout = 0.0),
    }

    gather: (sequence: 6x3, index: 4) -> 4x3 { sequence => Gather(index) }
    gather_between_layers: (sequence: 6x3, index: 9) -> 9x2 {
        read: sequence => Dense(4), Tanh, Gather(index), Dense(2),
    }
    embedding: (7) -> 7x5 { Embedding(11, 5) }
    embedding_padding_index: (7) -> 7x5 { Embedding(11, 5, padding_index = 3) }
    embedding_of_many_tokens: (9) -> 9x67 { Embedding(2000, 67) }
    embedding_of_rows: (3x4) -> 3x4x5 { Embedding(11, 5) }
    positional_embedding: (7x5) -> 7x5 { PositionalEmbedding }
    positional_encoding: (70x9) -> 70x9 { PositionalEncoding }
    sentences: (9) -> 3 {
        Embedding(23, 6, padding_index = 0), PositionalEmbedding, GRU(8, output = last), Dense(3),
    }

    // Modules that are called several times.
    same_encoder: (a: 6x7x2, b: 6x7x2) -> 3 {
        left: a => [conv: Conv2d(3, kernel = 3, bias = false), bn: BatchNorm, ReLU, Flatten, fc: Dense(4)],
        right: b => same(left),
        difference: Sub { left, right }, product: Mul { left, right },
        Concat { difference, product }, Dense(3),
    }
    same_texts: (a: 5, b: 5) -> 4 {
        left: a => [tokens: Embedding(11, 6), lstm: LSTM(4, output = last)],
        right: b => same(left),
        Mul { left, right },
    }
    same_branches: (a: 4, b: 3, c: 4, d: 3) -> 5 {
        mix: Mul { a => { left: Dense(5), Tanh }, b => { right: Dense(5) } },
        again: same(mix) { c, d },
        Sub { mix, again },
    }
    same_memory: (x: 4x6, a: 5x6, b: 5x6) -> 4x6 {
        attention: x => MultiHeadAttention(2, memory = a),
        same(attention, memory = b),
    }
    repeat_shared: (5) -> 5 {
        body: Repeat(3, shared = true) { Residual { fc: Dense(5, bias = false), bn: BatchNorm, Tanh } },
    }
    repeat_shared_attention: (5x6) -> 5x6 {
        body: Repeat(2, shared = true) { TransformerEncoder(6, heads = 2, hidden = 8, dropout = 0.0) },
    }

    // Modules that are applied to each step.
    per_step_lstm: (4x6x8x2) -> 3 {
        frames: PerStep { conv: Conv2d(3, kernel = 3), ReLU, MaxPool2d(2), Flatten, fc: Dense(5) },
        ReLU,
        rest: { lstm: LSTM(4, output = last) },
        Dense(3),
    }
    per_step_batch_norm_flatten_dense: (3x4x6x2) -> 4 {
        frames: PerStep {
            conv: Conv2d(3, kernel = 3, bias = false), bn: BatchNorm, ReLU,
            residual: Residual { inner: Conv2d(3, kernel = 1, bias = false), norm: BatchNorm },
        },
        Tanh,
        Flatten,
        Dense(4),
    }
    per_step_sentences: (3x4) -> 3 {
        sentences: PerStep {
            tokens: Embedding(11, 6), words: { lstm: LSTM(4, output = last) }, norm: BatchNorm,
        },
        rest: { gru: GRU(3, output = last) },
    }
    per_step_of_steps: (2x3x3x4x2) -> 3 {
        clips: PerStep {
            frames: PerStep { conv: Conv2d(3, kernel = 2), Flatten, fc: Dense(5) },
            Tanh, Flatten, fc: Dense(4),
        },
        Flatten,
        Dense(3),
    }
}

network! {
    struct TwoOutputs(image: 5x6x2, table: 4) -> (class: 5, place: 2) {
        image => Conv2d(3, kernel = 3),
        ReLU,
        Flatten,
        Concat { {}, table },
        Dense(6),
        shared: Tanh,
        class: Dense(5),
        shared => Dense(4),
        Tanh,
        place: Dense(2),
    }
}

/// Several outputs, each with a loss of its own, and inputs of different types.
#[test]
fn two_outputs() {
    let case = Case::read("two_outputs");
    let offsets = Offsets::of::<TwoOutputs>(&case);
    let mut net = case.network::<TwoOutputs>(&offsets);
    let inputs: Vec<<TwoOutputs as Network>::Input> = case.samples("input");
    let mut outputs = vec![TwoOutputsOutput::zeroed(); inputs.len()];
    net.forward_batch(&inputs, &mut outputs);
    case.compare("output.class", outputs.iter().flat_map(|y| y.class));
    case.compare("output.place", outputs.iter().flat_map(|y| y.place));

    let classes = case.values("target.class").into_iter().map(|class| class as u32);
    let targets: Vec<(u32, [f32; 2])> = classes.zip(case.outputs("target.place")).collect();
    let weighted = CrossEntropy::new().class_weights(&[1.0, 2.0, 0.5, 1.0, 3.0]);
    let mut d_net = TwoOutputs::zeros();
    let mut d_inputs = inputs.clone();
    let loss = unrolled::loss_and_all_gradients(
        &mut *net,
        &(weighted, MeanSquaredError.weighted(0.3)),
        &inputs,
        &targets,
        &mut *d_net,
        &mut d_inputs,
        RngKey::new(0),
    );
    case.compare("loss", [loss.unwrap()]);
    for index in 0..2 {
        let d = d_inputs.iter().flat_map(|d| d.input(index).iter().copied());
        case.compare(&format!("d_input.{index}"), d);
    }
    case.compare_weights("gradients", &offsets, &*d_net);
}
