/// An encoder that is applied to two inputs.
///
/// `Siamese(a: 6, b: 6) -> 1`
///
/// | layer | kind | output | parameters |
/// |---|---|---|--:|
/// | [`left.fc`](Self::left_fc) | `Dense(4, bias = false)` | 4 | 24 |
/// | [`left.bn`](Self::left_bn) | `BatchNorm` | 4 | 8 |
/// | `right.fc` | `same(left.fc)` | 4 | 0 |
/// | `right.bn` | `same(left.bn)` | 4 | 0 |
/// | `sub` | `Sub` | 4 | 0 |
/// | [`dense`](Self::dense) | `Dense(1)` | 1 | 5 |
/// | | | **total** | **37** |
#[allow(
    clippy::struct_field_names,
    clippy::pub_underscore_fields,
    clippy::exhaustive_structs,
    reason = "a field for each of the user's lines"
)]
#[repr(C)]
struct Siamese {
    /// `left.fc`: `Dense(4, bias = false)`: 6 -> 4, 24 parameters
    left_fc: unrolled::__private::layers::Dense<6, 4, 0>,
    /// `left.bn`: `BatchNorm`: 4 -> 4, 8 parameters
    left_bn: unrolled::__private::layers::BatchNorm<4>,
    /// `dense`: `Dense(1)`: 4 -> 1, 5 parameters
    dense: unrolled::__private::layers::Dense<4, 1>,
}
#[allow(clippy::all, reason = "comparisons of constants that are the same by chance")]
const _: () = {
    use unrolled::__private as __rt;
    /// `left.fc`: `Dense(4, bias = false)`: 6 -> 4
    enum __LeftFc {}
    impl __rt::Spec for __LeftFc {
        type Arguments = __rt::rules::dense::Dense;
        const ARGUMENTS: Self::Arguments = __rt::rules::dense::Dense {
            units: 4,
            bias: false,
            weight: ::core::option::Option::None,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[6])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4]);
        const NAME: &'static str = "left.fc";
    }
    type __LeftFcLayer = __rt::layers::Dense<6, 4, 0>;
    /// `left.bn`: `BatchNorm`: 4 -> 4
    enum __LeftBn {}
    impl __rt::Spec for __LeftBn {
        type Arguments = __rt::rules::batch_norm::BatchNorm;
        const ARGUMENTS: Self::Arguments = __rt::rules::batch_norm::BatchNorm {
            momentum: 0.1,
            eps: 0.00001,
            affine: true,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4]);
        const NAME: &'static str = "left.bn";
    }
    type __LeftBnLayer = __rt::layers::BatchNorm<4>;
    /// `right.fc`: `same(left.fc)`: 6 -> 4
    enum __RightFc {}
    impl __rt::Spec for __RightFc {
        type Arguments = __rt::rules::dense::Dense;
        const ARGUMENTS: Self::Arguments = __rt::rules::dense::Dense {
            units: 4,
            bias: false,
            weight: ::core::option::Option::None,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[6])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4]);
        const NAME: &'static str = "right.fc";
    }
    /// `right.bn`: `same(left.bn)`: 4 -> 4
    enum __RightBn {}
    impl __rt::Spec for __RightBn {
        type Arguments = __rt::rules::batch_norm::BatchNorm;
        const ARGUMENTS: Self::Arguments = __rt::rules::batch_norm::BatchNorm {
            momentum: 0.1,
            eps: 0.00001,
            affine: true,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4]);
        const NAME: &'static str = "right.bn";
    }
    /// `sub`: `Sub`: 4 and 4 -> 4
    enum __Sub {}
    impl __rt::Spec for __Sub {
        type Arguments = __rt::rules::sub::Sub;
        const ARGUMENTS: Self::Arguments = __rt::rules::sub::Sub {};
        const INPUTS: &'static [__rt::Shape] = &[
            __rt::Shape::new(&[4]),
            __rt::Shape::new(&[4]),
        ];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4]);
        const NAME: &'static str = "sub";
    }
    /// `dense`: `Dense(1)`: 4 -> 1
    enum __Dense {}
    impl __rt::Spec for __Dense {
        type Arguments = __rt::rules::dense::Dense;
        const ARGUMENTS: Self::Arguments = __rt::rules::dense::Dense {
            units: 1,
            bias: true,
            weight: ::core::option::Option::None,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[1]);
        const NAME: &'static str = "dense";
    }
    type __DenseLayer = __rt::layers::Dense<4, 1>;
    /// At inference, values are overwritten as soon as no node reads them any more.
    enum __Infer {}
    impl __Infer {
        const VALUES: usize = 48;
        const LEFT_FC: __rt::Buffer = __rt::Buffer { offset: 0, len: 4 };
        const LEFT_BN: __rt::Buffer = __rt::Buffer { offset: 16, len: 4 };
        const RIGHT_FC: __rt::Buffer = __rt::Buffer { offset: 0, len: 4 };
        const RIGHT_BN: __rt::Buffer = __rt::Buffer { offset: 32, len: 4 };
        const SUB: __rt::Buffer = __rt::Buffer { offset: 0, len: 4 };
    }
    /// The nodes, what they own laid out one after the other.
    enum __Slots {}
    impl __Slots {
        const LAYOUTS: [__rt::TrainLayout; 6] = __rt::TrainLayout::stack([
            __rt::TrainLayout::of::<__LeftFc, __LeftFcLayer>(),
            __rt::TrainLayout::of::<__LeftBn, __LeftBnLayer>(),
            __rt::TrainLayout::again::<__RightFc, __LeftFcLayer>(),
            __rt::TrainLayout::again::<__RightBn, __LeftBnLayer>(),
            __rt::TrainLayout::of::<__Sub, __rt::layers::Sub>(),
            __rt::TrainLayout::of::<__Dense, __DenseLayer>(),
        ]);
        const ALL: __rt::TrainLayout = Self::LAYOUTS[5];
        const LEFT_FC: __rt::TrainSlot<__LeftFc, __LeftFcLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[0],
        );
        const LEFT_BN: __rt::TrainSlot<__LeftBn, __LeftBnLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[1],
        );
        const RIGHT_FC: __rt::TrainSlot<__RightFc, __LeftFcLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[2].sharing(&Self::LAYOUTS[0]),
        );
        const RIGHT_BN: __rt::TrainSlot<__RightBn, __LeftBnLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[3].sharing(&Self::LAYOUTS[1]),
        );
        const SUB: __rt::TrainSlot<__Sub, __rt::layers::Sub> = __rt::TrainSlot::new(
            Self::LAYOUTS[4],
        );
        const DENSE: __rt::TrainSlot<__Dense, __DenseLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[5],
        );
    }
    impl Siamese {
        /// Inference on one sample. Large networks divide it among threads.
        #[inline]
        #[must_use]
        fn forward(&self, (a, b): (&[f32; 6], &[f32; 6])) -> [f32; 1] {
            unrolled::__private::infer_one(
                self,
                &[
                    unrolled::__private::Values::as_floats(a),
                    unrolled::__private::Values::as_floats(b),
                ],
            )
        }
        /// As `forward`, with the output written to `output`, which may be too large for the stack.
        #[allow(dead_code, reason = "a program may call `forward` only")]
        #[inline]
        fn forward_into(&self, (a, b): (&[f32; 6], &[f32; 6]), output: &mut [f32; 1]) {
            unrolled::__private::infer_one_into(
                self,
                &[
                    unrolled::__private::Values::as_floats(a),
                    unrolled::__private::Values::as_floats(b),
                ],
                output,
            );
        }
    }
    unsafe impl __rt::Weights for Siamese {
        const LEN: usize = {
            let _ = |Self { left_fc: _, left_bn: _, dense: _ }: &Self| {};
            __rt::len_of_fields::<Self>(__Slots::ALL.infer.weights.end())
        };
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::Node<__S> for Siamese {
        const WORKSPACE: usize = __Infer::VALUES + __Slots::ALL.infer.workspace;
        const STEP_WORKSPACE: usize = 0;
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
                let [out] = __rt::take(values, n, [__Infer::LEFT_FC]);
                __Slots::LEFT_FC
                    .slot
                    .infer(isa, &self.left_fc, n, &[x[0]], out, &mut ctx);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Infer::LEFT_FC, __Infer::LEFT_BN],
                );
                __Slots::LEFT_BN.slot.infer(isa, &self.left_bn, n, &[x0], out, &mut ctx);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::RIGHT_FC]);
                __Slots::RIGHT_FC
                    .slot
                    .infer(isa, &self.left_fc, n, &[x[1]], out, &mut ctx);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Infer::RIGHT_FC, __Infer::RIGHT_BN],
                );
                __Slots::RIGHT_BN
                    .slot
                    .infer(isa, &self.left_bn, n, &[x0], out, &mut ctx);
            }
            {
                let [x0, x1, out] = __rt::take(
                    values,
                    n,
                    [__Infer::LEFT_BN, __Infer::RIGHT_BN, __Infer::SUB],
                );
                __Slots::SUB
                    .slot
                    .infer(isa, &__rt::layers::Sub, n, &[x0, x1], out, &mut ctx);
            }
            {
                let [x0] = __rt::take(values, n, [__Infer::SUB]);
                __Slots::DENSE.slot.infer(isa, &self.dense, n, &[x0], y, &mut ctx);
            }
        }
    }
    /// In training, values and their gradients (`D_`) live until backward has used them.
    enum __Train {}
    impl __Train {
        const VALUES: usize = 80;
        const LEFT_FC: __rt::Buffer = __rt::Buffer { offset: 0, len: 4 };
        const LEFT_BN: __rt::Buffer = __rt::Buffer { offset: 16, len: 4 };
        const RIGHT_FC: __rt::Buffer = __rt::Buffer { offset: 32, len: 4 };
        const RIGHT_BN: __rt::Buffer = __rt::Buffer { offset: 48, len: 4 };
        const SUB: __rt::Buffer = __rt::Buffer { offset: 64, len: 4 };
        const D_SUB: __rt::Buffer = __rt::Buffer { offset: 16, len: 4 };
        const D_LEFT_BN: __rt::Buffer = __rt::Buffer { offset: 48, len: 4 };
        const D_RIGHT_BN: __rt::Buffer = __rt::Buffer { offset: 64, len: 4 };
        const D_RIGHT_FC: __rt::Buffer = __rt::Buffer { offset: 16, len: 4 };
        const D_LEFT_FC: __rt::Buffer = __rt::Buffer { offset: 16, len: 4 };
    }
    /// The phases of nodes that have several; the others run between them.
    enum __Phases {}
    impl __Phases {
        const ALL: [__rt::Phases; 2] = __rt::Phases::stack([
            __Slots::LEFT_BN.phases(),
            __Slots::RIGHT_BN.phases(),
        ]);
        const LEFT_BN: __rt::Phases = Self::ALL[0];
        const RIGHT_BN: __rt::Phases = Self::ALL[1];
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::TrainNode<__S> for Siamese {
        const PHASES: usize = __Phases::RIGHT_BN.last + 1;
        const MIN_BATCH: usize = __Slots::ALL.min_batch;
        const SAVED: usize = __Train::VALUES + __Slots::ALL.saved.end();
        const DEFERRED: usize = __Slots::ALL.deferred.end();
        const SHARD_SUMS: usize = __Slots::ALL.shard_sums.end();
        const PREPARED: usize = __Slots::ALL.prepared.end();
        const TRAIN_SCRATCH: usize = __Slots::ALL.scratch;
        const GRADIENT_TASKS: usize = __Slots::ALL.tasks.end();
        fn initialise(&mut self, key: __rt::RngKey) {
            __Slots::LEFT_FC.initialise(&mut self.left_fc, key);
            __Slots::LEFT_BN.initialise(&mut self.left_bn, key);
            __Slots::DENSE.initialise(&mut self.dense, key);
        }
        fn prepare(&self, prepared: &mut [f32]) {
            __Slots::LEFT_FC.prepare(&self.left_fc, prepared);
            __Slots::LEFT_BN.prepare(&self.left_bn, prepared);
            __Slots::RIGHT_FC.prepare_again(&self.left_fc, prepared);
            __Slots::RIGHT_BN.prepare_again(&self.left_bn, prepared);
            __Slots::DENSE.prepare(&self.dense, prepared);
        }
        fn gradient_end(task: usize) -> usize {
            if __Slots::LEFT_FC.reaches_task(task) {
                return __Slots::LEFT_FC.gradient_end(task);
            }
            if __Slots::LEFT_BN.reaches_task(task) {
                return __Slots::LEFT_BN.gradient_end(task);
            }
            if __Slots::DENSE.reaches_task(task) {
                return __Slots::DENSE.gradient_end(task);
            }
            __Slots::ALL.infer.weights.end()
        }
        fn gradient(task: usize, shards: __rt::Shards<'_>, d_weights: &mut [f32]) {
            if __Slots::LEFT_FC.reaches_task(task) {
                __Slots::LEFT_FC.gradient(task, shards, d_weights);
                __Slots::RIGHT_FC
                    .add_gradient_to(&__Slots::LEFT_FC, task, shards, d_weights);
                return;
            }
            if __Slots::LEFT_BN.reaches_task(task) {
                __Slots::LEFT_BN.gradient(task, shards, d_weights);
                __Slots::RIGHT_BN
                    .add_gradient_to(&__Slots::LEFT_BN, task, shards, d_weights);
                return;
            }
            if __Slots::DENSE.reaches_task(task) {
                return __Slots::DENSE.gradient(task, shards, d_weights);
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
                    let [out] = __rt::take(values, n, [__Train::LEFT_FC]);
                    __Slots::LEFT_FC
                        .forward(&self.left_fc, pass, 0, &[x[0]], out, &mut ctx);
                }
            }
            if __Phases::LEFT_BN.contain(phase) {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::LEFT_FC, __Train::LEFT_BN],
                );
                __Slots::LEFT_BN
                    .forward(
                        &self.left_bn,
                        pass,
                        phase - __Phases::LEFT_BN.first,
                        &[x0],
                        out,
                        &mut ctx,
                    );
            }
            if phase == __Phases::LEFT_BN.last {
                {
                    let [out] = __rt::take(values, n, [__Train::RIGHT_FC]);
                    __Slots::RIGHT_FC
                        .forward(&self.left_fc, pass, 0, &[x[1]], out, &mut ctx);
                }
            }
            if __Phases::RIGHT_BN.contain(phase) {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::RIGHT_FC, __Train::RIGHT_BN],
                );
                __Slots::RIGHT_BN
                    .forward(
                        &self.left_bn,
                        pass,
                        phase - __Phases::RIGHT_BN.first,
                        &[x0],
                        out,
                        &mut ctx,
                    );
            }
            if phase == __Phases::RIGHT_BN.last {
                {
                    let [x0, x1, out] = __rt::take(
                        values,
                        n,
                        [__Train::LEFT_BN, __Train::RIGHT_BN, __Train::SUB],
                    );
                    __Slots::SUB
                        .forward(&__rt::layers::Sub, pass, 0, &[x0, x1], out, &mut ctx);
                }
                {
                    let [x0] = __rt::take(values, n, [__Train::SUB]);
                    __Slots::DENSE.forward(&self.dense, pass, 0, &[x0], y, &mut ctx);
                }
            }
        }
        fn combine_forward(
            &mut self,
            phase: usize,
            shards: __rt::Shards<'_>,
            prepared: &mut [f32],
        ) {
            if __Phases::LEFT_BN.contain_both(phase) {
                __Slots::LEFT_BN
                    .combine_forward(
                        &mut self.left_bn,
                        phase - __Phases::LEFT_BN.first,
                        shards,
                        prepared,
                    );
            }
            if __Phases::RIGHT_BN.contain_both(phase) {
                __Slots::RIGHT_BN
                    .combine_forward(
                        &mut self.left_bn,
                        phase - __Phases::RIGHT_BN.first,
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
            let [d_x0, d_x1] = d_x else {
                ::core::panic!("one gradient for each input")
            };
            if phase == __Phases::RIGHT_BN.last {
                {
                    let [x0, d_in0] = __rt::take(
                        values,
                        n,
                        [__Train::SUB, __Train::D_SUB],
                    );
                    let d_x = &mut [__rt::Some(&mut *d_in0)];
                    __Slots::DENSE
                        .backward(&self.dense, pass, 0, &[x0], &[], d_y, d_x, &mut ctx);
                }
                if __Slots::LEFT_BN.ends_backward(&ctx) {
                    return;
                }
                {
                    let [d_out, d_in0, d_in1] = __rt::take(
                        values,
                        n,
                        [__Train::D_SUB, __Train::D_LEFT_BN, __Train::D_RIGHT_BN],
                    );
                    let d_x = &mut [__rt::Some(&mut *d_in0), __rt::Some(&mut *d_in1)];
                    __Slots::SUB
                        .backward(
                            &__rt::layers::Sub,
                            pass,
                            0,
                            &[&[], &[]],
                            &[],
                            d_out,
                            d_x,
                            &mut ctx,
                        );
                }
            }
            if __Phases::RIGHT_BN.contain(phase) {
                if __Slots::LEFT_BN.ends_backward(&ctx) {
                    return;
                }
                {
                    let [x0, d_out, d_in0] = __rt::take(
                        values,
                        n,
                        [__Train::RIGHT_FC, __Train::D_RIGHT_BN, __Train::D_RIGHT_FC],
                    );
                    let d_x = &mut [__rt::Some(&mut *d_in0)];
                    __Slots::RIGHT_BN
                        .backward(
                            &self.left_bn,
                            pass,
                            phase - __Phases::RIGHT_BN.first,
                            &[x0],
                            &[],
                            d_out,
                            d_x,
                            &mut ctx,
                        );
                }
            }
            if phase == __Phases::LEFT_BN.last {
                {
                    let [d_out] = __rt::take(values, n, [__Train::D_RIGHT_FC]);
                    let d_x = &mut [d_x1.as_deref_mut()];
                    __Slots::RIGHT_FC
                        .backward(
                            &self.left_fc,
                            pass,
                            0,
                            &[x[1]],
                            &[],
                            d_out,
                            d_x,
                            &mut ctx,
                        );
                }
            }
            if __Phases::LEFT_BN.contain(phase) {
                if __Slots::LEFT_BN.ends_backward(&ctx) {
                    return;
                }
                {
                    let [x0, d_out, d_in0] = __rt::take(
                        values,
                        n,
                        [__Train::LEFT_FC, __Train::D_LEFT_BN, __Train::D_LEFT_FC],
                    );
                    let d_x = &mut [__rt::Some(&mut *d_in0)];
                    __Slots::LEFT_BN
                        .backward(
                            &self.left_bn,
                            pass,
                            phase - __Phases::LEFT_BN.first,
                            &[x0],
                            &[],
                            d_out,
                            d_x,
                            &mut ctx,
                        );
                }
            }
            if phase == 0 {
                if __Slots::LEFT_FC.ends_backward(&ctx) {
                    return;
                }
                {
                    let [d_out] = __rt::take(values, n, [__Train::D_LEFT_FC]);
                    let d_x = &mut [d_x0.as_deref_mut()];
                    __Slots::LEFT_FC
                        .backward(
                            &self.left_fc,
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
            if __Phases::LEFT_BN.contain_both(phase - 1) {
                __Slots::LEFT_BN
                    .combine_backward(
                        &self.left_bn,
                        phase - __Phases::LEFT_BN.first,
                        shards,
                        prepared,
                    );
            }
            if __Phases::RIGHT_BN.contain_both(phase - 1) {
                __Slots::RIGHT_BN
                    .combine_backward(
                        &self.left_bn,
                        phase - __Phases::RIGHT_BN.first,
                        shards,
                        prepared,
                    );
            }
        }
    }
    impl __rt::Shaped for Siamese {
        const INPUTS: &'static [__rt::Shape] = &[
            __rt::Shape::new(&[6]),
            __rt::Shape::new(&[6]),
        ];
        const INPUT_NAMES: &'static [&'static str] = &["a", "b"];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[1]);
        const PARAMS: usize = 37;
        const MACS: usize = 60;
        const LAYERS: &'static [__rt::LayerInfo] = &[
            __rt::LayerInfo::of::<
                __LeftFc,
            >("Dense(4, bias = false)", 24, 24, __Slots::LEFT_FC.slot.offset()),
            __rt::LayerInfo::of::<
                __LeftBn,
            >("BatchNorm", 8, 4, __Slots::LEFT_BN.slot.offset()),
            __rt::LayerInfo::of::<
                __RightFc,
            >("same(left.fc)", 0, 24, __Slots::RIGHT_FC.slot.offset()),
            __rt::LayerInfo::of::<
                __RightBn,
            >("same(left.bn)", 0, 4, __Slots::RIGHT_BN.slot.offset()),
            __rt::LayerInfo::of::<__Sub>("Sub", 0, 0, 0),
            __rt::LayerInfo::of::<
                __Dense,
            >("Dense(1)", 5, 4, __Slots::DENSE.slot.offset()),
        ];
        const GRAPH: __rt::Graph = __rt::Graph {
            inputs: &[__rt::Shape::new(&[6]), __rt::Shape::new(&[6])],
            nodes: &[
                __rt::GraphNode::of::<
                    __LeftFc,
                >(
                    &[0],
                    __rt::GraphLayer::new(
                        __rt::Features::Any,
                        __rt::Channels::Last,
                        &[__rt::LayerWeights::of(&__Slots::LEFT_FC.slot)],
                    ),
                ),
                __rt::GraphNode::of::<
                    __LeftBn,
                >(
                    &[2],
                    __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::AsInput,
                        &[__rt::LayerWeights::of(&__Slots::LEFT_BN.slot)],
                    ),
                ),
                __rt::GraphNode::of::<
                    __RightFc,
                >(
                    &[1],
                    __rt::GraphLayer::Again {
                        first: 0,
                    },
                ),
                __rt::GraphNode::of::<
                    __RightBn,
                >(
                    &[4],
                    __rt::GraphLayer::Again {
                        first: 1,
                    },
                ),
                __rt::GraphNode::of::<__Sub>(&[3, 5], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<
                    __Dense,
                >(
                    &[6],
                    __rt::GraphLayer::new(
                        __rt::Features::Any,
                        __rt::Channels::Last,
                        &[__rt::LayerWeights::of(&__Slots::DENSE.slot)],
                    ),
                ),
            ],
            output: 7,
        };
    }
    impl __rt::Network for Siamese {
        type Input = ([f32; 6], [f32; 6]);
        type Output = [f32; 1];
    }
};
