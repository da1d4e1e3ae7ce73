use unrolled::prelude::*;

network! {
    #[deny(dense_after_dense, dead_code, reason = "a test")]
    struct Denied(8) -> 1 { Dense(8), Dense(1) }

    #[expect(dense_after_dense)]
    pub struct Expected(8) -> 1 { Dense(8), Dense(1) }

    #[expect(dense_after_dense, activation_twice, reason = "a test")]
    pub struct Unfulfilled(8) -> 1 { Dense(8), Dense(1) }

    #[allow(dense_after_dens)]
    pub struct Misspelt(8) -> 1 { Dense(1) }

    #[allow(dense_after_dense)]
    block Twice { Dense(8), Dense(8), ReLU, Softmax }

    #[allow(dead_code, deprecated)]
    struct Allowed(8) -> 8 { Dense(8), Dense(8), ReLU, ReLU }

    #[warn(dead_code, softmax_at_output)]
    struct InBlocks(8) -> 8 { Repeat(3) { Twice }, Twice }

    #[cfg_attr(all(), deny(dead_code))]
    #[forbid(dropout_at_output)]
    pub struct Forbidden(8) -> 8 { Dense(8), Dropout(0.5) }
}

fn main() {}
