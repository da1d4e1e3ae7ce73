/// Statistics over the batch, between branches that begin at the network's inputs.
///
/// `Phases(x: 4, table: 3) -> 2`
///
/// | layer | kind | output | parameters |
/// |---|---|---|--:|
/// | `x.tanh` | `Tanh` | 4 | 0 |
/// | `table.tanh` | `Tanh` | 3 | 0 |
/// | `concat` | `Concat` | 7 | 0 |
/// | [`fc`](Self::fc) | `Dense(7)` | 7 | 56 |
/// | [`bn`](Self::bn) | `BatchNorm` | 7 | 14 |
/// | `relu` | `ReLU` | 7 | 0 |
/// | `residual` | `Residual` | 7 | 0 |
/// | [`inner`](Self::inner) | `Inner` | computed |  |
#[allow(
    clippy::struct_field_names,
    clippy::pub_underscore_fields,
    clippy::exhaustive_structs,
    reason = "a field for each of the user's lines"
)]
#[repr(C)]
struct Phases {
    /// `fc`: `Dense(7)`: 7 -> 7, 56 parameters
    fc: unrolled::__private::layers::Dense<7, 7>,
    /// `bn`: `BatchNorm`: 7 -> 7, 14 parameters
    bn: unrolled::__private::layers::BatchNorm<7>,
    /// `inner`: `Inner`: 7 -> computed
    inner: Inner,
}
const __PHASES_GIVEN_7: ::core::result::Result<
    unrolled::__private::Shape,
    unrolled::__private::ShapeError,
> = unrolled::__private::check_inputs(
    &<Inner as unrolled::__private::Shaped>::SIGNATURE,
    &[unrolled::__private::Shape::new(&[7])],
);
const __PHASES_SHAPE_7: unrolled::__private::Shape = unrolled::__private::checks::or_stand_in(
    __PHASES_GIVEN_7,
    <Inner as unrolled::__private::Shaped>::OUTPUT,
);
const _: unrolled::__private::Shape = {
    use unrolled::__private::expect as __expect;
    let __found = __PHASES_GIVEN_7;
    let __path = unrolled::__private::trace(
        unrolled::__private::Shape::new(&[4]),
        &[
            ("Concat", unrolled::__private::Shape::new(&[7])),
            ("fc", unrolled::__private::Shape::new(&[7])),
        ],
    );
    let __path = __path.as_str();
    __expect(__found, "inner", __path)
};
const _: unrolled::__private::Shape = {
    use unrolled::__private::expect as __expect;
    let __found = if __PHASES_GIVEN_7.is_err() {
        ::core::result::Result::Err(unrolled::__private::ShapeError::LOST)
    } else {
        unrolled::__private::checks::header_output(
            __PHASES_SHAPE_7,
            unrolled::__private::Shape::new(&[2]),
        )
    };
    let __path = unrolled::__private::trace(
        unrolled::__private::Shape::new(&[4]),
        &[
            ("Concat", unrolled::__private::Shape::new(&[7])),
            ("fc", unrolled::__private::Shape::new(&[7])),
            ("inner", __PHASES_SHAPE_7),
        ],
    );
    let __path = __path.as_str();
    __expect(__found, "", __path)
};
#[allow(clippy::all, reason = "comparisons of constants that are the same by chance")]
const _: () = {
    use unrolled::__private as __rt;
    /// `x.tanh`: `Tanh`: 4 -> 4
    enum __XTanh {}
    impl __rt::Spec for __XTanh {
        type Arguments = __rt::rules::tanh::Tanh;
        const ARGUMENTS: Self::Arguments = __rt::rules::tanh::Tanh {};
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[4])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[4]);
        const NAME: &'static str = "x.tanh";
    }
    /// `table.tanh`: `Tanh`: 3 -> 3
    enum __TableTanh {}
    impl __rt::Spec for __TableTanh {
        type Arguments = __rt::rules::tanh::Tanh;
        const ARGUMENTS: Self::Arguments = __rt::rules::tanh::Tanh {};
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[3])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[3]);
        const NAME: &'static str = "table.tanh";
    }
    /// `concat`: `Concat`: 4 and 3 -> 7
    enum __Concat {}
    impl __rt::Spec for __Concat {
        type Arguments = __rt::rules::concat::Concat;
        const ARGUMENTS: Self::Arguments = __rt::rules::concat::Concat {};
        const INPUTS: &'static [__rt::Shape] = &[
            __rt::Shape::new(&[4]),
            __rt::Shape::new(&[3]),
        ];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[7]);
        const NAME: &'static str = "concat";
    }
    /// `fc`: `Dense(7)`: 7 -> 7
    enum __Fc {}
    impl __rt::Spec for __Fc {
        type Arguments = __rt::rules::dense::Dense;
        const ARGUMENTS: Self::Arguments = __rt::rules::dense::Dense {
            units: 7,
            bias: true,
            weight: ::core::option::Option::None,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[7])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[7]);
        const NAME: &'static str = "fc";
    }
    type __FcLayer = __rt::layers::Dense<7, 7>;
    /// `bn`: `BatchNorm`: 7 -> 7
    enum __Bn {}
    impl __rt::Spec for __Bn {
        type Arguments = __rt::rules::batch_norm::BatchNorm;
        const ARGUMENTS: Self::Arguments = __rt::rules::batch_norm::BatchNorm {
            momentum: 0.1,
            eps: 0.00001,
            affine: true,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[7])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[7]);
        const NAME: &'static str = "bn";
    }
    type __BnLayer = __rt::layers::BatchNorm<7>;
    /// `relu`: `ReLU`: 7 -> 7
    enum __Relu {}
    impl __rt::Spec for __Relu {
        type Arguments = __rt::rules::relu::ReLU;
        const ARGUMENTS: Self::Arguments = __rt::rules::relu::ReLU {};
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[7])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[7]);
        const NAME: &'static str = "relu";
    }
    /// `residual`: `Residual`: 7 and 7 -> 7
    enum __Residual {}
    impl __rt::Spec for __Residual {
        type Arguments = __rt::rules::add::Add;
        const ARGUMENTS: Self::Arguments = __rt::rules::add::Add {};
        const INPUTS: &'static [__rt::Shape] = &[
            __rt::Shape::new(&[7]),
            __rt::Shape::new(&[7]),
        ];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[7]);
        const NAME: &'static str = "residual";
    }
    /// `inner`: `Inner`: 7 -> computed
    enum __Spec7 {}
    impl __rt::Spec for __Spec7 {
        type Arguments = ();
        const ARGUMENTS: Self::Arguments = ();
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[7])];
        const OUTPUT: __rt::Shape = __PHASES_SHAPE_7;
        const NAME: &'static str = "inner";
    }
    /// At inference, values are overwritten as soon as no node reads them any more.
    enum __Infer {}
    impl __Infer
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        const VALUES: usize = 48;
        const X_TANH: __rt::Buffer = __rt::Buffer { offset: 0, len: 4 };
        const TABLE_TANH: __rt::Buffer = __rt::Buffer { offset: 16, len: 3 };
        const CONCAT: __rt::Buffer = __rt::Buffer { offset: 32, len: 7 };
        const FC: __rt::Buffer = __rt::Buffer { offset: 0, len: 7 };
        const BN: __rt::Buffer = __rt::Buffer { offset: 16, len: 7 };
        const RESIDUAL: __rt::Buffer = __rt::Buffer { offset: 0, len: 7 };
    }
    /// The nodes, what they own laid out one after the other.
    enum __Slots {}
    impl __Slots
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        const LAYOUTS: [__rt::TrainLayout; 5] = __rt::TrainLayout::stack([
            __rt::TrainLayout::of::<__Concat, __rt::layers::Concat>(),
            __rt::TrainLayout::of::<__Fc, __FcLayer>(),
            __rt::TrainLayout::of::<__Bn, __BnLayer>(),
            __rt::TrainLayout::of::<__Residual, __rt::layers::Add>(),
            __rt::TrainLayout::of::<__Spec7, Inner>(),
        ]);
        const ALL: __rt::TrainLayout = Self::LAYOUTS[4];
        const X_TANH: __rt::InPlaceSlot<__XTanh, __rt::layers::Tanh> = __rt::InPlaceSlot::NEW;
        const TABLE_TANH: __rt::InPlaceSlot<__TableTanh, __rt::layers::Tanh> = __rt::InPlaceSlot::NEW;
        const CONCAT: __rt::TrainSlot<__Concat, __rt::layers::Concat> = __rt::TrainSlot::new(
            Self::LAYOUTS[0],
        );
        const FC: __rt::TrainSlot<__Fc, __FcLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[1],
        );
        const BN: __rt::TrainSlot<__Bn, __BnLayer> = __rt::TrainSlot::new(
            Self::LAYOUTS[2],
        );
        const RELU: __rt::InPlaceSlot<__Relu, __rt::layers::ReLU> = __rt::InPlaceSlot::NEW;
        const RESIDUAL: __rt::TrainSlot<__Residual, __rt::layers::Add> = __rt::TrainSlot::new(
            Self::LAYOUTS[3],
        );
        const INNER: __rt::TrainSlot<__Spec7, Inner> = __rt::TrainSlot::new(
            Self::LAYOUTS[4],
        );
    }
    impl Phases
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        /// Inference on one sample. Large networks divide it among threads.
        #[inline]
        #[must_use]
        fn forward(&self, (x, table): (&[f32; 4], &[f32; 3])) -> [f32; 2] {
            unrolled::__private::infer_one(
                self,
                &[
                    unrolled::__private::Values::as_floats(x),
                    unrolled::__private::Values::as_floats(table),
                ],
            )
        }
        /// As `forward`, with the output written to `output`, which may be too large for the stack.
        #[allow(dead_code, reason = "a program may call `forward` only")]
        #[inline]
        fn forward_into(
            &self,
            (x, table): (&[f32; 4], &[f32; 3]),
            output: &mut [f32; 2],
        ) {
            unrolled::__private::infer_one_into(
                self,
                &[
                    unrolled::__private::Values::as_floats(x),
                    unrolled::__private::Values::as_floats(table),
                ],
                output,
            );
        }
    }
    unsafe impl __rt::Weights for Phases
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        const LEN: usize = {
            let _ = |Self { fc: _, bn: _, inner: _ }: &Self| {};
            __rt::len_of_fields::<Self>(__Slots::ALL.infer.weights.end())
        };
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::Node<__S> for Phases
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
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
                let [out] = __rt::take(values, n, [__Infer::X_TANH]);
                out.copy_from_slice(x[0]);
                __Slots::X_TANH.infer(isa, &__rt::layers::Tanh, n, out);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::TABLE_TANH]);
                out.copy_from_slice(x[1]);
                __Slots::TABLE_TANH.infer(isa, &__rt::layers::Tanh, n, out);
            }
            {
                let [x0, x1, out] = __rt::take(
                    values,
                    n,
                    [__Infer::X_TANH, __Infer::TABLE_TANH, __Infer::CONCAT],
                );
                __Slots::CONCAT
                    .slot
                    .infer(isa, &__rt::layers::Concat, n, &[x0, x1], out, &mut ctx);
            }
            {
                let [x0, out] = __rt::take(values, n, [__Infer::CONCAT, __Infer::FC]);
                __Slots::FC.slot.infer(isa, &self.fc, n, &[x0], out, &mut ctx);
            }
            {
                let [x0, out] = __rt::take(values, n, [__Infer::FC, __Infer::BN]);
                __Slots::BN.slot.infer(isa, &self.bn, n, &[x0], out, &mut ctx);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::BN]);
                __Slots::RELU.infer(isa, &__rt::layers::ReLU, n, out);
            }
            {
                let [x0, x1, out] = __rt::take(
                    values,
                    n,
                    [__Infer::BN, __Infer::CONCAT, __Infer::RESIDUAL],
                );
                __Slots::RESIDUAL
                    .slot
                    .infer(isa, &__rt::layers::Add, n, &[x0, x1], out, &mut ctx);
            }
            {
                let [x0] = __rt::take(values, n, [__Infer::RESIDUAL]);
                __Slots::INNER.slot.infer(isa, &self.inner, n, &[x0], y, &mut ctx);
            }
        }
    }
    /// In training, values and their gradients (`D_`) live until backward has used them.
    enum __Train {}
    impl __Train
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        const VALUES: usize = 128;
        const X_TANH: __rt::Buffer = __rt::Buffer { offset: 0, len: 4 };
        const TABLE_TANH: __rt::Buffer = __rt::Buffer { offset: 16, len: 3 };
        const CONCAT: __rt::Buffer = __rt::Buffer { offset: 32, len: 7 };
        const FC: __rt::Buffer = __rt::Buffer { offset: 48, len: 7 };
        const BN: __rt::Buffer = __rt::Buffer { offset: 64, len: 7 };
        const RESIDUAL: __rt::Buffer = __rt::Buffer { offset: 80, len: 7 };
        const D_RESIDUAL: __rt::Buffer = __rt::Buffer { offset: 96, len: 7 };
        const D_BN: __rt::Buffer = __rt::Buffer { offset: 80, len: 7 };
        const D_CONCAT: __rt::Buffer = __rt::Buffer {
            offset: 112,
            len: 7,
        };
        const D_FC: __rt::Buffer = __rt::Buffer { offset: 64, len: 7 };
        const D_FC_X0: __rt::Buffer = __rt::Buffer { offset: 48, len: 7 };
        const D_X_TANH: __rt::Buffer = __rt::Buffer { offset: 32, len: 4 };
        const D_TABLE_TANH: __rt::Buffer = __rt::Buffer { offset: 48, len: 3 };
    }
    /// The phases of nodes that have several; the others run between them.
    enum __Phases {}
    impl __Phases
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        const ALL: [__rt::Phases; 2] = __rt::Phases::stack([
            __Slots::BN.phases(),
            __Slots::INNER.phases(),
        ]);
        const BN: __rt::Phases = Self::ALL[0];
        const INNER: __rt::Phases = Self::ALL[1];
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::TrainNode<__S> for Phases
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        const PHASES: usize = __Phases::INNER.last + 1;
        const MIN_BATCH: usize = __Slots::ALL.min_batch;
        const SAVED: usize = __Train::VALUES + __Slots::ALL.saved.end();
        const DEFERRED: usize = __Slots::ALL.deferred.end();
        const SHARD_SUMS: usize = __Slots::ALL.shard_sums.end();
        const PREPARED: usize = __Slots::ALL.prepared.end();
        const TRAIN_SCRATCH: usize = __Slots::ALL.scratch;
        const GRADIENT_TASKS: usize = __Slots::ALL.tasks.end();
        fn initialise(&mut self, key: __rt::RngKey) {
            __Slots::FC.initialise(&mut self.fc, key);
            __Slots::BN.initialise(&mut self.bn, key);
            __Slots::INNER.initialise(&mut self.inner, key);
        }
        fn prepare(&self, prepared: &mut [f32]) {
            __Slots::FC.prepare(&self.fc, prepared);
            __Slots::BN.prepare(&self.bn, prepared);
            __Slots::INNER.prepare(&self.inner, prepared);
        }
        fn gradient_end(task: usize) -> usize {
            if __Slots::FC.reaches_task(task) {
                return __Slots::FC.gradient_end(task);
            }
            if __Slots::BN.reaches_task(task) {
                return __Slots::BN.gradient_end(task);
            }
            if __Slots::INNER.reaches_task(task) {
                return __Slots::INNER.gradient_end(task);
            }
            __Slots::ALL.infer.weights.end()
        }
        fn gradient(task: usize, shards: __rt::Shards<'_>, d_weights: &mut [f32]) {
            if __Slots::FC.reaches_task(task) {
                return __Slots::FC.gradient(task, shards, d_weights);
            }
            if __Slots::BN.reaches_task(task) {
                return __Slots::BN.gradient(task, shards, d_weights);
            }
            if __Slots::INNER.reaches_task(task) {
                return __Slots::INNER.gradient(task, shards, d_weights);
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
                    let [out] = __rt::take(values, n, [__Train::X_TANH]);
                    out.copy_from_slice(x[0]);
                    __Slots::X_TANH.forward(&__rt::layers::Tanh, pass, out);
                }
                {
                    let [out] = __rt::take(values, n, [__Train::TABLE_TANH]);
                    out.copy_from_slice(x[1]);
                    __Slots::TABLE_TANH.forward(&__rt::layers::Tanh, pass, out);
                }
                {
                    let [x0, x1, out] = __rt::take(
                        values,
                        n,
                        [__Train::X_TANH, __Train::TABLE_TANH, __Train::CONCAT],
                    );
                    __Slots::CONCAT
                        .forward(
                            &__rt::layers::Concat,
                            pass,
                            0,
                            &[x0, x1],
                            out,
                            &mut ctx,
                        );
                }
                {
                    let [x0, out] = __rt::take(
                        values,
                        n,
                        [__Train::CONCAT, __Train::FC],
                    );
                    __Slots::FC.forward(&self.fc, pass, 0, &[x0], out, &mut ctx);
                }
            }
            if __Phases::BN.contain(phase) {
                let [x0, out] = __rt::take(values, n, [__Train::FC, __Train::BN]);
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
                    let [x0, x1, out] = __rt::take(
                        values,
                        n,
                        [__Train::BN, __Train::CONCAT, __Train::RESIDUAL],
                    );
                    __Slots::RESIDUAL
                        .forward(&__rt::layers::Add, pass, 0, &[x0, x1], out, &mut ctx);
                }
            }
            if __Phases::INNER.contain(phase) {
                let [x0] = __rt::take(values, n, [__Train::RESIDUAL]);
                __Slots::INNER
                    .forward(
                        &self.inner,
                        pass,
                        phase - __Phases::INNER.first,
                        &[x0],
                        y,
                        &mut ctx,
                    );
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
            if __Phases::INNER.contain_both(phase) {
                __Slots::INNER
                    .combine_forward(
                        &mut self.inner,
                        phase - __Phases::INNER.first,
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
            let asked_x0 = d_x0.is_some();
            let asked_x1 = d_x1.is_some();
            if __Phases::INNER.contain(phase) {
                let [x0, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::RESIDUAL, __Train::D_RESIDUAL],
                );
                let d_x = &mut [__rt::Some(&mut *d_in0)];
                __Slots::INNER
                    .backward(
                        &self.inner,
                        pass,
                        phase - __Phases::INNER.first,
                        &[x0],
                        y,
                        d_y,
                        d_x,
                        &mut ctx,
                    );
            }
            if phase == __Phases::BN.last {
                if __Slots::BN.ends_backward(&ctx) {
                    return;
                }
                {
                    let [d_out, d_in0, d_in1] = __rt::take(
                        values,
                        n,
                        [__Train::D_RESIDUAL, __Train::D_BN, __Train::D_CONCAT],
                    );
                    let d_x = &mut [
                        __rt::Some(&mut *d_in0),
                        (asked_x0 || asked_x1).then_some(&mut *d_in1),
                    ];
                    __Slots::RESIDUAL
                        .backward(
                            &__rt::layers::Add,
                            pass,
                            0,
                            &[&[], &[]],
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
                        [__Train::FC, __Train::D_BN, __Train::D_FC],
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
                if __Slots::FC.ends_backward(&ctx) {
                    return;
                }
                {
                    let [x0, d_out, d_in0, d_sum] = __rt::take(
                        values,
                        n,
                        [
                            __Train::CONCAT,
                            __Train::D_FC,
                            __Train::D_FC_X0,
                            __Train::D_CONCAT,
                        ],
                    );
                    let d_x = &mut [(asked_x0 || asked_x1).then_some(&mut *d_in0)];
                    __Slots::FC
                        .backward(&self.fc, pass, 0, &[x0], &[], d_out, d_x, &mut ctx);
                    __rt::add_to(d_sum, d_in0);
                }
                {
                    if asked_x0 || asked_x1 {
                        let [d_out, d_in0, d_in1] = __rt::take(
                            values,
                            n,
                            [__Train::D_CONCAT, __Train::D_X_TANH, __Train::D_TABLE_TANH],
                        );
                        let d_x = &mut [
                            (asked_x0).then_some(&mut *d_in0),
                            (asked_x1).then_some(&mut *d_in1),
                        ];
                        __Slots::CONCAT
                            .backward(
                                &__rt::layers::Concat,
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
                {
                    if asked_x1 {
                        let [out, d_out] = __rt::take(
                            values,
                            n,
                            [__Train::TABLE_TANH, __Train::D_TABLE_TANH],
                        );
                        __Slots::TABLE_TANH
                            .backward(&__rt::layers::Tanh, pass, out, d_out);
                        if let __rt::Some(d) = d_x1 {
                            d.copy_from_slice(d_out);
                        }
                    }
                }
                {
                    if asked_x0 {
                        let [out, d_out] = __rt::take(
                            values,
                            n,
                            [__Train::X_TANH, __Train::D_X_TANH],
                        );
                        __Slots::X_TANH.backward(&__rt::layers::Tanh, pass, out, d_out);
                        if let __rt::Some(d) = d_x0 {
                            d.copy_from_slice(d_out);
                        }
                    }
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
            if __Phases::INNER.contain_both(phase - 1) {
                __Slots::INNER
                    .combine_backward(
                        &self.inner,
                        phase - __Phases::INNER.first,
                        shards,
                        prepared,
                    );
            }
        }
    }
    impl __rt::Shaped for Phases
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        const INPUTS: &'static [__rt::Shape] = &[
            __rt::Shape::new(&[4]),
            __rt::Shape::new(&[3]),
        ];
        const INPUT_NAMES: &'static [&'static str] = &["x", "table"];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[2]);
        const PARAMS: usize = 70 + <Inner as __rt::Shaped>::PARAMS;
        const MACS: usize = 56 + <Inner as __rt::Shaped>::MACS;
        const LAYERS: &'static [__rt::LayerInfo] = &[
            __rt::LayerInfo::of::<__XTanh>("Tanh", 0, 0, 0),
            __rt::LayerInfo::of::<__TableTanh>("Tanh", 0, 0, 0),
            __rt::LayerInfo::of::<__Concat>("Concat", 0, 0, 0),
            __rt::LayerInfo::of::<__Fc>("Dense(7)", 56, 49, __Slots::FC.slot.offset()),
            __rt::LayerInfo::of::<__Bn>("BatchNorm", 14, 7, __Slots::BN.slot.offset()),
            __rt::LayerInfo::of::<__Relu>("ReLU", 0, 0, 0),
            __rt::LayerInfo::of::<__Residual>("Residual", 0, 0, 0),
            __rt::LayerInfo {
                name: "inner",
                kind: "Inner",
                output: __PHASES_SHAPE_7,
                params: <Inner as __rt::Shaped>::PARAMS,
                macs: <Inner as __rt::Shaped>::MACS,
                offset: __Slots::INNER.slot.offset(),
                inner: <Inner as __rt::Shaped>::LAYERS,
            },
        ];
        const GRAPH: __rt::Graph = __rt::Graph {
            inputs: &[__rt::Shape::new(&[4]), __rt::Shape::new(&[3])],
            nodes: &[
                __rt::GraphNode::of::<__XTanh>(&[0], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<__TableTanh>(&[1], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<
                    __Concat,
                >(
                    &[2, 3],
                    __rt::GraphLayer::new(
                        __rt::Features::Concat,
                        __rt::Channels::AsInput,
                        &[],
                    ),
                ),
                __rt::GraphNode::of::<
                    __Fc,
                >(
                    &[4],
                    __rt::GraphLayer::new(
                        __rt::Features::Any,
                        __rt::Channels::Last,
                        &[__rt::LayerWeights::of(&__Slots::FC.slot)],
                    ),
                ),
                __rt::GraphNode::of::<
                    __Bn,
                >(
                    &[5],
                    __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::AsInput,
                        &[__rt::LayerWeights::of(&__Slots::BN.slot)],
                    ),
                ),
                __rt::GraphNode::of::<__Relu>(&[6], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<__Residual>(&[7, 4], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<
                    __Spec7,
                >(
                    &[8],
                    __rt::GraphLayer::Custom {
                        graph: &<Inner as __rt::Shaped>::GRAPH,
                        offset: __Slots::INNER.slot.offset(),
                    },
                ),
            ],
            output: 9,
        };
    }
    impl __rt::Network for Phases
    where
        Inner: __rt::TrainEmbeds<__Spec7>,
    {
        type Input = ([f32; 4], [f32; 3]);
        type Output = [f32; 2];
    }
};
