use unrolled::prelude::*;

network! {
    struct First(8x8x8x1) -> 10 { Conv3d(8, kernel = (3, 3)), GlobalAvgPool, Dense(10) }
    struct Second(8x8x8x1) -> 10 { Conv3d(8, kernel = 3, padding = (0, 1, 0, 1)), GlobalAvgPool, Dense(10) }
    struct Third(8x8x8x1) -> 10 { Conv3d(8, kernel = 3, padding = valid), GlobalAvgPool, Dense(10) }
    struct Fourth(8x8x8x1) -> 10 { Conv3d(1, 8, 3), GlobalAvgPool, Dense(10) }
    struct Fifth(8x8x8x1) -> 10 { Conv3d(8, kernel = 3, stride = (1, 2, 0)), GlobalAvgPool, Dense(10) }
    struct Sixth(8x8x8x1) -> 10 { Conv3d(8, kernel = (1, 2, 3, 4, 5)), GlobalAvgPool, Dense(10) }
    struct Seventh(8x8x8x2) -> 10 { Conv3d(8, kernel = 3, groups = 3), GlobalAvgPool, Dense(10) }
    struct Eighth(8x8x8x2) -> 10 { ConvTranspose3d(8, kernel = 3), GlobalAvgPool, Dense(10) }
}

fn main() {}
