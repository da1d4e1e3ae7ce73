//! Whole networks: structure, shapes, gradients, streaming, and the bits that must not depend on batches, threads
//! or instructions.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod common;

mod batch_norm;
mod custom;
mod embedding;
mod feature_order;
mod files;
mod forward_in;
mod fused;
mod gather;
mod generic;
mod inlined;
mod instructions;
mod large_network;
mod layer_context;
#[cfg(feature = "nalgebra")]
mod matrix;
mod outputs;
mod own_steps;
mod per_step;
mod ragged;
mod same;
mod same_inputs;
mod spectral;
mod split;
mod stack;
mod streaming;
mod structure;
mod summary;
mod tied;
mod volumes;
