use unrolled::prelude::*;

network! {
    struct First(7x5) -> 7 { Slice(3, 9), Flatten, Dense(7) }
    struct Second(7) -> 7 { Transpose(0, 1), Flatten, Dense(7) }
    struct Third(7x5) -> 7 { RepeatSteps(3), Flatten, Dense(7) }
    struct Fourth(7x5x6) -> 7 { PixelShuffle(2), Flatten, Dense(7) }
    struct Fifth(7) -> 7 { Reduce(mean), Dense(7) }
    struct Sixth(7x5) -> 7 { Softmax(axis = 2), Flatten, Dense(7) }
    struct Seventh(7x5) -> 7 { GLU, Flatten, Dense(7) }
    struct Eighth(7x5) -> 7 { SwiGLU, Flatten, Dense(7) }
    struct Ninth(7x5) -> 7x5 { Sub { {}, { Reduce(mean, axis = 1) } } }
    struct Tenth(7x5) -> 7x5 { Div { {}, {}, {} } }
    struct Further1(7x5) -> 7x5 { Min { { GlobalAvgPool }, {} } }
    struct Further2(7x5) -> 7x5 { Max { {}, { Dense(1) } } }
    struct Further3(5x3) -> 9x3 { Pad1d(6, mode = reflect) }
    struct Further4(5x5x3) -> 9x9x3 { Pad2d(same) }
    struct Further5(5x3) -> 6x3 { AdaptiveAvgPool1d(6) }
    struct Further6(5x3) -> 6x3 { AdaptiveMaxPool1d(6) }
    struct Further7(5x5x3) -> 6x6x3 { AdaptiveAvgPool2d(6) }
    struct Further8(5x5x3) -> 6x6x3 { AdaptiveMaxPool2d((6, 5)) }
    struct Further9(5x5x3) -> 7x3 { ConvTranspose1d(3, kernel = 3) }
    struct Further10(5x5x3) -> 26x3 { ClassToken }
    struct Further11(7x5) -> 7x2 { Split(2) }
    struct Further12(7x6) -> 7x2 { Split(3, 3) }
}

fn main() {}
