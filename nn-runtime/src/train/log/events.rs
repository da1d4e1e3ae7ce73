//! TensorBoard's event files: scalars and histograms.

use super::record::add_record;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A file of events, to which each epoch of a run appends.
#[derive(Debug)]
pub(in crate::train) struct EventFile(File);

/// The values of an epoch, each with its tag: `loss/training`.
#[derive(Debug, Default)]
pub(super) struct Summary(Vec<u8>);

impl EventFile {
    /// A new file in `folder`, with a name that TensorBoard reads after those of earlier runs.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        let now = seconds() as u64;
        // Runs that begin in the same second have different names.
        for nth in 0_u32.. {
            let name = format!("events.out.tfevents.{now:010}.{nth}.unrolled");
            match File::create_new(folder.join(name)) {
                Ok(file) => return Self(file).begun(),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// Writes the version of the format.
    fn begun(mut self) -> io::Result<Self> {
        let mut event = Vec::new();
        double(1, seconds(), &mut event);
        bytes(3, b"brain.Event:2", &mut event);
        self.append(&event)?;
        Ok(self)
    }

    /// Appends the values of an epoch.
    pub(super) fn add(&mut self, epoch: usize, summary: &Summary) -> io::Result<()> {
        self.append(&event(seconds(), epoch, summary))
    }

    fn append(&mut self, event: &[u8]) -> io::Result<()> {
        let mut record = Vec::new();
        add_record(event, &mut record);
        // At once, so that a reader never finds a part of a record.
        self.0.write_all(&record)
    }
}

/// The seconds since 1970.
fn seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// TensorFlow's `Event`.
fn event(seconds: f64, epoch: usize, summary: &Summary) -> Vec<u8> {
    let mut event = Vec::new();
    double(1, seconds, &mut event);
    key(2, 0, &mut event);
    varint(epoch as u64, &mut event);
    bytes(5, &summary.0, &mut event);
    event
}

impl Summary {
    pub(super) fn scalar(&mut self, tag: &str, value: f64) {
        let mut simple_value = Vec::new();
        key(2, 5, &mut simple_value);
        simple_value.extend((value as f32).to_le_bytes());
        self.value(tag, &simple_value);
    }

    /// Adds the histogram of values, if all of them are finite.
    pub(super) fn histogram(&mut self, tag: &str, values: &[f32]) {
        if let Some(histogram) = Histogram::of(values) {
            let mut histo = Vec::new();
            bytes(5, &histogram.encoded(), &mut histo);
            self.value(tag, &histo);
        }
    }

    /// TensorFlow's `Summary.Value`.
    fn value(&mut self, tag: &str, encoded: &[u8]) {
        let mut value = Vec::new();
        bytes(1, tag.as_bytes(), &mut value);
        value.extend(encoded);
        bytes(1, &value, &mut self.0);
    }
}

/// The number of buckets of a histogram, of which TensorBoard draws as many.
const BUCKETS: usize = 30;

/// TensorFlow's `HistogramProto`, with buckets of equal width.
struct Histogram {
    min: f64,
    max: f64,
    sum: f64,
    squares: f64,
    counts: [u32; BUCKETS],
    count: usize,
}

impl Histogram {
    fn of(values: &[f32]) -> Option<Self> {
        let all = || values.iter().map(|value| f64::from(*value));
        if values.is_empty() || all().any(|value| !value.is_finite()) {
            return None;
        }
        let min = all().fold(f64::INFINITY, f64::min);
        let max = all().fold(f64::NEG_INFINITY, f64::max);
        let mut counts = [0; BUCKETS];
        for value in all() {
            // Equal values are in the last bucket, which ends with them.
            let share = if max > min { (value - min) / (max - min) } else { 1.0 };
            counts[((share * BUCKETS as f64) as usize).min(BUCKETS - 1)] += 1;
        }
        let squares = all().map(|value| value * value).sum();
        Some(Self { min, max, sum: all().sum(), squares, counts, count: values.len() })
    }

    fn encoded(&self) -> Vec<u8> {
        let mut histogram = Vec::new();
        let facts = [self.min, self.max, self.count as f64, self.sum, self.squares];
        for (field, fact) in (1..).zip(facts) {
            double(field, fact, &mut histogram);
        }
        let limit = |bucket: usize| {
            let share = (bucket + 1) as f64 / BUCKETS as f64;
            if bucket + 1 == BUCKETS { self.max } else { self.min + share * (self.max - self.min) }
        };
        doubles(6, (0..BUCKETS).map(limit), &mut histogram);
        doubles(7, self.counts.iter().map(|count| f64::from(*count)), &mut histogram);
        histogram
    }
}

// Protocol Buffers (https://protobuf.dev/programming-guides/encoding): each field is a key, its number and wire type,
// and a value.

fn key(field: u32, wire_type: u32, message: &mut Vec<u8>) {
    varint(u64::from(field << 3 | wire_type), message);
}

/// Groups of 7 bits, the lowest first; all but the last one have the highest bit set.
fn varint(mut number: u64, message: &mut Vec<u8>) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

fn double(field: u32, value: f64, message: &mut Vec<u8>) {
    key(field, 1, message);
    message.extend(value.to_le_bytes());
}

/// Bytes, a text or an inner message.
fn bytes(field: u32, content: &[u8], message: &mut Vec<u8>) {
    key(field, 2, message);
    varint(content.len() as u64, message);
    message.extend(content);
}

/// A packed repeated field.
fn doubles(field: u32, values: impl Iterator<Item = f64>, message: &mut Vec<u8>) {
    let packed: Vec<u8> = values.flat_map(f64::to_le_bytes).collect();
    bytes(field, &packed, message);
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected bytes: scripts/check_tensorboard.py, by the messages of the `tensorboard` package.
    #[test]
    fn an_event_has_the_bytes_of_tensorboard() {
        let mut summary = Summary::default();
        summary.scalar("loss", 0.25);
        let expected = [
            9, 0, 0, 0, 0, 0, 0, 248, 63, 16, 172, 2, 42, 13, 10, 11, 10, 4, 108, 111, 115, 115,
            21, 0, 0, 128, 62,
        ];
        assert_eq!(event(1.5, 300, &summary), expected);
    }

    #[test]
    fn histograms_count_all_values() {
        let values: Vec<f32> = (0..=60).map(|i| i as f32 - 20.0).collect();
        let histogram = Histogram::of(&values).expect("finite values");
        assert_eq!((histogram.min, histogram.max, histogram.sum), (-20.0, 40.0, 610.0));
        // Two values in each, and the largest in the last.
        let mut expected = [2; BUCKETS];
        expected[BUCKETS - 1] = 3;
        assert_eq!(histogram.counts, expected);
        let equal = Histogram::of(&[0.5; 4]).expect("finite values");
        assert_eq!((equal.counts[BUCKETS - 1], equal.squares), (4, 1.0));
        assert!(Histogram::of(&[]).is_none() && Histogram::of(&[1.0, f32::NAN]).is_none());
    }
}
