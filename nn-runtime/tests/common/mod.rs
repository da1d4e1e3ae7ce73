//! What `network!` writes, written by hand: the contract between expanded code and the runtime.
//!
//! ```text
//! network! {
//!     struct Tiny(4) -> 2 {
//!         fc1: Dense(3),
//!         ReLU,
//!         fc2: Dense(2),
//!     }
//! }
//! ```

use nn_runtime::layers::{Dense, ReLU};
use nn_runtime::*;
use nn_shape::Shape;
use nn_shape::rules;

#[repr(C)]
pub(crate) struct Tiny {
    pub(crate) fc1: Dense<4, 3>,
    pub(crate) fc2: Dense<3, 2>,
}

impl Tiny {
    pub(crate) fn forward(&self, input: &[f32; 4]) -> [f32; 2] {
        infer_one(self, &[Values::as_floats(input)])
    }
}

const _: () = {
    // One type per station: all that the compiler knows of it.
    struct Fc1;
    impl Spec for Fc1 {
        type Arguments = rules::dense::Dense;
        const ARGUMENTS: rules::dense::Dense = rules::dense::Dense { units: 3, bias: true };
        const INPUTS: &'static [Shape] = &[Shape::new(&[4])];
        const OUTPUT: Shape = Shape::new(&[3]);
        const NAME: &'static str = "fc1";
    }
    struct Relu;
    impl Spec for Relu {
        type Arguments = rules::relu::ReLU;
        const ARGUMENTS: rules::relu::ReLU = rules::relu::ReLU {};
        const INPUTS: &'static [Shape] = &[Shape::new(&[3])];
        const OUTPUT: Shape = Shape::new(&[3]);
        const NAME: &'static str = "relu";
    }
    struct Fc2;
    impl Spec for Fc2 {
        type Arguments = rules::dense::Dense;
        const ARGUMENTS: rules::dense::Dense = rules::dense::Dense { units: 2, bias: true };
        const INPUTS: &'static [Shape] = &[Shape::new(&[3])];
        const OUTPUT: Shape = Shape::new(&[2]);
        const NAME: &'static str = "fc2";
    }

    // The memory plan: values between stations, in numbers per sample, and what stations own.
    struct Plan;
    impl Plan {
        // In training, values (V) and their gradients (D) live until backward has used them.
        const TRAIN: usize = 32;
        const V1: Buffer = Buffer { offset: 0, len: 3 };
        const D1: Buffer = Buffer { offset: 16, len: 3 };
        // At inference they are overwritten as soon as nobody needs them.
        const INFER: usize = 16;
        const W1: Buffer = Buffer { offset: 0, len: 3 };
        // The stations' own memory and weights, one behind the other.
        const FC1: Part = Part::START.then::<Fc1, Dense<4, 3>>();
        const FC2: Part = Self::FC1.then::<Fc2, Dense<3, 2>>();
        const WORK: usize =
            most(&[<Dense<4, 3> as Station<Fc1>>::WORK, <Dense<3, 2> as Station<Fc2>>::WORK]);
        const SCRATCH: usize =
            most(&[<Dense<4, 3> as Station<Fc1>>::SCRATCH, <Dense<3, 2> as Station<Fc2>>::SCRATCH]);
    }

    // SAFETY: `repr(C)`, and every field is `Weights` by the bounds of `Station`.
    unsafe impl Weights for Tiny {}

    impl<S: Spec> Station<S> for Tiny {
        const PHASES: usize = 1;
        const SAVED: usize = Plan::TRAIN + Plan::FC2.saved.end();
        const WORK: usize = Plan::INFER + Plan::WORK;
        const SCRATCH: usize = Plan::SCRATCH;
        const KEPT: usize = Plan::FC2.kept.end();
        const PARTIAL: usize = Plan::FC2.partial.end();
        const SHARED: usize = Plan::FC2.shared.end();
        const GRADIENT_TASKS: usize = Plan::FC2.tasks.end();

        fn initialise(&mut self, streams: Streams) {
            Station::<Fc1>::initialise(&mut self.fc1, streams.child(Fc1::STREAM));
            Station::<Fc2>::initialise(&mut self.fc2, streams.child(Fc2::STREAM));
        }

        fn tensors() -> Vec<Tensor> {
            let mut all = Vec::new();
            let fc1 = <Dense<4, 3> as Station<Fc1>>::tensors();
            all.extend(fc1.into_iter().map(|t| t.inside(Fc1::NAME, Plan::FC1.weights.offset)));
            let fc2 = <Dense<3, 2> as Station<Fc2>>::tensors();
            all.extend(fc2.into_iter().map(|t| t.inside(Fc2::NAME, Plan::FC2.weights.offset)));
            all
        }

        fn infer(&self, n: usize, x: &[&[f32]], y: &mut [f32], memory: WorkMemory<'_>) {
            let (values, mut memory) = memory.split_values(n * Plan::INFER);
            // fc1: Dense(3): 4 -> 3
            {
                let [y] = take(values, n, [Plan::W1]);
                let memory = memory.part::<Fc1, Dense<4, 3>>(n);
                Station::<Fc1>::infer(&self.fc1, n, &[x[0]], y, memory);
            }
            // relu: ReLU: 3 -> 3
            {
                let [y] = take(values, n, [Plan::W1]);
                InPlaceStation::<Relu>::infer(&ReLU, n, y);
            }
            // fc2: Dense(2): 3 -> 2
            {
                let [x] = take(values, n, [Plan::W1]);
                let memory = memory.part::<Fc2, Dense<3, 2>>(n);
                Station::<Fc2>::infer(&self.fc2, n, &[x], y, memory);
            }
        }

        fn prepare(&self, shared: &mut [f32]) {
            Station::<Fc1>::prepare(&self.fc1, &mut shared[Plan::FC1.shared.range(1)]);
            Station::<Fc2>::prepare(&self.fc2, &mut shared[Plan::FC2.shared.range(1)]);
        }

        fn forward(
            &self,
            pass: &Pass,
            phase: usize,
            x: &[&[f32]],
            y: &mut [f32],
            memory: Memory<'_>,
        ) {
            let n = pass.n;
            let (values, mut memory) = memory.split_values(n * Plan::TRAIN);
            // fc1: Dense(3): 4 -> 3
            {
                let [y] = take(values, n, [Plan::V1]);
                let memory = memory.part(n, &Plan::FC1);
                Station::<Fc1>::forward(&self.fc1, &pass.of::<Fc1>(), phase, &[x[0]], y, memory);
            }
            // relu: ReLU: 3 -> 3
            {
                let [y] = take(values, n, [Plan::V1]);
                InPlaceStation::<Relu>::forward(&ReLU, &pass.of::<Relu>(), y);
            }
            // fc2: Dense(2): 3 -> 2
            {
                let [x] = take(values, n, [Plan::V1]);
                let memory = memory.part(n, &Plan::FC2);
                Station::<Fc2>::forward(&self.fc2, &pass.of::<Fc2>(), phase, &[x], y, memory);
            }
        }

        fn backward(
            &self,
            pass: &Pass,
            phase: usize,
            x: &[&[f32]],
            _y: &[f32],
            d_y: &mut [f32],
            d_x: &mut [Option<&mut [f32]>],
            memory: Memory<'_>,
        ) {
            let n = pass.n;
            let (values, mut memory) = memory.split_values(n * Plan::TRAIN);
            // fc2: Dense(2): 3 -> 2
            {
                let [x, d_x] = take(values, n, [Plan::V1, Plan::D1]);
                let memory = memory.part(n, &Plan::FC2);
                let pass = pass.of::<Fc2>();
                let d_x = &mut [Some(d_x)];
                Station::<Fc2>::backward(&self.fc2, &pass, phase, &[x], &[], d_y, d_x, memory);
            }
            // relu: ReLU: 3 -> 3
            {
                let [y, d] = take(values, n, [Plan::V1, Plan::D1]);
                InPlaceStation::<Relu>::backward(&ReLU, &pass.of::<Relu>(), y, d);
            }
            // fc1: Dense(3): 4 -> 3
            {
                let [d_y] = take(values, n, [Plan::D1]);
                let memory = memory.part(n, &Plan::FC1);
                let pass = pass.of::<Fc1>();
                let d_x = &mut [d_x[0].as_deref_mut()];
                Station::<Fc1>::backward(&self.fc1, &pass, phase, &[x[0]], &[], d_y, d_x, memory);
            }
        }

        fn gradient_end(task: usize) -> usize {
            if task < Plan::FC1.tasks.end() {
                let end =
                    <Dense<4, 3> as Station<Fc1>>::gradient_end(task - Plan::FC1.tasks.offset);
                return Plan::FC1.weights.offset + end;
            }
            let end = <Dense<3, 2> as Station<Fc2>>::gradient_end(task - Plan::FC2.tasks.offset);
            Plan::FC2.weights.offset + end
        }

        fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
            if task < Plan::FC1.tasks.end() {
                let task = task - Plan::FC1.tasks.offset;
                let shards = shards.part(&Plan::FC1);
                return <Dense<4, 3> as Station<Fc1>>::gradient(task, shards, d_weights);
            }
            let task = task - Plan::FC2.tasks.offset;
            let shards = shards.part(&Plan::FC2);
            <Dense<3, 2> as Station<Fc2>>::gradient(task, shards, d_weights);
        }
    }

    impl Shaped for Tiny {
        const INPUTS: &'static [Shape] = &[Shape::new(&[4])];
        const OUTPUT: Shape = Shape::new(&[2]);
        const PARAMS: usize = 23;
        const MACS: usize = 18;
        const LAYERS: &'static [LayerInfo] = &[
            LayerInfo {
                name: "fc1",
                kind: "Dense(3)",
                output: Fc1::OUTPUT,
                params: 15,
                macs: 12,
                offset: Plan::FC1.weights.offset,
                inner: &[],
            },
            LayerInfo {
                name: "relu",
                kind: "ReLU",
                output: Relu::OUTPUT,
                params: 0,
                macs: 0,
                offset: Plan::FC1.weights.end(),
                inner: &[],
            },
            LayerInfo {
                name: "fc2",
                kind: "Dense(2)",
                output: Fc2::OUTPUT,
                params: 8,
                macs: 6,
                offset: Plan::FC2.weights.offset,
                inner: &[],
            },
        ];
    }

    impl Network for Tiny {
        type Input = [f32; 4];
        type Output = [f32; 2];
    }
};
