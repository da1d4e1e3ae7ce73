//! Kernels: the arithmetic of layers. Sizes are known at run time, so that kernels are compiled once, optimised, and
//! not in every program.
//!
//! Modules depend on each other in one direction: `isa` and `dispatch` (instructions), `epilogue`, `product` and `dots` (matrix
//! products), `dense_args`, `border`, `geometry`, `split`, `dense` and what it consists of, `axis`, `conv_pass`, `depthwise`,
//! `conv2d`, `conv3d`, `winograd`, `conv_forward`, `conv_bands`, `pool`, `conv_pool`; `column_sums`, `elementwise`, `rows`, `row_sums`, and the normalisations; then `recurrent` and `attention`.
//! `reference` has a naive twin of each kernel for the tests.

mod add;
pub(crate) mod attention;
mod axis;
mod border;
mod chains;
mod column_sums;
mod conv2d;
mod conv3d;
mod conv_args;
mod conv_bands;
mod conv_forward;
mod conv_pass;
mod conv_pool;
mod dense;
mod dense_args;
mod depthwise;
pub(crate) mod dispatch;
mod dots;
pub(crate) mod elementwise;
mod epilogue;
mod few_rows;
mod geometry;
pub(crate) mod group_norm;
mod inline;
pub(crate) mod isa;
#[cfg(test)]
mod long_sums;
pub(crate) mod norm;
pub(crate) mod pool;
mod pool_2x2;
mod product;
pub mod recurrent;
#[cfg(test)]
pub(crate) mod reference;
pub(crate) mod row_norm;
pub(crate) mod row_sums;
pub(crate) mod rows;
mod small;
mod split;
#[cfg(feature = "train")]
pub(crate) mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod transpose;
pub(crate) mod upsample;
mod winograd;

pub use add::add_to;
#[cfg(feature = "train")]
pub(crate) use add::sum_shards;
pub use border::Border;
pub(crate) use chains::{Columns, Count, chains};
pub use column_sums::d_bias;
pub use conv_args::{ConvArgs, ConvDWeightArgs};
pub use conv_bands::{ConvBands, ConvLayer};
pub use conv_forward::conv_forward;
pub use conv_pool::conv2d_max_pool;
pub use conv2d::{
    conv2d, conv2d_d_weight, conv2d_d_x, conv2d_flip, conv2d_with, pointwise_filters,
};
pub use conv3d::{conv3d, conv3d_d_weight, conv3d_d_x, conv3d_flip};
pub use dense::{dense, dense_d_weight, dense_d_x, dense_transposed};
pub(crate) use dense::{dense_columns, dense_inlined, is_small};
pub(crate) use dense_args::ColumnsArgs;
pub use dense_args::{DenseArgs, DenseDWeightArgs, RowBlocks};
pub use epilogue::{Epilogue, Normalization};
pub use geometry::{Depth, Geometry, Taps};
pub(crate) use inline::Compiled;
pub use inline::{AtRunTime, Instructions};
pub use isa::Isa;
pub(crate) use isa::{Baseline, Kernel, Lanes, mul_add};
pub use product::Accumulate;
pub(crate) use product::{Init, LONG_DENSE_SUM};
