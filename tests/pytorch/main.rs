//! Agreement with PyTorch: the values of every layer, whole models, and weights in files.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod common;

mod case;
mod lbfgs;
mod losses;
mod models;
mod reference;
mod roundtrip;
mod sequences;
mod sparse_adam;
mod timm;
mod torchvision;
