use unrolled::prelude::*;

network! {
    #[weights("lenet_weights.safetensors")]
    pub struct LeNet(8x8x2) -> 3 {
        conv: Conv2d(5, kernel = 3), ReLU, MaxPool2d(2),
        Flatten, norm: BatchNorm,
        hidden: Dense(6), ReLU,
        fc2: Dense(3, bias = false),
    }
}

static NET: &LeNet = LeNet::pretrained();

fn main() {
    let _ = NET.forward(&[[[0.0; 2]; 8]; 8]);
}
