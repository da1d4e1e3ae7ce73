//! The layers, one file each, with the name of the file of their shape rule.
//!
//! A file contains, in this order: the layer and its weights, inference (`Node`, `Streaming`), training (`TrainNode`),
//! helpers, tests. The other files contain what several layers share: `activation`, `causal`, `convolution`,
//! `train_convolution`, `grouped`, `pooling`, `ragged` and `recurrent`.

mod activation;
mod add;
mod avg_pool1d;
mod avg_pool2d;
mod batch_norm;
mod causal;
mod concat;
mod conv1d;
mod conv2d;
mod conv_transpose2d;
mod convolution;
mod dense;
mod dropout;
mod elu;
mod embedding;
#[cfg(test)]
mod extremes;
mod gelu;
mod global_avg_pool;
mod global_max_pool;
mod group_norm;
mod grouped;
mod gru;
mod hard_swish;
mod instance_norm;
mod layer_norm;
mod leaky_relu;
mod log_softmax;
mod lstm;
mod max_pool1d;
mod max_pool2d;
mod mul;
mod multi_head_attention;
mod pooling;
mod positional_embedding;
mod positional_encoding;
mod prelu;
mod ragged;
mod recurrent;
mod relu;
mod rms_norm;
mod rnn;
mod scale;
mod sigmoid;
mod silu;
mod softmax;
mod softplus;
mod tanh;
#[cfg(test)]
pub(crate) mod testing;
mod tied_dense;
#[cfg(feature = "train")]
mod train_convolution;
mod upsample;
mod ws_conv2d;

pub use add::Add;
pub use avg_pool1d::AvgPool1d;
pub use avg_pool2d::AvgPool2d;
pub use batch_norm::BatchNorm;
pub use concat::Concat;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use dropout::Dropout;
pub use elu::ELU;
pub use embedding::Embedding;
pub use gelu::GELU;
pub use global_avg_pool::GlobalAvgPool;
pub use global_max_pool::GlobalMaxPool;
pub use group_norm::GroupNorm;
pub use gru::GRU;
pub use hard_swish::HardSwish;
pub use instance_norm::InstanceNorm;
pub use layer_norm::LayerNorm;
pub use leaky_relu::LeakyReLU;
pub use log_softmax::LogSoftmax;
pub use lstm::LSTM;
pub use max_pool1d::MaxPool1d;
pub use max_pool2d::MaxPool2d;
pub use mul::Mul;
pub use multi_head_attention::MultiHeadAttention;
pub use positional_embedding::PositionalEmbedding;
pub use positional_encoding::PositionalEncoding;
pub use prelu::PReLU;
pub use relu::ReLU;
pub use rms_norm::RMSNorm;
pub use rnn::RNN;
pub use scale::Scale;
pub use sigmoid::Sigmoid;
pub use silu::SiLU;
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use tanh::Tanh;
pub use tied_dense::TiedDense;
pub use upsample::Upsample;
pub use ws_conv2d::WSConv2d;
