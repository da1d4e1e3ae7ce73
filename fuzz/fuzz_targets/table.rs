//! Any bytes as a table with commas, tabs or another delimiter: rows and columns agree, and errors name a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unrolled::data::{Format, Table};

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (delimiter, header, bytes) = input;
    let format = match delimiter {
        0..100 => Format::CSV,
        100..200 => Format::TSV,
        other => Format::CSV.delimiter(other - 200 + b' '),
    };
    let format = if header { format } else { format.without_header() };
    let Ok(table) = Table::parse("fuzz", bytes, format) else { return };
    for index in 0..3_usize {
        let Ok(column) = table.column(index) else { continue };
        assert_eq!(column.texts().len(), table.len());
        let _ = column.numbers().map(|numbers| assert!(numbers.iter().all(|x| x.is_finite())));
        let _ = (
            column.numbers_with_gaps(),
            column.classes(&["a", "b"]),
            column.parse::<i64>("a count"),
        );
    }
    let _ = table.column("a");
});
