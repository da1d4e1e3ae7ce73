use unrolled::prelude::*;

network! {
    struct Computed(series: 20x8) -> 3x8 {
        series => Flatten,
        places: Dense(3),
        series => Gather(places),
    }
    struct Rows(series: 20x8, places: 3x2) -> 3x8 { series => Gather(places) }
    struct Image(image: 8x8x4, places: 3) -> 3x8x4 { image => Gather(places) }
    struct Both(series: 20x8, places: 3) -> 3 {
        Concat { series => { Gather(places), Flatten, Dense(2) }, places => { Dense(1) } },
    }
    struct Short(series: ..20x8, places: 3) -> 3x8 { series => Gather(places) }
    struct Misspelt(series: 20x8, places: 3) -> 3x8 { series => Gather(place) }
    struct Missing(series: 20x8, places: 3) -> 3x8 { series => Gather }
}

fn main() {}
