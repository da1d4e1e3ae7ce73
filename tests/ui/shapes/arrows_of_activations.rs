use unrolled::prelude::*;

network! {
    struct First(10) -> 10 { ReLU -> 11 }
    struct Second(10) -> 10 { LeakyReLU -> 9 }
    struct Third(10) -> 10 { PReLU -> 1 }
    struct Fourth(10) -> 10 { ELU -> 20 }
    struct Fifth(10) -> 10 { GELU -> 10x1 }
    struct Sixth(10) -> 10 { SiLU -> 5x2 }
    struct Seventh(10) -> 10 { Sigmoid -> 1 }
    struct Eighth(10) -> 10 { Tanh -> 100 }
    struct Ninth(10) -> 10 { Softplus -> 8 }
    struct Tenth(10) -> 10 { HardSwish -> 2 }
    struct Further(10) -> 10 { ReLU6 -> 1, HardSigmoid -> 2, HardTanh -> 3, Mish -> 4, SELU -> 5 }
    struct Others(10) -> 10 { CELU -> 1, Softsign -> 2, LogSigmoid -> 3, Threshold(0.5, 0.0) -> 4, Identity -> 5 }
    struct Eleventh(10) -> 10 { Softmax -> 1 }
    struct Twelfth(10) -> 10 { LogSoftmax -> 1 }
    struct Last(10) -> 10 { Dropout(0.5) -> 5 }
}

fn main() {}
