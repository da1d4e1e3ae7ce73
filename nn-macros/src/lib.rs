//! The `network!` macro: tokens -> syntax -> network -> shapes -> code. Use it through `unrolled`.
#![allow(dead_code, reason = "until the stages that use them are here")]

mod network;
