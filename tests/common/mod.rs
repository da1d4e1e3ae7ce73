//! Helpers of several test binaries: random values, their bits, gradients, results on several threads, and paths.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use unrolled::loss::Loss;
use unrolled::{InferenceExt, Network, RngKey, TrainingExt, Values, parallel};

/// A random value in `[-1, 1)` that depends only on the arguments.
pub(crate) fn random(seed: u64, index: usize) -> f32 {
    2.0 * RngKey::new(seed).uniform(index as u64) - 1.0
}

/// Overwrites `values` with random ones in `[-1, 1)`.
pub(crate) fn fill(values: &mut [f32], seed: u64) {
    for (index, value) in values.iter_mut().enumerate() {
        *value = random(seed, index);
    }
}

/// An array of any rank with random elements in `[-1, 1)`.
pub(crate) fn random_values<T: Values>(seed: u64) -> T {
    let mut values = T::zeroed();
    fill(values.as_floats_mut(), seed);
    values
}

/// The bits of each value: unlike `==`, they tell 0 from -0 and compare NaN.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The gradient of a batch's loss, in the order of [`InferenceExt::params`].
pub(crate) fn gradient<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
) -> Vec<f32> {
    let mut d_net = N::zeros();
    net.loss_and_gradients(loss, inputs, targets, &mut d_net, RngKey::new(1))
        .expect("a batch that fits");
    d_net.params().to_vec()
}

/// The result of `run`, which must be the same on 1, 2 and 7 threads, also where its work is too little for more than one.
#[track_caller]
pub(crate) fn same_on_all_threads<T: PartialEq>(run: impl Fn() -> T) -> T {
    /// The pool serves one caller at a time and lets others work alone, so tests take turns.
    static POOL: Mutex<()> = Mutex::new(());
    // A poisoned lock protects nothing that could be inconsistent.
    let _turn = POOL.lock();
    let one = parallel::with_threads(1, &run);
    for threads in [2, 7] {
        assert!(
            parallel::with_threads(threads, || parallel::whatever_the_work(&run)) == one,
            "{threads} threads change the result"
        );
    }
    one
}

/// A path below cargo's folder for the files of tests, whose parent exists.
pub(crate) fn temporary(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(path);
    std::fs::create_dir_all(path.parent().expect("a folder"))
        .expect("a folder that can be written");
    path
}
