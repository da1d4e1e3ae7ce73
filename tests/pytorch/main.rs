//! Agreement with PyTorch: the values of every layer, whole models, and weights in files.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod common;

mod audio;
mod case;
mod lbfgs;
mod losses;
mod models;
mod reference;
mod roundtrip;
mod sequences;
mod sparse_adam;
mod state_dict;
mod timm;
mod torchvision;
mod transformers;
