//! `MultiHeadAttention`: PyTorch's `nn.MultiheadAttention`.

use crate::arguments::{arguments, words};
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Row, Size, Steps, Streaming};
use crate::rules::helpers::{attempt, count, divisors, few_enough_weights, real};
use crate::rules::recurrent::sequence;
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

words! {
    /// The names of the weights in files.
    pub enum Names {
        /// `torch`: `in_proj_weight`, `in_proj_bias` and `out_proj`, as `nn.MultiheadAttention`.
        Torch = "torch",
        /// `timm`: `qkv` and `proj`, as the attention of timm's vision transformers.
        Timm = "timm",
        /// `llama`: `q_proj`, `k_proj`, `v_proj` and `o_proj`, as the attention of Llama in Hugging Face's Transformers.
        Llama = "llama",
    }
}

arguments! {
    /// Multi-head attention (Vaswani et al., 2017): at each step, each head outputs a mean of the values of all
    /// steps with weights of its own.
    pub struct MultiHeadAttention {
        /// The number of heads that the features are split into.
        heads: Number,
        /// The value that provides keys and values (cross-attention); by default the input itself.
        memory: Input or "..",
        /// Whether a step attends to itself and earlier steps only.
        causal: Flag = false,
        /// The dropout probability of attention weights, in training.
        dropout: Real = 0.0,
        /// Whether queries and keys are rotated by angles proportional to their steps (RoPE, Su et al., 2021), so
        /// that scores depend on distances between steps.
        rotary: Flag = false,
        /// Whether biases are added.
        bias: Flag = true,
        /// The names of the weights in files: `in_proj_weight` and `out_proj` (`torch`), `qkv` and `proj` (`timm`), or `q_proj`,
        /// `k_proj`, `v_proj` and `o_proj` (`llama`).
        names: Word(Names) = Names::Torch,
        /// The number of heads of keys and values (grouped-query attention, Ainslie et al., 2023): each is shared by
        /// `heads / kv_heads` consecutive heads of queries.
        kv_heads: Number or "heads",
        /// Whether scores are reduced in proportion to the distance of their steps (ALiBi, Press et al., 2022), by a
        /// slope of each head's own.
        alibi: Flag = false,
    }
}

impl MultiHeadAttention {
    /// `[T, C] -> [T, C]`; `memory` is `[M, C]`.
    ///
    /// # Errors
    /// When an input is not a sequence, the heads do not divide the features, the memory has other
    /// features, an option does not suit the others, or the sizes are too large.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        attempt!(sequence(input));
        attempt!(count("heads", "heads", self.heads));
        let width = input.last();
        if !width.is_multiple_of(self.heads) {
            let message = Text::of("splits ").number(width).text(" features into ");
            let message = message.number(self.heads).text(" heads, but ").number(width);
            let message = message.text(" is not divisible by ").number(self.heads);
            let help = divisors(Text::of("write `heads = "), width);
            let help = help.text("`, or change the number of features");
            return Err(ShapeError::argument("heads", message).help(help));
        }
        attempt!(self.check_kv_heads());
        // `heads` is blamed, since the width is that of the input. The second product counts the attention weights.
        attempt!(few_enough_weights("heads", &[4, width, width]));
        attempt!(few_enough_weights(
            "heads",
            &[self.heads, input.dim(0), self.memory(inputs).dim(0)]
        ));
        let p = self.dropout;
        attempt!(real("dropout", p, p >= 0.0 && p <= 1.0, "a probability from 0 to 1"));
        if self.rotary && !self.head_size(input).is_multiple_of(2) {
            let message = Text::of("rotates features in pairs, but each head has ");
            let message = message.number(self.head_size(input)).text(" features");
            return Err(ShapeError::argument("rotary", message));
        }
        attempt!(self.suits_memory(inputs));
        Ok(input)
    }

    const fn check_kv_heads(&self) -> Result<(), ShapeError> {
        let Some(kv_heads) = self.kv_heads else { return Ok(()) };
        attempt!(count("kv_heads", "heads of keys and values", kv_heads));
        if self.heads.is_multiple_of(kv_heads) {
            return Ok(());
        }
        let message = Text::of("shares ").number(kv_heads).text(" heads of keys and values among ");
        let message = message.number(self.heads).text(" heads, but ").number(self.heads);
        let message = message.text(" is not divisible by ").number(kv_heads);
        let help = divisors(Text::of("write `kv_heads = "), self.heads).text("`");
        Err(ShapeError::argument("kv_heads", message).help(help))
    }

    const fn suits_memory(&self, inputs: &[Shape]) -> Result<(), ShapeError> {
        if self.memory.is_none() {
            return Ok(());
        }
        let (input, memory) = (inputs[0], self.memory(inputs));
        if memory.rank() != 2 || memory.last() != input.last() {
            let message = Text::of("takes a memory of steps x ").number(input.last());
            let message = message.text(" features, like its input, but gets ").shape(memory);
            let help = Text::of("put `Dense(").number(input.last()).text(")` after the memory");
            return Err(ShapeError::argument("memory", message).help(help));
        }
        if self.causal {
            let message =
                Text::of("has `causal = true`, which needs self-attention, but also a `memory`");
            let help = Text::of("leave out `causal` or `memory`");
            return Err(ShapeError::argument("causal", message).help(help));
        }
        if self.rotary {
            let message =
                Text::of("has `rotary = true`, which needs self-attention, but also a `memory`");
            let help = Text::of("leave out `rotary` or `memory`");
            return Err(ShapeError::argument("rotary", message).help(help));
        }
        if self.alibi {
            let message =
                Text::of("has `alibi = true`, which needs self-attention, but also a `memory`");
            let help = Text::of("leave out `alibi` or `memory`");
            return Err(ShapeError::argument("alibi", message).help(help));
        }
        Ok(())
    }

    /// The shape of the keys' and values' source.
    #[must_use]
    pub const fn memory(&self, inputs: &[Shape]) -> Shape {
        match self.memory {
            Some(nth) => inputs[nth],
            None => inputs[0],
        }
    }

    /// Features of one head.
    #[must_use]
    pub const fn head_size(&self, input: Shape) -> usize {
        input.last() / self.heads
    }

    /// The number of heads of keys and values.
    #[must_use]
    pub const fn kv_heads(&self) -> usize {
        match self.kv_heads {
            Some(kv_heads) => kv_heads,
            None => self.heads,
        }
    }

    /// Features of the keys, and of the values, of all heads; those of the input where the rule refuses the heads.
    #[must_use]
    pub const fn kv_width(&self, input: Shape) -> usize {
        match self.kv_heads {
            Some(kv_heads) if self.heads > 0 => kv_heads * (input.last() / self.heads),
            _ => input.last(),
        }
    }

    /// The number of trained parameters: matrices for queries, keys, values and the output, and their biases.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        let (width, kv_width) = (inputs[0].last(), self.kv_width(inputs[0]));
        let columns = 2 * width + 2 * kv_width;
        columns * if self.bias { width + 1 } else { width }
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let (width, kv_width) = (inputs[0].last(), self.kv_width(inputs[0]));
        let columns = width + 2 * kv_width;
        let (out_proj, biases) = (columns * width, (columns + width) * width);
        // Each with its first column and the number of its columns in the matrix of queries, keys and values.
        let projections: &[(&str, &str, usize, usize)] = match self.names {
            Names::Torch => &[("in_proj_weight", "in_proj_bias", 0, columns)],
            Names::Timm => &[("qkv.weight", "qkv.bias", 0, columns)],
            Names::Llama => &[
                ("q_proj.weight", "q_proj.bias", 0, width),
                ("k_proj.weight", "k_proj.bias", width, kv_width),
                ("v_proj.weight", "v_proj.bias", width + kv_width, kv_width),
            ],
        };
        for &(weight, bias, first, len) in projections {
            let rows = LayerAxis::plain(len, 1);
            sink.floats(weight, first, &[rows, LayerAxis::inputs(width, columns)]);
            if self.bias {
                sink.floats(bias, biases + first, &[rows]);
            }
        }
        let (weight, bias) = match self.names {
            Names::Torch => ("out_proj.weight", "out_proj.bias"),
            Names::Timm => ("proj.weight", "proj.bias"),
            Names::Llama => ("o_proj.weight", "o_proj.bias"),
        };
        let outputs = LayerAxis::plain(width, 1);
        sink.floats(weight, out_proj, &[outputs, LayerAxis::plain(width, width)]);
        if self.bias {
            sink.floats(bias, biases + columns, &[outputs]);
        }
    }

    /// Multiply-adds of one sample: four products with matrices, and two of each step with each.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        let (width, steps) = (inputs[0].last(), inputs[0].dim(0));
        let (memory, kv_width) = (self.memory(inputs).dim(0), self.kv_width(inputs[0]));
        let of_steps = (2 * steps).saturating_mul(width);
        let matrices = of_steps.saturating_add((2 * memory).saturating_mul(kv_width));
        let pairs = (2 * steps).saturating_mul(memory);
        matrices.saturating_add(pairs).saturating_mul(width)
    }
}

/// The row of `MultiHeadAttention`.
pub static ROW: Row = Row {
    name: "MultiHeadAttention",
    stem: "multi_head_attention",
    summary: "attention of each step to all steps, or to those of a memory",
    parameters: MultiHeadAttention::PARAMETERS,
    positional: 1,
    rule: |inputs, values| MultiHeadAttention::from_values(values).output(inputs),
    params: Some(|inputs, values| MultiHeadAttention::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| {
        MultiHeadAttention::from_values(values).tensors(inputs, sink)
    }),
    macs: Some(|inputs, values| MultiHeadAttention::from_values(values).macs(inputs)),
    sizes: &[
        Size::InputLast,
        Size::InputLastUnless(["kv_heads", "heads"], "kv_width"),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| MultiHeadAttention::from_values(values).kv_width(inputs[0])],
    steps: Steps::Valid,
    channels: Channels::Last,
    streaming: Streaming::CarriesIf(|values| MultiHeadAttention::from_values(values).causal),
    features: Features::AnyInput,
    role: Role::Attention,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const FOUR: MultiHeadAttention = MultiHeadAttention {
        heads: 4,
        memory: None,
        causal: false,
        dropout: 0.0,
        rotary: false,
        bias: true,
        names: Names::Torch,
        kv_heads: None,
        alibi: false,
    };
    const INPUT: Shape = Shape::new(&[64, 128]);

    #[test]
    fn keeps_the_shape_and_counts_as_pytorch_does() {
        const OUTPUT: Shape = crate::error::expect(FOUR.output(&[INPUT]), "attention", "");
        assert_eq!(OUTPUT, INPUT);
        // sum(p.numel() for p in nn.MultiheadAttention(128, 4).parameters())
        assert_eq!(FOUR.params(&[INPUT]), 66_048);
        assert_eq!(MultiHeadAttention { bias: false, ..FOUR }.params(&[INPUT]), 65_536);
        assert_eq!(FOUR.macs(&[INPUT]), 4 * 64 * 128 * 128 + 2 * 64 * 64 * 128);
        let cross = MultiHeadAttention { memory: Some(1), ..FOUR };
        let inputs = [INPUT, Shape::new(&[9, 128])];
        assert_eq!(cross.output(&inputs).unwrap(), INPUT);
        assert_eq!(cross.macs(&inputs), 2 * (64 + 9) * 128 * 128 + 2 * 64 * 9 * 128);
    }

    #[test]
    fn heads_of_queries_can_share_keys_and_values() {
        let grouped = MultiHeadAttention { kv_heads: Some(2), ..FOUR };
        assert_eq!(grouped.output(&[INPUT]).unwrap(), INPUT);
        assert_eq!((grouped.kv_width(INPUT), FOUR.kv_width(INPUT)), (64, 128));
        // Matrices of 128 x 128, 128 x 64, 128 x 64 and 128 x 128, and their biases.
        assert_eq!(grouped.params(&[INPUT]), 128 * 384 + 384);
        assert_eq!(grouped.macs(&[INPUT]), 64 * 128 * 384 + 2 * 64 * 64 * 128);
        let offsets = |layer: MultiHeadAttention| {
            let mut offsets = std::vec::Vec::new();
            let mut receive = |tensor: crate::tensors::LayerTensor<'_>| {
                offsets.push((tensor.offset, tensor.axes[0].len));
            };
            layer.tensors(&[INPUT], &mut TensorSink::new(&mut receive));
            offsets
        };
        let (out_proj, biases) = (128 * 256, 128 * 384);
        let output = [(out_proj, 128), (biases + 256, 128)];
        assert_eq!(offsets(grouped), [[(0, 256), (biases, 256)], output].concat());
        let queries = [(0, 128), (biases, 128)];
        let keys = [(128, 64), (biases + 128, 64)];
        let values = [(192, 64), (biases + 192, 64)];
        let separate = offsets(MultiHeadAttention { names: Names::Llama, ..grouped });
        assert_eq!(separate, [queries, keys, values, output].concat());
    }

    #[test]
    fn refuses_groups_that_do_not_divide_the_heads() {
        let grouped = MultiHeadAttention { kv_heads: Some(3), ..FOUR };
        let (blame, words) = refusal(grouped.output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("kv_heads"));
        assert_eq!(
            words,
            "layer `it` shares 3 heads of keys and values among 4 heads, but 4 is not divisible by 3\n  \
             = help: write `kv_heads = 1, 2 or 4`"
        );
        let (_, words) = refusal(MultiHeadAttention { kv_heads: Some(0), ..FOUR }.output(&[INPUT]));
        assert_eq!(words, "layer `it` has 0 heads of keys and values, but needs at least 1");
    }

    #[test]
    fn refuses_heads_that_do_not_divide_the_features() {
        let (blame, words) = refusal(MultiHeadAttention { heads: 5, ..FOUR }.output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("heads"));
        assert_eq!(
            words,
            "layer `it` splits 128 features into 5 heads, but 128 is not divisible by 5\n  \
             = help: write `heads = 1, 2, 4, 8, 16, 32, 64 or 128`, or change the number of features"
        );
        let (_, words) = refusal(MultiHeadAttention { heads: 0, ..FOUR }.output(&[INPUT]));
        assert_eq!(words, "layer `it` has 0 heads, but needs at least 1");
    }

    #[test]
    fn refuses_a_memory_of_other_features() {
        let cross = MultiHeadAttention { memory: Some(1), ..FOUR };
        let (blame, words) = refusal(cross.output(&[INPUT, Shape::new(&[9, 64])]));
        assert_eq!(blame, Blame::Argument("memory"));
        assert_eq!(
            words,
            "layer `it` takes a memory of steps x 128 features, like its input, but gets 9x64\n  \
             = help: put `Dense(128)` after the memory"
        );
    }

    #[test]
    fn refuses_options_that_a_memory_does_not_suit() {
        let inputs = [INPUT, INPUT];
        for (layer, blamed) in [
            (MultiHeadAttention { memory: Some(1), causal: true, ..FOUR }, "causal"),
            (MultiHeadAttention { memory: Some(1), rotary: true, ..FOUR }, "rotary"),
            (MultiHeadAttention { memory: Some(1), alibi: true, ..FOUR }, "alibi"),
        ] {
            assert_eq!(refusal(layer.output(&inputs)).0, Blame::Argument(blamed));
        }
    }

    #[test]
    fn refuses_what_cannot_be_turned_in_pairs() {
        let odd = MultiHeadAttention { rotary: true, ..FOUR };
        let (_, words) = refusal(odd.output(&[Shape::new(&[9, 12])]));
        assert_eq!(words, "layer `it` rotates features in pairs, but each head has 3 features");
    }

    #[test]
    fn refuses_images_and_absurd_sizes() {
        assert_eq!(refusal(FOUR.output(&[Shape::new(&[28, 28, 4])])).0, Blame::Layer);
        let (blame, _) = refusal(FOUR.output(&[Shape::new(&[2, 1 << 30])]));
        assert_eq!(blame, Blame::Argument("heads"));
        let (blame, _) = refusal(FOUR.output(&[Shape::new(&[1 << 30, 4])]));
        assert_eq!(blame, Blame::Argument("heads"));
    }
}
