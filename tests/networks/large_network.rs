//! A network far larger than a thread's stack is created, trained, saved, loaded and dropped without being copied to
//! the stack, also in a debug build.

use crate::common::temporary;
use unrolled::prelude::*;

network! {
    /// More than ten million weights: 40 MB.
    struct Large(40x40x1) -> 10 {
        Conv2d(16, kernel = 3, padding = same), ReLU,
        Flatten,
        Dense(400), ReLU,
        Dense(10),
    }
}

/// The default stack size of a thread in Rust.
const STACK: usize = 2 << 20;

fn train_and_drop() {
    const { assert!(Large::PARAM_BYTES > 40_000_000) };
    let mut net = Large::new(1);
    let mut data = Data { inputs: Vec::new(), targets: Vec::new() };
    for i in 0..24_u32 {
        let mut image = [[[0.0; 1]; 40]; 40];
        image[i as usize][0][0] = 1.0;
        data.inputs.push(image);
        data.targets.push(i % 10);
    }
    let loss = CrossEntropy::default();
    let history = Trainer::new(Adam::new(1e-3))
        .batch(8)
        .epochs(1)
        .quiet()
        .fit(&mut net, &data, &loss)
        .unwrap();
    assert!(history.epochs[0].training.loss.is_finite());

    let path = temporary("large.safetensors");
    net.save(&path).unwrap();
    let loaded = Large::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(loaded.params() == net.params());
    assert_eq!(loaded.forward(&data.inputs[0]), net.forward(&data.inputs[0]));
}

#[test]
fn a_network_of_40_mb_needs_a_stack_of_2_mb() {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(train_and_drop).unwrap();
    thread.join().unwrap();
}
