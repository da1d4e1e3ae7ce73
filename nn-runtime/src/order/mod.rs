//! The tensors of a network in files: [`file_tensors`].

mod flat_graph;
#[cfg(feature = "train")]
mod network_info;
#[cfg(test)]
mod tests;

pub(crate) use flat_graph::file_tensors;
#[cfg(feature = "train")]
pub(crate) use network_info::NetworkInfo;
pub(crate) use unrolled_weights::FileTensors;
