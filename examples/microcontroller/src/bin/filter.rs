//! Filters a signal by an LSTM, sample by sample.
#![cfg_attr(target_os = "none", no_std, no_main)]

use microcontroller::{exit, filter, print_bits, print_number, stack_used};

#[cfg_attr(target_os = "none", cortex_m_rt::entry)]
fn main() -> ! {
    let used = stack_used(|| print_bits("filter", &filter()));
    print_number("stack", used);
    exit()
}
