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
        const ARGUMENTS: rules::dense::Dense =
            rules::dense::Dense { units: 3, bias: true, weight: None };
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
        const ARGUMENTS: rules::dense::Dense =
            rules::dense::Dense { units: 2, bias: true, weight: None };
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
        const PARTS: [Part; 2] =
            Part::stack([Part::of::<Fc1, Dense<4, 3>>(), Part::of::<Fc2, Dense<3, 2>>()]);
        const FC1: Place<Fc1, Dense<4, 3>> = Place::at(Self::PARTS[0]);
        const RELU: InPlace<Relu, ReLU> = InPlace::ANYWHERE;
        const FC2: Place<Fc2, Dense<3, 2>> = Place::at(Self::PARTS[1]);
        const ALL: Part = Self::PARTS[1];
    }

    // SAFETY: `repr(C)`, and every field is `Weights` by the bounds of `Station`.
    unsafe impl Weights for Tiny {}

    impl<S: Spec> Station<S> for Tiny {
        const PHASES: usize = 1;
        const SAVED: usize = Plan::TRAIN + Plan::ALL.saved.end();
        const WORK: usize = Plan::INFER + Plan::ALL.work;
        const SCRATCH: usize = Plan::ALL.scratch;
        const KEPT: usize = Plan::ALL.kept.end();
        const PARTIAL: usize = Plan::ALL.partial.end();
        const SHARED: usize = Plan::ALL.shared.end();
        const STATE: usize = Plan::ALL.state.end();
        const GRADIENT_TASKS: usize = Plan::ALL.tasks.end();

        fn initialise(&mut self, streams: Streams) {
            Plan::FC1.initialise(&mut self.fc1, streams);
            Plan::FC2.initialise(&mut self.fc2, streams);
        }

        fn tensors() -> Vec<Tensor> {
            let mut all = Vec::new();
            all.extend(Plan::FC1.tensors());
            all.extend(Plan::FC2.tensors());
            all
        }

        fn prepare(&self, shared: &mut [f32]) {
            Plan::FC1.prepare(&self.fc1, shared);
            Plan::FC2.prepare(&self.fc2, shared);
        }

        fn infer(&self, n: usize, x: &[&[f32]], y: &mut [f32], memory: WorkMemory<'_>) {
            Station::<S>::infer_inlined(self, AtRunTime, n, x, y, memory);
        }

        #[inline(always)]
        fn infer_inlined<I: Instructions>(
            &self,
            isa: I,
            n: usize,
            x: &[&[f32]],
            y: &mut [f32],
            memory: WorkMemory<'_>,
        ) {
            let outer = memory.lengths;
            let (values, mut memory) = memory.split_values(n * Plan::INFER);
            memory.lengths = outer.inside::<S>();
            // fc1: Dense(3): 4 -> 3
            {
                let [out] = take(values, n, [Plan::W1]);
                Plan::FC1.infer(isa, &self.fc1, n, &[x[0]], out, &mut memory);
            }
            // relu: ReLU: 3 -> 3
            {
                let [out] = take(values, n, [Plan::W1]);
                Plan::RELU.infer(isa, &ReLU, n, out);
            }
            // fc2: Dense(2): 3 -> 2
            {
                let [x0] = take(values, n, [Plan::W1]);
                Plan::FC2.infer(isa, &self.fc2, n, &[x0], y, &mut memory);
            }
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
            let outer = memory.lengths;
            let (values, mut memory) = memory.split_values(n * Plan::TRAIN);
            memory.lengths = outer.inside::<S>();
            // fc1: Dense(3): 4 -> 3
            {
                let [out] = take(values, n, [Plan::V1]);
                Plan::FC1.forward(&self.fc1, pass, phase, &[x[0]], out, &mut memory);
            }
            // relu: ReLU: 3 -> 3
            {
                let [out] = take(values, n, [Plan::V1]);
                Plan::RELU.forward(&ReLU, pass, out);
            }
            // fc2: Dense(2): 3 -> 2
            {
                let [x0] = take(values, n, [Plan::V1]);
                Plan::FC2.forward(&self.fc2, pass, phase, &[x0], y, &mut memory);
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
            let outer = memory.lengths;
            let (values, mut memory) = memory.split_values(n * Plan::TRAIN);
            memory.lengths = outer.inside::<S>();
            // fc2: Dense(2): 3 -> 2
            {
                let [x0, d_in] = take(values, n, [Plan::V1, Plan::D1]);
                let d_x = &mut [Some(d_in)];
                Plan::FC2.backward(&self.fc2, pass, phase, &[x0], &[], d_y, d_x, &mut memory);
            }
            // relu: ReLU: 3 -> 3
            {
                let [out, d_out] = take(values, n, [Plan::V1, Plan::D1]);
                Plan::RELU.backward(&ReLU, pass, out, d_out);
            }
            // fc1: Dense(3): 4 -> 3
            {
                let [d_out] = take(values, n, [Plan::D1]);
                let d_x = &mut [d_x[0].as_deref_mut()];
                Plan::FC1.backward(&self.fc1, pass, phase, &[x[0]], &[], d_out, d_x, &mut memory);
            }
        }

        fn gradient_end(task: usize) -> usize {
            if Plan::FC1.reaches_task(task) {
                return Plan::FC1.gradient_end(task);
            }
            Plan::FC2.gradient_end(task)
        }

        fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
            if Plan::FC1.reaches_task(task) {
                return Plan::FC1.gradient(task, shards, d_weights);
            }
            Plan::FC2.gradient(task, shards, d_weights);
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
                offset: Plan::FC1.offset(),
                inner: &[],
            },
            LayerInfo {
                name: "relu",
                kind: "ReLU",
                output: Relu::OUTPUT,
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            LayerInfo {
                name: "fc2",
                kind: "Dense(2)",
                output: Fc2::OUTPUT,
                params: 8,
                macs: 6,
                offset: Plan::FC2.offset(),
                inner: &[],
            },
        ];
    }

    impl Network for Tiny {
        type Input = [f32; 4];
        type Output = [f32; 2];
    }
};
