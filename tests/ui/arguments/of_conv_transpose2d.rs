use unrolled::prelude::*;

network! {
    struct First(7x7x16) -> 14x14x8 { ConvTranspose2d(8, 2, stride = 2, output_padding = 2) }
    struct Second(7x7x16) -> 14x14x8 { ConvTranspose2d(8, 3, padding = 5) }
    struct Third(7x7x16) -> 14x14x8 { ConvTranspose2d(8, 2, stride = 2, groups = 3) }
    struct Fourth(7x7x16) -> 13x13x8 { ConvTranspose2d(8, 2, stride = 2) -> 13x13x8 }
}

fn main() {}
