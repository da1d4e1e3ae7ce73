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
    struct Further1(10) -> 10 { ReLU6 -> 1 }
    struct Further2(10) -> 10 { CELU -> 2 }
    struct Further3(10) -> 10 { SELU -> 3 }
    struct Further4(10) -> 10 { HardSigmoid -> 4 }
    struct Further5(10) -> 10 { HardTanh -> 5 }
    struct Further6(10) -> 10 { Mish -> 6 }
    struct Further7(10) -> 10 { Softsign -> 7 }
    struct Further8(10) -> 10 { LogSigmoid -> 8 }
    struct Further9(10) -> 10 { Threshold(0.5, 0.0) -> 9 }
    struct Further10(10) -> 10 { Identity -> 11 }
    struct Eleventh(10) -> 10 { Softmax -> 1 }
    struct Twelfth(10) -> 10 { LogSoftmax -> 1 }
    struct Last(10) -> 10 { Dropout(0.5) -> 5 }
}

fn main() {}
