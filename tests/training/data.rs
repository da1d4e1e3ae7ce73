//! Real data sets, read by the library's readers: as many samples of each class as their authors state. They are
//! read from the folder that `UNROLLED_DATA` names:
//!
//! ```text
//! UNROLLED_DATA=folder cargo test --test training -- --ignored data::
//! ```

use std::collections::BTreeSet;
use std::path::PathBuf;
use unrolled::data::{Format, Idx, Table, Vocabulary, read_text};

/// A file or folder of the data sets.
fn data(path: &str) -> PathBuf {
    let folder = std::env::var_os("UNROLLED_DATA").expect("UNROLLED_DATA: the folder of data sets");
    PathBuf::from(folder).join(path)
}

fn counts<const CLASSES: usize>(classes: &[u32]) -> [usize; CLASSES] {
    let mut counts = [0; CLASSES];
    classes.iter().for_each(|class| counts[*class as usize] += 1);
    counts
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn images() {
    const TRAIN: [usize; 10] = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    const TEST: [usize; 10] = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    for (set, mean, train, test, first) in [
        ("mnist", 0.1307, TRAIN, TEST, [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]),
        ("fashion-mnist", 0.2860, [6000; 10], [1000; 10], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]),
    ] {
        let read = |part| Idx::read(data(&format!("{set}/{part}-ubyte.gz"))).unwrap();
        let labels = read("train-labels-idx1").labels().unwrap();
        assert_eq!(counts(&labels), train, "{set}");
        let images = read("train-images-idx3");
        assert_eq!(images.dims(), [60_000, 28, 28], "{set}");
        let ink: u64 = images.values().iter().map(|ink| u64::from(*ink)).sum();
        let found = ink as f64 / images.values().len() as f64 / 255.0;
        assert!((found - mean).abs() < 5e-5, "{set}: {found}");
        let test_set =
            read("t10k-images-idx3").labelled::<28, 28>(&read("t10k-labels-idx1")).unwrap();
        assert_eq!((test_set.len(), &test_set.targets[..10]), (10_000, &first[..]), "{set}");
        assert_eq!(counts(&test_set.targets), test, "{set}");
    }
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn iris() {
    let table = Table::read(data("tabular/iris.csv"), Format::CSV.without_header()).unwrap();
    let classes = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"];
    let classes = table.column(4).unwrap().classes(&classes).unwrap();
    assert_eq!(counts(&classes), [50; 3]);
    assert_eq!(table.samples([0, 1, 2, 3]).unwrap()[0], [5.1, 3.5, 1.4, 0.2]);
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn wines() {
    for (colour, each) in [
        ("red", [0, 0, 0, 10, 53, 681, 638, 199, 18, 0]),
        ("white", [0, 0, 0, 20, 163, 1457, 2198, 880, 175, 5]),
    ] {
        let path = data(&format!("tabular/winequality-{colour}.csv"));
        let table = Table::read(path, Format::CSV.without_header()).unwrap();
        let quality = table.column(11).unwrap().parse::<u32>("a quality").unwrap();
        assert_eq!(counts(&quality), each, "{colour}");
        let alcohol = table.column(10).unwrap().numbers().unwrap();
        assert!(alcohol.iter().all(|percent| (8.0..15.0).contains(percent)), "{colour}");
    }
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn houses() {
    let table = Table::read(data("tabular/california-housing.csv"), Format::CSV).unwrap();
    assert_eq!(table.len(), 20_640);
    let bedrooms = table.column("total_bedrooms").unwrap();
    let gaps = bedrooms.numbers_with_gaps().unwrap().iter().filter(|x| x.is_none()).count();
    assert_eq!(gaps, 207);
    let error = bedrooms.numbers().unwrap_err().to_string();
    assert!(
        error
            .ends_with("line 292, column 5 (`total_bedrooms`): expected a finite number, found ``"),
        "{error}"
    );
    let classes = ["<1H OCEAN", "INLAND", "NEAR OCEAN", "NEAR BAY", "ISLAND"];
    let classes = table.column("ocean_proximity").unwrap().classes(&classes).unwrap();
    assert_eq!(counts(&classes), [9136, 6551, 2658, 2290, 5]);
    let prices = table.column("median_house_value").unwrap().numbers().unwrap();
    assert_eq!(prices.iter().copied().fold(0.0, f32::max), 500_001.0);
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn temperatures() {
    let path = data("timeseries/daily-min-temperatures.csv");
    let table = Table::read(path, Format::CSV).unwrap();
    let days: Vec<&str> = table.column("Date").unwrap().texts().collect();
    assert_eq!((days.len(), days[0], days[3649]), (3650, "1981-01-01", "1990-12-31"));
    let degrees = table.column("Temp").unwrap().numbers().unwrap();
    let (least, most) =
        degrees.iter().fold((99.0_f32, 0.0_f32), |(a, b), x| (a.min(*x), b.max(*x)));
    assert_eq!((least, most), (0.0, 26.3));
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn sentences() {
    let mut train = Vec::new();
    for (part, each) in [("train", [3310, 3610]), ("dev", [428, 444]), ("test", [912, 909])] {
        let path = data(&format!("sentiment/sst2-sentences.{part}.txt"));
        let text = read_text(path).unwrap();
        let classes: Vec<u32> = text.lines().map(|line| line[..1].parse().unwrap()).collect();
        assert_eq!(counts(&classes), each, "{part}");
        if part == "train" {
            train = text.lines().map(|line| line[2..].to_string()).collect();
        }
    }
    let words = Vocabulary::words().learn(&train);
    for sentence in &train {
        // Any white space, such as U+00A0, separates words, and is decoded as one space.
        let one_space = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words.decode(&words.encode(sentence)), one_space);
    }
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn phrases() {
    for (part, each) in [("train", [26_786, 33_828]), ("dev", [2994, 3741])] {
        let path = data(&format!("sentiment/sst2-phrases.{part}.tsv"));
        let table = Table::read(path, Format::TSV).unwrap();
        let classes = table.column("label").unwrap().classes(&["0", "1"]).unwrap();
        assert_eq!(counts(&classes), each, "{part}");
        assert!(table.column("sentence").unwrap().texts().all(|text| !text.trim().is_empty()));
    }
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn names() {
    let text = read_text(data("names/names.txt")).unwrap();
    let different: BTreeSet<&str> = text.lines().collect();
    assert_eq!((text.lines().count(), different.len()), (32_033, 29_494));
    let letters = Vocabulary::characters().learn(&different);
    // The letters, and the token of unknown ones.
    assert_eq!(letters.size(), 27);
    assert_eq!(different.iter().map(|name| letters.encode(name).len()).max(), Some(15));
}

#[test]
#[ignore = "needs UNROLLED_DATA, the folder of data sets"]
fn plays() {
    let text = read_text(data("tiny-shakespeare/input.txt")).unwrap();
    let characters = Vocabulary::characters().learn([&text]);
    assert_eq!((text.len(), text.lines().count(), characters.size()), (1_115_394, 40_000, 66));
    assert_eq!(characters.entry(1), Some(" "));
}
