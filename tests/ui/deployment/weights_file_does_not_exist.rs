use unrolled::prelude::*;

network! {
    #[weights("models/digits.safetensors")]
    pub struct Digits(64) -> 10 { Dense(32), ReLU, Dense(10) }
}

static NET: &Digits = Digits::pretrained();

fn main() {
    let _ = NET.forward(&[0.0; 64]);
}
