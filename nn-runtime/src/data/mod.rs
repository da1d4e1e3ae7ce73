//! Data sets: samples in memory, readers of files, and preprocessing.

mod augment;
mod bytes;
mod dataset;
mod idx;
#[cfg(feature = "images")]
mod image_folder;
mod in_memory;
#[cfg(feature = "train")]
mod mixup;
mod resize;
mod sampler;
mod shuffle;
mod split;
mod standardizer;
#[cfg(feature = "csv")]
mod table;
mod text;
mod vocabulary;
mod weighted_samples;
mod windows;

pub use augment::Augment;
pub use bytes::scaled_bytes;
pub use dataset::{Dataset, InMemory, Map};
pub use idx::{Idx, IdxError, Image};
#[cfg(feature = "images")]
pub use image_folder::{ImageFolder, ImageFolderError};
pub use in_memory::Data;
#[cfg(feature = "train")]
pub use mixup::{mixup, mixup_into};
pub use resize::resize;
pub use sampler::Sampler;
pub(crate) use shuffle::for_each_swap;
pub use split::{Split, SplitError, Subset};
pub use standardizer::{Floats, StandardizeError, Standardizer};
#[cfg(feature = "csv")]
pub use table::{Column, ColumnKey, Format, Table};
pub use text::{TextError, TextPosition, read_text};
pub use vocabulary::{Vocabulary, VocabularyBuilder, VocabularyError};
pub use weighted_samples::{WeightedSamples, WeightsError, balanced_weights};
pub use windows::Windows;
