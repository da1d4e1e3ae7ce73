use unrolled::prelude::*;

network! {
    struct First(20x8) -> 20x8 { MultiHeadAttention(3) }
    struct Second(20x8) -> 20x8 { MultiHeadAttention(num_heads = 2) }
    struct Third(text: 20x8, encoded: 9x16) -> 20x8 {
        text => MultiHeadAttention(2, memory = encoded),
    }
    struct Fourth(text: 20x8, encoded: 9x8) -> 20x8 {
        text => MultiHeadAttention(2, memory = encoded, causal = true),
    }
    struct Fifth(20x8) -> 20x8 { MultiHeadAttention(8, rotary = true) }
    struct Sixth(28x28x1) -> 28x28x1 { MultiHeadAttention(2) }
    struct Shared(20x8) -> 20x8 { MultiHeadAttention(4, kv_heads = 3) }
    struct Distances(text: 20x8, encoded: 9x8) -> 20x8 {
        text => MultiHeadAttention(2, memory = encoded, alibi = true),
    }
    struct Seventh(20x8) -> 20x8 { MultiheadAttention(2) }
}

fn main() {}
