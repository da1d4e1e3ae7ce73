//! Classifies ten digits by weights in half precision.
#![cfg_attr(target_os = "none", no_std, no_main)]

use microcontroller::{classify_from_halves, exit, print_bits, print_number, stack_used};

#[cfg_attr(target_os = "none", cortex_m_rt::entry)]
fn main() -> ! {
    let used = stack_used(|| {
        classify_from_halves(|right, scores| {
            print_bits(if right { "right" } else { "wrong" }, scores);
        });
    });
    print_number("stack", used);
    exit()
}
