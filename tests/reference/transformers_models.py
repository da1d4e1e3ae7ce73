#!/usr/bin/env python3
"""A small Llama of Hugging Face's Transformers, whose state dict loads without renaming: tests/pytorch/transformers.rs.

    python tests/reference/transformers_models.py               # writes transformers/llama.safetensors and its case
    python tests/reference/transformers_models.py FOLDER        # writes the same to FOLDER
    python tests/reference/transformers_models.py check FOLDER  # loads FOLDER/llama_again.safetensors with strict=True

Needs torch, transformers and safetensors. The weights are random. The case has `input.0`, tokens, and `inference`, the scores
of the next token at each step, computed in float64.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

NAME = "llama"
HERE = Path(__file__).resolve().parent / "transformers"


def model():
    """Two layers, with two heads of queries for each head of keys and values."""
    torch.manual_seed(1)
    net = LlamaForCausalLM(LlamaConfig(
        vocab_size=11, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, initializer_range=0.2,
    ))
    for key, value in net.state_dict().items():
        if "norm" in key:
            value.uniform_(0.5, 1.5)
    return net.eval()


def write(folder):
    folder.mkdir(exist_ok=True)
    net = model()
    save_file(net.state_dict(), folder / f"{NAME}.safetensors")
    x = torch.randint(11, (3, 7))
    with torch.no_grad():
        y = net.double()(x).logits
    save_file({"input.0": x, "inference": y}, folder / f"{NAME}_case.safetensors")


def check(folder):
    state = load_file(folder / f"{NAME}_again.safetensors")
    print(NAME, "strict=True", model().load_state_dict(state, strict=True))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            write(HERE)
        case ["check", folder]:
            check(Path(folder))
        case [folder]:
            write(Path(folder))
