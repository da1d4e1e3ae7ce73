//! Training: data sets, gradients and their health, and results that do not depend on the number of threads.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod common;

mod activations;
mod checkpoint;
mod data;
mod dataset;
mod digits;
mod embedding_rows;
mod freezing;
mod gradients;
mod health;
mod logs;
mod losses;
mod metrics;
mod optimizers;
mod passes;
mod programs;
mod threads;
mod trainer;
mod trial;
