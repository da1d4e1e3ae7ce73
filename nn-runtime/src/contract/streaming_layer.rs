//! [`StreamingLayer`]: hand-written layers that run step by step.

use super::layer::Layer;
use super::node::{Infer, Streaming};
use super::spec::Spec;
use crate::kernels::Instructions;
use crate::types::{InSteps, Inputs, InputsInSteps, Values};

/// One step of each input of a layer: `[f32; 8]` of the input `[[f32; 8]; 20]`, and a tuple for several inputs.
pub type StepInput<L> =
    <<L as Layer>::Input as InputsInSteps<<<L as Layer>::Output as InSteps>::Count>>::Step;

/// One step of the output of a layer.
pub type StepOutput<L> = <<L as Layer>::Output as InSteps>::Step;

/// A hand-written layer that runs step by step: a network that contains it has the methods `step` and `step_in`.
///
/// Its inputs and its output are sequences with the same number of steps, `[[f32; C]; T]`. Between two steps it remembers
/// [`Layer::STATE`] elements, which are zero before the first step.
///
/// ```
/// # use unrolled_runtime::{Layer, Parameters, StreamingLayer, Tensor, Weights};
/// # use unrolled_shape::StepsOf;
/// /// Exponential moving average of each feature: `y[t] = y[t - 1] + rate * (x[t] - y[t - 1])`. `[T, C] -> [T, C]`.
/// struct Ema<const T: usize, const C: usize>;
/// # unsafe impl<const T: usize, const C: usize> Weights for Ema<T, C> {} // What `#[derive(Weights)]` implements.
/// # impl<const T: usize, const C: usize> Parameters for Ema<T, C> {
/// #     fn named_tensors() -> Vec<Tensor> { Vec::new() }
/// # }
/// const RATE: f32 = 0.25;
///
/// impl<const T: usize, const C: usize> Layer for Ema<T, C> {
///     type Input = [[f32; C]; T];
///     type Output = [[f32; C]; T];
///     const OUTPUT_STEPS: Option<StepsOf> = Some(StepsOf::input(0));
///     const STATE: usize = C;
///
///     fn forward(&self, x: &[[f32; C]; T], y: &mut [[f32; C]; T]) {
///         let mut state = [0.0; C];
///         for (x, y) in x.iter().zip(y) {
///             self.step(&mut state, x, y);
///         }
///     }
///
///     fn backward(
///         &self,
///         _x: &[[f32; C]; T],
///         _y: &[[f32; C]; T],
///         d_y: &[[f32; C]; T],
///         d_x: &mut [[f32; C]; T],
///         _d_self: &mut Self,
///     ) {
///         let mut after = [0.0; C];
///         for (d_x, d_y) in d_x.iter_mut().zip(d_y).rev() {
///             for c in 0..C {
///                 let d = d_y[c] + after[c];
///                 d_x[c] += RATE * d;
///                 after[c] = d - RATE * d;
///             }
///         }
///     }
/// }
///
/// impl<const T: usize, const C: usize> StreamingLayer for Ema<T, C> {
///     fn step(&self, state: &mut [f32], x: &[f32; C], y: &mut [f32; C]) {
///         for c in 0..C {
///             state[c] += RATE * (x[c] - state[c]);
///             y[c] = state[c];
///         }
///     }
/// }
///
/// let mut state = [0.0; 2];
/// let mut y = [0.0; 2];
/// Ema::<20, 2>.step(&mut state, &[4.0, 8.0], &mut y);
/// Ema::<20, 2>.step(&mut state, &[4.0, 8.0], &mut y);
/// assert_eq!(y, [1.75, 3.5]);
/// ```
///
/// The compiler cannot compare `step` with `forward`: `check_streaming` does, in one line of a test.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run step by step",
    note = "`StreamingLayer` has the method `step` of hand-written layers"
)]
pub trait StreamingLayer:
    Layer<Output: InSteps, Input: InputsInSteps<<<Self as Layer>::Output as InSteps>::Count>>
{
    /// One step of one sequence at inference, with the output that [`forward`](Layer::forward) gives at this step. `state` has
    /// [`Layer::STATE`] elements: what the call for the step before left, or zeros. `y` is zero before the call.
    fn step(
        &self,
        state: &mut [f32],
        x: <StepInput<Self> as Inputs>::Refs<'_>,
        y: &mut StepOutput<Self>,
    );
}

#[diagnostic::do_not_recommend]
impl<S: Spec, T: StreamingLayer> Streaming<S> for T {
    fn step<I: Instructions>(&self, _isa: I, Infer { x, y, mut ctx, .. }: Infer<'_>) {
        y.fill(0.0);
        let x = <StepInput<T> as Inputs>::refs(x.iter().copied());
        let y = <StepOutput<T> as Values>::from_floats_mut(y);
        StreamingLayer::step(self, ctx.state.sample(0), x, y);
    }
}
