//! The mathematics of the layers, one file each.

mod activation;
mod avg_pool2d;
mod batch_norm;
mod conv2d;
mod dense;
mod dropout;
mod elu;
mod gelu;
mod global_avg_pool;
mod global_max_pool;
mod hard_swish;
mod leaky_relu;
mod log_softmax;
mod max_pool2d;
mod pooling;
mod relu;
mod sigmoid;
mod silu;
mod softmax;
mod softplus;
mod tanh;
#[cfg(test)]
mod testing;

pub use avg_pool2d::AvgPool2d;
pub use batch_norm::BatchNorm;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use dropout::Dropout;
pub use elu::ELU;
pub use gelu::GELU;
pub use global_avg_pool::GlobalAvgPool;
pub use global_max_pool::GlobalMaxPool;
pub use hard_swish::HardSwish;
pub use leaky_relu::LeakyReLU;
pub use log_softmax::LogSoftmax;
pub use max_pool2d::MaxPool2d;
pub use relu::ReLU;
pub use sigmoid::Sigmoid;
pub use silu::SiLU;
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use tanh::Tanh;
