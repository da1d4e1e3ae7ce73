use unrolled::prelude::*;

const ROWS: usize = 28;
const COLUMNS: usize = 28;
const FILTERS: usize = 16;
const HIDDEN: usize = 128;

network! {
    struct Net([ROWS, COLUMNS, 1]) -> 10 {
        conv1: Conv2d(FILTERS, kernel = 3),
        MaxPool2d(2),
        Flatten -> 5408,
        Dense(HIDDEN),
        fc2: Dense(10),
    }
}

fn main() {
    let net = Net::new(42);
    let scores: [f32; 10] = net.forward(&[[[0.0; 1]; COLUMNS]; ROWS]);
    println!("{scores:?}");
}
