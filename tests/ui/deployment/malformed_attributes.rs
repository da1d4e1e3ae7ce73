use unrolled::prelude::*;

network! {
    #[weights(digits.safetensors)]
    pub struct A(64) -> 10 { Dense(10) }

    #[weights = "digits.safetensors"]
    pub struct B(64) -> 10 { Dense(10) }

    #[fits(rom = 256K)]
    pub struct C(64) -> 10 { Dense(10) }

    #[fits(flash = 256kB, ram = 64K)]
    pub struct D(64) -> 10 { Dense(10) }

    #[fits(ram = 64K, ram = 1M)]
    pub struct E(64) -> 10 { Dense(10) }

    #[fits]
    pub struct F(64) -> 10 { Dense(10) }

    #[fits(ram = 64K)]
    #[fits(flash = 1M)]
    pub struct G(64) -> 10 { Dense(10) }

    #[weights("digits.safetensors")]
    pub struct H<const HIDDEN: usize>(64) -> 10 { Dense(HIDDEN), ReLU, Dense(10) }
}

fn main() {
    let _ = A::pretrained();
}
