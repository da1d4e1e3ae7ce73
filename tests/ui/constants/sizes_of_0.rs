use unrolled::prelude::*;

const ZERO: usize = 0;

network! {
    struct First(28x28x1) -> 10 { Conv2d(ZERO, kernel = 3), Flatten, Dense(10) }
    struct Second(28x28x1) -> 10 { Conv2d(3, kernel = ZERO), Flatten, Dense(10) }
    struct Third(28x28x1) -> 10 { Conv2d(3, kernel = 3, stride = ZERO), Flatten, Dense(10) }
    struct Fourth(28x28x1) -> 10 { Conv2d(3, kernel = 3, dilation = ZERO), Flatten, Dense(10) }
    struct Fifth(28x28x1) -> 10 { Conv2d(3, kernel = 3, groups = ZERO), Flatten, Dense(10) }
    struct Sixth(28x28x1) -> 10 { MaxPool2d(ZERO), Flatten, Dense(10) }
    struct Seventh(28x28x1) -> 10 { AvgPool2d(2, stride = ZERO), Flatten, Dense(10) }
    struct Eighth(28x28x1) -> 10 { Reshape([ZERO, 8]), Flatten, Dense(10) }
    struct Ninth(28x28x1) -> 10 { Flatten, Dense(ZERO), Dense(10) }
    struct Tenth(28x28x1) -> 10 { Reshape(28x28), LSTM(ZERO), Flatten, Dense(10) }
}

fn main() {}
