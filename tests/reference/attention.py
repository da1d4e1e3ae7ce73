"""The reference cases of attention, which make.py writes with the others."""

import math

import torch
from make import BATCH, HERE, LENGTHS, as_is, case, tensors
from safetensors.torch import save_file
from torch import nn

NAME = "multi_head_attention"


class Attention(nn.Module):
    """Self-attention, or attention to a memory."""

    def __init__(self, *args, causal=False, alibi=False, **kwargs):
        super().__init__()
        self.causal, self.alibi = causal, alibi
        self.multi_head_attention = nn.MultiheadAttention(*args, batch_first=True, **kwargs)

    def forward(self, x, memory=None, hidden=None):
        memory = x if memory is None else memory
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype) if self.causal else None
        if self.alibi:
            steps, heads = torch.arange(x.shape[1]), self.multi_head_attention.num_heads
            biases = -slopes(heads)[:, None, None] * (steps[:, None] - steps).abs()
            # A mask for each sample and head.
            mask = (biases if mask is None else mask + biases).repeat(len(x), 1, 1)
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


def slopes(heads):
    """The slopes of attention with linear biases (Press, Smith and Lewis, 2022), as in the authors' code."""

    def of_power(heads):
        return [2 ** (-8 * (head + 1) / heads) for head in range(heads)]

    power = 2 ** math.floor(math.log2(heads))
    return torch.tensor(of_power(power) + of_power(2 * power)[::2][: heads - power]).double()


class Grouped(nn.Module):
    """Attention whose heads of queries share keys and values, with the parameters of an `nn.MultiheadAttention`."""

    def __init__(self, width, heads, kv_heads, bias=True, causal=False, alibi=False):
        super().__init__()
        self.heads, self.kv_heads, self.causal, self.alibi = heads, kv_heads, causal, alibi
        self.sizes = [width, width // heads * kv_heads, width // heads * kv_heads]
        self.multi_head_attention = attention = nn.Module()
        attention.in_proj_weight = nn.Parameter(torch.zeros(sum(self.sizes), width))
        attention.in_proj_bias = nn.Parameter(torch.zeros(sum(self.sizes))) if bias else None
        attention.out_proj = nn.Linear(width, width, bias)

    def forward(self, x, memory=None, hidden=None):
        attention, memory = self.multi_head_attention, x if memory is None else memory
        parts = zip(
            [x, memory, memory],
            attention.in_proj_weight.split(self.sizes),
            attention.in_proj_bias.split(self.sizes) if attention.in_proj_bias is not None else [None] * 3,
            [self.heads, self.kv_heads, self.kv_heads],
        )
        q, k, v = (
            nn.functional.linear(x, weight, bias).unflatten(2, (heads, -1)).transpose(1, 2)
            for x, weight, bias, heads in parts
        )
        steps, seen = x.shape[1], memory.shape[1]
        mask = torch.zeros(len(x), self.heads, steps, seen, dtype=x.dtype)
        if self.alibi:
            distances = (torch.arange(steps)[:, None] - torch.arange(seen)).abs()
            mask = mask - slopes(self.heads)[:, None, None] * distances
        if self.causal:
            mask = mask + torch.full((steps, seen), -math.inf).triu(1)
        if hidden is not None:
            mask = mask.masked_fill(hidden[:, None, None, :], -math.inf)
        found = nn.functional.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)
        return attention.out_proj(found.transpose(1, 2).flatten(2))


class Separate(nn.Module):
    """Grouped attention with a layer for each projection, as in Hugging Face's `LlamaAttention`."""

    def __init__(self, width, heads, kv_heads):
        super().__init__()
        self.size = width // heads
        self.multi_head_attention = attention = nn.Module()
        attention.q_proj = nn.Linear(width, heads * self.size)
        attention.k_proj = nn.Linear(width, kv_heads * self.size)
        attention.v_proj = nn.Linear(width, kv_heads * self.size)
        attention.o_proj = nn.Linear(width, width)

    def forward(self, x):
        attention = self.multi_head_attention
        projections = [attention.q_proj, attention.k_proj, attention.v_proj]
        q, k, v = (layer(x).unflatten(2, (-1, self.size)).transpose(1, 2) for layer in projections)
        found = nn.functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)
        return attention.o_proj(found.transpose(1, 2).flatten(2))


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


def masked(name, layer, shape, memory=None):
    """Attention to the first `LENGTHS` steps of its input, or of a memory; also writes `lengths`."""
    torch.manual_seed(sum(map(ord, name)))
    layer = layer.double()
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
        ("_alibi", Attention(6, 2, alibi=True), [(5, 6)]),
        # Three heads: the slopes of two, and one of those of four.
        ("_alibi_causal", Attention(6, 3, causal=True, alibi=True), [(19, 6)]),
        ("_grouped", Grouped(8, 4, 2), [(5, 8)]),
        ("_grouped_alibi_causal", Grouped(6, 3, 1, bias=False, causal=True, alibi=True), [(19, 6)]),
        ("_grouped_cross", Grouped(8, 4, 2), [(4, 8), (7, 8)]),
        ("_separate", Separate(8, 4, 2), [(5, 8)]),
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
    masked("attention_ragged", Attention(6, 2), (7, 6))
    masked("attention_ragged_causal", Attention(6, 2, causal=True), (7, 6))
    masked("attention_ragged_memory", Attention(6, 2), (4, 6), (7, 6))
    masked("attention_ragged_grouped", Grouped(6, 3, 1, alibi=True), (7, 6))
