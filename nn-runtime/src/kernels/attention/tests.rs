//! Attention against its naive twin, and steps against whole sequences.

use super::*;
use crate::kernels::product::LONG_SUM;
use crate::layers::testing::random;
use crate::memory::StateMut;
use crate::types::Steps;

/// One head after the other, as the definition says, in `f64`.
fn twin(it: &Attention, weights: Weights<'_>, x: &[f32], memory: &[f32]) -> Vec<f32> {
    let (width, kv_width, size) = (it.width, it.kv_width(), it.size());
    // Column `column` of the projection of a row.
    let projected = |row: &[f32], column: usize| -> f64 {
        let bias = weights.in_bias.get(column).map_or(0.0, |b| f64::from(*b));
        let sum = row.iter().enumerate().map(|(i, x)| {
            f64::from(*x) * f64::from(weights.in_proj[i * (width + 2 * kv_width) + column])
        });
        bias + sum.sum::<f64>()
    };
    // A head's query (part 0) or key (part 1) of step `t`, rotated.
    let head_of = |row: &[f32], part: usize, head: usize, t: usize| -> Vec<f64> {
        let plain: Vec<f64> =
            (0..size).map(|i| projected(row, part * width + head * size + i)).collect();
        if !it.rotary {
            return plain;
        }
        let rotated = |i: usize| {
            let half = size / 2;
            let angle = t as f64 * 10_000_f64.powf(-2.0 * (i % half) as f64 / size as f64);
            let other = if i < half { -plain[i + half] } else { plain[i - half] };
            plain[i] * angle.cos() + other * angle.sin()
        };
        (0..size).map(rotated).collect()
    };
    let mut y = Vec::new();
    for (t, row) in x.chunks_exact(width).enumerate() {
        let mut found = vec![0.0; width];
        for head in 0..it.heads {
            let (q, kv_head) = (head_of(row, 0, head, t), head * it.kv_heads / it.heads);
            let slope = if it.alibi { alibi::slope(it.heads, head) } else { 0.0 };
            let seen = memory.chunks_exact(width).take(if it.causal { t + 1 } else { it.memory });
            let scores: Vec<f64> = seen
                .clone()
                .enumerate()
                .map(|(s, row)| {
                    let k = head_of(row, 1, kv_head, s);
                    let dot: f64 = q.iter().zip(&k).map(|(q, k)| q * k).sum();
                    (dot / (size as f64).sqrt() - slope * t.abs_diff(s) as f64).exp()
                })
                .collect();
            let sum: f64 = scores.iter().sum();
            for (score, row) in scores.iter().zip(seen) {
                for i in 0..size {
                    let v = projected(row, width + kv_width + kv_head * size + i);
                    found[head * size + i] += score / sum * v;
                }
            }
        }
        for j in 0..width {
            let bias = weights.out_bias.get(j).map_or(0.0, |b| f64::from(*b));
            let sum = found
                .iter()
                .enumerate()
                .map(|(i, f)| f * f64::from(weights.out_proj[i * width + j]));
            y.push((bias + sum.sum::<f64>()) as f32);
        }
    }
    y
}

const PLAIN: Attention = Attention {
    heads: 2,
    kv_heads: 2,
    width: 12,
    steps: 37,
    memory: 37,
    cross: false,
    causal: false,
    rotary: false,
    alibi: false,
    drops: false,
};

/// All options that affect inference.
fn all() -> [Attention; 10] {
    [
        PLAIN,
        Attention { causal: true, ..PLAIN },
        Attention { rotary: true, ..PLAIN },
        Attention { causal: true, rotary: true, heads: 3, kv_heads: 3, ..PLAIN },
        Attention { cross: true, memory: 9, heads: 1, kv_heads: 1, ..PLAIN },
        Attention { kv_heads: 1, ..PLAIN },
        Attention { causal: true, rotary: true, heads: 6, ..PLAIN },
        Attention { cross: true, memory: 9, heads: 6, kv_heads: 3, ..PLAIN },
        Attention { alibi: true, ..PLAIN },
        Attention { causal: true, alibi: true, heads: 3, kv_heads: 1, ..PLAIN },
    ]
}

/// Random weights.
struct RandomWeights(Vec<f32>);

impl RandomWeights {
    fn new(it: Attention) -> Self {
        Self(random((it.in_width() + it.width) * (it.width + 1), 1))
    }

    fn weights(&self, it: Attention, bias: bool) -> Weights<'_> {
        let (width, in_width) = (it.width, it.in_width());
        let (in_proj, rest) = self.0.split_at(in_width * width);
        let (out_proj, rest) = rest.split_at(width * width);
        let (in_bias, out_bias) = if bias { rest.split_at(in_width) } else { (&[][..], &[][..]) };
        Weights { in_proj, in_bias, out_proj, out_bias }
    }
}

/// The whole sequence at inference.
fn infer(it: Attention, weights: Weights<'_>, x: &[f32], memory: &[f32]) -> Vec<f32> {
    let mut y = vec![f32::NAN; it.input_len()];
    let mut scratch = vec![f32::NAN; it.infer_scratch()];
    let lengths = [x, memory].map(|x| [(x.len() / it.width) as u32]);
    let lengths = [Steps::Given(&lengths[0]), Steps::Given(&lengths[1])];
    let batch = Batch { attention: it, weights, n: 1, lengths };
    batch.infer([x, memory], &mut y, StateMut::none(), &mut scratch);
    y
}

#[test]
fn agrees_with_its_twin() {
    for it in all() {
        let values = RandomWeights::new(it);
        for bias in [true, false] {
            let weights = values.weights(it, bias);
            for (steps, seen) in [(it.steps, it.memory), (19, 7), (1, 1)] {
                let x = random(steps * it.width, 2);
                let memory = if it.cross { random(seen * it.width, 3) } else { x.clone() };
                let (y, expected) =
                    (infer(it, weights, &x, &memory), twin(&it, weights, &x, &memory));
                for (y, expected) in y.iter().zip(&expected) {
                    assert!((y - expected).abs() < 2e-5, "{it:?}: {y} {expected}");
                }
                assert!(y[x.len()..].iter().all(|y| *y == 0.0), "after the end");
            }
        }
    }
}

#[test]
fn the_output_of_a_memory_without_steps_is_the_bias() {
    let it = Attention { cross: true, memory: 9, ..PLAIN };
    let values = RandomWeights::new(it);
    let weights = values.weights(it, true);
    let y = infer(it, weights, &random(it.input_len(), 2), &[]);
    assert!(y.chunks_exact(it.width).all(|y| y == weights.out_bias));
}

/// Step by step from a state of zeros.
fn step_by_step(it: Attention, weights: Weights<'_>, x: &[f32]) -> Vec<f32> {
    let (mut state, mut scratch) = (vec![0.0; it.state()], vec![f32::NAN; it.infer_scratch()]);
    let mut y = vec![f32::NAN; x.len()];
    for (x, y) in x.chunks_exact(it.width).zip(y.chunks_exact_mut(it.width)) {
        let (state, scratch) = (&mut state[..], &mut scratch[..]);
        it.step(CachedStep { weights, state, x, y, scratch });
    }
    y
}

#[test]
fn steps_have_the_bits_of_the_whole_sequence() {
    for it in all().into_iter().filter(|it| it.causal) {
        let values = RandomWeights::new(it);
        let weights = values.weights(it, true);
        let x = random(it.input_len(), 2);
        assert_eq!(step_by_step(it, weights, &x), infer(it, weights, &x, &x));
    }
}

/// A long memory, whose sums are sums of parts: those of steps that attend to little of it have the same parts.
#[test]
fn steps_of_a_long_memory_have_the_bits_of_the_whole_sequence() {
    let it = Attention { steps: 300, memory: LONG_SUM + 1, causal: true, width: 2, ..PLAIN };
    let values = RandomWeights::new(it);
    let weights = values.weights(it, true);
    let x = random(it.input_len(), 2);
    assert_eq!(step_by_step(it, weights, &x), infer(it, weights, &x, &x));
}

/// The oldest steps are overwritten: the output is that of the last steps alone.
#[test]
fn a_longer_sequence_slides_through_the_memory() {
    let it = Attention { causal: true, alibi: true, kv_heads: 1, ..PLAIN };
    let values = RandomWeights::new(it);
    let weights = values.weights(it, true);
    let x = random(3 * it.input_len(), 2);
    let y = step_by_step(it, weights, &x);
    for end in it.steps..3 * it.steps {
        let window = &x[(end + 1 - it.steps) * it.width..(end + 1) * it.width];
        let expected = infer(it, weights, window, window);
        assert_eq!(y[end * it.width..][..it.width], expected[it.input_len() - it.width..]);
    }
}

/// Rotated keys and queries depend on distances only: a window has the same output at any position.
#[test]
fn rotary_positions_are_distances() {
    let it = Attention { causal: true, rotary: true, heads: 3, kv_heads: 3, ..PLAIN };
    let values = RandomWeights::new(it);
    let weights = values.weights(it, true);
    let x = random(2 * it.input_len(), 2);
    let y = step_by_step(it, weights, &x);
    let window = &x[it.input_len()..];
    let expected = infer(it, weights, window, window);
    let (y, expected) = (&y[y.len() - it.width..], &expected[it.input_len() - it.width..]);
    for (y, expected) in y.iter().zip(expected) {
        assert!((y - expected).abs() < 2e-5, "{y} {expected}");
    }
}
