use unrolled::prelude::*;

network! {
    struct First(10) -> 10 { Exp -> 1 }
    struct Second(10) -> 10 { Log -> 2 }
    struct Third(10) -> 10 { Sqrt -> 3 }
    struct Fourth(10) -> 10 { Pow(2) -> 4 }
    struct Fifth(10) -> 10 { Abs -> 5 }
    struct Sixth(10) -> 10 { Neg -> 6 }
    struct Seventh(10) -> 10 { Clip(0.0) -> 7 }
    struct Eighth(10) -> 10 { Clip }
    struct Ninth(10) -> 10 { Clip(min = 1.0, max = 0.0) }
}

fn main() {}
