//! Prints the outputs of networks as bits of `f32`, one line each; with the feature `train` also the losses of a training
//! run. On WebAssembly, which has no standard output, the text is in memory.
#![cfg_attr(target_family = "wasm", no_main)]

mod networks;
mod report;
#[cfg(feature = "train")]
mod training;

/// All lines.
fn lines() -> String {
    let mut text = networks::report();
    #[cfg(feature = "train")]
    text.push_str(&training::report());
    text
}

#[cfg(not(target_family = "wasm"))]
fn main() {
    print!("{}", lines());
}

/// Writes all lines to memory, and returns the address of their address and length.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
extern "C" fn report_address() -> *const [usize; 2] {
    let text = lines().leak();
    Box::leak(Box::new([text.as_ptr() as usize, text.len()]))
}
