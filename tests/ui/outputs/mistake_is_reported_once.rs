use unrolled::prelude::*;

network! {
    struct Net(16) -> (digit: 10, place: 2) {
        shared: Dense(16),
        digit: Dense(12),
        place: shared => Dense(2),
    }
}

fn main() {
    // A mistake in the network is reported once: the type of its output is known.
    let NetOutput { digit, place } = Net::new(1).forward(&[0.0; 16]);
    let _: ([f32; 10], [f32; 2]) = (digit, place);
}
