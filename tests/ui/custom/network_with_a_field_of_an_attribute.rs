use unrolled::prelude::*;

struct Proof(());

network! {
    #[random_networks::fields(dense: unrolled::__private::layers::Dense<3, 2>, proof: Proof)]
    struct Net(3) -> 2 {
        Dense(2),
    }
}

fn main() {}
