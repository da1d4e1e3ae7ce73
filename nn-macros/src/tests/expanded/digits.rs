/// Classifies handwritten digits.
///
/// `Digits(28x28x1) -> 10`
///
/// | layer | kind | output | parameters |
/// |---|---|---|--:|
/// | [`conv1`](Self::conv1) | `Conv2d(32, kernel = 3)` | 26x26x32 | 320 |
/// | `relu` | `ReLU` | 26x26x32 | 0 |
/// | `max_pool2d` | `MaxPool2d(2)` | 13x13x32 | 0 |
/// | [`conv2`](Self::conv2) | `Conv2d(64, kernel = 3)` | 11x11x64 | 18,496 |
/// | `relu_2` | `ReLU` | 11x11x64 | 0 |
/// | `max_pool2d_2` | `MaxPool2d(2)` | 5x5x64 | 0 |
/// | `flatten` | `Flatten` | 1600 | 0 |
/// | [`fc1`](Self::fc1) | `Dense(128)` | 128 | 204,928 |
/// | `relu_3` | `ReLU` | 128 | 0 |
/// | `dropout` | `Dropout(0.5)` | 128 | 0 |
/// | [`fc2`](Self::fc2) | `Dense(10)` | 10 | 1,290 |
/// | | | **total** | **225,034** |
#[allow(
    clippy::struct_field_names,
    clippy::pub_underscore_fields,
    clippy::exhaustive_structs,
    reason = "a field for each of the user's lines"
)]
#[repr(C)]
pub struct Digits {
    /// `conv1`: `Conv2d(32, kernel = 3)`: 28x28x1 -> 26x26x32, 320 parameters
    pub conv1: unrolled::__private::layers::Conv2d<32, 1, 3, 3>,
    /// `conv2`: `Conv2d(64, kernel = 3)`: 13x13x32 -> 11x11x64, 18,496 parameters
    pub conv2: unrolled::__private::layers::Conv2d<64, 32, 3, 3>,
    /// `fc1`: `Dense(128)`: 1600 -> 128, 204,928 parameters
    pub fc1: unrolled::__private::layers::Dense<1600, 128>,
    /// `fc2`: `Dense(10)`: 128 -> 10, 1,290 parameters
    pub fc2: unrolled::__private::layers::Dense<128, 10>,
}
#[allow(clippy::all, reason = "comparisons of constants that are the same by chance")]
const _: () = {
    use unrolled::__private as __rt;
    /// `conv1`: `Conv2d(32, kernel = 3)`: 28x28x1 -> 26x26x32
    enum __Conv1 {}
    impl __rt::Spec for __Conv1 {
        type Arguments = __rt::rules::conv2d::Conv2d;
        const ARGUMENTS: Self::Arguments = __rt::rules::conv2d::Conv2d {
            out_channels: 32,
            kernel: [3, 3],
            stride: [1, 1],
            padding: __rt::Padding::Explicit([0, 0]),
            dilation: [1, 1],
            groups: 1,
            bias: true,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[28, 28, 1])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[26, 26, 32]);
        const NAME: &'static str = "conv1";
    }
    type __Conv1Layer = __rt::layers::Conv2d<32, 1, 3, 3>;
    /// `relu`: `ReLU`: 26x26x32 -> 26x26x32
    enum __Relu {}
    impl __rt::Spec for __Relu {
        type Arguments = __rt::rules::relu::ReLU;
        const ARGUMENTS: Self::Arguments = __rt::rules::relu::ReLU {};
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[26, 26, 32])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[26, 26, 32]);
        const NAME: &'static str = "relu";
    }
    /// `max_pool2d`: `MaxPool2d(2)`: 26x26x32 -> 13x13x32
    enum __MaxPool2d {}
    impl __rt::Spec for __MaxPool2d {
        type Arguments = __rt::rules::max_pool2d::MaxPool2d;
        const ARGUMENTS: Self::Arguments = __rt::rules::max_pool2d::MaxPool2d {
            kernel: [2, 2],
            stride: ::core::option::Option::None,
            padding: __rt::Padding::Explicit([0, 0]),
            dilation: [1, 1],
            ceil_mode: false,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[26, 26, 32])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[13, 13, 32]);
        const NAME: &'static str = "max_pool2d";
    }
    /// `conv2`: `Conv2d(64, kernel = 3)`: 13x13x32 -> 11x11x64
    enum __Conv2 {}
    impl __rt::Spec for __Conv2 {
        type Arguments = __rt::rules::conv2d::Conv2d;
        const ARGUMENTS: Self::Arguments = __rt::rules::conv2d::Conv2d {
            out_channels: 64,
            kernel: [3, 3],
            stride: [1, 1],
            padding: __rt::Padding::Explicit([0, 0]),
            dilation: [1, 1],
            groups: 1,
            bias: true,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[13, 13, 32])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[11, 11, 64]);
        const NAME: &'static str = "conv2";
    }
    type __Conv2Layer = __rt::layers::Conv2d<64, 32, 3, 3>;
    /// `relu_2`: `ReLU`: 11x11x64 -> 11x11x64
    enum __Relu2 {}
    impl __rt::Spec for __Relu2 {
        type Arguments = __rt::rules::relu::ReLU;
        const ARGUMENTS: Self::Arguments = __rt::rules::relu::ReLU {};
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[11, 11, 64])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[11, 11, 64]);
        const NAME: &'static str = "relu_2";
    }
    /// `max_pool2d_2`: `MaxPool2d(2)`: 11x11x64 -> 5x5x64
    enum __MaxPool2d2 {}
    impl __rt::Spec for __MaxPool2d2 {
        type Arguments = __rt::rules::max_pool2d::MaxPool2d;
        const ARGUMENTS: Self::Arguments = __rt::rules::max_pool2d::MaxPool2d {
            kernel: [2, 2],
            stride: ::core::option::Option::None,
            padding: __rt::Padding::Explicit([0, 0]),
            dilation: [1, 1],
            ceil_mode: false,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[11, 11, 64])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[5, 5, 64]);
        const NAME: &'static str = "max_pool2d_2";
    }
    /// `fc1`: `Dense(128)`: 1600 -> 128
    enum __Fc1 {}
    impl __rt::Spec for __Fc1 {
        type Arguments = __rt::rules::dense::Dense;
        const ARGUMENTS: Self::Arguments = __rt::rules::dense::Dense {
            units: 128,
            bias: true,
            weight: ::core::option::Option::None,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[1600])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[128]);
        const NAME: &'static str = "fc1";
    }
    type __Fc1Layer = __rt::layers::Dense<1600, 128>;
    /// `relu_3`: `ReLU`: 128 -> 128
    enum __Relu3 {}
    impl __rt::Spec for __Relu3 {
        type Arguments = __rt::rules::relu::ReLU;
        const ARGUMENTS: Self::Arguments = __rt::rules::relu::ReLU {};
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[128])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[128]);
        const NAME: &'static str = "relu_3";
    }
    /// `dropout`: `Dropout(0.5)`: 128 -> 128
    enum __Dropout {}
    impl __rt::Spec for __Dropout {
        type Arguments = __rt::rules::dropout::Dropout;
        const ARGUMENTS: Self::Arguments = __rt::rules::dropout::Dropout {
            p: 0.5,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[128])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[128]);
        const NAME: &'static str = "dropout";
    }
    /// `fc2`: `Dense(10)`: 128 -> 10
    enum __Fc2 {}
    impl __rt::Spec for __Fc2 {
        type Arguments = __rt::rules::dense::Dense;
        const ARGUMENTS: Self::Arguments = __rt::rules::dense::Dense {
            units: 10,
            bias: true,
            weight: ::core::option::Option::None,
        };
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[128])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[10]);
        const NAME: &'static str = "fc2";
    }
    type __Fc2Layer = __rt::layers::Dense<128, 10>;
    /// At inference, values are overwritten as soon as no node reads them any more.
    enum __Infer {}
    impl __Infer {
        const VALUES: usize = 7008;
        const MAX_POOL2D: __rt::Buffer = __rt::Buffer {
            offset: 0,
            len: 5408,
        };
        const MAX_POOL2D_2: __rt::Buffer = __rt::Buffer {
            offset: 5408,
            len: 1600,
        };
        const FC1: __rt::Buffer = __rt::Buffer {
            offset: 0,
            len: 128,
        };
    }
    /// The nodes, what they own laid out one after the other.
    enum __Slots {}
    impl __Slots {
        const LAYOUTS: [__rt::TrainLayout; 6] = __rt::TrainLayout::stack([
            __rt::TrainLayout::of::<__Conv1, __Conv1Layer>(),
            __rt::TrainLayout::of::<__MaxPool2d, __rt::layers::MaxPool2d>(),
            __rt::TrainLayout::of::<__Conv2, __Conv2Layer>(),
            __rt::TrainLayout::of::<__MaxPool2d2, __rt::layers::MaxPool2d>(),
            __rt::TrainLayout::of::<__Fc1, __Fc1Layer>(),
            __rt::TrainLayout::of::<__Fc2, __Fc2Layer>(),
        ]);
        const ALL: __rt::TrainLayout = Self::LAYOUTS[5];
        const CONV1: __rt::TrainSlot<__Conv1, __Conv1Layer> = __rt::TrainSlot::new(
            Self::LAYOUTS[0],
        );
        const RELU: __rt::InPlaceSlot<__Relu, __rt::layers::ReLU> = __rt::InPlaceSlot::NEW;
        const MAX_POOL2D: __rt::TrainSlot<__MaxPool2d, __rt::layers::MaxPool2d> = __rt::TrainSlot::new(
            Self::LAYOUTS[1],
        );
        const CONV2: __rt::TrainSlot<__Conv2, __Conv2Layer> = __rt::TrainSlot::new(
            Self::LAYOUTS[2],
        );
        const RELU_2: __rt::InPlaceSlot<__Relu2, __rt::layers::ReLU> = __rt::InPlaceSlot::NEW;
        const MAX_POOL2D_2: __rt::TrainSlot<__MaxPool2d2, __rt::layers::MaxPool2d> = __rt::TrainSlot::new(
            Self::LAYOUTS[3],
        );
        const FC1: __rt::TrainSlot<__Fc1, __Fc1Layer> = __rt::TrainSlot::new(
            Self::LAYOUTS[4],
        );
        const RELU_3: __rt::InPlaceSlot<__Relu3, __rt::layers::ReLU> = __rt::InPlaceSlot::NEW;
        const DROPOUT: __rt::InPlaceSlot<__Dropout, __rt::layers::Dropout> = __rt::InPlaceSlot::NEW;
        const FC2: __rt::TrainSlot<__Fc2, __Fc2Layer> = __rt::TrainSlot::new(
            Self::LAYOUTS[5],
        );
    }
    impl Digits {
        /// Inference on one sample. Large networks divide it among threads.
        #[inline]
        #[must_use]
        pub fn forward(&self, input: &[[[f32; 1]; 28]; 28]) -> [f32; 10] {
            unrolled::__private::infer_one(
                self,
                &[unrolled::__private::Values::as_floats(input)],
            )
        }
        /// As `forward`, with the output written to `output`, which may be too large for the stack.
        #[allow(dead_code, reason = "a program may call `forward` only")]
        #[inline]
        pub fn forward_into(
            &self,
            input: &[[[f32; 1]; 28]; 28],
            output: &mut [f32; 10],
        ) {
            unrolled::__private::infer_one_into(
                self,
                &[unrolled::__private::Values::as_floats(input)],
                output,
            );
        }
    }
    unsafe impl __rt::Weights for Digits {
        const LEN: usize = {
            let _ = |Self { conv1: _, conv2: _, fc1: _, fc2: _ }: &Self| {};
            __rt::len_of_fields::<Self>(__Slots::ALL.infer.weights.end())
        };
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::Node<__S> for Digits {
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
                let [out] = __rt::take(values, n, [__Infer::MAX_POOL2D]);
                __Slots::CONV1
                    .slot
                    .infer_pooled::<__MaxPool2d>(&self.conv1, n, &[x[0]], out, &mut ctx);
                __Slots::RELU.infer(isa, &__rt::layers::ReLU, n, out);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Infer::MAX_POOL2D, __Infer::MAX_POOL2D_2],
                );
                __Slots::CONV2
                    .slot
                    .infer_pooled::<__MaxPool2d2>(&self.conv2, n, &[x0], out, &mut ctx);
                __Slots::RELU_2.infer(isa, &__rt::layers::ReLU, n, out);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Infer::MAX_POOL2D_2, __Infer::FC1],
                );
                __Slots::FC1.slot.infer(isa, &self.fc1, n, &[x0], out, &mut ctx);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::FC1]);
                __Slots::RELU_3.infer(isa, &__rt::layers::ReLU, n, out);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::FC1]);
                __Slots::DROPOUT.infer(isa, &__rt::layers::Dropout, n, out);
            }
            {
                let [x0] = __rt::take(values, n, [__Infer::FC1]);
                __Slots::FC2.slot.infer(isa, &self.fc2, n, &[x0], y, &mut ctx);
            }
        }
    }
    /// In training, values and their gradients (`D_`) live until backward has used them.
    enum __Train {}
    impl __Train {
        const VALUES: usize = 48672;
        const CONV1: __rt::Buffer = __rt::Buffer {
            offset: 0,
            len: 21632,
        };
        const MAX_POOL2D: __rt::Buffer = __rt::Buffer {
            offset: 37120,
            len: 5408,
        };
        const CONV2: __rt::Buffer = __rt::Buffer {
            offset: 21632,
            len: 7744,
        };
        const MAX_POOL2D_2: __rt::Buffer = __rt::Buffer {
            offset: 29376,
            len: 1600,
        };
        const FC1: __rt::Buffer = __rt::Buffer {
            offset: 30976,
            len: 128,
        };
        const DROPOUT: __rt::Buffer = __rt::Buffer {
            offset: 31104,
            len: 128,
        };
        const D_FC1: __rt::Buffer = __rt::Buffer {
            offset: 31232,
            len: 128,
        };
        const D_MAX_POOL2D_2: __rt::Buffer = __rt::Buffer {
            offset: 42528,
            len: 1600,
        };
        const D_CONV2: __rt::Buffer = __rt::Buffer {
            offset: 29376,
            len: 7744,
        };
        const D_MAX_POOL2D: __rt::Buffer = __rt::Buffer {
            offset: 43264,
            len: 5408,
        };
        const D_CONV1: __rt::Buffer = __rt::Buffer {
            offset: 21632,
            len: 21632,
        };
    }
    #[doc(hidden)]
    impl<__S: __rt::Spec> __rt::TrainNode<__S> for Digits {
        const PHASES: usize = 1;
        const MIN_BATCH: usize = __Slots::ALL.min_batch;
        const SAVED: usize = __Train::VALUES + __Slots::ALL.saved.end();
        const DEFERRED: usize = __Slots::ALL.deferred.end();
        const SHARD_SUMS: usize = __Slots::ALL.shard_sums.end();
        const PREPARED: usize = __Slots::ALL.prepared.end();
        const TRAIN_SCRATCH: usize = __Slots::ALL.scratch;
        const GRADIENT_TASKS: usize = __Slots::ALL.tasks.end();
        fn initialise(&mut self, key: __rt::RngKey) {
            __Slots::CONV1.initialise(&mut self.conv1, key);
            __Slots::CONV2.initialise(&mut self.conv2, key);
            __Slots::FC1.initialise(&mut self.fc1, key);
            __Slots::FC2.initialise(&mut self.fc2, key);
        }
        fn prepare(&self, prepared: &mut [f32]) {
            __Slots::CONV1.prepare(&self.conv1, prepared);
            __Slots::CONV2.prepare(&self.conv2, prepared);
            __Slots::FC1.prepare(&self.fc1, prepared);
            __Slots::FC2.prepare(&self.fc2, prepared);
        }
        fn gradient_end(task: usize) -> usize {
            if __Slots::CONV1.reaches_task(task) {
                return __Slots::CONV1.gradient_end(task);
            }
            if __Slots::CONV2.reaches_task(task) {
                return __Slots::CONV2.gradient_end(task);
            }
            if __Slots::FC1.reaches_task(task) {
                return __Slots::FC1.gradient_end(task);
            }
            if __Slots::FC2.reaches_task(task) {
                return __Slots::FC2.gradient_end(task);
            }
            __Slots::ALL.infer.weights.end()
        }
        fn gradient(task: usize, shards: __rt::Shards<'_>, d_weights: &mut [f32]) {
            if __Slots::CONV1.reaches_task(task) {
                return __Slots::CONV1.gradient(task, shards, d_weights);
            }
            if __Slots::CONV2.reaches_task(task) {
                return __Slots::CONV2.gradient(task, shards, d_weights);
            }
            if __Slots::FC1.reaches_task(task) {
                return __Slots::FC1.gradient(task, shards, d_weights);
            }
            if __Slots::FC2.reaches_task(task) {
                return __Slots::FC2.gradient(task, shards, d_weights);
            }
        }
        fn forward_shard(&self, call: __rt::Forward<'_>) {
            let __rt::Forward { pass, phase, x, y, ctx } = call;
            let n = pass.n;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * __Train::VALUES);
            ctx.lengths = outer.inside::<__S>();
            {
                let [out] = __rt::take(values, n, [__Train::CONV1]);
                __Slots::CONV1.forward(&self.conv1, pass, 0, &[x[0]], out, &mut ctx);
            }
            {
                let [out] = __rt::take(values, n, [__Train::CONV1]);
                __Slots::RELU.forward(&__rt::layers::ReLU, pass, out);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::CONV1, __Train::MAX_POOL2D],
                );
                __Slots::MAX_POOL2D
                    .forward(&__rt::layers::MaxPool2d, pass, 0, &[x0], out, &mut ctx);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::MAX_POOL2D, __Train::CONV2],
                );
                __Slots::CONV2.forward(&self.conv2, pass, 0, &[x0], out, &mut ctx);
            }
            {
                let [out] = __rt::take(values, n, [__Train::CONV2]);
                __Slots::RELU_2.forward(&__rt::layers::ReLU, pass, out);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::CONV2, __Train::MAX_POOL2D_2],
                );
                __Slots::MAX_POOL2D_2
                    .forward(&__rt::layers::MaxPool2d, pass, 0, &[x0], out, &mut ctx);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::MAX_POOL2D_2, __Train::FC1],
                );
                __Slots::FC1.forward(&self.fc1, pass, 0, &[x0], out, &mut ctx);
            }
            {
                let [out] = __rt::take(values, n, [__Train::FC1]);
                __Slots::RELU_3.forward(&__rt::layers::ReLU, pass, out);
            }
            {
                let [x0, out] = __rt::take(values, n, [__Train::FC1, __Train::DROPOUT]);
                out.copy_from_slice(x0);
                __Slots::DROPOUT.forward(&__rt::layers::Dropout, pass, out);
            }
            {
                let [x0] = __rt::take(values, n, [__Train::DROPOUT]);
                __Slots::FC2.forward(&self.fc2, pass, 0, &[x0], y, &mut ctx);
            }
        }
        fn backward_shard(&self, call: __rt::Backward<'_, '_>) {
            let __rt::Backward { pass, phase, x, y, d_y, d_x, ctx } = call;
            let n = pass.n;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * __Train::VALUES);
            ctx.lengths = outer.inside::<__S>();
            let [d_x0] = d_x else { ::core::panic!("one gradient for each input") };
            {
                let [x0, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::DROPOUT, __Train::D_FC1],
                );
                let d_x = &mut [__rt::Some(&mut *d_in0)];
                __Slots::FC2
                    .backward(&self.fc2, pass, 0, &[x0], &[], d_y, d_x, &mut ctx);
            }
            if __Slots::FC1.ends_backward(&ctx) {
                return;
            }
            {
                let [d_out] = __rt::take(values, n, [__Train::D_FC1]);
                __Slots::DROPOUT.backward(&__rt::layers::Dropout, pass, &[], d_out);
            }
            {
                let [out, d_out] = __rt::take(values, n, [__Train::FC1, __Train::D_FC1]);
                __Slots::RELU_3.backward(&__rt::layers::ReLU, pass, out, d_out);
            }
            {
                let [x0, d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::MAX_POOL2D_2, __Train::D_FC1, __Train::D_MAX_POOL2D_2],
                );
                let d_x = &mut [__rt::Some(&mut *d_in0)];
                __Slots::FC1
                    .backward(&self.fc1, pass, 0, &[x0], &[], d_out, d_x, &mut ctx);
            }
            if __Slots::CONV2.ends_backward(&ctx) {
                return;
            }
            {
                let [d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::D_MAX_POOL2D_2, __Train::D_CONV2],
                );
                let d_x = &mut [__rt::Some(&mut *d_in0)];
                __Slots::MAX_POOL2D_2
                    .backward(
                        &__rt::layers::MaxPool2d,
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
                    [__Train::CONV2, __Train::D_CONV2],
                );
                __Slots::RELU_2.backward(&__rt::layers::ReLU, pass, out, d_out);
            }
            {
                let [x0, d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::MAX_POOL2D, __Train::D_CONV2, __Train::D_MAX_POOL2D],
                );
                let d_x = &mut [__rt::Some(&mut *d_in0)];
                __Slots::CONV2
                    .backward(&self.conv2, pass, 0, &[x0], &[], d_out, d_x, &mut ctx);
            }
            if __Slots::CONV1.ends_backward(&ctx) {
                return;
            }
            {
                let [d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::D_MAX_POOL2D, __Train::D_CONV1],
                );
                let d_x = &mut [__rt::Some(&mut *d_in0)];
                __Slots::MAX_POOL2D
                    .backward(
                        &__rt::layers::MaxPool2d,
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
                    [__Train::CONV1, __Train::D_CONV1],
                );
                __Slots::RELU.backward(&__rt::layers::ReLU, pass, out, d_out);
            }
            {
                let [d_out] = __rt::take(values, n, [__Train::D_CONV1]);
                let d_x = &mut [d_x0.as_deref_mut()];
                __Slots::CONV1
                    .backward(&self.conv1, pass, 0, &[x[0]], &[], d_out, d_x, &mut ctx);
            }
        }
    }
    impl __rt::Shaped for Digits {
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[28, 28, 1])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[10]);
        const PARAMS: usize = 225034;
        const MACS: usize = 2631040;
        const LAYERS: &'static [__rt::LayerInfo] = &[
            __rt::LayerInfo::of::<
                __Conv1,
            >("Conv2d(32, kernel = 3)", 320, 194688, __Slots::CONV1.slot.offset()),
            __rt::LayerInfo::of::<__Relu>("ReLU", 0, 0, 0),
            __rt::LayerInfo::of::<__MaxPool2d>("MaxPool2d(2)", 0, 0, 0),
            __rt::LayerInfo::of::<
                __Conv2,
            >("Conv2d(64, kernel = 3)", 18496, 2230272, __Slots::CONV2.slot.offset()),
            __rt::LayerInfo::of::<__Relu2>("ReLU", 0, 0, 0),
            __rt::LayerInfo::of::<__MaxPool2d2>("MaxPool2d(2)", 0, 0, 0),
            __rt::LayerInfo {
                name: "flatten",
                kind: "Flatten",
                output: __rt::Shape::new(&[1600]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo::of::<
                __Fc1,
            >("Dense(128)", 204928, 204800, __Slots::FC1.slot.offset()),
            __rt::LayerInfo::of::<__Relu3>("ReLU", 0, 0, 0),
            __rt::LayerInfo::of::<__Dropout>("Dropout(0.5)", 0, 0, 0),
            __rt::LayerInfo::of::<
                __Fc2,
            >("Dense(10)", 1290, 1280, __Slots::FC2.slot.offset()),
        ];
        const GRAPH: __rt::Graph = __rt::Graph {
            inputs: &[__rt::Shape::new(&[28, 28, 1])],
            nodes: &[
                __rt::GraphNode::of::<
                    __Conv1,
                >(
                    &[0],
                    __rt::GraphLayer::new(
                        __rt::Features::Fixed,
                        __rt::Channels::First,
                        &[__rt::LayerWeights::of(&__Slots::CONV1.slot)],
                    ),
                ),
                __rt::GraphNode::of::<__Relu>(&[1], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<
                    __MaxPool2d,
                >(
                    &[2],
                    __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::First,
                        &[],
                    ),
                ),
                __rt::GraphNode::of::<
                    __Conv2,
                >(
                    &[3],
                    __rt::GraphLayer::new(
                        __rt::Features::Fixed,
                        __rt::Channels::First,
                        &[__rt::LayerWeights::of(&__Slots::CONV2.slot)],
                    ),
                ),
                __rt::GraphNode::of::<__Relu2>(&[4], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<
                    __MaxPool2d2,
                >(
                    &[5],
                    __rt::GraphLayer::new(
                        __rt::Features::Same,
                        __rt::Channels::First,
                        &[],
                    ),
                ),
                __rt::GraphNode {
                    name: "flatten",
                    inputs: &[6],
                    output: __rt::Shape::new(&[1600]),
                    layer: __rt::GraphLayer::new(
                        __rt::Features::View,
                        __rt::Channels::AsInput,
                        &[],
                    ),
                },
                __rt::GraphNode::of::<
                    __Fc1,
                >(
                    &[7],
                    __rt::GraphLayer::new(
                        __rt::Features::Any,
                        __rt::Channels::Last,
                        &[__rt::LayerWeights::of(&__Slots::FC1.slot)],
                    ),
                ),
                __rt::GraphNode::of::<__Relu3>(&[8], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<__Dropout>(&[9], __rt::GraphLayer::SAME),
                __rt::GraphNode::of::<
                    __Fc2,
                >(
                    &[10],
                    __rt::GraphLayer::new(
                        __rt::Features::Any,
                        __rt::Channels::Last,
                        &[__rt::LayerWeights::of(&__Slots::FC2.slot)],
                    ),
                ),
            ],
            output: 11,
        };
    }
    impl __rt::Network for Digits {
        type Input = [[[f32; 1]; 28]; 28];
        type Output = [f32; 10];
    }
};
