//! [`Conv2d`]: PyTorch's `nn.Conv2d`, channels last.

use super::convolution::Convolution;
#[cfg(feature = "train")]
use super::train_convolution::TrainConvolution;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{FusedNode, Infer, Node, Spec, widened_layer};
#[cfg(feature = "train")]
use crate::init::fan_in_uniform;
use crate::kernels::{self, ConvLayer, Epilogue, Geometry, Isa};
#[cfg(feature = "train")]
use crate::memory::Shards;
#[cfg(feature = "train")]
use crate::system::RngKey;
use crate::types::{COLUMNS, HalfMatrix, Halves, Steps, WeightSlice, Weights};
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use core::marker::PhantomData;
use unrolled_shape::rules::conv2d;
use unrolled_shape::rules::max_pool2d::MaxPool2d;

/// A convolution (as in PyTorch a cross-correlation) over height and width: `[H, W, C] -> [H', W', F]`.
///
/// `CG` is the number of input channels of one group, `KH x KW` the size of the kernel.
///
/// Kernels of 3x3 with a stride of 1, 64 channels or more and 12 lines and columns or more are computed by Winograd's
/// algorithm (Lavin and Gray, 2015), which adds and subtracts inputs before it multiplies: where the kernel meets an infinite
/// input, or one above 8e37, the output is NaN.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Conv2d<
    const F: usize,
    const CG: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize = F,
> {
    /// The kernel `[KH, KW, CG, F]`; PyTorch's is `[F, CG, KH, KW]`.
    pub weight: [[[[f32; F]; CG]; KW]; KH],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize>
    Weights for Conv2d<F, CG, KH, KW, BIAS>
{
}

impl<S, const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize>
    Node<S> for Conv2d<F, CG, KH, KW, BIAS>
where
    S: Spec<Arguments = conv2d::Conv2d>,
{
    /// What the kernel needs, after what a `BatchNorm` of its epilogue does.
    const SCRATCH: usize = match Conv::<S>::SCRATCH {
        0 => 0,
        kernel => S::OUTPUT.last() + kernel,
    };

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let (weight, bias) = (self.weight.as_floats(), &self.bias);
        let args = kernels::ConvArgs { x: x[0], weight, bias, y };
        Conv::<S>::infer(Steps::Full, args, ctx.scratch);
    }

    const WIDENED: usize =
        if Conv::<S>::BY_FILTERS { HalfMatrix::widened_len(CG) } else { Self::LEN };

    fn infer_half(halves: Halves<'_>, widened: &mut [f32], call: Infer<'_>) {
        let (x, y, scratch) = (call.x[0], call.y, call.ctx.scratch);
        let none = Epilogue::NONE;
        <Self as FusedNode<S>>::infer_half_with((halves, widened), x, y, none, scratch);
    }
}

#[cfg(feature = "train")]
impl<S, const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize>
    TrainNode<S> for Conv2d<F, CG, KH, KW, BIAS>
where
    S: Spec<Arguments = conv2d::Conv2d>,
{
    const SHARD_SUMS: usize = Conv::<S>::SHARD_SUMS;
    const DEFERRED: usize = Conv::<S>::DEFERRED;
    const GRADIENT_TASKS: usize = Conv::<S>::GRADIENT_TASKS;
    const PREPARED: usize = Conv::<S>::PREPARED;
    const TRAIN_SCRATCH: usize = Conv::<S>::TRAIN_SCRATCH;

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, CG * KH * KW, key);
    }

    fn prepare(&self, prepared: &mut [f32]) {
        Conv::<S>::prepare(self.weight.as_floats(), prepared);
    }

    fn forward_shard(&self, call: Forward<'_>) {
        Conv::<S>::forward(self.weight.as_floats(), &self.bias, Steps::Full, call);
    }

    fn backward_shard(&self, call: Backward<'_, '_>) {
        Conv::<S>::backward(Steps::Full, call);
    }

    fn gradient_end(task: usize) -> usize {
        Conv::<S>::gradient_end(task)
    }

    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        Conv::<S>::gradient(task, shards, d_weights);
    }
}

impl<S, const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize>
    FusedNode<S> for Conv2d<F, CG, KH, KW, BIAS>
where
    S: Spec<Arguments = conv2d::Conv2d>,
{
    fn infer_pooled<P: Spec<Arguments = MaxPool2d>>(&self, Infer { x, y, .. }: Infer<'_>) {
        let (g, window) = const {
            assert!(!Conv::<S>::GEOMETRY.suits_winograd(), "the rule fuses no such pool");
            (Conv::<S>::GEOMETRY, P::ARGUMENTS.kernel)
        };
        let weight = self.weight.as_floats();
        let (x, bias) = (x[0], &self.bias);
        let args = kernels::ConvArgs { x, weight, bias, y };
        kernels::conv2d_max_pool(Isa::best(), &g, window, args);
    }

    fn infer_with(&self, x: &[f32], y: &mut [f32], epilogue: Epilogue<'_>, scratch: &mut [f32]) {
        let (weight, bias) = (self.weight.as_floats(), &self.bias);
        let args = kernels::ConvArgs { x, weight, bias, y };
        let g = const { &Conv::<S>::GEOMETRY };
        kernels::conv_forward(Isa::best(), g, args, epilogue, scratch);
    }

    // Some filters of a pointwise convolution at a time: other kernels may compute several outputs from common sums.
    fn infer_half_with(
        (halves, widened): (Halves<'_>, &mut [f32]),
        x: &[f32],
        y: &mut [f32],
        epilogue: Epilogue<'_>,
        scratch: &mut [f32],
    ) {
        if const { !Conv::<S>::BY_FILTERS } {
            let (layer, _) = widened_layer::<Self>(halves, widened);
            return FusedNode::<S>::infer_with(layer, x, y, epilogue, scratch);
        }
        let (weight, bias) = halves.split_at(CG * F);
        let matrix = HalfMatrix { weight, width: F, bias };
        matrix.for_each_columns(widened, |filters, weight, bias| {
            let (isa, g) = (Isa::best(), const { &Conv::<S>::GEOMETRY });
            let args = kernels::ConvArgs { x, weight, bias, y };
            kernels::pointwise_filters(isa, g, filters, args, epilogue);
        });
    }

    fn convolution<'a>(&'a self, epilogue: Epilogue<'a>) -> ConvLayer<'a> {
        let (weight, bias) = (self.weight.as_floats(), &self.bias);
        ConvLayer { geometry: const { Conv::<S>::GEOMETRY }, weight, bias, epilogue }
    }
}

/// The convolution with the sizes of one spec.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = conv2d::Conv2d>> Conv<S> {
    /// Whether weights in half precision are widened for some filters at a time.
    const BY_FILTERS: bool = {
        let g = Self::GEOMETRY;
        g.kernel[0] * g.kernel[1] == 1 && g.groups == 1 && g.filters > COLUMNS
    };
}

impl<S: Spec<Arguments = conv2d::Conv2d>> Convolution for Conv<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = conv2d::Conv2d>> TrainConvolution for Conv<S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Spec;
    use crate::kernels::Normalization;
    use crate::layers;
    use crate::layers::testing::{Trial, random, spec};
    use crate::memory::InferCtx;
    use unrolled_shape::Padding;
    use unrolled_shape::half::to_half;

    macro_rules! conv {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $dilation:expr, $groups:expr,
         $bias:expr, $input:expr => $output:expr) => {
            spec!($Name: conv2d::Conv2d {
                out_channels: $output[2],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                dilation: $dilation,
                groups: $groups,
                bias: $bias,
            }, [&$input] -> &$output);
        };
    }

    conv!(WidePointwise: [1, 1], [2, 1], NONE, [1, 1], 1, true, [5, 4, 40] => [3, 4, 37]);
    conv!(PointwiseGroups: [1, 1], [1, 1], NONE, [1, 1], 2, true, [3, 2, 6] => [3, 2, 34]);
    conv!(WideBorder: [1, 1], [1, 1], Padding::Explicit([1, 0]), [1, 1], 1, false, [3, 2, 9] => [5, 2, 20]);

    #[test]
    fn filters_of_halves_have_the_bits_of_rounded_weights() {
        Trial::<WidePointwise, Conv2d<37, 40, 1, 1>>::random().check_halves();
        Trial::<WideBorder, Conv2d<20, 9, 1, 1, 0>>::random().check_halves();
        Trial::<PointwiseGroups, Conv2d<34, 3, 1, 1>>::random().check_halves();
        Trial::<Deep, Conv2d<10, 9, 3, 2>>::random().check_halves();
        type Layer = Conv2d<37, 40, 1, 1>;
        assert_eq!(<Layer as Node<WidePointwise>>::WIDENED, 41 * COLUMNS);
    }

    /// The layers after a pointwise convolution.
    #[test]
    fn filters_of_halves_are_normalised_added_and_bounded() {
        type Layer = Conv2d<37, 40, 1, 1>;
        let mut trial = Trial::<WidePointwise, Layer>::random();
        trial.check_halves();
        let halves = trial.node.as_floats().iter().map(|float| to_half(*float).to_le_bytes());
        let halves: Vec<_> = halves.collect();
        let [mean, scale, bias] = [1, 2, 3].map(|seed| random(37, seed));
        let add = random(5 * 3 * 4 * 37, 4);
        let epilogue = Epilogue {
            normalization: Some(Normalization { mean: &mean, scale: &scale, bias: &bias }),
            add: Some(&add),
            bounds: Some([0.0, 0.5]),
        };
        let [mut found, mut expected] = [(); 2].map(|()| vec![f32::NAN; add.len()]);
        let (layer, x) = (&*trial.node, &trial.x[0][..]);
        FusedNode::<WidePointwise>::infer_with(layer, x, &mut expected, epilogue, &mut []);
        let mut widened = [f32::NAN; <Layer as Node<WidePointwise>>::WIDENED];
        let weights = (&halves[..], &mut widened[..]);
        <Layer as FusedNode<WidePointwise>>::infer_half_with(
            weights,
            x,
            &mut found,
            epilogue,
            &mut [],
        );
        assert_eq!(found, expected);
        assert!(found.iter().any(|y| *y > 0.0 && *y < 0.5));
    }

    #[test]
    fn pooled_inference_has_the_bits_of_a_pool_after_it() {
        let trial = Trial::<Same, Conv2d<2, 1, 2, 3>>::random();
        let mut pool = Trial::<By2, layers::MaxPool2d>::random();
        pool.x[0] = trial.infer();
        let expected = pool.infer();
        let mut y = vec![f32::NAN; expected.len()];
        let (n, x) = (trial.batch, &[&trial.x[0][..]]);
        let call = Infer { n, x, y: &mut y, ctx: InferCtx::new(&mut [], &mut []) };
        FusedNode::<Same>::infer_pooled::<By2>(&*trial.node, call);
        assert_eq!(y, expected);
    }

    const NONE: Padding = Padding::Explicit([0, 0]);
    conv!(Plain: [3, 3], [1, 1], NONE, [1, 1], 1, true, [5, 6, 2] => [3, 4, 3]);
    conv!(Strided: [3, 2], [2, 3], Padding::Explicit([1, 2]), [1, 1], 1, false, [6, 5, 3] => [3, 3, 4]);
    conv!(Same: [2, 3], [1, 1], Padding::Same, [1, 2], 1, true, [4, 5, 1] => [4, 5, 2]);
    conv!(Dilated: [2, 3], [2, 1], Padding::Explicit([0, 1]), [3, 2], 1, true, [7, 6, 2] => [2, 4, 2]);
    conv!(Grouped: [2, 2], [1, 2], Padding::Explicit([1, 0]), [1, 1], 2, true, [3, 4, 4] => [4, 2, 6]);
    conv!(Depthwise: [3, 3], [1, 1], Padding::Same, [1, 1], 5, true, [4, 3, 5] => [4, 3, 5]);
    conv!(Pointwise: [1, 1], [2, 2], NONE, [1, 1], 1, false, [5, 4, 3] => [3, 2, 4]);

    // Many weights for few pixels: their gradient is computed after all shards.
    conv!(Deep: [3, 2], [1, 1], Padding::Same, [1, 1], 1, true, [2, 3, 9] => [2, 3, 10]);
    conv!(DeepGroups: [2, 2], [2, 1], NONE, [1, 1], 2, true, [3, 2, 20] => [1, 1, 14]);

    spec!(By2: max_pool2d::MaxPool2d {
        kernel: [2; 2], stride: None, padding: Padding::Explicit([0; 2]), dilation: [1; 2], ceil_mode: false,
    },
        [&[4, 5, 2]] -> &[2, 2, 2]);

    macro_rules! for_all {
        ($check:ident) => {
            Trial::<Plain, Conv2d<3, 2, 3, 3>>::random().$check();
            Trial::<Strided, Conv2d<4, 3, 3, 2, 0>>::random().$check();
            Trial::<Same, Conv2d<2, 1, 2, 3>>::random().$check();
            Trial::<Dilated, Conv2d<2, 2, 2, 3>>::random().$check();
            Trial::<Grouped, Conv2d<6, 2, 2, 2>>::random().$check();
            Trial::<Depthwise, Conv2d<5, 1, 3, 3>>::random().$check();
            Trial::<Pointwise, Conv2d<4, 3, 1, 1, 0>>::random().$check();
            Trial::<Deep, Conv2d<10, 9, 3, 2>>::random().$check();
            Trial::<DeepGroups, Conv2d<14, 10, 2, 2>>::random().$check();
        };
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for_all!(check_gradients);
    }

    #[test]
    fn inference_equals_training() {
        for_all!(check_inference);
    }

    // By Winograd's algorithm, with many and with few weights for its pixels.
    conv!(Winograd: [3, 3], [1, 1], Padding::Same, [1, 1], 1, true, [12, 13, 64] => [12, 13, 128]);
    conv!(LargeWinograd: [3, 3], [1, 1], NONE, [1, 1], 1, false, [33, 34, 64] => [31, 32, 80]);

    #[test]
    fn inference_by_winograds_algorithm_equals_training() {
        const { assert!(Conv::<Winograd>::GEOMETRY.suits_winograd()) }
        const { assert!(Conv::<LargeWinograd>::GEOMETRY.suits_winograd()) }
        let mut trial = Trial::<Winograd, Conv2d<128, 64, 3, 3>>::random();
        trial.check_inference();
        trial.check_halves();
        Trial::<LargeWinograd, Conv2d<80, 64, 3, 3, 0>>::random().check_inference();
        let few = [Conv::<Winograd>::FEW_WEIGHTS, Conv::<LargeWinograd>::FEW_WEIGHTS];
        assert_eq!(few, [false, true]);
    }

    #[test]
    fn the_rule_allows_all_cases() {
        fn allowed<S: Spec<Arguments = conv2d::Conv2d>>() -> bool {
            S::ARGUMENTS.output(S::INPUTS).is_ok_and(|shape| shape == S::OUTPUT)
        }
        assert!(allowed::<Plain>() && allowed::<Strided>() && allowed::<Same>());
        assert!(allowed::<Dilated>() && allowed::<Grouped>());
        assert!(allowed::<Depthwise>() && allowed::<Pointwise>());
        assert!(allowed::<Deep>() && allowed::<DeepGroups>());
    }

    #[test]
    fn both_ways_to_compute_the_gradient_are_tested() {
        assert_eq!([Conv::<Plain>::FEW_WEIGHTS, Conv::<Depthwise>::FEW_WEIGHTS], [true; 2]);
        assert_eq!([Conv::<Deep>::FEW_WEIGHTS, Conv::<DeepGroups>::FEW_WEIGHTS], [false; 2]);
    }

    /// More channels than one gradient task has.
    #[test]
    fn gradient_tasks_cover_all_weights() {
        conv!(Wide: [1, 1], [1, 1], NONE, [1, 1], 1, true, [1, 2, 30] => [1, 2, 1024]);
        type Layer = Conv2d<1024, 30, 1, 1>;
        assert_eq!(<Layer as TrainNode<Wide>>::GRADIENT_TASKS, 3);
        let mut trial = Trial::<Wide, Layer>::random();
        let found = trial.train().d_weights;
        let mut expected = vec![0.0; Layer::LEN];
        let (d_weight, d_bias) = expected.split_at_mut(30 * 1024);
        let g = Conv::<Wide>::GEOMETRY;
        kernels::reference::conv2d_d_weight(&g, &trial.x[0], &trial.d_y, d_weight);
        kernels::reference::d_bias(&trial.d_y, d_bias);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    /// Computed by hand: an image of 2x2, padded only at its end, as in PyTorch for an even kernel and `same`.
    #[test]
    fn pads_an_even_kernel_at_the_end() {
        conv!(Even: [2, 2], [1, 1], Padding::Same, [1, 1], 1, true, [2, 2, 1] => [2, 2, 1]);
        let mut trial = Trial::<Even, Conv2d<1, 1, 2, 2>>::random();
        trial.batch = 1;
        trial.x[0] = vec![1.0, 2.0, 3.0, 4.0];
        trial.node.as_floats_mut().copy_from_slice(&[1.0, 10.0, 100.0, 1000.0, 0.5]);
        assert_eq!(trial.infer(), [4321.5, 402.5, 43.5, 4.5]);
    }

    #[test]
    fn files_have_pytorchs_layout() {
        conv!(Uneven: [3, 5], [1, 1], NONE, [1, 1], 2, true, [3, 5, 4] => [1, 1, 6]);
        let tensors = <Conv2d<6, 2, 3, 5> as Node<Uneven>>::file_tensors(&LayerOrder::default());
        assert_eq!(tensors[0].name, "weight");
        let axes: Vec<_> = tensors[0].axes.iter().map(|axis| (axis.len, axis.stride)).collect();
        assert_eq!(axes, [(6, 1), (2, 6), (3, 60), (5, 12)]);
        assert_eq!((tensors[1].name.as_str(), tensors[1].offset), ("bias", 180));
        assert_eq!(
            <Conv2d<4, 3, 3, 2, 0> as Node<Strided>>::file_tensors(&LayerOrder::default()).len(),
            1
        );
    }

    #[test]
    fn is_initialised_as_in_pytorch() {
        let mut layer = Conv2d::<6, 2, 2, 2>::zeros();
        TrainNode::<Grouped>::initialise(&mut *layer, RngKey::new(1));
        let bound = 1.0 / 8.0_f32.sqrt();
        let largest = layer.as_floats().iter().fold(0.0_f32, |max, w| max.max(w.abs()));
        assert!(largest <= bound && largest > 0.9 * bound);
        assert_ne!(layer.bias[..], layer.weight.as_floats()[..6]);
    }
}
