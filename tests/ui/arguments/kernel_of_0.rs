use unrolled::prelude::*;

network! {
    struct First(28x28x1) -> 10 { Conv2d(8, kernel = 0), Flatten, Dense(10) }
    struct Second(28x28x1) -> 10 { MaxPool2d((2, 0)), Flatten, Dense(10) }
    struct Third(28x28x1) -> 10 { AvgPool2d(0), Flatten, Dense(10) }
}

fn main() {}
