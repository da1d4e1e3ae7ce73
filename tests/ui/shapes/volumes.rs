use unrolled::prelude::*;

network! {
    struct Image(28x28x3) -> 10 { Conv3d(8, kernel = 3), GlobalAvgPool, Dense(10) }
    struct ChannelsFirst(1x16x64x64) -> 10 { conv1: Conv3d(8, kernel = 3), ReLU, GlobalAvgPool, Dense(10) }
    struct WithoutChannels(16x64x64) -> 10 { MaxPool3d(2), GlobalAvgPool, Dense(10) }
    struct Flat(1600) -> 10 { Conv3d(8, kernel = 3), GlobalAvgPool, Dense(10) }
    struct Arrow(16x112x112x3) -> 10 {
        stem: Conv3d(64, kernel = (3, 7, 7), stride = (1, 2, 2), padding = (1, 3, 3)) -> 16x55x55x64,
        GlobalAvgPool,
        Dense(10),
    }
    struct Small(4x8x8x3) -> 10 { Conv3d(8, kernel = 3), ReLU, AvgPool3d((3, 2, 2)), GlobalAvgPool, Dense(10) }
    struct Padded(4x8x8x3) -> 10 { MaxPool3d(2, padding = (0, 2, 0)), GlobalAvgPool, Dense(10) }
    struct Adaptive(4x8x8x3) -> 10 { AdaptiveAvgPool3d((8, 4, 4)), GlobalAvgPool, Dense(10) }
    struct AdaptiveMax(8x8x3) -> 10 { AdaptiveMaxPool3d(4), GlobalAvgPool, Dense(10) }
    struct Residuals(4x8x8x3) -> 10 {
        Residual { Conv3d(16, kernel = 3, stride = 2, padding = 1) }, GlobalAvgPool, Dense(10),
    }
}

fn main() {}
