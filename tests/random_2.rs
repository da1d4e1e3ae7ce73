//! Random networks: `tests/random/mod.rs` has the properties, `tests/generator` draws the networks.

mod random;

random_networks::random_networks! { 50..100 }
