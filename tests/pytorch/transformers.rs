//! A small Llama of Hugging Face's Transformers (`tests/reference/transformers_models.py`): its state dict loads without
//! renaming.

use crate::case::{Case, floats};
use crate::state_dict::{check_in_folder, check_small};
use unrolled::prelude::*;

network! {
    /// Attention and a gated layer at each step (Touvron et al., 2023).
    block Decoder(width, hidden) {
        Residual {
            input_layernorm: RMSNorm(eps = 1e-6),
            self_attn: MultiHeadAttention(4, kv_heads = 2, causal = true, rotary = true, bias = false, names = llama),
        },
        Residual {
            post_attention_layernorm: RMSNorm(eps = 1e-6),
            mlp: {
                _: Mul { { gate_proj: Dense(hidden, bias = false), SiLU }, { up_proj: Dense(hidden, bias = false) } },
                down_proj: Dense(width, bias = false),
            },
        },
    }

    struct Llama(7) -> 7x11 {
        model: {
            embed_tokens: Embedding(11, 16),
            layers: Repeat(2) { _: Decoder(16, hidden = 24) },
            norm: RMSNorm(eps = 1e-6),
        },
        lm_head: Dense(11, bias = false),
    }
}

fn infer(net: &Llama, case: &Case) -> Vec<f32> {
    let inputs: Vec<[u32; 7]> = case.samples("input");
    let mut outputs = vec![[[0.0; 11]; 7]; inputs.len()];
    net.forward_batch(&inputs, &mut outputs);
    floats(&outputs).collect()
}

#[test]
fn llama() {
    check_small("transformers/llama", infer);
}

#[test]
#[ignore = "needs weights and outputs of tests/reference/transformers_models.py; UNROLLED_MODELS names their folder"]
fn outputs_are_those_of_pytorch() {
    check_in_folder("llama", infer);
}
