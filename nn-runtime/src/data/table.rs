//! [`Table`]: tables in CSV and TSV files.

use super::text::{NOT_UTF8, TextError, TextPosition, read_bytes};
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use std::path::Path;
use std::str::FromStr;

/// The format of a table: how lines are split into fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    delimiter: u8,
    quotes: bool,
    header: bool,
}

impl Format {
    /// Comma-separated values: fields may be quoted, and quoted fields may contain commas and line breaks.
    pub const CSV: Self = Self { delimiter: b',', quotes: true, header: true };

    /// Tab-separated values: quotation marks have no special meaning.
    pub const TSV: Self = Self { delimiter: b'\t', quotes: false, header: true };

    /// Sets the character between fields, such as `b';'`.
    #[must_use]
    pub const fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Reads the first line as data instead of the columns' names.
    #[must_use]
    pub const fn without_header(mut self) -> Self {
        self.header = false;
        self
    }
}

/// A table of text, whose columns are read as numbers, classes or any type that can be parsed. Errors name file, line and
/// column.
///
/// ```
/// use unrolled_runtime::data::{Format, Table};
///
/// let table = Table::parse("days.csv", b"day,low\nMon,2.5\nTue,-1\n", Format::CSV)?;
/// assert_eq!(table.column("low")?.numbers()?, [2.5, -1.0]);
/// let error = table.column("day")?.numbers().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`days.csv`, line 2, column 1 (`day`): expected a finite number, found `Mon`"
/// );
/// # Ok::<(), unrolled_runtime::data::TextError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The path or the name in messages.
    name: String,
    names: Option<StringRecord>,
    rows: Vec<StringRecord>,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is not UTF-8, or its lines have different numbers of fields.
    pub fn read(path: impl AsRef<Path>, format: Format) -> Result<Self, TextError> {
        let (name, bytes) = read_bytes(path.as_ref())?;
        Self::parse(&name, &bytes, format)
    }

    /// Reads a table in memory, which messages call `name`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(name: &str, bytes: &[u8], format: Format) -> Result<Self, TextError> {
        let mut reader = ReaderBuilder::new()
            .delimiter(format.delimiter)
            .quoting(format.quotes)
            .has_headers(false)
            .from_reader(bytes);
        let rows = reader.byte_records().map(|row| match row {
            Ok(row) => checked_row(name, row),
            Err(why) => Err(malformed(name, why)),
        });
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        if format.header && rows.is_empty() {
            let what = "expected a line with the columns' names, found nothing";
            return Err(TextError::malformed(name, TextPosition::default(), what));
        }
        let names = format.header.then(|| rows.remove(0));
        Ok(Self { name: name.into(), names, rows })
    }

    /// The number of rows without the header.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A column by its name or by its index from 0.
    ///
    /// # Errors
    /// If it has no such column.
    pub fn column(&self, key: impl ColumnKey) -> Result<Column<'_>, TextError> {
        let width = self.names.as_ref().or(self.rows.first()).map_or(0, StringRecord::len);
        let names = self.names.as_ref().map_or(Vec::new(), |names| names.iter().collect());
        match key.index(&names, width) {
            Ok(index) => Ok(Column { table: self, index }),
            Err(why) => Err(TextError::malformed(&self.name, TextPosition::default(), why)),
        }
    }

    /// Some of its columns as numbers, row by row: the inputs of a network.
    ///
    /// ```
    /// # use unrolled_runtime::data::{Format, Table};
    /// let table = Table::parse("xor", b"0,0,0\n0,1,1\n", Format::CSV.without_header())?;
    /// assert_eq!(table.samples([0, 2])?, [[0.0, 0.0], [0.0, 1.0]]);
    /// # Ok::<(), unrolled_runtime::data::TextError>(())
    /// ```
    ///
    /// # Errors
    /// If it has no such column, or a field is not a finite number.
    pub fn samples<const N: usize>(
        &self,
        keys: [impl ColumnKey; N],
    ) -> Result<Vec<[f32; N]>, TextError> {
        let mut samples = vec![[0.0; N]; self.len()];
        for (i, key) in keys.into_iter().enumerate() {
            let numbers = self.column(key)?.numbers()?;
            samples.iter_mut().zip(numbers).for_each(|(sample, number)| sample[i] = number);
        }
        Ok(samples)
    }
}

/// The key of a column of a [`Table`]: its name, or its index from 0. It cannot be implemented for other types.
pub trait ColumnKey: key::Key {}

impl ColumnKey for usize {}
impl ColumnKey for &str {}

mod key {
    pub trait Key: Copy {
        /// The index among `width` columns. `names` is empty if the table has none. The error is what was expected and
        /// what was found.
        fn index(self, names: &[&str], width: usize) -> Result<usize, String>;
    }
}

impl key::Key for usize {
    fn index(self, _names: &[&str], width: usize) -> Result<usize, String> {
        if self < width {
            return Ok(self);
        }
        Err(format!("expected a column {}, found {width} columns", self + 1))
    }
}

impl key::Key for &str {
    fn index(self, names: &[&str], _width: usize) -> Result<usize, String> {
        names.iter().position(|name| *name == self).ok_or_else(|| {
            let found = match names {
                [] => "columns without names".into(),
                _ => format!("`{}`", names.join("`, `")),
            };
            format!("expected a column `{self}`, found {found}")
        })
    }
}

/// A column of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Column<'t> {
    table: &'t Table,
    index: usize,
}

impl<'t> Column<'t> {
    /// Its fields as text, white space included.
    pub fn texts(self) -> impl ExactSizeIterator<Item = &'t str> {
        self.table.rows.iter().map(move |row| &row[self.index])
    }

    /// Its fields as numbers.
    ///
    /// # Errors
    /// If a field is not a finite number.
    pub fn numbers(self) -> Result<Vec<f32>, TextError> {
        self.convert(FINITE, finite)
    }

    /// Its fields as numbers, `None` for empty fields.
    ///
    /// # Errors
    /// If another field is not a finite number.
    pub fn numbers_with_gaps(self) -> Result<Vec<Option<f32>>, TextError> {
        self.convert("a finite number, or nothing", |text| {
            if text.is_empty() { Some(None) } else { finite(text).map(Some) }
        })
    }

    /// Its fields as class indices: their indices in `classes`.
    ///
    /// # Errors
    /// If a field is none of them.
    pub fn classes(self, classes: &[&str]) -> Result<Vec<u32>, TextError> {
        let expected = format!("one of `{}`", classes.join("`, `"));
        self.convert(&expected, |text| {
            classes.iter().position(|class| *class == text).map(|class| class as u32)
        })
    }

    /// Its fields, parsed: `parse::<u32>("a year")`. Errors say that `expected` was expected.
    ///
    /// # Errors
    /// If a field cannot be parsed.
    pub fn parse<T: FromStr>(self, expected: &str) -> Result<Vec<T>, TextError> {
        self.convert(expected, |text| text.parse().ok())
    }

    /// Converts all fields, without the white space around them.
    fn convert<T>(
        self,
        expected: &str,
        convert: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, TextError> {
        let one = |row: &StringRecord| {
            let field = row[self.index].trim();
            convert(field).ok_or_else(|| {
                let why = format!("expected {expected}, found `{field}`");
                TextError::malformed(&self.table.name, self.position(row), why)
            })
        };
        self.table.rows.iter().map(one).collect()
    }

    fn position(self, row: &StringRecord) -> TextPosition {
        let names = self.table.names.as_ref();
        TextPosition {
            line: row.position().map(csv::Position::line),
            column: Some(self.index + 1),
            column_name: names.map(|names| names[self.index].into()),
        }
    }
}

const FINITE: &str = "a finite number";

fn finite(text: &str) -> Option<f32> {
    text.parse().ok().filter(|number: &f32| number.is_finite())
}

/// A row with all fields in UTF-8.
fn checked_row(name: &str, row: ByteRecord) -> Result<StringRecord, TextError> {
    let line = row.position().map(csv::Position::line);
    StringRecord::from_byte_record(row).map_err(|why| {
        let column = Some(why.utf8_error().field() + 1);
        TextError::malformed(name, TextPosition { line, column, column_name: None }, NOT_UTF8)
    })
}

fn malformed(name: &str, why: csv::Error) -> TextError {
    let line = why.position().map(csv::Position::line);
    let text = match why.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("expected {expected_len} fields, as in the first line, found {len}")
        }
        _ => why.to_string(),
    };
    TextError::malformed(name, TextPosition { line, ..TextPosition::default() }, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEATHER: &[u8] = b"\"day, month\",low,sky\n\"1 \"\"May\"\"\",2.5, fair\n2,,rain\n";

    fn weather() -> Table {
        Table::parse("weather.csv", WEATHER, Format::CSV).unwrap()
    }

    fn error<T>(result: Result<T, TextError>) -> String {
        result.err().expect("something is wrong").to_string()
    }

    #[test]
    fn columns_have_types() {
        let table = weather();
        let days: Vec<_> = table.column("day, month").unwrap().texts().collect();
        assert_eq!((table.len(), days), (2, vec!["1 \"May\"", "2"]));
        let low = table.column("low").unwrap();
        assert_eq!(low.numbers_with_gaps().unwrap(), [Some(2.5), None]);
        assert_eq!(table.column(2).unwrap().classes(&["rain", "fair"]).unwrap(), [1, 0]);
        let tsv =
            Table::parse("t", b"say \"hi\"\t-3\r\n\"\t4", Format::TSV.without_header()).unwrap();
        assert_eq!(tsv.column(0).unwrap().texts().collect::<Vec<_>>(), ["say \"hi\"", "\""]);
        assert_eq!(tsv.column(1).unwrap().parse::<i8>("a byte").unwrap(), [-3, 4]);
        let numbers = Format::CSV.delimiter(b';').without_header();
        let numbers = Table::parse("n", b"1;2;3\n4;5;6\n", numbers).unwrap();
        assert_eq!(numbers.samples([2, 0]).unwrap(), [[3.0, 1.0], [6.0, 4.0]]);
    }

    #[test]
    fn errors_name_file_line_and_column() {
        let table = weather();
        let low = table.column("low").unwrap();
        assert_eq!(
            error(low.numbers()),
            "`weather.csv`, line 3, column 2 (`low`): expected a finite number, found ``"
        );
        assert_eq!(
            error(table.column("sky").unwrap().classes(&["sun", "rain"])),
            "`weather.csv`, line 2, column 3 (`sky`): expected one of `sun`, `rain`, found `fair`"
        );
        assert_eq!(
            error(table.column("high")),
            "`weather.csv`: expected a column `high`, found `day, month`, `low`, `sky`"
        );
        assert_eq!(
            error(table.samples([3])),
            "`weather.csv`: expected a column 4, found 3 columns"
        );
        let plain = |bytes| Table::parse("p", bytes, Format::CSV.without_header());
        assert_eq!(
            error(plain(b"1,2\n\"two\nlines\",3\n4\n")),
            "`p`, line 4: expected 2 fields, as in the first line, found 1"
        );
        assert_eq!(
            error(plain(b"1,2\n3,\xff\n")),
            "`p`, line 2, column 2: expected text in UTF-8, found other bytes"
        );
        let infinite = plain(b"1\n1e999\n").unwrap();
        assert_eq!(
            error(infinite.column(0).unwrap().numbers()),
            "`p`, line 2, column 1: expected a finite number, found `1e999`"
        );
        assert_eq!(
            error(infinite.column("a")),
            "`p`: expected a column `a`, found columns without names"
        );
        assert!(error(Table::parse("e", b"", Format::TSV)).contains("the columns' names"));
    }

    #[test]
    fn files_are_read_or_refused() {
        let path = std::env::temp_dir().join(format!("nn-runtime-table-{}", std::process::id()));
        std::fs::write(&path, WEATHER).unwrap();
        let table = Table::read(&path, Format::CSV);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(table.unwrap().rows, weather().rows);
        let missing = error(Table::read(&path, Format::CSV));
        assert!(missing.contains("cannot be read") && missing.contains("nn-runtime-table"));
    }
}
