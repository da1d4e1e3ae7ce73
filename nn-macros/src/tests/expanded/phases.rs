/// Statistics over the batch, between branches that begin at the network's inputs.
#[repr(C)]
struct Phases {
    /// `fc`: `Dense(7)`: 7 -> 7
    fc: unrolled::__private::layers::Dense<7, 7>,
    /// `bn`: `BatchNorm`: 7 -> 7
    bn: unrolled::__private::layers::BatchNorm<7>,
    /// `inner`: `Inner`: 7 -> computed
    inner: Inner,
}
const __PHASES_GIVEN_7: ::core::result::Result<
    unrolled::__private::Shape,
    unrolled::__private::ShapeError,
> = unrolled::__private::check_inputs(
    &<Inner as unrolled::__private::Shaped>::USE,
    &[unrolled::__private::Shape::new(&[7])],
);
const __PHASES_SHAPE_7: unrolled::__private::Shape = unrolled::__private::checks::or_stand_in(
    __PHASES_GIVEN_7,
    <Inner as unrolled::__private::Shaped>::OUTPUT,
);
const _: unrolled::__private::Shape = {
    use unrolled::__private::expect as __expect;
    let __found = __PHASES_GIVEN_7;
    let __way = unrolled::__private::trace(
        unrolled::__private::Shape::new(&[4]),
        &[
            ("Concat", unrolled::__private::Shape::new(&[7])),
            ("fc", unrolled::__private::Shape::new(&[7])),
        ],
    );
    let __way = __way.as_str();
    __expect(__found, "inner", __way)
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
    let __way = unrolled::__private::trace(
        unrolled::__private::Shape::new(&[4]),
        &[
            ("Concat", unrolled::__private::Shape::new(&[7])),
            ("fc", unrolled::__private::Shape::new(&[7])),
            ("inner", __PHASES_SHAPE_7),
        ],
    );
    let __way = __way.as_str();
    __expect(__found, "", __way)
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
    /// In training, values and their gradients (`D_`) live until backward has used them.
    enum __Train {}
    impl __Train
    where
        Inner: __rt::Standing<__Spec7>,
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
    /// At inference, values are overwritten as soon as nobody needs them.
    enum __Infer {}
    impl __Infer
    where
        Inner: __rt::Standing<__Spec7>,
    {
        const VALUES: usize = 48;
        const X_TANH: __rt::Buffer = __rt::Buffer { offset: 0, len: 4 };
        const TABLE_TANH: __rt::Buffer = __rt::Buffer { offset: 16, len: 3 };
        const CONCAT: __rt::Buffer = __rt::Buffer { offset: 32, len: 7 };
        const FC: __rt::Buffer = __rt::Buffer { offset: 0, len: 7 };
        const BN: __rt::Buffer = __rt::Buffer { offset: 16, len: 7 };
        const RESIDUAL: __rt::Buffer = __rt::Buffer { offset: 0, len: 7 };
    }
    /// The stations, what they own standing one behind the other.
    enum __Stations {}
    impl __Stations
    where
        Inner: __rt::Standing<__Spec7>,
    {
        const PARTS: [__rt::Part; 5] = __rt::Part::stack([
            __rt::Part::of::<__Concat, __rt::layers::Concat>(),
            __rt::Part::of::<__Fc, __rt::layers::Dense<7, 7>>(),
            __rt::Part::of::<__Bn, __rt::layers::BatchNorm<7>>(),
            __rt::Part::of::<__Residual, __rt::layers::Add>(),
            __rt::Part::of::<__Spec7, Inner>(),
        ]);
        const X_TANH: __rt::InPlace<__XTanh, __rt::layers::Tanh> = __rt::InPlace::ANYWHERE;
        const TABLE_TANH: __rt::InPlace<__TableTanh, __rt::layers::Tanh> = __rt::InPlace::ANYWHERE;
        const CONCAT: __rt::Place<__Concat, __rt::layers::Concat> = __rt::Place::at(
            Self::PARTS[0],
        );
        const FC: __rt::Place<__Fc, __rt::layers::Dense<7, 7>> = __rt::Place::at(
            Self::PARTS[1],
        );
        const BN: __rt::Place<__Bn, __rt::layers::BatchNorm<7>> = __rt::Place::at(
            Self::PARTS[2],
        );
        const RELU: __rt::InPlace<__Relu, __rt::layers::ReLU> = __rt::InPlace::ANYWHERE;
        const RESIDUAL: __rt::Place<__Residual, __rt::layers::Add> = __rt::Place::at(
            Self::PARTS[3],
        );
        const INNER: __rt::Place<__Spec7, Inner> = __rt::Place::at(Self::PARTS[4]);
        const ALL: __rt::Part = Self::PARTS[4];
    }
    /// The phases of stations that look across the batch; the others run between them.
    enum __Phases {}
    impl __Phases
    where
        Inner: __rt::Standing<__Spec7>,
    {
        const ALL: [__rt::Phases; 2] = __rt::Phases::stack([
            __Stations::BN.phases(),
            __Stations::INNER.phases(),
        ]);
        const BN: __rt::Phases = Self::ALL[0];
        const INNER: __rt::Phases = Self::ALL[1];
    }
    impl Phases
    where
        Inner: __rt::Standing<__Spec7>,
    {
        /// Inference on one sample, on the calling thread.
        #[inline]
        #[must_use]
        fn forward(&self, (x, table): (&[f32; 4], &[f32; 3])) -> [f32; 2] {
            const { <Self as unrolled::__private::Network>::CHECKS }
            unrolled::__private::infer_one(
                self,
                &[
                    unrolled::__private::Values::as_floats(x),
                    unrolled::__private::Values::as_floats(table),
                ],
            )
        }
    }
    /// SAFETY: `repr(C)`; every field is `Weights`, since `Station` asks for that, and `LEN`
    /// checks that nothing stands between them.
    unsafe impl __rt::Weights for Phases
    where
        Inner: __rt::Standing<__Spec7>,
    {
        const LEN: usize = __rt::len_of_fields::<Self>(__Stations::ALL.weights.end());
    }
    impl<__S: __rt::Spec> __rt::Station<__S> for Phases
    where
        Inner: __rt::Standing<__Spec7>,
    {
        const PHASES: usize = __Phases::INNER.last + 1;
        const LEAST_BATCH: usize = __Stations::ALL.least_batch;
        const SHARD: usize = __Stations::ALL.shard;
        const SAVED: usize = __Train::VALUES + __Stations::ALL.saved.end();
        const WORK: usize = __Infer::VALUES + __Stations::ALL.work;
        const STEP_WORK: usize = 0;
        const SCRATCH: usize = __Stations::ALL.scratch;
        const KEPT: usize = __Stations::ALL.kept.end();
        const PARTIAL: usize = __Stations::ALL.partial.end();
        const SHARED: usize = __Stations::ALL.shared.end();
        const STATE: usize = __Stations::ALL.state.end();
        const GRADIENT_TASKS: usize = __Stations::ALL.tasks.end();
        fn initialise(&mut self, streams: __rt::Streams) {
            __Stations::FC.initialise(&mut self.fc, streams);
            __Stations::BN.initialise(&mut self.bn, streams);
            __Stations::INNER.initialise(&mut self.inner, streams);
        }
        fn tensors() -> ::std::vec::Vec<__rt::Tensor> {
            let mut all = ::std::vec::Vec::new();
            all.extend(__Stations::FC.tensors());
            all.extend(__Stations::BN.tensors());
            all.extend(__Stations::INNER.tensors());
            all
        }
        fn prepare(&self, shared: &mut [f32]) {
            __Stations::FC.prepare(&self.fc, shared);
            __Stations::BN.prepare(&self.bn, shared);
            __Stations::INNER.prepare(&self.inner, shared);
        }
        fn gradient_end(task: usize) -> usize {
            if __Stations::FC.reaches_task(task) {
                return __Stations::FC.gradient_end(task);
            }
            if __Stations::BN.reaches_task(task) {
                return __Stations::BN.gradient_end(task);
            }
            if __Stations::INNER.reaches_task(task) {
                return __Stations::INNER.gradient_end(task);
            }
            __Stations::ALL.weights.end()
        }
        fn gradient(task: usize, shards: __rt::Shards<'_>, d_weights: &mut [f32]) {
            if __Stations::FC.reaches_task(task) {
                return __Stations::FC.gradient(task, shards, d_weights);
            }
            if __Stations::BN.reaches_task(task) {
                return __Stations::BN.gradient(task, shards, d_weights);
            }
            if __Stations::INNER.reaches_task(task) {
                return __Stations::INNER.gradient(task, shards, d_weights);
            }
        }
        fn infer(
            &self,
            n: usize,
            x: &[&[f32]],
            y: &mut [f32],
            memory: __rt::WorkMemory<'_>,
        ) {
            __rt::Station::<__S>::infer_inlined(self, __rt::AtRunTime, n, x, y, memory);
        }
        #[inline(always)]
        fn infer_inlined<__I: __rt::Instructions>(
            &self,
            isa: __I,
            n: usize,
            x: &[&[f32]],
            y: &mut [f32],
            memory: __rt::WorkMemory<'_>,
        ) {
            let outer = memory.lengths;
            let (values, mut memory) = memory.split_values(n * __Infer::VALUES);
            memory.lengths = outer.inside::<__S>();
            {
                let [out] = __rt::take(values, n, [__Infer::X_TANH]);
                out.copy_from_slice(x[0]);
                __Stations::X_TANH.infer(isa, &__rt::layers::Tanh, n, out);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::TABLE_TANH]);
                out.copy_from_slice(x[1]);
                __Stations::TABLE_TANH.infer(isa, &__rt::layers::Tanh, n, out);
            }
            {
                let [x0, x1, out] = __rt::take(
                    values,
                    n,
                    [__Infer::X_TANH, __Infer::TABLE_TANH, __Infer::CONCAT],
                );
                __Stations::CONCAT
                    .infer(isa, &__rt::layers::Concat, n, &[x0, x1], out, &mut memory);
            }
            {
                let [x0, out] = __rt::take(values, n, [__Infer::CONCAT, __Infer::FC]);
                __Stations::FC.infer(isa, &self.fc, n, &[x0], out, &mut memory);
            }
            {
                let [x0, out] = __rt::take(values, n, [__Infer::FC, __Infer::BN]);
                __Stations::BN.infer(isa, &self.bn, n, &[x0], out, &mut memory);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::BN]);
                __Stations::RELU.infer(isa, &__rt::layers::ReLU, n, out);
            }
            {
                let [x0, x1, out] = __rt::take(
                    values,
                    n,
                    [__Infer::BN, __Infer::CONCAT, __Infer::RESIDUAL],
                );
                __Stations::RESIDUAL
                    .infer(isa, &__rt::layers::Add, n, &[x0, x1], out, &mut memory);
            }
            {
                let [x0] = __rt::take(values, n, [__Infer::RESIDUAL]);
                __Stations::INNER.infer(isa, &self.inner, n, &[x0], y, &mut memory);
            }
        }
        fn forward(
            &self,
            pass: &__rt::Pass,
            phase: usize,
            x: &[&[f32]],
            y: &mut [f32],
            memory: __rt::Memory<'_>,
        ) {
            let n = pass.n;
            let outer = memory.lengths;
            let (values, mut memory) = memory.split_values(n * __Train::VALUES);
            memory.lengths = outer.inside::<__S>();
            if phase == 0 {
                {
                    let [out] = __rt::take(values, n, [__Train::X_TANH]);
                    out.copy_from_slice(x[0]);
                    __Stations::X_TANH.forward(&__rt::layers::Tanh, pass, out);
                }
                {
                    let [out] = __rt::take(values, n, [__Train::TABLE_TANH]);
                    out.copy_from_slice(x[1]);
                    __Stations::TABLE_TANH.forward(&__rt::layers::Tanh, pass, out);
                }
                {
                    let [x0, x1, out] = __rt::take(
                        values,
                        n,
                        [__Train::X_TANH, __Train::TABLE_TANH, __Train::CONCAT],
                    );
                    __Stations::CONCAT
                        .forward(
                            &__rt::layers::Concat,
                            pass,
                            0,
                            &[x0, x1],
                            out,
                            &mut memory,
                        );
                }
                {
                    let [x0, out] = __rt::take(
                        values,
                        n,
                        [__Train::CONCAT, __Train::FC],
                    );
                    __Stations::FC.forward(&self.fc, pass, 0, &[x0], out, &mut memory);
                }
            }
            if __Phases::BN.contain(phase) {
                let [x0, out] = __rt::take(values, n, [__Train::FC, __Train::BN]);
                __Stations::BN
                    .forward(
                        &self.bn,
                        pass,
                        phase - __Phases::BN.first,
                        &[x0],
                        out,
                        &mut memory,
                    );
            }
            if phase == __Phases::BN.last {
                {
                    let [out] = __rt::take(values, n, [__Train::BN]);
                    __Stations::RELU.forward(&__rt::layers::ReLU, pass, out);
                }
                {
                    let [x0, x1, out] = __rt::take(
                        values,
                        n,
                        [__Train::BN, __Train::CONCAT, __Train::RESIDUAL],
                    );
                    __Stations::RESIDUAL
                        .forward(
                            &__rt::layers::Add,
                            pass,
                            0,
                            &[x0, x1],
                            out,
                            &mut memory,
                        );
                }
            }
            if __Phases::INNER.contain(phase) {
                let [x0] = __rt::take(values, n, [__Train::RESIDUAL]);
                __Stations::INNER
                    .forward(
                        &self.inner,
                        pass,
                        phase - __Phases::INNER.first,
                        &[x0],
                        y,
                        &mut memory,
                    );
            }
        }
        fn combine_forward(
            &mut self,
            phase: usize,
            shards: __rt::Shards<'_>,
            shared: &mut [f32],
        ) {
            if __Phases::BN.contain_both(phase) {
                __Stations::BN
                    .combine_forward(
                        &mut self.bn,
                        phase - __Phases::BN.first,
                        shards,
                        shared,
                    );
            }
            if __Phases::INNER.contain_both(phase) {
                __Stations::INNER
                    .combine_forward(
                        &mut self.inner,
                        phase - __Phases::INNER.first,
                        shards,
                        shared,
                    );
            }
        }
        fn backward(
            &self,
            pass: &__rt::Pass,
            phase: usize,
            x: &[&[f32]],
            y: &[f32],
            d_y: &mut [f32],
            d_x: &mut [::core::option::Option<&mut [f32]>],
            memory: __rt::Memory<'_>,
        ) {
            let n = pass.n;
            let outer = memory.lengths;
            let (values, mut memory) = memory.split_values(n * __Train::VALUES);
            memory.lengths = outer.inside::<__S>();
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
                let d_x = &mut [::core::option::Option::Some(&mut *d_in0)];
                __Stations::INNER
                    .backward(
                        &self.inner,
                        pass,
                        phase - __Phases::INNER.first,
                        &[x0],
                        y,
                        d_y,
                        d_x,
                        &mut memory,
                    );
            }
            if phase == __Phases::BN.last {
                {
                    let [d_out, d_in0, d_in1] = __rt::take(
                        values,
                        n,
                        [__Train::D_RESIDUAL, __Train::D_BN, __Train::D_CONCAT],
                    );
                    let d_x = &mut [
                        ::core::option::Option::Some(&mut *d_in0),
                        (asked_x0 || asked_x1).then_some(&mut *d_in1),
                    ];
                    __Stations::RESIDUAL
                        .backward(
                            &__rt::layers::Add,
                            pass,
                            0,
                            &[&[], &[]],
                            &[],
                            d_out,
                            d_x,
                            &mut memory,
                        );
                }
                {
                    let [out, d_out] = __rt::take(
                        values,
                        n,
                        [__Train::BN, __Train::D_BN],
                    );
                    __Stations::RELU.backward(&__rt::layers::ReLU, pass, out, d_out);
                }
            }
            if __Phases::BN.contain(phase) {
                let [x0, d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::FC, __Train::D_BN, __Train::D_FC],
                );
                let d_x = &mut [::core::option::Option::Some(&mut *d_in0)];
                __Stations::BN
                    .backward(
                        &self.bn,
                        pass,
                        phase - __Phases::BN.first,
                        &[x0],
                        &[],
                        d_out,
                        d_x,
                        &mut memory,
                    );
            }
            if phase == 0 {
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
                    __Stations::FC
                        .backward(
                            &self.fc,
                            pass,
                            0,
                            &[x0],
                            &[],
                            d_out,
                            d_x,
                            &mut memory,
                        );
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
                        __Stations::CONCAT
                            .backward(
                                &__rt::layers::Concat,
                                pass,
                                0,
                                &[&[], &[]],
                                &[],
                                d_out,
                                d_x,
                                &mut memory,
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
                        __Stations::TABLE_TANH
                            .backward(&__rt::layers::Tanh, pass, out, d_out);
                        if let ::core::option::Option::Some(d) = d_x1 {
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
                        __Stations::X_TANH
                            .backward(&__rt::layers::Tanh, pass, out, d_out);
                        if let ::core::option::Option::Some(d) = d_x0 {
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
            shared: &mut [f32],
        ) {
            if __Phases::BN.contain_both(phase - 1) {
                __Stations::BN
                    .combine_backward(
                        &self.bn,
                        phase - __Phases::BN.first,
                        shards,
                        shared,
                    );
            }
            if __Phases::INNER.contain_both(phase - 1) {
                __Stations::INNER
                    .combine_backward(
                        &self.inner,
                        phase - __Phases::INNER.first,
                        shards,
                        shared,
                    );
            }
        }
    }
    impl __rt::Shaped for Phases
    where
        Inner: __rt::Standing<__Spec7>,
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
            __rt::LayerInfo {
                name: "x.tanh",
                kind: "Tanh",
                output: __rt::Shape::new(&[4]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "table.tanh",
                kind: "Tanh",
                output: __rt::Shape::new(&[3]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "concat",
                kind: "Concat",
                output: __rt::Shape::new(&[7]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "fc",
                kind: "Dense(7)",
                output: __rt::Shape::new(&[7]),
                params: 56,
                macs: 49,
                offset: __Stations::FC.offset(),
                inner: &[],
            },
            __rt::LayerInfo {
                name: "bn",
                kind: "BatchNorm",
                output: __rt::Shape::new(&[7]),
                params: 14,
                macs: 7,
                offset: __Stations::BN.offset(),
                inner: &[],
            },
            __rt::LayerInfo {
                name: "relu",
                kind: "ReLU",
                output: __rt::Shape::new(&[7]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "residual",
                kind: "Residual",
                output: __rt::Shape::new(&[7]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "inner",
                kind: "Inner",
                output: __PHASES_SHAPE_7,
                params: <Inner as __rt::Shaped>::PARAMS,
                macs: <Inner as __rt::Shaped>::MACS,
                offset: __Stations::INNER.offset(),
                inner: <Inner as __rt::Shaped>::LAYERS,
            },
        ];
    }
    impl __rt::Network for Phases
    where
        Inner: __rt::Standing<__Spec7>,
    {
        type Input = ([f32; 4], [f32; 3]);
        type Output = [f32; 2];
    }
};
