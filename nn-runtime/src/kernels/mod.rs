//! The arithmetic of dense and convolutional layers, with sizes known at run time, so that it is
//! compiled once, optimised, and not in every program.

mod add;
pub(crate) mod attention;
mod axis;
mod border;
mod chains;
mod conv2d;
mod conv_pool;
mod dense;
mod depthwise;
pub(crate) mod dispatch;
mod dots;
pub(crate) mod elementwise;
mod few_rows;
mod geometry;
pub(crate) mod group_norm;
mod inline;
pub(crate) mod isa;
pub(crate) mod norm;
pub(crate) mod pool;
mod pool_2x2;
mod product;
pub mod recurrent;
#[cfg(test)]
pub(crate) mod reference;
pub(crate) mod row_norm;
pub(crate) mod rows;
mod small;
#[cfg(feature = "train")]
pub(crate) mod stream;
#[cfg(test)]
mod tests;
mod tile;
pub(crate) mod transpose;
pub(crate) mod upsample;

pub use add::add_to;
#[cfg(feature = "train")]
pub(crate) use add::sum_shards;
pub use border::Border;
pub(crate) use chains::chains;
pub use conv_pool::conv2d_max_pool;
pub use conv2d::{Taps, conv2d, conv2d_d_weight, conv2d_d_x, conv2d_turn};
pub use dense::{Pieces, d_bias, dense, dense_d_weight, dense_d_x, dense_transposed};
pub(crate) use dense::{dense_columns, dense_inlined};
pub use geometry::Geometry;
pub(crate) use inline::Compiled;
pub use inline::{AtRunTime, Instructions};
pub use isa::Isa;
pub(crate) use isa::{Baseline, Kernel, Lanes, mul_add};
pub use product::Onto;
