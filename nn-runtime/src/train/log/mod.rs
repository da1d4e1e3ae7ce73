//! Logs of a run: `metrics.csv`, TensorBoard's event files and `report.svg`; charts of several runs.

mod chart;
mod comparison;
mod csv;
mod events;
mod record;
mod report;
mod table;
mod write;

pub use comparison::Comparison;
pub(super) use events::EventFile;
