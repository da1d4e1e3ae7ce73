"""The reference cases of attention, which make.py writes with the others."""

import math

import torch
from make import BATCH, HERE, LENGTHS, as_is, case, tensors
from safetensors.torch import save_file
from torch import nn

NAME = "multi_head_attention"


class Attention(nn.Module):
    """Self-attention, or attention to a memory."""

    def __init__(self, *args, causal=False, **kwargs):
        super().__init__()
        self.causal = causal
        self.multi_head_attention = nn.MultiheadAttention(*args, batch_first=True, **kwargs)

    def forward(self, x, memory=None, hidden=None):
        memory = x if memory is None else memory
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype) if self.causal else None
        y, _ = self.multi_head_attention(x, memory, memory, attn_mask=mask, key_padding_mask=hidden, need_weights=False)
        return y


class Rotary(nn.Module):
    """Self-attention with rotary embeddings in halves, as in Hugging Face's `LlamaAttention`."""

    def __init__(self, width, heads, causal=False):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.multi_head_attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        attention, (batch, steps, width) = self.multi_head_attention, x.shape
        size = width // self.heads
        parts = nn.functional.linear(x, attention.in_proj_weight, attention.in_proj_bias)
        q, k, v = (part.view(batch, steps, self.heads, size).transpose(1, 2) for part in parts.chunk(3, -1))
        speeds = 1 / 10000 ** (torch.arange(0, size, 2, dtype=x.dtype) / size)
        angles = torch.outer(torch.arange(steps, dtype=x.dtype), speeds).repeat(1, 2)

        def rotated(x):
            a, b = x.chunk(2, -1)
            return x * angles.cos() + torch.cat([-b, a], -1) * angles.sin()

        scores = rotated(q) @ rotated(k).transpose(2, 3) / math.sqrt(size)
        if self.causal:
            scores = scores + torch.full((steps, steps), -math.inf).triu(1)
        found = scores.softmax(-1) @ v
        return attention.out_proj(found.transpose(1, 2).reshape(x.shape))


class Layer(nn.Module):
    """A transformer layer, with a causal mask if `causal`."""

    def __init__(self, causal=False, **layer):
        super().__init__()
        (self.name, layer), = layer.items()
        self.causal = causal
        self.add_module(self.name, layer)

    def forward(self, x, *memory):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype) if self.causal else None
        return getattr(self, self.name)(x, *memory, mask)


def masked(name, shape, memory=None, **kwargs):
    """Attention to the first `LENGTHS` steps of its input, or of a memory; also writes `lengths`."""
    torch.manual_seed(sum(map(ord, name)))
    layer = Attention(shape[1], 2, **kwargs).double()
    for parameter in layer.parameters():
        parameter.data = (torch.randn_like(parameter) * 0.4).float().double()
    inputs = [torch.randn(BATCH, *s).float().double() for s in [shape, memory] if s]
    ragged = inputs[-1]
    lengths = torch.tensor(LENGTHS)
    hidden = torch.arange(ragged.shape[1]) >= lengths[:, None]
    ragged[hidden] = 0
    for x in inputs:
        x.requires_grad_()
    y = layer(*inputs, hidden=hidden)
    if memory is None:
        y = y.masked_fill(hidden[:, :, None], 0)
    target = torch.randn_like(y).float().double()
    # The mean over all valid elements.
    count = lengths.sum() * y.shape[2] if memory is None else y.numel()
    squares = (y - target) ** 2
    loss = (squares if memory else squares.masked_fill(hidden[:, :, None], 0)).sum() / count
    loss.backward()
    file = tensors("weights", layer.state_dict().items())
    file |= tensors("gradients", ((n, p.grad) for n, p in layer.named_parameters()))
    file |= {f"input.{i}": x.detach() for i, x in enumerate(inputs)}
    file |= {f"d_input.{i}": x.grad for i, x in enumerate(inputs)}
    file |= {"output": y.detach(), "target": target, "loss": loss.detach().reshape(1), "lengths": lengths}
    save_file({k: v.contiguous() for k, v in file.items()}, HERE / f"{name}.safetensors")


def attention():
    for name, layer, shapes in [
        ("", Attention(6, 2), [(5, 6)]),
        ("_without_bias", Attention(6, 3, bias=False), [(5, 6)]),
        ("_causal", Attention(6, 2, causal=True), [(19, 6)]),
        ("_cross", Attention(6, 2), [(4, 6), (7, 6)]),
        # Random numbers differ between PyTorch and `unrolled`, so only this probability can be compared.
        ("_dropout_of_all", Attention(6, 2, dropout=1.0), [(5, 6)]),
        ("_rotary", Rotary(8, 2), [(5, 8)]),
        ("_rotary_causal", Rotary(12, 3, causal=True), [(9, 12)]),
    ]:
        case(NAME + name, layer, *shapes, layout=as_is)
    options = {"dropout": 0.0, "activation": "gelu", "batch_first": True}
    for norm_first, begin in [(True, ""), (False, "post_norm_")]:
        def encoder():
            return {f"{begin}transformer_encoder": nn.TransformerEncoderLayer(6, 2, 10, norm_first=norm_first, **options)}

        decoder = nn.TransformerDecoderLayer(6, 2, 10, norm_first=norm_first, **options)
        case(f"{begin}transformer_encoder", Layer(**encoder()), (5, 6), layout=as_is)
        case(f"{begin}transformer_encoder_causal", Layer(True, **encoder()), (5, 6), layout=as_is)
        case(f"{begin}transformer_decoder", Layer(True, **{f"{begin}transformer_decoder": decoder}), (5, 6), (7, 6), layout=as_is)
    masked("attention_ragged", (7, 6))
    masked("attention_ragged_causal", (7, 6), causal=True)
    masked("attention_ragged_memory", (4, 6), (7, 6))
