//! One file for each kind of layer: its arguments, its shape rule, its row in the registry. The fields of the struct
//! `conv2d::Conv2d` are the arguments of `Conv2d` in `network!`, and so on.
//!
//! The struct of a layer's arguments has the method `output`, and `params`, `macs` and `how` where its
//! [`Row`](crate::registry::Row) has them, all `const fn(&self, &[Shape])`. The macro calls them through the
//! row, expanded code by name.

pub mod celu;
mod convolution;
pub mod hard_sigmoid;
pub mod hard_tanh;
mod helpers;
pub mod identity;
pub mod log_sigmoid;
pub mod mish;
pub mod recurrent;
pub mod relu6;
pub mod selu;
pub mod softsign;
pub mod threshold;
pub mod window;

pub mod add;
pub mod avg_pool1d;
pub mod avg_pool2d;
pub mod batch_norm;
pub mod concat;
pub mod conv1d;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod dense;
pub mod dropout;
pub mod elu;
pub mod embedding;
pub mod flatten;
pub mod gelu;
pub mod global_avg_pool;
pub mod global_max_pool;
pub mod group_norm;
pub mod gru;
pub mod hard_swish;
pub mod instance_norm;
pub mod layer_norm;
pub mod leaky_relu;
pub mod log_softmax;
pub mod lstm;
pub mod max_pool1d;
pub mod max_pool2d;
pub mod mul;
pub mod multi_head_attention;
pub mod positional_embedding;
pub mod positional_encoding;
pub mod prelu;
pub mod relu;
pub mod reshape;
pub mod rms_norm;
pub mod rnn;
pub mod scale;
pub mod sigmoid;
pub mod silu;
pub mod softmax;
pub mod softplus;
pub mod tanh;
pub mod upsample;
pub mod ws_conv2d;
