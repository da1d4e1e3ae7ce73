//! A vision transformer of timm (`tests/reference/timm_models.py`): its state dict loads without renaming.

use crate::state_dict::{check_in_folder, infer, names};
use unrolled::prelude::*;

network! {
    /// Attention, and two layers at each step (Dosovitskiy et al., 2021).
    block Encoder(width, heads) {
        Residual { norm1: LayerNorm(eps = 1e-6), attn: MultiHeadAttention(heads, names = timm) },
        Residual { norm2: LayerNorm(eps = 1e-6), mlp: { fc1: Dense(4 * width), GELU, fc2: Dense(width) } },
    }

    struct VitTiny(224x224x3) -> 1000 {
        patch_embed: { proj: Conv2d(192, kernel = 16, stride = 16) },
        Reshape(196x192),
        cls_token: ClassToken,
        pos_embed: PositionalEmbedding(parameter = true),
        blocks: Repeat(12) { _: Encoder(192, 3) },
        norm: LayerNorm(eps = 1e-6),
        Slice(0, 1), Flatten,
        head: Dense(1000),
    }
}

#[test]
fn vit_tiny_patch16_224() {
    let names = names::<VitTiny>();
    let mut names: Vec<&str> = names.lines().collect();
    names.sort_unstable();
    let expected = include_str!("../reference/timm/vit_tiny_patch16_224.txt");
    assert_eq!(names, expected.lines().collect::<Vec<&str>>());
}

#[test]
#[ignore = "needs weights and outputs of tests/reference/timm_models.py; UNROLLED_MODELS names their folder"]
fn outputs_are_those_of_pytorch() {
    check_in_folder::<VitTiny>("vit_tiny_patch16_224", infer);
}
