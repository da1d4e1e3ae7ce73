use unrolled::prelude::*;
use unrolled::train::Confusion;

network! { struct Net(4) -> 2 { Dense(2) } }

fn main() {
    let data: Data<[f32; 5], u32> = Data::default();
    let net = Net::new(1);
    let _ = net.evaluate(&data, &CrossEntropy::new());
    let _ = Confusion::of(&*net, &data);
}
