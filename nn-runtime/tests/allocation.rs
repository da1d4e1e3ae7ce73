//! Once everything has its memory, nothing allocates any more.

mod common;

use common::Tiny;
use nn_runtime::data::Data;
use nn_runtime::loss::CrossEntropy;
use nn_runtime::optim::{Adam, Optimizer, SGD};
use nn_runtime::train::Trainer;
use nn_runtime::{Network, Weights, parallel};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

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

fn data(count: usize) -> Data<[f32; 4], u32> {
    Data { inputs: vec![[0.5, -0.5, 1.0, 0.25]; count], targets: vec![1; count] }
}

// One test alone, so that no other allocates meanwhile.
#[test]
fn nothing_allocates_after_the_first_time() {
    assert!(allocations(|| drop(vec![1, 2, 3])) > 0, "the count works");
    for threads in [1, 3] {
        parallel::with_threads(threads, || {
            inference_does_not_allocate();
            training_steps_do_not_allocate();
            fitting_allocates_no_more_for_more_steps();
        });
    }
}

fn inference_does_not_allocate() {
    let net = Tiny::new(1);
    let inputs = data(300).inputs;
    let mut outputs = vec![[0.0; 2]; 300];
    let mut infer = || {
        net.forward_batch(&inputs, &mut outputs);
        outputs[0] = net.forward(&inputs[0]);
    };
    infer();
    assert_eq!(allocations(|| (0..10).for_each(|_| infer())), 0);
}

fn training_steps_do_not_allocate() {
    let data = data(64);
    let (mut net, mut d_net, loss) = (Tiny::new(1), Tiny::zeros(), CrossEntropy::new());
    let (mut sgd, mut adam) = (SGD::new(0.1).momentum(0.9), Adam::new(0.1).amsgrad());
    let trained: Vec<_> = Tiny::trained().into_iter().map(|(_, range)| range).collect();
    let mut step = || {
        net.loss_and_gradients(&loss, &data.inputs, &data.targets, &mut d_net).unwrap();
        sgd.step(net.params_mut(), d_net.params(), &trained);
        adam.step(net.params_mut(), d_net.params(), &trained);
    };
    step();
    assert_eq!(allocations(|| (0..10).for_each(|_| step())), 0);
}

fn fitting_allocates_no_more_for_more_steps() {
    let (few, many, loss) = (data(40), data(4000), CrossEntropy::new());
    let fit = |data| {
        allocations(|| {
            let mut trainer = Trainer::new(Adam::new(0.1)).batch(10).epochs(3).quiet();
            trainer.fit(&mut Tiny::new(1), data, &loss).unwrap();
        })
    };
    fit(&few);
    assert_eq!(fit(&few), fit(&many));
}
