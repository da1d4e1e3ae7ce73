//! [`Dense`]: PyTorch's `nn.Linear`.

use crate::init::fan_in_uniform;
use crate::kernels::reference;
use crate::{Axis, Memory, Pass, Shards, Spec, Station, Streams, Tensor, Weights, WorkMemory};
use nn_shape::rules::dense;

/// A fully connected layer on the last axis: `[.., IN] -> [.., UNITS]`, `y = x W + b`.
#[repr(C)]
pub struct Dense<const IN: usize, const UNITS: usize, const BIAS: usize = UNITS> {
    /// One row per input, one column per output: the transpose of PyTorch's.
    pub weight: [[f32; UNITS]; IN],
    /// One for each output, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` alone.
unsafe impl<const IN: usize, const UNITS: usize, const BIAS: usize> Weights
    for Dense<IN, UNITS, BIAS>
{
}

impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> Station<S>
    for Dense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
    /// Its input and the gradient of its output, from which the weights' gradient is made.
    const KEPT: usize = S::IN + S::OUT;
    const GRADIENT_TASKS: usize = IN + 1;

    fn initialise(&mut self, streams: Streams) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, IN, streams);
    }

    fn tensors() -> Vec<Tensor> {
        let inputs = Axis { len: IN, stride: UNITS, features: S::FEATURES };
        let mut tensors = vec![Tensor::new("weight", 0, vec![Axis::plain(UNITS, 1), inputs])];
        if BIAS > 0 {
            tensors.push(Tensor::new("bias", IN * UNITS, vec![Axis::plain(UNITS, 1)]));
        }
        tensors
    }

    fn infer(&self, _n: usize, x: &[&[f32]], y: &mut [f32], _memory: WorkMemory<'_>) {
        reference::dense(IN, UNITS, x[0], self.weight.as_floats(), &self.bias, y);
    }

    fn forward(&self, pass: &Pass, _phase: usize, x: &[&[f32]], y: &mut [f32], memory: Memory<'_>) {
        memory.kept[..pass.n * S::IN].copy_from_slice(x[0]);
        let memory = WorkMemory { work: &mut [], scratch: memory.scratch };
        Station::<S>::infer(self, pass.n, x, y, memory);
    }

    fn backward(
        &self,
        pass: &Pass,
        _phase: usize,
        _x: &[&[f32]],
        _y: &[f32],
        d_y: &mut [f32],
        d_x: &mut [Option<&mut [f32]>],
        memory: Memory<'_>,
    ) {
        memory.kept[pass.n * S::IN..].copy_from_slice(d_y);
        let Some(d_x) = &mut d_x[0] else { return };
        reference::dense_d_x(IN, UNITS, d_y, self.weight.as_floats(), d_x);
    }

    fn gradient_end(task: usize) -> usize {
        if task < IN { (task + 1) * UNITS } else { IN * UNITS + BIAS }
    }

    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        d_weights.fill(0.0);
        for shard in 0..shards.count() {
            let (x, d_y) = shards.kept(shard).split_at(shards.samples(shard) * S::IN);
            for (x, d_y) in x.chunks_exact(IN).zip(d_y.chunks_exact(UNITS)) {
                let x = if task < IN { x[task] } else { 1.0 };
                for (d, d_y) in d_weights.iter_mut().zip(d_y) {
                    *d += x * d_y;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Vector: dense::Dense { units: 3, bias: true }, [&[7]] -> &[3]);
    spec!(Steps: dense::Dense { units: 4, bias: false }, [&[3, 2, 5]] -> &[3, 2, 4]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Vector, Dense<7, 3>>::random().check_gradients();
        Trial::<Steps, Dense<5, 4, 0>>::random().check_gradients();
    }

    #[test]
    fn inference_gives_what_training_gives() {
        Trial::<Vector, Dense<7, 3>>::random().check_inference();
        Trial::<Steps, Dense<5, 4, 0>>::random().check_inference();
    }
}
