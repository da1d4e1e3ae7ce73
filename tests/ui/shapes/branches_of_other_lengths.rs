use unrolled::prelude::*;

network! {
    /// Of three steps, the convolution makes two and the pool makes one.
    pub struct Net(..8x4) -> 4x8 {
        Concat {
            { Conv1d(4, kernel = 3, stride = 2, padding = 1) },
            { MaxPool1d(2) },
        },
    }
}

fn main() {}
