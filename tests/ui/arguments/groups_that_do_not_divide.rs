use unrolled::prelude::*;

network! {
    struct First(28x28x32) -> 10 { Conv2d(48, kernel = 3, groups = 32), Flatten, Dense(10) }
    struct Second(28x28x32) -> 10 { Conv2d(50, kernel = 3, groups = 5), Flatten, Dense(10) }
}

fn main() {}
