//! Logs of a run: `metrics.csv` and `report.svg`.

mod chart;
mod csv;
mod report;
mod write;
