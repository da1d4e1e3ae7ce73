//! Random networks: `tests/random/mod.rs` has the properties, `tests/generator` draws the networks.
#![allow(deprecated, reason = "random networks make the mistakes that warnings are about")]

mod random;

random_networks::random_networks! { 50..100 }
