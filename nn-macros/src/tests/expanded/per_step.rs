/// A network of each frame, then of all.
///
/// `Video(..4x6x6x1) -> 4x2`
///
/// | layer | kind | output | parameters |
/// |---|---|---|--:|
/// | [`conv`](Self::conv) | `Conv2d(2, kernel = 3, bias = false)` | 4x4x2 | 18 |
/// | [`bn`](Self::bn) | `BatchNorm` | 4x4x2 | 4 |
/// | `relu` | `ReLU` | 4x4x2 | 0 |
/// | `global_avg_pool` | `GlobalAvgPool` | 2 | 0 |
/// | `per_step_2` | `PerStep` | 4x2 | 0 |
/// | `flatten` | `Flatten` | 8 | 0 |
/// | `per_step` | `PerStep` | 4x8 | 0 |
/// | [`gru`](Self::gru) | `GRU(2)` | 4x2 | 72 |
/// | | | **total** | **94** |
#[allow(
    clippy::struct_field_names,
    clippy::pub_underscore_fields,
    clippy::exhaustive_structs,
    reason = "a field for each of the user's lines"
)]
#[repr(C)]
struct Video {
    /// `conv`: `Conv2d(2, kernel = 3, bias = false)`: 6x6x1 -> 4x4x2, 18 parameters
    conv: unrolled::__private::layers::Conv2d<2, 1, 3, 3, 0>,
    /// `bn`: `BatchNorm`: 4x4x2 -> 4x4x2, 4 parameters
    bn: unrolled::__private::layers::BatchNorm<2>,
    /// `gru`: `GRU(2)`: 4x8 -> 4x2, 72 parameters
    gru: unrolled::__private::layers::GRU<72>,
}
#[allow(clippy::all, reason = "comparisons of constants that are the same by chance")]
const _: () = {
    use unrolled::__private as __rt;
    /// `conv`: `Conv2d(2, kernel = 3, bias = false)`: 6x6x1 -> 4x4x2
    enum __Conv {}
    impl __rt::Spec for __Conv {
        type Arguments = __rt::rules::conv2d::Conv2d;
        const ARGUMENTS: Self::Arguments = __rt::rules::conv2d::Conv2d {
            out_channels: 2,
            kernel: [3, 3],
            stride: [1, 1],
            padding: __rt::Padding::Explicit([0, 0]),
            dilation: [1, 1],
            groups: 1,
            bias: false,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[6, 6, 1])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4, 4, 2]);
        const NAME: &'static str = "conv";
    }
    type __ConvLayer = __rt::layers::Conv2d<2, 1, 3, 3, 0>;
    /// `bn`: `BatchNorm`: 4x4x2 -> 4x4x2
    enum __Bn {}
    impl __rt::Spec for __Bn {
        type Arguments = __rt::rules::batch_norm::BatchNorm;
        const ARGUMENTS: Self::Arguments = __rt::rules::batch_norm::BatchNorm {
            momentum: 0.1,
            eps: 0.00001,
            affine: true,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4, 4, 2])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4, 4, 2]);
        const NAME: &'static str = "bn";
    }
    type __BnLayer = __rt::layers::BatchNorm<2>;
    /// `relu`: `ReLU`: 4x4x2 -> 4x4x2
    enum __Relu {}
    impl __rt::Spec for __Relu {
        type Arguments = __rt::rules::relu::ReLU;
        const ARGUMENTS: Self::Arguments = __rt::rules::relu::ReLU {};
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4, 4, 2])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4, 4, 2]);
        const NAME: &'static str = "relu";
    }
    /// `global_avg_pool`: `GlobalAvgPool`: 4x2 -> 2
    enum __GlobalAvgPool {}
    impl __rt::Spec for __GlobalAvgPool {
        type Arguments = __rt::rules::global_avg_pool::GlobalAvgPool;
        const ARGUMENTS: Self::Arguments = __rt::rules::global_avg_pool::GlobalAvgPool {
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4, 2])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[2]);
        const NAME: &'static str = "global_avg_pool";
    }
    /// `gru`: `GRU(2)`: 4x8 -> 4x2
    enum __Gru {}
    impl __rt::Spec for __Gru {
        type Arguments = __rt::rules::gru::GRU;
        const ARGUMENTS: Self::Arguments = __rt::rules::gru::GRU {
            units: 2,
            layers: 1,
            bidirectional: false,
            dropout: 0.0,
            bias: true,
            output: __rt::rules::gru::Output::Sequence,
            state: ::core::option::Option::None,
            names: __rt::rules::gru::Names::Layer,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4, 8])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4, 2]);
        const NAME: &'static str = "gru";
        const STEPS: __rt::StepsOfInputs = __rt::OF_FIRST_INPUT;
    }
    type __GruLayer = __rt::layers::GRU<72>;
    /// The samples of lines that are applied to each step of a sequence.
    enum __PerStep {}
    impl __PerStep {
        const PER_STEP: __rt::PerStep = __rt::PerStep {
            steps: 4,
            each: 1,
            of: __rt::Some(__rt::StepsOf::input(0)),
        };
        const PER_STEP_2: __rt::PerStep = __rt::PerStep {
            steps: 4,
            each: 1 * 4,
            of: __rt::Some(__rt::StepsOf::input(0)),
        };
    }
    /// At inference, values are overwritten as soon as no node reads them any more.
    enum __Infer {}
    impl __Infer {
        const VALUES: usize = 160;
        const RELU: __rt::Buffer = __rt::Buffer {
            offset: 0,
            len: 128,
        };
        const GLOBAL_AVG_POOL: __rt::Buffer = __rt::Buffer {
            offset: 128,
            len: 32,
        };
    }
    /// The same for a single step.
    enum __Step {}
    impl __Step {
        const VALUES: usize = 48;
        const RELU: __rt::Buffer = __rt::Buffer { offset: 0, len: 32 };
        const GLOBAL_AVG_POOL: __rt::Buffer = __rt::Buffer { offset: 32, len: 8 };
    }
    /// The nodes, what they own laid out one after the other.
    enum __Slots {}
    impl __Slots {
        const LAYOUTS: [__rt::TrainLayout; 4] = __rt::TrainLayout::stack([
            __rt::TrainLayout::of::<__Conv, __ConvLayer>().per_step(__PerStep::PER_STEP),
            __rt::TrainLayout::of::<__Bn, __BnLayer>().per_step(__PerStep::PER_STEP),
            __rt::TrainLayout::of::<__GlobalAvgPool, __rt::layers::GlobalAvgPool>()
                .per_step(__PerStep::PER_STEP_2),
            __rt::TrainLayout::of::<__Gru, __GruLayer>(),
        ]);
        const ALL: __rt::TrainLayout = Self::LAYOUTS[3];
        const CONV: __rt::TrainSlot<__Conv, __ConvLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[0],
        );
        const BN: __rt::TrainSlot<__Bn, __BnLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[1],
        );
        const RELU: __rt::InPlaceSlot<__Relu, __rt::layers::ReLU> = __rt::InPlaceSlot::per_step(
            __PerStep::PER_STEP,
        );
        const GLOBAL_AVG_POOL: __rt::TrainSlot<
            __GlobalAvgPool,
            __rt::layers::GlobalAvgPool,
        > = __rt::TrainSlot::new(Self::LAYOUTS[2]);
        const GRU: __rt::TrainSlot<__Gru, __GruLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[3],
        );
    }
    impl Video {
        /// Inference on one sample. Large networks divide it among threads.
        #[inline]
        #[must_use]
        fn forward(
            &self,
            input: &unrolled::__private::Sequence<[[[f32; 1]; 6]; 6], 4>,
        ) -> [[f32; 2]; 4] {
            unrolled::__private::infer_one_from(
                self,
                &[unrolled::__private::Input::floats(input)],
                unrolled::__private::Lengths::Given(
                    &[unrolled::__private::Input::steps(input)],
                ),
                &mut [],
            )
        }
        /// As `forward`, with the output written to `output`, which may be too large for the stack.
        #[allow(dead_code, reason = "a program may call `forward` only")]
        #[inline]
        fn forward_into(
            &self,
            input: &unrolled::__private::Sequence<[[[f32; 1]; 6]; 6], 4>,
            output: &mut [[f32; 2]; 4],
        ) {
            unrolled::__private::infer_one_from_into(
                self,
                &[unrolled::__private::Input::floats(input)],
                unrolled::__private::Lengths::Given(
                    &[unrolled::__private::Input::steps(input)],
                ),
                &mut [],
                output,
            );
        }
        /// Inference on one step of a sequence, without allocation. `state` contains what the layers remember of earlier
        /// steps, and is updated.
        #[inline]
        fn step(
            &self,
            state: &mut unrolled::__private::State<Self>,
            input: &[[[f32; 1]; 6]; 6],
        ) -> [f32; 2] {
            unrolled::__private::step_one(
                self,
                state,
                &[unrolled::__private::Values::as_floats(input)],
            )
        }
        /// As `step`, in memory of the caller: without allocation, locks or system calls. `state` has `STATE_LEN` elements,
        /// zeros before the first step; `workspace` has `STEP_WORKSPACE_LEN` elements, whose values before the call are
        /// ignored.
        ///
        /// # Panics
        /// If one of them is shorter.
        #[allow(dead_code, reason = "a program may call `step` only")]
        fn step_in(
            &self,
            state: &mut [::core::primitive::f32],
            workspace: &mut [::core::primitive::f32],
            input: &[[[f32; 1]; 6]; 6],
        ) -> [f32; 2] {
            unrolled::__private::step_in(
                self,
                state,
                workspace,
                &[unrolled::__private::Values::as_floats(input)],
            )
        }
    }
    unsafe impl __rt::Weights for Video {
        const LEN: usize = {
            let _ = |Self { conv: _, bn: _, gru: _ }: &Self| {};
            __rt::len_of_fields::<Self>(__Slots::ALL.infer.weights.end())
        };
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::Node<__S> for Video {
        const WORKSPACE: usize = __Infer::VALUES + __Slots::ALL.infer.workspace;
        const STEP_WORKSPACE: usize = __Step::VALUES + __Slots::ALL.infer.step_workspace;
        const SCRATCH: usize = __Slots::ALL.infer.scratch;
        const STATE: usize = __Slots::ALL.infer.state.end();
        const SHARD: usize = __Slots::ALL.infer.shard;
        fn infer(&self, call: __rt::Infer<'_>) {
            __rt::Node::<__S>::infer_inlined(self, __rt::AtRunTime, call);
        }
        #[inline(always)]
        fn infer_inlined<__I: __rt::Instructions>(
            &self,
            isa: __I,
            call: __rt::Infer<'_>,
        ) {
            let __rt::Infer { n, x, y, ctx } = call;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * __Infer::VALUES);
            ctx.lengths = outer.inside::<__S>();
            {
                let [out] = __rt::take(values, n, [__Infer::RELU]);
                let mut scratch = ctx.reborrow().scratch;
                __Slots::CONV
                    .slot
                    .infer_with(
                        &self.conv,
                        x[0],
                        out,
                        __rt::Epilogue {
                            normalization: __rt::Some(
                                __Slots::BN.slot.normalization(&self.bn, &mut scratch),
                            ),
                            add: __rt::None,
                            bounds: __rt::Some(__Slots::RELU.bounds()),
                        },
                        scratch,
                    );
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Infer::RELU, __Infer::GLOBAL_AVG_POOL],
                );
                __Slots::GLOBAL_AVG_POOL
                    .slot
                    .infer(
                        isa,
                        &__rt::layers::GlobalAvgPool,
                        n * __PerStep::PER_STEP_2.samples(),
                        &[x0],
                        out,
                        &mut ctx,
                    );
            }
            {
                let [x0] = __rt::take(values, n, [__Infer::GLOBAL_AVG_POOL]);
                __Slots::GRU.slot.infer(isa, &self.gru, n, &[x0], y, &mut ctx);
            }
        }
    }
    /// In training, values and their gradients (`D_`) live until backward has used them.
    enum __Train {}
    impl __Train {
        const VALUES: usize = 416;
        const CONV: __rt::Buffer = __rt::Buffer {
            offset: 0,
            len: 128,
        };
        const BN: __rt::Buffer = __rt::Buffer {
            offset: 128,
            len: 128,
        };
        const GLOBAL_AVG_POOL: __rt::Buffer = __rt::Buffer {
            offset: 256,
            len: 32,
        };
        const D_GLOBAL_AVG_POOL: __rt::Buffer = __rt::Buffer {
            offset: 384,
            len: 32,
        };
        const D_BN: __rt::Buffer = __rt::Buffer {
            offset: 256,
            len: 128,
        };
        const D_CONV: __rt::Buffer = __rt::Buffer {
            offset: 128,
            len: 128,
        };
    }
    /// The phases of nodes that have several; the others run between them.
    enum __Phases {}
    impl __Phases {
        const ALL: [__rt::Phases; 1] = __rt::Phases::stack([__Slots::BN.phases()]);
        const BN: __rt::Phases = Self::ALL[0];
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::TrainNode<__S> for Video {
        const PHASES: usize = __Phases::BN.last + 1;
        const MIN_BATCH: usize = __Slots::ALL.min_batch;
        const SAVED: usize = __Train::VALUES + __Slots::ALL.saved.end();
        const DEFERRED: usize = __Slots::ALL.deferred.end();
        const SHARD_SUMS: usize = __Slots::ALL.shard_sums.end();
        const PREPARED: usize = __Slots::ALL.prepared.end();
        const TRAIN_SCRATCH: usize = __Slots::ALL.scratch;
        const GRADIENT_TASKS: usize = __Slots::ALL.tasks.end();
        fn initialise(&mut self, key: __rt::RngKey) {
            __Slots::CONV.initialise(&mut self.conv, key);
            __Slots::BN.initialise(&mut self.bn, key);
            __Slots::GRU.initialise(&mut self.gru, key);
        }
        fn prepare(&self, prepared: &mut [f32]) {
            __Slots::CONV.prepare(&self.conv, prepared);
            __Slots::BN.prepare(&self.bn, prepared);
            __Slots::GRU.prepare(&self.gru, prepared);
        }
        fn gradient_end(task: usize) -> usize {
            if __Slots::CONV.reaches_task(task) {
                return __Slots::CONV.gradient_end(task);
            }
            if __Slots::BN.reaches_task(task) {
                return __Slots::BN.gradient_end(task);
            }
            if __Slots::GRU.reaches_task(task) {
                return __Slots::GRU.gradient_end(task);
            }
            __Slots::ALL.infer.weights.end()
        }
        fn gradient(task: usize, shards: __rt::Shards<'_>, d_weights: &mut [f32]) {
            if __Slots::CONV.reaches_task(task) {
                return __Slots::CONV.gradient(task, shards, d_weights);
            }
            if __Slots::BN.reaches_task(task) {
                return __Slots::BN.gradient(task, shards, d_weights);
            }
            if __Slots::GRU.reaches_task(task) {
                return __Slots::GRU.gradient(task, shards, d_weights);
            }
        }
        fn forward_shard(&self, call: __rt::Forward<'_>) {
            let __rt::Forward { pass, phase, x, y, ctx } = call;
            let n = pass.n;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * __Train::VALUES);
            ctx.lengths = outer.inside::<__S>();
            if phase == 0 {
                {
                    let [out] = __rt::take(values, n, [__Train::CONV]);
                    __Slots::CONV.forward(&self.conv, pass, 0, &[x[0]], out, &mut ctx);
                }
            }
            if __Phases::BN.contain(phase) {
                let [x0, out] = __rt::take(values, n, [__Train::CONV, __Train::BN]);
                __Slots::BN
                    .forward(
                        &self.bn,
                        pass,
                        phase - __Phases::BN.first,
                        &[x0],
                        out,
                        &mut ctx,
                    );
            }
            if phase == __Phases::BN.last {
                {
                    let [out] = __rt::take(values, n, [__Train::BN]);
                    __Slots::RELU.forward(&__rt::layers::ReLU, pass, out);
                }
                {
                    let [x0, out] = __rt::take(
                        values,
                        n,
                        [__Train::BN, __Train::GLOBAL_AVG_POOL],
                    );
                    __Slots::GLOBAL_AVG_POOL
                        .forward(
                            &__rt::layers::GlobalAvgPool,
                            pass,
                            0,
                            &[x0],
                            out,
                            &mut ctx,
                        );
                }
                {
                    let [x0] = __rt::take(values, n, [__Train::GLOBAL_AVG_POOL]);
                    __Slots::GRU.forward(&self.gru, pass, 0, &[x0], y, &mut ctx);
                }
            }
        }
        fn combine_forward(
            &mut self,
            phase: usize,
            shards: __rt::Shards<'_>,
            prepared: &mut [f32],
        ) {
            if __Phases::BN.contain_both(phase) {
                __Slots::BN
                    .combine_forward(
                        &mut self.bn,
                        phase - __Phases::BN.first,
                        shards,
                        prepared,
                    );
            }
        }
        fn backward_shard(&self, call: __rt::Backward<'_, '_>) {
            let __rt::Backward { pass, phase, x, y, d_y, d_x, ctx } = call;
            let n = pass.n;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * __Train::VALUES);
            ctx.lengths = outer.inside::<__S>();
            let [d_x0] = d_x else { ::core::panic!("one gradient for each input") };
            if phase == __Phases::BN.last {
                {
                    let [x0, d_in0] = __rt::take(
                        values,
                        n,
                        [__Train::GLOBAL_AVG_POOL, __Train::D_GLOBAL_AVG_POOL],
                    );
                    let d_x = &mut [__rt::Some(&mut *d_in0)];
                    __Slots::GRU
                        .backward(&self.gru, pass, 0, &[x0], &[], d_y, d_x, &mut ctx);
                }
                if __Slots::BN.ends_backward(&ctx) {
                    return;
                }
                {
                    let [d_out, d_in0] = __rt::take(
                        values,
                        n,
                        [__Train::D_GLOBAL_AVG_POOL, __Train::D_BN],
                    );
                    let d_x = &mut [__rt::Some(&mut *d_in0)];
                    __Slots::GLOBAL_AVG_POOL
                        .backward(
                            &__rt::layers::GlobalAvgPool,
                            pass,
                            0,
                            &[&[]],
                            &[],
                            d_out,
                            d_x,
                            &mut ctx,
                        );
                }
                {
                    let [out, d_out] = __rt::take(
                        values,
                        n,
                        [__Train::BN, __Train::D_BN],
                    );
                    __Slots::RELU.backward(&__rt::layers::ReLU, pass, out, d_out);
                }
            }
            if __Phases::BN.contain(phase) {
                if __Slots::BN.ends_backward(&ctx) {
                    return;
                }
                {
                    let [x0, d_out, d_in0] = __rt::take(
                        values,
                        n,
                        [__Train::CONV, __Train::D_BN, __Train::D_CONV],
                    );
                    let d_x = &mut [__rt::Some(&mut *d_in0)];
                    __Slots::BN
                        .backward(
                            &self.bn,
                            pass,
                            phase - __Phases::BN.first,
                            &[x0],
                            &[],
                            d_out,
                            d_x,
                            &mut ctx,
                        );
                }
            }
            if phase == 0 {
                if __Slots::CONV.ends_backward(&ctx) {
                    return;
                }
                {
                    let [d_out] = __rt::take(values, n, [__Train::D_CONV]);
                    let d_x = &mut [d_x0.as_deref_mut()];
                    __Slots::CONV
                        .backward(
                            &self.conv,
                            pass,
                            0,
                            &[x[0]],
                            &[],
                            d_out,
                            d_x,
                            &mut ctx,
                        );
                }
            }
        }
        fn combine_backward(
            &self,
            phase: usize,
            shards: __rt::Shards<'_>,
            prepared: &mut [f32],
        ) {
            if __Phases::BN.contain_both(phase - 1) {
                __Slots::BN
                    .combine_backward(
                        &self.bn,
                        phase - __Phases::BN.first,
                        shards,
                        prepared,
                    );
            }
        }
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::Streaming<__S> for Video {
        #[inline(always)]
        fn step<__I: __rt::Instructions>(&self, isa: __I, call: __rt::Infer<'_>) {
            let __rt::Infer { n, x, y, ctx } = call;
            let (values, mut ctx) = ctx.split_values(__Step::VALUES);
            {
                let [out] = __rt::take(values, n, [__Step::RELU]);
                let mut scratch = ctx.reborrow().scratch;
                __Slots::CONV
                    .slot
                    .infer_with(
                        &self.conv,
                        x[0],
                        out,
                        __rt::Epilogue {
                            normalization: __rt::Some(
                                __Slots::BN.slot.normalization(&self.bn, &mut scratch),
                            ),
                            add: __rt::None,
                            bounds: __rt::Some(__Slots::RELU.bounds()),
                        },
                        scratch,
                    );
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Step::RELU, __Step::GLOBAL_AVG_POOL],
                );
                __Slots::GLOBAL_AVG_POOL
                    .slot
                    .infer(
                        isa,
                        &__rt::layers::GlobalAvgPool,
                        n * __PerStep::PER_STEP_2.each,
                        &[x0],
                        out,
                        &mut ctx,
                    );
            }
            {
                let [x0] = __rt::take(values, n, [__Step::GLOBAL_AVG_POOL]);
                __Slots::GRU.slot.step(isa, &self.gru, &[x0], y, &mut ctx);
            }
        }
    }
    impl __rt::Shaped for Video {
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4, 6, 6, 1])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4, 2]);
        const OUTPUT_STEPS: __rt::Option<__rt::StepsOf> = __rt::Some(
            __rt::StepsOf::input(0),
        );
        const PARAMS: usize = 94;
        const MACS: usize = 1520;
        const LAYERS: &'static [__rt::LayerInfo] = &[
            __rt::LayerInfo::of::<
                __Conv,
            >(
                "Conv2d(2, kernel = 3, bias = false)",
                18,
                1152,
                __Slots::CONV.slot.offset(),
            ),
            __rt::LayerInfo::of::<__Bn>("BatchNorm", 4, 128, __Slots::BN.slot.offset()),
            __rt::LayerInfo::of::<__Relu>("ReLU", 0, 0, 0),
            __rt::LayerInfo::of::<__GlobalAvgPool>("GlobalAvgPool", 0, 0, 0),
            __rt::LayerInfo {
                name: "per_step_2",
                kind: "PerStep",
                output: __rt::Shape::new(&[4, 2]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "flatten",
                kind: "Flatten",
                output: __rt::Shape::new(&[8]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "per_step",
                kind: "PerStep",
                output: __rt::Shape::new(&[4, 8]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo::of::<__Gru>("GRU(2)", 72, 240, __Slots::GRU.slot.offset()),
        ];
        const GRAPH: __rt::Graph = __rt::Graph {
            inputs: &[__rt::Shape::new(&[4, 6, 6, 1])],
            nodes: &[
                __rt::GraphNode {
                    name: "per_step",
                    inputs: &[0],
                    output: __rt::Shape::new(&[6, 6, 1]),
                    layer: __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::OneStep,
                        &[],
                    ),
                },
                __rt::GraphNode::of::<
                    __Conv,
                >(
                    &[1],
                    __rt::GraphLayer::new(
                        __rt::Features::Fixed,
                        __rt::Channels::First,
                        &[__rt::LayerWeights::of(&__Slots::CONV.slot)],
                    ),
                ),
                __rt::GraphNode::of::<
                    __Bn,
                >(
                    &[2],
                    __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::AsInput,
                        &[__rt::LayerWeights::of(&__Slots::BN.slot)],
                    ),
                ),
                __rt::GraphNode::of::<__Relu>(&[3], __rt::GraphLayer::SAME),
                __rt::GraphNode {
                    name: "per_step_2",
                    inputs: &[4],
                    output: __rt::Shape::new(&[4, 2]),
                    layer: __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::OneStep,
                        &[],
                    ),
                },
                __rt::GraphNode::of::<
                    __GlobalAvgPool,
                >(
                    &[5],
                    __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::First,
                        &[],
                    ),
                ),
                __rt::GraphNode {
                    name: "per_step_2",
                    inputs: &[6],
                    output: __rt::Shape::new(&[4, 2]),
                    layer: __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::AllSteps,
                        &[],
                    ),
                },
                __rt::GraphNode {
                    name: "flatten",
                    inputs: &[7],
                    output: __rt::Shape::new(&[8]),
                    layer: __rt::GraphLayer::new(
                        __rt::Features::View,
                        __rt::Channels::AsInput,
                        &[],
                    ),
                },
                __rt::GraphNode {
                    name: "per_step",
                    inputs: &[8],
                    output: __rt::Shape::new(&[4, 8]),
                    layer: __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::AllSteps,
                        &[],
                    ),
                },
                __rt::GraphNode::of::<
                    __Gru,
                >(
                    &[9],
                    __rt::GraphLayer::new(
                        __rt::Features::AnyInput,
                        __rt::Channels::Last,
                        &[__rt::LayerWeights::of(&__Slots::GRU.slot)],
                    ),
                ),
            ],
            output: 10,
        };
    }
    impl __rt::Network for Video {
        type Input = unrolled::__private::Sequence<[[[f32; 1]; 6]; 6], 4>;
        type Output = [[f32; 2]; 4];
    }
};
