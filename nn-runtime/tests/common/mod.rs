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

use unrolled_runtime::layers::{Dense, ReLU};
use unrolled_runtime::*;
use unrolled_shape::Shape;
use unrolled_shape::registry::{Channels, Features};
use unrolled_shape::rules;

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
    // One type per node: its sizes and arguments as constants.
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

    // The memory plan in elements per sample: values between nodes, and the memory of the nodes.
    struct Plan;
    impl Plan {
        // In training, values (V) and their gradients (D) live until backward has used them.
        const TRAIN: usize = 32;
        const V1: Buffer = Buffer { offset: 0, len: 3 };
        const D1: Buffer = Buffer { offset: 16, len: 3 };
        // At inference they are overwritten after their last use.
        const INFER: usize = 16;
        const W1: Buffer = Buffer { offset: 0, len: 3 };
        // The nodes' own memory and weights, one after the other.
        const LAYOUTS: [Layout; 2] =
            Layout::stack([Layout::of::<Fc1, Dense<4, 3>>(), Layout::of::<Fc2, Dense<3, 2>>()]);
        const FC1: Slot<Fc1, Dense<4, 3>> = Slot::new(Self::LAYOUTS[0]);
        const RELU: InPlaceSlot<Relu, ReLU> = InPlaceSlot::NEW;
        const FC2: Slot<Fc2, Dense<3, 2>> = Slot::new(Self::LAYOUTS[1]);
        const ALL: Layout = Self::LAYOUTS[1];
    }

    // The same in training.
    struct Train;
    impl Train {
        const LAYOUTS: [TrainLayout; 2] = TrainLayout::stack([
            TrainLayout::of::<Fc1, Dense<4, 3>>(),
            TrainLayout::of::<Fc2, Dense<3, 2>>(),
        ]);
        const FC1: TrainSlot<Fc1, Dense<4, 3>> = TrainSlot::new(Self::LAYOUTS[0]);
        const FC2: TrainSlot<Fc2, Dense<3, 2>> = TrainSlot::new(Self::LAYOUTS[1]);
        const ALL: TrainLayout = Self::LAYOUTS[1];
    }

    // SAFETY: `repr(C)`, and every field is `Weights` by the bounds of `Node`.
    unsafe impl Weights for Tiny {}

    impl<S: Spec> Node<S> for Tiny {
        const WORKSPACE: usize = Plan::INFER + Plan::ALL.workspace;
        const SCRATCH: usize = Plan::ALL.scratch;
        const STATE: usize = Plan::ALL.state.end();

        fn infer(&self, call: Infer<'_>) {
            Node::<S>::infer_inlined(self, AtRunTime, call);
        }

        #[inline(always)]
        fn infer_inlined<I: Instructions>(&self, isa: I, call: Infer<'_>) {
            let Infer { n, x, y, ctx } = call;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * Plan::INFER);
            ctx.lengths = outer.inside::<S>();
            // fc1: Dense(3): 4 -> 3
            {
                let [out] = take(values, n, [Plan::W1]);
                Plan::FC1.infer(isa, &self.fc1, n, &[x[0]], out, &mut ctx);
            }
            // relu: ReLU: 3 -> 3
            {
                let [out] = take(values, n, [Plan::W1]);
                Plan::RELU.infer(isa, &ReLU, n, out);
            }
            // fc2: Dense(2): 3 -> 2
            {
                let [x0] = take(values, n, [Plan::W1]);
                Plan::FC2.infer(isa, &self.fc2, n, &[x0], y, &mut ctx);
            }
        }
    }

    impl<S: Spec> TrainNode<S> for Tiny {
        const SAVED: usize = Plan::TRAIN + Train::ALL.saved.end();
        const DEFERRED: usize = Train::ALL.deferred.end();
        const SHARD_SUMS: usize = Train::ALL.shard_sums.end();
        const PREPARED: usize = Train::ALL.prepared.end();
        const TRAIN_SCRATCH: usize = Train::ALL.scratch;
        const GRADIENT_TASKS: usize = Train::ALL.tasks.end();

        fn initialise(&mut self, key: RngKey) {
            Train::FC1.initialise(&mut self.fc1, key);
            Train::FC2.initialise(&mut self.fc2, key);
        }

        fn prepare(&self, prepared: &mut [f32]) {
            Train::FC1.prepare(&self.fc1, prepared);
            Train::FC2.prepare(&self.fc2, prepared);
        }

        fn forward_shard(&self, Forward { pass, phase, x, y, ctx }: Forward<'_>) {
            let n = pass.n;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * Plan::TRAIN);
            ctx.lengths = outer.inside::<S>();
            // fc1: Dense(3): 4 -> 3
            {
                let [out] = take(values, n, [Plan::V1]);
                Train::FC1.forward(&self.fc1, pass, phase, &[x[0]], out, &mut ctx);
            }
            // relu: ReLU: 3 -> 3
            {
                let [out] = take(values, n, [Plan::V1]);
                Plan::RELU.forward(&ReLU, pass, out);
            }
            // fc2: Dense(2): 3 -> 2
            {
                let [x0] = take(values, n, [Plan::V1]);
                Train::FC2.forward(&self.fc2, pass, phase, &[x0], y, &mut ctx);
            }
        }

        fn backward_shard(&self, call: Backward<'_, '_>) {
            let Backward { pass, phase, x, d_y, d_x, ctx, .. } = call;
            let n = pass.n;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * Plan::TRAIN);
            ctx.lengths = outer.inside::<S>();
            // fc2: Dense(2): 3 -> 2
            {
                let [x0, d_in] = take(values, n, [Plan::V1, Plan::D1]);
                let d_x = &mut [Some(d_in)];
                Train::FC2.backward(&self.fc2, pass, phase, &[x0], &[], d_y, d_x, &mut ctx);
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
                Train::FC1.backward(&self.fc1, pass, phase, &[x[0]], &[], d_out, d_x, &mut ctx);
            }
        }

        fn gradient_end(task: usize) -> usize {
            if Train::FC1.reaches_task(task) {
                return Train::FC1.gradient_end(task);
            }
            Train::FC2.gradient_end(task)
        }

        fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
            if Train::FC1.reaches_task(task) {
                return Train::FC1.gradient(task, shards, d_weights);
            }
            Train::FC2.gradient(task, shards, d_weights);
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
        const GRAPH: Graph = Graph {
            inputs: &[Shape::new(&[4])],
            nodes: &[
                GraphNode {
                    name: "fc1",
                    inputs: &[0],
                    output: Shape::new(&[3]),
                    layer: GraphLayer::Layer {
                        features: Features::Any,
                        channels: Channels::Last,
                        weights: &[LayerWeights::of(&Plan::FC1)],
                    },
                },
                GraphNode {
                    name: "relu",
                    inputs: &[1],
                    output: Shape::new(&[3]),
                    layer: GraphLayer::Layer {
                        features: Features::Same,
                        channels: Channels::AsInput,
                        weights: &[],
                    },
                },
                GraphNode {
                    name: "fc2",
                    inputs: &[2],
                    output: Shape::new(&[2]),
                    layer: GraphLayer::Layer {
                        features: Features::Any,
                        channels: Channels::Last,
                        weights: &[LayerWeights::of(&Plan::FC2)],
                    },
                },
            ],
            output: 3,
        };
    }

    impl Network for Tiny {
        type Input = [f32; 4];
        type Output = [f32; 2];
    }
};
