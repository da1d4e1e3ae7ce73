//! The networks of the firmware, and how it prints.
#![cfg_attr(target_os = "none", no_std)]

mod board;
mod measure;
mod networks;

pub use board::{exit, print_bits, print_number, stack_used};
pub use networks::{Digits, classify, classify_from_halves, filter};
