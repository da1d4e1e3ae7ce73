use unrolled::prelude::*;

network! {
    struct First(20x8) -> 20x8 { TransformerEncoder(8, 3, 32) }
    struct Second(20x8) -> 20x8 { TransformerEncoder(16, 2, 32) }
    struct Third(20x8) -> 20x8 { TransformerEncoder(8, 2) }
    struct Fourth(20x8) -> 20x8 { TransformerEncoder(8, nhead = 2, hidden = 32) }
    struct Fifth(text: 20x8, encoded: 9x8) -> 20x8 {
        text => TransformerDecoder(encodde, 8, 2, 32),
    }
    struct Sixth(20x8) -> 20x8 { layer: TransformerEncoderLayer(8, 2, 32) }
}

fn main() {}
