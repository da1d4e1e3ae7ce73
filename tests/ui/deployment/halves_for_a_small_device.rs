use unrolled::prelude::*;

network! {
    #[weights("lenet_weights.safetensors", storage = f16)]
    #[fits(flash = 900, ram = 3K)]
    pub struct LeNet(8x8x2) -> 3 {
        conv: Conv2d(4, kernel = 3), ReLU, MaxPool2d(2),
        Flatten, norm: BatchNorm,
        fc1: Dense(6), ReLU,
        fc2: Dense(3),
    }

    /// A mistake in the network is no further error where the program uses its weights.
    #[weights("lenet_weights.safetensors", storage = f16)]
    pub struct Mistaken(8x8x2) -> 4 { Flatten, Dense(3) }
}

static NET: Half<Mistaken> = Mistaken::pretrained();

fn main() {
    let mut workspace = [0.0; Half::<Mistaken>::WORKSPACE_LEN];
    let _ = NET.forward_in(&mut workspace, &[[[0.0; 2]; 8]; 8]);
}
