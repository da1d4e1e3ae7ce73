use unrolled::prelude::*;

const SLOPE: f64 = 0.1;

network! {
    struct First(10) -> 10 { LeakyReLU(slope = -0.1) }
    struct Second(10) -> 10 { LeakyReLU(slope = SLOPE) }
    struct Third(10) -> 10 { ELU(alpha = 0) }
    struct Fourth(10) -> 10 { ELU(alpha = "1") }
    struct Fifth(10) -> 10 { Softplus(beta = 0) }
    struct Sixth(10) -> 10 { Softplus(threshold = true) }
    struct Seventh(10) -> 10 { PReLU(init = yes) }
    struct Eighth(10) -> 10 { GaussianNoise(-0.5) }
    struct Ninth(10) -> 10 { GaussianNoise(stddev = 0.5) }
}

fn main() {}
