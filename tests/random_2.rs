//! Random networks: `tests/random/mod.rs` says what is checked, `tests/generator` how they are drawn.

mod random;

random_networks::random_networks! { 50..100 }
