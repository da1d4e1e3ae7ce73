//! Once everything has its memory, nothing allocates any more.

use unrolled::prelude::*;
use unrolled::{Node, RngKey, Root, loss_and_gradients_from, parallel};

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

network! {
    /// In one phase, with random numbers.
    struct Plain(8x8x2) -> 3 {
        Conv2d(4, kernel = 3, padding = same), ReLU, MaxPool2d(2),
        Flatten, Dense(16), GELU, Dropout(0.5), Dense(3),
    }

    /// In several phases.
    struct Normalised(8x8x2) -> 3 {
        Conv2d(4, kernel = 3), BatchNorm, ReLU,
        Residual { Conv2d(4, kernel = 3, padding = same), BatchNorm },
        GlobalAvgPool, Dense(3),
    }
}

network! {
    /// In sequences of different lengths, and step by step.
    struct Steps(..9x3) -> 9x2 {
        GRU(70), LSTM(8, layers = 2), Dense(2),
    }

    /// In a context that fills up and slides.
    struct Generator(..9) -> 9x5 {
        tokens: Embedding(5, 8), PositionalEncoding,
        TransformerEncoder(8, heads = 2, hidden = 16, causal = true, rotary = true),
        Dense(5, weight = tokens),
    }

    /// In rows that look at each other.
    struct Rows(8x8x2) -> 3 {
        Reshape(8x16), PositionalEmbedding, TransformerEncoder(16, heads = 4, hidden = 32),
        GlobalAvgPool, Dense(3),
    }

    /// A text in stretches: what its convolution and its LSTM carry.
    struct Stretch(text: 16) -> 16x20 {
        Embedding(20, 24),
        Conv1d(32, kernel = 3, padding = causal, dilation = 2), ReLU,
        LSTM(8), Dense(20),
    }
}

/// The system's allocator, which counts.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.realloc(old, layout, new_size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `f` allocates.
fn allocations(f: impl FnOnce()) -> usize {
    let before = COUNT.load(Ordering::Relaxed);
    f();
    COUNT.load(Ordering::Relaxed) - before
}

type Picture = [[[f32; 2]; 8]; 8];

fn data(count: usize) -> Data<Picture, u32> {
    let picture =
        std::array::from_fn(|y| std::array::from_fn(|x| [y as f32 / 8.0, x as f32 / 8.0]));
    Data { inputs: vec![picture; count], targets: vec![1; count] }
}

// Not a test of the usual kind (`harness = false`): the thread that looks after those allocates, too.
fn main() {
    assert!(allocations(|| drop(vec![1, 2, 3])) > 0, "the count works");
    for threads in [1, 3] {
        parallel::with_threads(threads, || {
            check::<Plain>();
            check::<Normalised>();
            check::<Rows>();
            single_samples_do_not_allocate();
            training_with_carried_state_does_not_allocate();
        });
    }
    steps_do_not_allocate();
    small_networks_begin_a_cache_line();
}

/// Of each several, so that not all of them do by chance. Other allocators may do otherwise.
fn small_networks_begin_a_cache_line() {
    fn check<N: Network>() {
        let all: Vec<_> = (0..5).map(N::new).collect();
        let places: Vec<_> = all.iter().map(|net| std::ptr::from_ref(&**net).addr() % 64).collect();
        assert_eq!(places, [0; 5], "{}", std::any::type_name::<N>());
    }
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        check::<Plain>();
        check::<Normalised>();
        check::<Generator>();
        check::<Rows>();
        check::<Stretch>();
    } else {
        println!("skipped: where networks begin is known of one allocator alone");
    }
}

fn steps_do_not_allocate() {
    let (net, mut state) = (Steps::new(1), State::new());
    let all = Sequence::new(&[[0.5; 3]; 7]).unwrap();
    repeated_without_allocations(|| {
        let _ = (net.step(&mut state, &[0.25; 3]), net.forward(&all));
    });
    let (generator, mut ctx) = (Generator::new(1), State::new());
    let text = Sequence::new(&[3; 7]).unwrap();
    repeated_without_allocations(|| {
        let _ = (generator.step(&mut ctx, &2), generator.forward(&text));
    });
    let (net, mut state) = (Stretch::new(1), State::new());
    repeated_without_allocations(|| {
        let _ = (net.step(&mut state, &7), net.forward_from(&mut state, &[3; 16]));
    });
}

/// Once `f` has its memory, it allocates no more.
#[track_caller]
fn repeated_without_allocations(mut f: impl FnMut()) {
    f();
    assert_eq!(allocations(|| (0..10).for_each(|_| f())), 0);
}

fn training_with_carried_state_does_not_allocate() {
    let (mut net, mut d_net, loss) = (Stretch::new(1), Stretch::zeros(), CrossEntropy::new());
    let mut carried = vec![0.0; 40 * <Stretch as Node<Root>>::STATE];
    let (inputs, targets) = ([[3; 16]; 40], [[5; 16]; 40]);
    repeated_without_allocations(|| {
        let (net, d_net, key) = (&mut *net, &mut *d_net, RngKey::new(1));
        loss_and_gradients_from(net, &loss, &inputs, &targets, d_net, &mut carried, key).unwrap();
    });
}

fn check<N: Network<Input = Picture, Output = [f32; 3]>>() {
    inference_does_not_allocate::<N>();
    training_steps_do_not_allocate::<N>();
    fitting_allocates_no_more_for_more_steps::<N>();
}

fn inference_does_not_allocate<N: Network<Input = Picture, Output = [f32; 3]>>() {
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

fn training_steps_do_not_allocate<N: Network<Input = Picture, Output = [f32; 3]>>() {
    let data = data(64);
    let (mut net, mut d_net, loss) = (N::new(1), N::zeros(), CrossEntropy::new());
    let (mut sgd, mut adam) = (SGD::new(0.1).momentum(0.9), Adam::new(0.1).amsgrad());
    let trained: Vec<_> = N::trained().into_iter().map(|(_, range)| range).collect();
    repeated_without_allocations(|| {
        net.loss_and_gradients(&loss, &data.inputs, &data.targets, &mut d_net).unwrap();
        sgd.step(net.params_mut(), d_net.params(), &trained);
        adam.step(net.params_mut(), d_net.params(), &trained);
    });
}

fn fitting_allocates_no_more_for_more_steps<N: Network<Input = Picture, Output = [f32; 3]>>() {
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
