//! Data sets: samples in memory, readers of files, and preprocessing.

mod augment;
mod dataset;
mod idx;
mod in_memory;
#[cfg(feature = "train")]
mod mixup;
mod resize;
mod sampler;
mod shuffle;
mod standardizer;
#[cfg(feature = "csv")]
mod table;
mod text;
mod vocabulary;

pub use augment::Augment;
pub use dataset::{Dataset, Map};
pub use idx::{Idx, IdxError, Image};
pub use in_memory::Data;
#[cfg(feature = "train")]
pub use mixup::{mixup, mixup_into};
pub use resize::resize;
pub use sampler::Sampler;
pub(crate) use shuffle::for_each_swap;
pub use standardizer::{Floats, StandardizeError, Standardizer};
#[cfg(feature = "csv")]
pub use table::{Column, ColumnKey, Format, Table};
pub use text::{TextError, TextPosition, read_text};
pub use vocabulary::{Vocabulary, VocabularyBuilder, VocabularyError};
