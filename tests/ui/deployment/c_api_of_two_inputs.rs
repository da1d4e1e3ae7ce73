use unrolled::prelude::*;

network! {
    #[weights("lenet_weights.safetensors")]
    pub struct LeNet(image: 8x8x2, prior: 3) -> 3 {
        conv: image => Conv2d(4, kernel = 3), ReLU, MaxPool2d(2),
        Flatten, norm: BatchNorm,
        fc1: Dense(6), ReLU,
        fc2: Dense(3),
        Add { {}, prior },
    }
}

unrolled::c_api!(LeNet);

fn main() {}
