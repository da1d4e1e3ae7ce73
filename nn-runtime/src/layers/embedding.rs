//! [`Embedding`]: PyTorch's `nn.Embedding`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, InputError, Node, Spec, Streaming};
#[cfg(feature = "train")]
use crate::memory::Shards;
use crate::memory::{WeightLayout, WeightOwner};
#[cfg(feature = "train")]
use crate::system::RngKey;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use crate::types::{WeightSlice, Weights};
use unrolled_shape::rules::embedding;

/// A trained vector for each token: `[..] -> [.., D]`. The elements of the input are token indices, the bits of `u32`s
/// below `V`.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Embedding<const V: usize, const D: usize> {
    /// One row for each token.
    pub weight: [[f32; D]; V],
}

// SAFETY: `repr(C)`, an array of `f32`.
unsafe impl<const V: usize, const D: usize> Weights for Embedding<V, D> {}

impl<const V: usize, const D: usize> WeightOwner for Embedding<V, D> {
    const WEIGHT_LEN: usize = V * D;
    const LAYOUT: WeightLayout = WeightLayout::RowPerOutput;

    fn weight(&self) -> &[f32] {
        self.weight.as_floats()
    }
}

impl<S, const V: usize, const D: usize> Node<S> for Embedding<V, D>
where
    S: Spec<Arguments = embedding::Embedding>,
{
    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn check(x: &[&[f32]]) -> Result<(), InputError> {
        match x[0].iter().position(|token| token.to_bits() as usize >= V) {
            None => Ok(()),
            Some(at) => Err(unknown_token::<S>(x[0][at].to_bits(), at, V)),
        }
    }

    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        self.look_up::<S>(x[0], y);
    }
}

impl<S, const V: usize, const D: usize> Streaming<S> for Embedding<V, D> where
    S: Spec<Arguments = embedding::Embedding>
{
}

#[cfg(feature = "train")]
impl<S, const V: usize, const D: usize> TrainNode<S> for Embedding<V, D>
where
    S: Spec<Arguments = embedding::Embedding>,
{
    /// The tokens and the gradient of the output: less memory than a gradient of all rows for each shard.
    const DEFERRED: usize = S::IN + S::OUT;
    const GRADIENT_TASKS: usize = V.div_ceil(task_rows(V, D));

    /// As in PyTorch: normal with mean 0 and standard deviation 1.
    fn initialise(&mut self, key: RngKey) {
        crate::init::normal(self.weight.as_floats_mut(), key.fold_in(RngKey::hash("weight")));
        if let Some(padding) = S::ARGUMENTS.padding_index {
            self.weight[padding].fill(0.0);
        }
    }

    fn forward_shard(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        if pass.trains_weights() {
            ctx.deferred[..pass.n * S::IN].copy_from_slice(x[0]);
        }
        self.look_up::<S>(x[0], y);
    }

    fn backward_shard(&self, Backward { pass, d_y, ctx, .. }: Backward<'_, '_>) {
        // The input has no gradient: token numbers are discrete.
        if pass.trains_weights() {
            ctx.deferred[pass.n * S::IN..].copy_from_slice(d_y);
        }
    }

    fn gradient_end(task: usize) -> usize {
        ((task + 1) * task_rows(V, D)).min(V) * D
    }

    /// Adds the gradient at each position to the row of its token, in the order of the batch.
    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        let mut touched = shards.touched_rows();
        if !shards.adds() {
            match &mut touched {
                Some(touched) => touched.clear(d_weights),
                None => d_weights.fill(0.0),
            }
        }
        let first = task * task_rows(V, D);
        let rows = d_weights.as_chunks_mut::<D>().0;
        let padding = S::ARGUMENTS.padding_index;
        for shard in 0..shards.count() {
            let (tokens, d_y) = shards.deferred(shard).split_at(shards.samples(shard) * S::IN);
            // Each task reads all tokens and skips those of other rows: a row is added up in one order, whatever the
            // number of threads.
            for (token, d_y) in tokens.iter().zip(d_y.as_chunks::<D>().0) {
                let token = token.to_bits() as usize;
                // The rows of other tasks are before `first` or after the end.
                let index = token.wrapping_sub(first);
                if let Some(row) = rows.get_mut(index)
                    && Some(token) != padding
                {
                    for (d, d_y) in row.iter_mut().zip(d_y) {
                        *d += d_y;
                    }
                    if let Some(touched) = &mut touched {
                        touched.touch(index * D..(index + 1) * D);
                    }
                }
            }
        }
    }
}

/// The number of weight rows in one gradient task.
#[cfg(feature = "train")]
const fn task_rows(vocabulary: usize, dimension: usize) -> usize {
    const ELEMENTS: usize = 1 << 16;
    // Each task reads all tokens.
    const MAX_TASKS: usize = 128;
    let rows = if dimension < ELEMENTS { ELEMENTS / dimension } else { 1 };
    let least = vocabulary.div_ceil(MAX_TASKS);
    if rows < least { least } else { rows }
}

/// The error for a token that is not in the vocabulary; `at` is its index in the batch.
fn unknown_token<S: Spec>(token: u32, at: usize, vocabulary: usize) -> InputError {
    InputError::Token { layer: S::NAME, token, place: at % S::IN, vocabulary }
}

impl<const V: usize, const D: usize> Embedding<V, D> {
    /// The rows of all tokens.
    ///
    /// # Panics
    /// When a token is not in the vocabulary.
    fn look_up<S: Spec>(&self, tokens: &[f32], y: &mut [f32]) {
        for (at, (token, y)) in tokens.iter().zip(y.as_chunks_mut::<D>().0).enumerate() {
            let token = token.to_bits();
            *y = match self.weight.get(token as usize) {
                Some(row) => *row,
                None => panic!("{}", unknown_token::<S>(token, at, V)),
            };
        }
    }
}

#[cfg(feature = "std")]
impl<const V: usize, const D: usize> Embedding<V, D> {
    /// The `k` tokens with the highest cosine similarity to `token`, without `token` itself, each with its similarity,
    /// the most similar first. Empty if `token` is not in the vocabulary.
    #[must_use]
    pub fn nearest(&self, token: u32, k: usize) -> Vec<(u32, f32)> {
        match self.weight.get(token as usize) {
            Some(row) => self.nearest_to(row, k, &[token]),
            None => Vec::new(),
        }
    }

    /// The `k` tokens that are to `c` as `b` is to `a`, such as `queen` for `man`, `king` and `woman`: those with the
    /// highest cosine similarity to `b - a + c`, of vectors scaled to length 1 (Mikolov, Yih and Zweig, 2013), without
    /// the three themselves. Empty if one of them is not in the vocabulary.
    #[must_use]
    pub fn analogy(&self, a: u32, b: u32, c: u32, k: usize) -> Vec<(u32, f32)> {
        let row = |token: u32| self.weight.get(token as usize).map(unit);
        let (Some(from), Some(to), Some(at)) = (row(a), row(b), row(c)) else {
            return Vec::new();
        };
        let goal = core::array::from_fn(|i| to[i] - from[i] + at[i]);
        self.nearest_to(&goal, k, &[a, b, c])
    }

    /// The `k` tokens with the highest cosine similarity to `goal`, leaving out those in `without`.
    fn nearest_to(&self, goal: &[f32; D], k: usize, without: &[u32]) -> Vec<(u32, f32)> {
        let goal = unit(goal);
        let cosine = |row: &[f32; D]| unit(row).iter().zip(&goal).map(|(a, b)| a * b).sum::<f32>();
        let all = (0..).zip(&self.weight).filter(|(token, _)| !without.contains(token));
        let mut all: Vec<(u32, f32)> = all.map(|(token, row)| (token, cosine(row))).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(k);
        all
    }
}

/// `row`, scaled to length 1; zeros stay zeros.
#[cfg(feature = "std")]
fn unit<const D: usize>(row: &[f32; D]) -> [f32; D] {
    let length = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    let factor = if length > 0.0 { (1.0 / length) as f32 } else { 0.0 };
    row.map(|x| x * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Words: embedding::Embedding { vocabulary: 7, dimension: 3, padding_index: Some(2) }, [&[4]] -> &[4, 3]);
    // More rows than one gradient task has.
    spec!(Many: embedding::Embedding {
        vocabulary: 1000, dimension: 200, padding_index: None,
    }, [&[5]] -> &[5, 200]);

    fn trial<S, const V: usize, const D: usize>() -> Trial<S, Embedding<V, D>>
    where
        S: Spec<Arguments = embedding::Embedding>,
    {
        assert_eq!(S::ARGUMENTS.output(S::INPUTS).unwrap(), S::OUTPUT);
        let mut trial = Trial::<S, Embedding<V, D>>::random();
        for (i, x) in trial.x[0].iter_mut().enumerate() {
            // Some tokens repeat, the first and the last one among them.
            *x = f32::from_bits((i * i % (V + 1) % V) as u32);
        }
        trial.x[0][1] = f32::from_bits(V as u32 - 1);
        trial
    }

    /// The definition, in the order of the batch.
    fn naive<S, const V: usize, const D: usize>(trial: &Trial<S, Embedding<V, D>>) -> Vec<f32>
    where
        S: Spec<Arguments = embedding::Embedding>,
    {
        let mut d = vec![0.0; V * D];
        for (position, token) in trial.x[0].iter().enumerate() {
            let token = token.to_bits() as usize;
            for i in (0..D).filter(|_| Some(token) != S::ARGUMENTS.padding_index) {
                d[token * D + i] += trial.d_y[position * D + i];
            }
        }
        d
    }

    fn check<S: Spec<Arguments = embedding::Embedding>, const V: usize, const D: usize>() {
        let mut trial = trial::<S, V, D>();
        trial.check_inference();
        let outcome = trial.train();
        for (token, y) in trial.x[0].iter().zip(outcome.y.chunks_exact(D)) {
            assert_eq!(y, trial.node.weight[token.to_bits() as usize]);
        }
        assert_eq!(outcome.d_weights, naive(&trial));
    }

    #[test]
    fn looks_up_rows_and_sums_their_gradients() {
        check::<Words, 7, 3>();
        assert_eq!(<Embedding<1000, 200> as TrainNode<Many>>::GRADIENT_TASKS, 4);
        check::<Many, 1000, 200>();
    }

    #[test]
    fn the_padding_token_is_zero_and_stays_so() {
        let mut layer = Embedding::<7, 3>::zeros();
        TrainNode::<Words>::initialise(&mut *layer, RngKey::new(3));
        assert_eq!(layer.weight[2], [0.0; 3]);
        assert_ne!(layer.weight[1], layer.weight[3]);
        let mut trial = trial::<Words, 7, 3>();
        trial.x[0].fill(f32::from_bits(2));
        assert!(trial.train().d_weights.iter().all(|d| *d == 0.0));
    }

    #[test]
    fn is_initialised_from_a_normal_distribution() {
        let mut layer = Embedding::<1000, 200>::zeros();
        TrainNode::<Many>::initialise(&mut *layer, RngKey::new(3));
        let values = layer.as_floats();
        let count = values.len() as f64;
        let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let square = values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() / count;
        assert!(mean.abs() < 0.01 && (square - 1.0).abs() < 0.01, "{mean} {square}");
        let beyond = values.iter().filter(|x| x.abs() > 2.0).count() as f64 / count;
        assert!((beyond - 0.0455).abs() < 0.003, "{beyond}");
    }

    #[test]
    fn refuses_tokens_outside_the_vocabulary() {
        let x: Vec<f32> = [0, 6, 7, 1].map(f32::from_bits).to_vec();
        let words = <Embedding<7, 3> as Node<Words>>::check(&[&x]).unwrap_err();
        assert_eq!(
            words.to_string(),
            "layer `it` has 7 tokens with the numbers 0 to 6, but number 2 of the input is token 7"
        );
        assert!(<Embedding<7, 3> as Node<Words>>::check(&[&x[..2]]).is_ok());
    }

    #[test]
    #[should_panic(expected = "number 3 of the input is token 4294967295")]
    fn an_unchecked_token_panics() {
        let mut trial = trial::<Words, 7, 3>();
        trial.x[0][3] = f32::from_bits(u32::MAX);
        trial.infer();
    }

    #[test]
    fn finds_neighbours_and_analogies() {
        let mut layer = Embedding::<7, 3>::zeros();
        layer.weight = [
            [1.0, 0.0, 0.0],  // man
            [1.0, 0.0, 1.0],  // king
            [0.0, 2.0, 0.0],  // woman
            [0.0, 3.0, 3.0],  // queen
            [-1.0, 0.1, 0.0], // anyone
            [0.0, 0.0, 0.0],  // nothing
            [2.0, 0.1, 0.0],  // a man, nearly
        ];
        let nearest = layer.nearest(0, 2);
        assert_eq!(nearest.iter().map(|(token, _)| *token).collect::<Vec<_>>(), [6, 1]);
        assert!((nearest[1].1 - 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(layer.analogy(0, 1, 2, 1)[0].0, 3);
        assert_eq!(layer.nearest(0, 100).len(), 6);
        assert_eq!(layer.nearest(0, 100)[5].0, 4);
        assert!(layer.nearest(7, 3).is_empty() && layer.analogy(0, 1, 9, 3).is_empty());
    }
}
