//! [`Table`]: tables in CSV and TSV files.

use super::text::{NOT_UTF8, TextError, TextPosition, excerpt, open};
use csv::{ByteRecord, ReaderBuilder};
use std::collections::HashMap;
use std::io::Read;
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
    names: Option<Vec<String>>,
    /// The number of columns.
    width: usize,
    /// All fields, row by row. Offsets of 4 bytes suffice for `MAX_LEN`: a field costs 4 bytes more than its text.
    text: String,
    /// The end of each field in `text`.
    ends: Vec<u32>,
    /// The line of each row.
    lines: Vec<u32>,
}

impl Table {
    /// The largest table that is read, in bytes of all fields together: 4 GiB.
    pub const MAX_LEN: u64 = u32::MAX as u64;

    /// The largest number of columns that are read: 2^20.
    pub const MAX_COLUMNS: usize = 1 << 20;

    /// Reads a regular file.
    ///
    /// # Errors
    /// If it cannot be read, is no regular file, is not UTF-8, is larger than [`MAX_LEN`](Self::MAX_LEN) or
    /// [`MAX_COLUMNS`](Self::MAX_COLUMNS), its lines have different numbers of fields, or two of its columns have the same
    /// name.
    pub fn read(path: impl AsRef<Path>, format: Format) -> Result<Self, TextError> {
        let (name, file) = open(path.as_ref())?;
        Self::from_reader(name, &mut { file }, format)
    }

    /// Reads a table in memory, which messages call `name`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(name: &str, mut bytes: &[u8], format: Format) -> Result<Self, TextError> {
        Self::from_reader(name.into(), &mut bytes, format)
    }

    fn from_reader(name: String, reader: &mut dyn Read, format: Format) -> Result<Self, TextError> {
        let mut reader = ReaderBuilder::new()
            .delimiter(format.delimiter)
            .quoting(format.quotes)
            .has_headers(false)
            .from_reader(reader);
        let (names, width) = (None, 0);
        let (text, ends, lines) = (String::new(), Vec::new(), Vec::new());
        let mut table = Self { name, names, width, text, ends, lines };
        let mut row = ByteRecord::new();
        while reader.read_byte_record(&mut row).map_err(|why| malformed(&table.name, why))? {
            if row.len() > Self::MAX_COLUMNS {
                let (max, found) = (Self::MAX_COLUMNS, row.len());
                let why = format!("expected at most {max} columns, found {found}");
                return Err(table.malformed(&row, None, why));
            }
            if format.header && table.names.is_none() {
                table.set_names(&row)?;
            } else {
                table.add_row(&row)?;
            }
        }
        if format.header && table.names.is_none() {
            let what = "expected a line with the columns' names, found nothing";
            return Err(TextError::malformed(&table.name, TextPosition::default(), what));
        }
        table.text.shrink_to_fit();
        table.ends.shrink_to_fit();
        table.lines.shrink_to_fit();
        Ok(table)
    }

    fn set_names(&mut self, row: &ByteRecord) -> Result<(), TextError> {
        let names = (0..row.len()).map(|column| self.utf8(row, column).map(str::to_owned));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let mut columns = HashMap::new();
        for (column, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            if let Some(before) = columns.insert(name, column) {
                let (name, before, column) = (excerpt(name), before + 1, column + 1);
                let why = format!(
                    "expected different names, found `{name}` in columns {before} and {column}"
                );
                return Err(self.malformed(row, None, why));
            }
        }
        (self.width, self.names) = (names.len(), Some(names));
        Ok(())
    }

    fn add_row(&mut self, row: &ByteRecord) -> Result<(), TextError> {
        let line = row.position().map_or(0, csv::Position::line);
        if (self.text.len() + row.as_slice().len()) as u64 > Self::MAX_LEN || line > Self::MAX_LEN {
            let why = format!("expected a table of at most {} bytes, found more", Self::MAX_LEN);
            return Err(self.malformed(row, None, why));
        }
        self.width = row.len();
        self.lines.push(line as u32);
        for column in 0..row.len() {
            let field = self.utf8(row, column)?;
            self.text.push_str(field);
            self.ends.push(self.text.len() as u32);
        }
        Ok(())
    }

    fn utf8<'r>(&self, row: &'r ByteRecord, column: usize) -> Result<&'r str, TextError> {
        str::from_utf8(&row[column])
            .map_err(|_| self.malformed(row, Some(column + 1), NOT_UTF8.into()))
    }

    fn malformed(&self, row: &ByteRecord, column: Option<usize>, why: String) -> TextError {
        let line = row.position().map(csv::Position::line);
        TextError::malformed(&self.name, TextPosition { line, column, column_name: None }, why)
    }

    fn field(&self, row: usize, column: usize) -> &str {
        let index = row * self.width + column;
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[begin as usize..self.ends[index] as usize]
    }

    /// The number of rows without the header.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A column by its name or by its index from 0.
    ///
    /// # Errors
    /// If it has no such column.
    pub fn column(&self, key: impl ColumnKey) -> Result<Column<'_>, TextError> {
        match key.index(self.names.as_deref().unwrap_or_default(), self.width) {
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
        fn index(self, names: &[String], width: usize) -> Result<usize, String>;
    }
}

impl key::Key for usize {
    fn index(self, _names: &[String], width: usize) -> Result<usize, String> {
        if self < width {
            return Ok(self);
        }
        Err(format!("expected a column {}, found {width} columns", self + 1))
    }
}

impl key::Key for &str {
    fn index(self, names: &[String], _width: usize) -> Result<usize, String> {
        let mut columns = (0..names.len()).filter(|column| names[*column] == self);
        match (columns.next(), columns.next()) {
            (Some(column), None) => Ok(column),
            // Other names differ.
            (Some(_), Some(_)) => Err("expected one column without a name, found several".into()),
            (None, _) => Err(format!("expected a column `{self}`, found {}", listed(names))),
        }
    }
}

/// The largest number of names that a message lists.
const MAX_LISTED: usize = 30;

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "columns without names".into();
    }
    let listed: Vec<_> = names.iter().take(MAX_LISTED).map(|name| excerpt(name)).collect();
    let rest = match names.len() - listed.len() {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!("`{}`{rest}", listed.join("`, `"))
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
        (0..self.table.len()).map(move |row| self.table.field(row, self.index))
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
        let one = |(row, field): (usize, &str)| {
            let field = field.trim();
            convert(field).ok_or_else(|| {
                let why = format!("expected {expected}, found `{}`", excerpt(field));
                TextError::malformed(&self.table.name, self.position(row), why)
            })
        };
        self.texts().enumerate().map(one).collect()
    }

    fn position(self, row: usize) -> TextPosition {
        let names = self.table.names.as_ref();
        TextPosition {
            line: Some(self.table.lines[row].into()),
            column: Some(self.index + 1),
            column_name: names.map(|names| excerpt(&names[self.index]).into()),
        }
    }
}

const FINITE: &str = "a finite number";

fn finite(text: &str) -> Option<f32> {
    text.parse().ok().filter(|number: &f32| number.is_finite())
}

fn malformed(name: &str, why: csv::Error) -> TextError {
    let line = why.position().map(csv::Position::line);
    let text = match why.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("expected {expected_len} fields, as in the first line, found {len}")
        }
        _ => why.to_string(),
    };
    match why.into_kind() {
        csv::ErrorKind::Io(why) => TextError::Unreadable { name: name.into(), why },
        _ => TextError::malformed(name, TextPosition { line, ..TextPosition::default() }, text),
    }
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
    fn names_of_columns_differ() {
        let table = |bytes| Table::parse("t", bytes, Format::CSV);
        assert_eq!(
            error(table(b"a,low,b,low\n1,2,3,4\n")),
            "`t`, line 1: expected different names, found `low` in columns 2 and 4"
        );
        // Columns without a name are read by index. The index column of a spreadsheet has none.
        assert_eq!(table(b",a\n0,1\n").unwrap().column("").unwrap().numbers().unwrap(), [0.0]);
        let unnamed = table(b",a,\n0,1,2\n").unwrap();
        assert_eq!(unnamed.column(2).unwrap().numbers().unwrap(), [2.0]);
        assert_eq!(
            error(unnamed.column("")),
            "`t`: expected one column without a name, found several"
        );
    }

    #[test]
    fn messages_are_short() {
        let names: Vec<_> = (0..1000).map(|i| format!("{i}{}", "x".repeat(1000))).collect();
        let table = Table::parse("t", names.join(",").as_bytes(), Format::CSV).unwrap();
        let message = error(table.column("y"));
        assert!(message.len() < 4000 && message.ends_with("` and 970 more"), "{message}");
        let long = Table::parse("t", &[b'x'; 1000], Format::CSV.without_header()).unwrap();
        assert!(error(long.column(0).unwrap().numbers()).len() < 200);
    }

    #[test]
    fn a_table_costs_a_few_times_its_file() {
        // The most expensive one: fields of one character, rows of one field.
        let bytes = b"1\n".repeat(1000);
        let table = Table::parse("t", &bytes, Format::CSV.without_header()).unwrap();
        let cost = table.text.capacity() + 4 * table.ends.capacity() + 4 * table.lines.capacity();
        assert!(cost <= 5 * bytes.len(), "{cost}");
    }

    #[test]
    fn files_are_read_or_refused() {
        let path = std::env::temp_dir().join(format!("nn-runtime-table-{}", std::process::id()));
        std::fs::write(&path, WEATHER).unwrap();
        let table = Table::read(&path, Format::CSV);
        std::fs::remove_file(&path).unwrap();
        let table = table.unwrap();
        assert_eq!((table.text, table.ends), (weather().text, weather().ends));
        let missing = error(Table::read(&path, Format::CSV));
        assert!(missing.contains("cannot be read") && missing.contains("nn-runtime-table"));
    }
}
