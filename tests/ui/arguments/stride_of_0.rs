use unrolled::prelude::*;

network! {
    struct First(28x28x1) -> 10 { Conv2d(8, kernel = 3, stride = 0), Flatten, Dense(10) }
    struct Second(28x28x1) -> 10 { MaxPool2d(2, stride = (1, 0)), Flatten, Dense(10) }
    struct Third(28x28x1) -> 10 { AvgPool2d(2, stride = 0), Flatten, Dense(10) }
}

fn main() {}
