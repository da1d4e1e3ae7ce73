//! No allocation in steady state, for inference, training steps and streaming.

use unrolled::data::scaled_bytes;
use unrolled::prelude::*;
use unrolled::{Node, RngKey, Root, loss_and_gradients_from, parallel};

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

network! {
    /// One phase, and random numbers for Dropout.
    struct Plain(8x8x2) -> 3 {
        Conv2d(4, kernel = 3, padding = same), ReLU, MaxPool2d(2),
        Flatten, Dense(16), GELU, Dropout(0.5), Dense(3),
    }

    /// Several phases.
    #[allow(bias_before_batch_norm)]
    struct Normalised(8x8x2) -> 3 {
        Conv2d(4, kernel = 3), BatchNorm, ReLU,
        Residual { Conv2d(4, kernel = 3, padding = same), BatchNorm },
        GlobalAvgPool, Dense(3),
    }

    /// Volumes.
    struct Volumes(8x8x2) -> 3 {
        Reshape(4x4x4x2),
        Conv3d(4, kernel = 3, padding = same, bias = false), BatchNorm, ReLU, MaxPool3d(2, stride = 1),
        Conv3d(4, kernel = 2, groups = 4), AvgPool3d((1, 2, 2)), Flatten, Dense(3),
    }

    /// Weights that are shared.
    struct Shared(8x8x2) -> 3 {
        Conv2d(4, kernel = 3, padding = same), ReLU,
        Repeat(2, shared = true) { Residual { Conv2d(4, kernel = 3, padding = same, bias = false), BatchNorm } },
        GlobalAvgPool, fc: Dense(4), Tanh, same(fc), Tanh, Dense(3),
    }
}

network! {
    /// Sequences of different lengths, and single steps.
    struct Steps(..9x3) -> 9x2 {
        GRU(70), LSTM(8, layers = 2), Dense(2),
    }

    /// A context window that fills up and slides.
    struct Generator(..9) -> 9x5 {
        tokens: Embedding(5, 8), PositionalEncoding,
        TransformerEncoder(8, heads = 2, hidden = 16, causal = true, rotary = true),
        Dense(5, weight = tokens),
    }

    /// Attention between rows.
    struct Rows(8x8x2) -> 3 {
        Reshape(8x16), PositionalEmbedding, TransformerEncoder(16, heads = 4, hidden = 32),
        GlobalAvgPool, Dense(3),
    }

    /// A text in chunks: the states of a convolution and of an LSTM.
    struct Chunk(text: 16) -> 16x20 {
        Embedding(20, 24),
        Conv1d(32, kernel = 3, padding = causal, dilation = 2), ReLU,
        LSTM(8), Dense(20),
    }
}

/// The system allocator, with counts of allocations and bytes.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The bytes in use, and the most since it was set.
static BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn allocated(bytes: usize) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    let now = BYTES.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: all methods call those of `System`, which keep the contract of `GlobalAlloc`.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: `layout`, `old` and `new_size` are passed on unchanged, and all memory is from `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: `layout`, `old` and `new_size` are passed on unchanged, and all memory is from `System`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        allocated(new_size);
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `layout`, `old` and `new_size` are passed on unchanged, and all memory is from `System`.
        unsafe { System.realloc(old, layout, new_size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `layout`, `old` and `new_size` are passed on unchanged, and all memory is from `System`.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The number of allocations of `f`.
fn allocations(f: impl FnOnce()) -> usize {
    let before = COUNT.load(Ordering::Relaxed);
    f();
    COUNT.load(Ordering::Relaxed) - before
}

type Image = [[[f32; 2]; 8]; 8];

fn data(count: usize) -> Data<Image, u32> {
    let image = std::array::from_fn(|y| std::array::from_fn(|x| [y as f32 / 8.0, x as f32 / 8.0]));
    Data { inputs: vec![image; count], targets: vec![1; count] }
}

// `harness = false`, because the test harness has a thread of its own that allocates.
fn main() {
    assert!(allocations(|| drop(vec![1, 2, 3])) > 0, "allocations are counted");
    // A worker allocates when it starts, which may be late: each waits for the others once.
    let all = std::sync::Barrier::new(3);
    parallel::with_threads(3, || {
        parallel::for_each(3, |_, _| {
            all.wait();
        });
    });
    for threads in [1, 3] {
        let checks = || {
            check::<Plain>();
            check::<Normalised>();
            check::<Volumes>();
            check::<Shared>();
            check::<Rows>();
            single_samples_do_not_allocate();
            training_with_state_does_not_allocate();
        };
        parallel::with_threads(threads, || parallel::whatever_the_work(checks));
    }
    steps_do_not_allocate();
    images_of_bytes_stay_bytes();
    small_networks_are_aligned_to_cache_lines();
}

/// Checks several of each, because one can be aligned by chance. The alignment depends on the allocator.
fn small_networks_are_aligned_to_cache_lines() {
    fn check<N: Network>() {
        let all: Vec<_> = (0..5).map(N::new).collect();
        let offsets: Vec<_> =
            all.iter().map(|net| std::ptr::from_ref(&**net).addr() % 64).collect();
        assert_eq!(offsets, [0; 5], "{}", std::any::type_name::<N>());
    }
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        check::<Plain>();
        check::<Normalised>();
        check::<Generator>();
        check::<Rows>();
        check::<Chunk>();
    } else {
        println!("skipped: the alignment of networks is known for the allocator of glibc only");
    }
}

fn steps_do_not_allocate() {
    let (net, mut state) = (Steps::new(1), State::new());
    let all = Sequence::new(&[[0.5; 3]; 7]).unwrap();
    repeated_without_allocations(|| {
        let _ = (net.step(&mut state, &[0.25; 3]), net.forward(&all));
    });
    // From the first call on.
    let small = Plain::new(1);
    let (mut state, mut workspace) = ([0.0; Steps::STATE_LEN], [0.0; Steps::STEP_WORKSPACE_LEN]);
    let mut image_workspace = [0.0; Plain::WORKSPACE_LEN];
    let count = allocations(|| {
        let _ = net.step_in(&mut state, &mut workspace, &[0.25; 3]);
        let _ = small.forward_in(&mut image_workspace, &[[[0.5; 2]; 8]; 8]);
    });
    assert_eq!(count, 0);
    let (generator, mut ctx) = (Generator::new(1), State::new());
    let text = Sequence::new(&[3; 7]).unwrap();
    repeated_without_allocations(|| {
        let _ = (generator.step(&mut ctx, &2), generator.forward(&text));
    });
    let (net, mut state) = (Chunk::new(1), State::new());
    repeated_without_allocations(|| {
        let _ = (net.step(&mut state, &7), net.forward_from(&mut state, &[3; 16]));
    });
}

/// Checks that `f` does not allocate after its first call.
#[track_caller]
fn repeated_without_allocations(mut f: impl FnMut()) {
    f();
    assert_eq!(allocations(|| (0..10).for_each(|_| f())), 0);
}

fn training_with_state_does_not_allocate() {
    let (mut net, mut d_net, loss) = (Chunk::new(1), Chunk::zeros(), CrossEntropy::new());
    let mut states = vec![0.0; 40 * <Chunk as Node<Root>>::STATE];
    let (inputs, targets) = ([[3; 16]; 40], [[5; 16]; 40]);
    repeated_without_allocations(|| {
        let (net, d_net, key) = (&mut *net, &mut *d_net, RngKey::new(1));
        loss_and_gradients_from(net, &loss, &inputs, &targets, d_net, &mut states, key).unwrap();
    });
}

fn check<N: Network<Input = Image, Output = [f32; 3]>>() {
    inference_does_not_allocate::<N>();
    training_steps_do_not_allocate::<N>();
    passes_do_not_allocate::<N>();
    fitting_allocates_no_more_for_more_steps::<N>();
}

fn inference_does_not_allocate<N: Network<Input = Image, Output = [f32; 3]>>() {
    let net = N::new(1);
    let inputs = data(300).inputs;
    let mut outputs = vec![[0.0; 3]; 300];
    repeated_without_allocations(|| net.forward_batch(&inputs, &mut outputs));
}

fn single_samples_do_not_allocate() {
    let (plain, normalised) = (Plain::new(1), Normalised::new(1));
    let x = data(1).inputs[0];
    let infer = || (plain.forward(&x), normalised.forward(&x));
    let first = infer();
    repeated_without_allocations(|| assert_eq!(infer(), first));
}

fn training_steps_do_not_allocate<N: Network<Input = Image, Output = [f32; 3]>>() {
    let data = data(64);
    let (mut net, mut d_net, loss) = (N::new(1), N::zeros(), CrossEntropy::new());
    let (mut sgd, mut adam) = (SGD::new(0.1).momentum(0.9), Adam::new(0.1).amsgrad());
    let mut groups = Groups::new(Adam::new(0.1)).rate("dense", 0.1).no_decay(["*.bias"]);
    repeated_without_allocations(|| {
        net.loss_and_gradients(&loss, &data.inputs, &data.targets, &mut d_net, RngKey::new(1))
            .unwrap();
        sgd.update(&mut net, &d_net);
        adam.update(&mut *net, &d_net);
        groups.update(&mut net, &d_net);
    });
}

fn passes_do_not_allocate<N: Network<Input = Image, Output = [f32; 3]>>() {
    let inputs = data(64).inputs;
    let (mut net, mut d_net, mut d_inputs) = (N::new(1), N::zeros(), inputs.clone());
    let mut pass = TrainPass::<N>::new(64);
    repeated_without_allocations(|| {
        pass.forward(&mut net, &inputs, RngKey::new(1)).unwrap();
        let d_outputs = [[0.1; 3]; 64];
        pass.backward(&net, &d_outputs, &mut d_net, None).unwrap();
        pass.backward(&net, &d_outputs, &mut d_net, Some(&mut d_inputs)).unwrap();
        net.input_gradients(&inputs, |y, d_y| *d_y = *y, &mut d_inputs).unwrap();
    });
}

/// Training on 20,000 images of bytes, 2.6 MB, takes less than the memory of a few batches beside them; as `f32` they are
/// 10 MB.
fn images_of_bytes_stay_bytes() {
    let bytes = Data { inputs: vec![[[[7_u8; 2]; 8]; 8]; 20_000], targets: vec![1; 20_000] };
    let samples = bytes.map(|image, class, _| (scaled_bytes(&image), class));
    let mut net = Plain::new(1);
    let before = BYTES.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let mut trainer = Trainer::new(SGD::new(0.1)).batch(100).epochs(1).quiet();
    trainer.fit(&mut net, &samples, &CrossEntropy::new()).unwrap();
    let peak = PEAK.load(Ordering::Relaxed) - before;
    // Two batches of inputs are 0.1 MB, the order of the samples 0.16 MB; the rest is the memory of a training step.
    assert!(peak < 1_500_000, "{peak} bytes");
}

fn fitting_allocates_no_more_for_more_steps<N: Network<Input = Image, Output = [f32; 3]>>() {
    let (few, many, loss) = (data(40), data(400), CrossEntropy::new());
    let fit = |data| {
        let mut net = N::new(1);
        allocations(|| {
            let mut trainer = Trainer::new(Adam::new(1e-3)).batch(10).epochs(3).quiet();
            trainer.fit(&mut net, data, &loss).unwrap();
        })
    };
    fit(&few);
    assert_eq!(fit(&few), fit(&many));
}
