/// The walkthrough's handwritten-digit classifier.
///
/// | layer | kind | output | parameters |
/// |---|---|---|--:|
/// | `conv1` | `Conv2d(32, kernel = 3)` | 26x26x32 | 320 |
/// | `relu` | `ReLU` | 26x26x32 | 0 |
/// | `max_pool2d` | `MaxPool2d(2)` | 13x13x32 | 0 |
/// | `conv2` | `Conv2d(64, kernel = 3)` | 11x11x64 | 18,496 |
/// | `relu_2` | `ReLU` | 11x11x64 | 0 |
/// | `max_pool2d_2` | `MaxPool2d(2)` | 5x5x64 | 0 |
/// | `flatten` | `Flatten` | 1600 | 0 |
/// | `fc1` | `Dense(128)` | 128 | 204,928 |
/// | `relu_3` | `ReLU` | 128 | 0 |
/// | `dropout` | `Dropout(0.5)` | 128 | 0 |
/// | `fc2` | `Dense(10)` | 10 | 1,290 |
/// | | | **total** | **225,034** |
#[repr(C)]
pub struct Digits {
    /// `conv1`: `Conv2d(32, kernel = 3)`: 28x28x1 -> 26x26x32
    pub conv1: unrolled::__private::layers::Conv2d<32, 1, 3, 3>,
    /// `conv2`: `Conv2d(64, kernel = 3)`: 13x13x32 -> 11x11x64
    pub conv2: unrolled::__private::layers::Conv2d<64, 32, 3, 3>,
    /// `fc1`: `Dense(128)`: 1600 -> 128
    pub fc1: unrolled::__private::layers::Dense<1600, 128>,
    /// `fc2`: `Dense(10)`: 128 -> 10
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
            stride: [4294967295, 4294967295],
            padding: [0, 0],
            dilation: [1, 1],
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
            stride: [4294967295, 4294967295],
            padding: [0, 0],
            dilation: [1, 1],
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
        const FEATURES: &'static [__rt::Shape] = &[__rt::Shape::new(&[5, 5, 64])];
    }
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
    /// In training, values and their gradients (`D_`) live until backward has used them.
    enum __Train {}
    impl __Train {
        const VALUES: usize = 54080;
        const CONV1: __rt::Buffer = __rt::Buffer {
            offset: 0,
            len: 21632,
        };
        const MAX_POOL2D: __rt::Buffer = __rt::Buffer {
            offset: 21632,
            len: 5408,
        };
        const CONV2: __rt::Buffer = __rt::Buffer {
            offset: 27040,
            len: 7744,
        };
        const MAX_POOL2D_2: __rt::Buffer = __rt::Buffer {
            offset: 34784,
            len: 1600,
        };
        const FC1: __rt::Buffer = __rt::Buffer {
            offset: 36384,
            len: 128,
        };
        const DROPOUT: __rt::Buffer = __rt::Buffer {
            offset: 36512,
            len: 128,
        };
        const D_FC1: __rt::Buffer = __rt::Buffer {
            offset: 36640,
            len: 128,
        };
        const D_MAX_POOL2D_2: __rt::Buffer = __rt::Buffer {
            offset: 36768,
            len: 1600,
        };
        const D_CONV2: __rt::Buffer = __rt::Buffer {
            offset: 38368,
            len: 7744,
        };
        const D_MAX_POOL2D: __rt::Buffer = __rt::Buffer {
            offset: 27040,
            len: 5408,
        };
        const D_CONV1: __rt::Buffer = __rt::Buffer {
            offset: 32448,
            len: 21632,
        };
    }
    /// At inference, values are overwritten as soon as nobody needs them.
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
    /// The stations, what they own standing one behind the other.
    enum __Stations {}
    impl __Stations {
        const PARTS: [__rt::Part; 6] = __rt::Part::stack([
            __rt::Part::of::<__Conv1, __rt::layers::Conv2d<32, 1, 3, 3>>(),
            __rt::Part::of::<__MaxPool2d, __rt::layers::MaxPool2d>(),
            __rt::Part::of::<__Conv2, __rt::layers::Conv2d<64, 32, 3, 3>>(),
            __rt::Part::of::<__MaxPool2d2, __rt::layers::MaxPool2d>(),
            __rt::Part::of::<__Fc1, __rt::layers::Dense<1600, 128>>(),
            __rt::Part::of::<__Fc2, __rt::layers::Dense<128, 10>>(),
        ]);
        const CONV1: __rt::Place<__Conv1, __rt::layers::Conv2d<32, 1, 3, 3>> = __rt::Place::at(
            Self::PARTS[0],
        );
        const RELU: __rt::InPlace<__Relu, __rt::layers::ReLU> = __rt::InPlace::ANYWHERE;
        const MAX_POOL2D: __rt::Place<__MaxPool2d, __rt::layers::MaxPool2d> = __rt::Place::at(
            Self::PARTS[1],
        );
        const CONV2: __rt::Place<__Conv2, __rt::layers::Conv2d<64, 32, 3, 3>> = __rt::Place::at(
            Self::PARTS[2],
        );
        const RELU_2: __rt::InPlace<__Relu2, __rt::layers::ReLU> = __rt::InPlace::ANYWHERE;
        const MAX_POOL2D_2: __rt::Place<__MaxPool2d2, __rt::layers::MaxPool2d> = __rt::Place::at(
            Self::PARTS[3],
        );
        const FC1: __rt::Place<__Fc1, __rt::layers::Dense<1600, 128>> = __rt::Place::at(
            Self::PARTS[4],
        );
        const RELU_3: __rt::InPlace<__Relu3, __rt::layers::ReLU> = __rt::InPlace::ANYWHERE;
        const DROPOUT: __rt::InPlace<__Dropout, __rt::layers::Dropout> = __rt::InPlace::ANYWHERE;
        const FC2: __rt::Place<__Fc2, __rt::layers::Dense<128, 10>> = __rt::Place::at(
            Self::PARTS[5],
        );
        const ALL: __rt::Part = Self::PARTS[5];
    }
    impl Digits {
        /// Inference on one sample, on the calling thread.
        #[inline]
        #[must_use]
        pub fn forward(&self, input: &[[[f32; 1]; 28]; 28]) -> [f32; 10] {
            const { <Self as unrolled::__private::Network>::CHECKS }
            unrolled::__private::infer_one(
                self,
                &[unrolled::__private::Values::as_floats(input)],
            )
        }
    }
    /// SAFETY: `repr(C)`; every field is `Weights`, since `Station` asks for that, and `LEN`
    /// checks that nothing stands between them.
    unsafe impl __rt::Weights for Digits {
        const LEN: usize = __rt::len_of_fields::<Self>(__Stations::ALL.weights.end());
    }
    impl<__S: __rt::Spec> __rt::Station<__S> for Digits {
        const PHASES: usize = 1;
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
            __Stations::CONV1.initialise(&mut self.conv1, streams);
            __Stations::CONV2.initialise(&mut self.conv2, streams);
            __Stations::FC1.initialise(&mut self.fc1, streams);
            __Stations::FC2.initialise(&mut self.fc2, streams);
        }
        fn tensors() -> ::std::vec::Vec<__rt::Tensor> {
            let mut all = ::std::vec::Vec::new();
            all.extend(__Stations::CONV1.tensors());
            all.extend(__Stations::CONV2.tensors());
            all.extend(__Stations::FC1.tensors());
            all.extend(__Stations::FC2.tensors());
            all
        }
        fn prepare(&self, shared: &mut [f32]) {
            __Stations::CONV1.prepare(&self.conv1, shared);
            __Stations::CONV2.prepare(&self.conv2, shared);
            __Stations::FC1.prepare(&self.fc1, shared);
            __Stations::FC2.prepare(&self.fc2, shared);
        }
        fn gradient_end(task: usize) -> usize {
            if __Stations::CONV1.reaches_task(task) {
                return __Stations::CONV1.gradient_end(task);
            }
            if __Stations::CONV2.reaches_task(task) {
                return __Stations::CONV2.gradient_end(task);
            }
            if __Stations::FC1.reaches_task(task) {
                return __Stations::FC1.gradient_end(task);
            }
            if __Stations::FC2.reaches_task(task) {
                return __Stations::FC2.gradient_end(task);
            }
            __Stations::ALL.weights.end()
        }
        fn gradient(task: usize, shards: __rt::Shards<'_>, d_weights: &mut [f32]) {
            if __Stations::CONV1.reaches_task(task) {
                return __Stations::CONV1.gradient(task, shards, d_weights);
            }
            if __Stations::CONV2.reaches_task(task) {
                return __Stations::CONV2.gradient(task, shards, d_weights);
            }
            if __Stations::FC1.reaches_task(task) {
                return __Stations::FC1.gradient(task, shards, d_weights);
            }
            if __Stations::FC2.reaches_task(task) {
                return __Stations::FC2.gradient(task, shards, d_weights);
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
                let [out] = __rt::take(values, n, [__Infer::MAX_POOL2D]);
                __Stations::CONV1
                    .infer_pooled::<
                        __MaxPool2d,
                    >(&self.conv1, n, &[x[0]], out, &mut memory);
                __Stations::RELU.infer(isa, &__rt::layers::ReLU, n, out);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Infer::MAX_POOL2D, __Infer::MAX_POOL2D_2],
                );
                __Stations::CONV2
                    .infer_pooled::<
                        __MaxPool2d2,
                    >(&self.conv2, n, &[x0], out, &mut memory);
                __Stations::RELU_2.infer(isa, &__rt::layers::ReLU, n, out);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Infer::MAX_POOL2D_2, __Infer::FC1],
                );
                __Stations::FC1.infer(isa, &self.fc1, n, &[x0], out, &mut memory);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::FC1]);
                __Stations::RELU_3.infer(isa, &__rt::layers::ReLU, n, out);
            }
            {
                let [out] = __rt::take(values, n, [__Infer::FC1]);
                __Stations::DROPOUT.infer(isa, &__rt::layers::Dropout, n, out);
            }
            {
                let [x0] = __rt::take(values, n, [__Infer::FC1]);
                __Stations::FC2.infer(isa, &self.fc2, n, &[x0], y, &mut memory);
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
            {
                let [out] = __rt::take(values, n, [__Train::CONV1]);
                __Stations::CONV1
                    .forward(&self.conv1, pass, 0, &[x[0]], out, &mut memory);
            }
            {
                let [out] = __rt::take(values, n, [__Train::CONV1]);
                __Stations::RELU.forward(&__rt::layers::ReLU, pass, out);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::CONV1, __Train::MAX_POOL2D],
                );
                __Stations::MAX_POOL2D
                    .forward(&__rt::layers::MaxPool2d, pass, 0, &[x0], out, &mut memory);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::MAX_POOL2D, __Train::CONV2],
                );
                __Stations::CONV2.forward(&self.conv2, pass, 0, &[x0], out, &mut memory);
            }
            {
                let [out] = __rt::take(values, n, [__Train::CONV2]);
                __Stations::RELU_2.forward(&__rt::layers::ReLU, pass, out);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::CONV2, __Train::MAX_POOL2D_2],
                );
                __Stations::MAX_POOL2D_2
                    .forward(&__rt::layers::MaxPool2d, pass, 0, &[x0], out, &mut memory);
            }
            {
                let [x0, out] = __rt::take(
                    values,
                    n,
                    [__Train::MAX_POOL2D_2, __Train::FC1],
                );
                __Stations::FC1.forward(&self.fc1, pass, 0, &[x0], out, &mut memory);
            }
            {
                let [out] = __rt::take(values, n, [__Train::FC1]);
                __Stations::RELU_3.forward(&__rt::layers::ReLU, pass, out);
            }
            {
                let [x0, out] = __rt::take(values, n, [__Train::FC1, __Train::DROPOUT]);
                out.copy_from_slice(x0);
                __Stations::DROPOUT.forward(&__rt::layers::Dropout, pass, out);
            }
            {
                let [x0] = __rt::take(values, n, [__Train::DROPOUT]);
                __Stations::FC2.forward(&self.fc2, pass, 0, &[x0], y, &mut memory);
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
            let [d_x0] = d_x else { ::core::panic!("one gradient for each input") };
            {
                let [x0, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::DROPOUT, __Train::D_FC1],
                );
                let d_x = &mut [::core::option::Option::Some(&mut *d_in0)];
                __Stations::FC2
                    .backward(&self.fc2, pass, 0, &[x0], &[], d_y, d_x, &mut memory);
            }
            {
                let [d_out] = __rt::take(values, n, [__Train::D_FC1]);
                __Stations::DROPOUT.backward(&__rt::layers::Dropout, pass, &[], d_out);
            }
            {
                let [out, d_out] = __rt::take(values, n, [__Train::FC1, __Train::D_FC1]);
                __Stations::RELU_3.backward(&__rt::layers::ReLU, pass, out, d_out);
            }
            {
                let [x0, d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::MAX_POOL2D_2, __Train::D_FC1, __Train::D_MAX_POOL2D_2],
                );
                let d_x = &mut [::core::option::Option::Some(&mut *d_in0)];
                __Stations::FC1
                    .backward(&self.fc1, pass, 0, &[x0], &[], d_out, d_x, &mut memory);
            }
            {
                let [d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::D_MAX_POOL2D_2, __Train::D_CONV2],
                );
                let d_x = &mut [::core::option::Option::Some(&mut *d_in0)];
                __Stations::MAX_POOL2D_2
                    .backward(
                        &__rt::layers::MaxPool2d,
                        pass,
                        0,
                        &[&[]],
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
                    [__Train::CONV2, __Train::D_CONV2],
                );
                __Stations::RELU_2.backward(&__rt::layers::ReLU, pass, out, d_out);
            }
            {
                let [x0, d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::MAX_POOL2D, __Train::D_CONV2, __Train::D_MAX_POOL2D],
                );
                let d_x = &mut [::core::option::Option::Some(&mut *d_in0)];
                __Stations::CONV2
                    .backward(&self.conv2, pass, 0, &[x0], &[], d_out, d_x, &mut memory);
            }
            {
                let [d_out, d_in0] = __rt::take(
                    values,
                    n,
                    [__Train::D_MAX_POOL2D, __Train::D_CONV1],
                );
                let d_x = &mut [::core::option::Option::Some(&mut *d_in0)];
                __Stations::MAX_POOL2D
                    .backward(
                        &__rt::layers::MaxPool2d,
                        pass,
                        0,
                        &[&[]],
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
                    [__Train::CONV1, __Train::D_CONV1],
                );
                __Stations::RELU.backward(&__rt::layers::ReLU, pass, out, d_out);
            }
            {
                let [d_out] = __rt::take(values, n, [__Train::D_CONV1]);
                let d_x = &mut [d_x0.as_deref_mut()];
                __Stations::CONV1
                    .backward(
                        &self.conv1,
                        pass,
                        0,
                        &[x[0]],
                        &[],
                        d_out,
                        d_x,
                        &mut memory,
                    );
            }
        }
    }
    impl __rt::Shaped for Digits {
        const INPUTS: &'static [__rt::Shape] = &[__rt::Shape::new(&[28, 28, 1])];
        const OUTPUT: __rt::Shape = __rt::Shape::new(&[10]);
        const PARAMS: usize = 225034;
        const MACS: usize = 2631040;
        const LAYERS: &'static [__rt::LayerInfo] = &[
            __rt::LayerInfo {
                name: "conv1",
                kind: "Conv2d(32, kernel = 3)",
                output: __rt::Shape::new(&[26, 26, 32]),
                params: 320,
                macs: 194688,
                offset: __Stations::CONV1.offset(),
                inner: &[],
            },
            __rt::LayerInfo {
                name: "relu",
                kind: "ReLU",
                output: __rt::Shape::new(&[26, 26, 32]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "max_pool2d",
                kind: "MaxPool2d(2)",
                output: __rt::Shape::new(&[13, 13, 32]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "conv2",
                kind: "Conv2d(64, kernel = 3)",
                output: __rt::Shape::new(&[11, 11, 64]),
                params: 18496,
                macs: 2230272,
                offset: __Stations::CONV2.offset(),
                inner: &[],
            },
            __rt::LayerInfo {
                name: "relu_2",
                kind: "ReLU",
                output: __rt::Shape::new(&[11, 11, 64]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "max_pool2d_2",
                kind: "MaxPool2d(2)",
                output: __rt::Shape::new(&[5, 5, 64]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "flatten",
                kind: "Flatten",
                output: __rt::Shape::new(&[1600]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "fc1",
                kind: "Dense(128)",
                output: __rt::Shape::new(&[128]),
                params: 204928,
                macs: 204800,
                offset: __Stations::FC1.offset(),
                inner: &[],
            },
            __rt::LayerInfo {
                name: "relu_3",
                kind: "ReLU",
                output: __rt::Shape::new(&[128]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "dropout",
                kind: "Dropout(0.5)",
                output: __rt::Shape::new(&[128]),
                params: 0,
                macs: 0,
                offset: 0,
                inner: &[],
            },
            __rt::LayerInfo {
                name: "fc2",
                kind: "Dense(10)",
                output: __rt::Shape::new(&[10]),
                params: 1290,
                macs: 1280,
                offset: __Stations::FC2.offset(),
                inner: &[],
            },
        ];
    }
    impl __rt::Network for Digits {
        type Input = [[[f32; 1]; 28]; 28];
        type Output = [f32; 10];
    }
};
