use unrolled::prelude::*;

network! {
    struct Net(8) -> 10 {
        Dense(10),
    }
}

fn main() {
    let net = Net::new(1);
    let scores: [f32; 10] = net.forward(&[0.0; 9]);
    println!("{scores:?}");
}
