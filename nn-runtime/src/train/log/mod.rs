//! Logs of a run: `metrics.csv`, TensorBoard's event files and `report.svg`.

mod chart;
mod csv;
mod events;
mod record;
mod report;
mod table;
mod write;

pub(super) use events::EventFile;
