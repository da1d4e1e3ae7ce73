//! [`ast`](crate::ast) -> [`network`](crate::network): names are looked up, arguments matched, blocks and
//! repeats unrolled. Shapes are not looked at: [`infer_shapes`](crate::infer_shapes) does that.

mod again;
mod graph;
mod inputs;
mod layer;
mod lines;
mod names;
mod node;
mod outputs;
mod owner;
mod resolver;
mod source;
mod structure;

pub(crate) use graph::resolve;
pub(crate) use names::resolve_names;
pub(crate) use resolver::Resolved;
