use unrolled::prelude::*;

const HIDDEN: usize = 32;

network! {
    pub struct Encoder(64) -> 32 { Dense(32), ReLU }

    #[weights("digits.safetensors")]
    pub struct Nested(64) -> 10 { encoder: Encoder, Dense(10) }

    #[weights("digits.safetensors")]
    pub struct Constant(64) -> 10 { Dense(HIDDEN), ReLU, Dense(10) }
}

fn main() {
    let _ = (Nested::pretrained(), Constant::pretrained());
}
