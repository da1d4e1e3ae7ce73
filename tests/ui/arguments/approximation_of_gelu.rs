use unrolled::prelude::*;

network! {
    struct First(10) -> 10 { GELU(approximate = "tanh") }
    struct Second(10) -> 10 { GELU(approximate = tan) }
    struct Third(10) -> 10 { GELU(approximate = true) }
    struct Fourth(10) -> 10 { GELU(tanh) }
}

fn main() {}
