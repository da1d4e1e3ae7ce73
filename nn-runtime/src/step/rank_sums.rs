//! [`sum_over_ranks`]: the sum of gradients over all ranks, in the order of the reduction tree.

use crate::kernels::add_to;
use crate::ranks::{Division, Incoming, Outgoing, Ranks, Tree, bytes_of, bytes_of_mut};
use crate::system::parallel;
use std::ops::Range;

/// Elements that one thread adds at a time.
const CHUNK: usize = 1 << 14;

/// Writes the sum of the gradients of all leaves to `gradient`; `write(subtree, gradient)` writes that of a subtree of this
/// rank. Subtrees that are not `filled` have no samples and no gradient.
///
/// Each rank adds up one range of the elements, for which it receives the subtrees of all others, and sends the sum to
/// them: where each rank has one subtree it sends and receives `2 (ranks - 1) / ranks` times the gradient, the least that
/// is possible (Patarasuk and Yuan, 2009).
pub(crate) fn sum_over_ranks(
    gradient: &mut [f32],
    division: &Division<'_>,
    filled: impl Fn(&Range<usize>) -> bool,
    write: impl Fn(Range<usize>, &mut [f32]),
) {
    let tree = division.tree();
    let Some(ranks) = division.ranks.filter(|ranks| ranks.size() > 1) else {
        return write(division.own(), gradient);
    };
    let sum = RankSum { ranks, tree, len: gradient.len() };
    // Most often this rank has one subtree, whose gradient needs no further memory.
    let roots: Vec<_> = tree.roots_of(ranks.rank()).filter(&filled).collect();
    let mut more = vec![0.0; roots.len().saturating_sub(1) * sum.len];
    let mut own: Vec<(usize, &mut [f32])> = Vec::with_capacity(roots.len());
    let memory = std::iter::once(&mut *gradient).chain(more.chunks_exact_mut(sum.len.max(1)));
    for (root, gradient) in roots.into_iter().zip(memory) {
        own.push((root.start, gradient));
        let (_, gradient) = own.last_mut().expect("pushed");
        write(root, gradient);
    }
    let mut received = sum.exchange_subtrees(&own, filled);
    let total = sum.add(&mut received);
    let range = sum.range_of(ranks.rank());
    drop(own);
    gradient[range].copy_from_slice(total);
    sum.exchange_totals(gradient);
}

/// The sum of gradients of `len` elements.
struct RankSum<'a> {
    ranks: &'a Ranks<'a>,
    tree: Tree,
    len: usize,
}

/// The elements of one subtree that this rank adds up.
struct Part {
    /// The first leaf of the subtree.
    leaf: usize,
    values: Vec<f32>,
}

impl RankSum<'_> {
    /// The elements that a rank adds up.
    fn range_of(&self, rank: usize) -> Range<usize> {
        let size = self.ranks.size();
        rank * self.len / size..(rank + 1) * self.len / size
    }

    /// Sends the gradients of this rank's subtrees, whose first leaves come with them, and returns the elements of all
    /// subtrees that this rank adds up.
    fn exchange_subtrees(
        &self,
        own: &[(usize, &mut [f32])],
        filled: impl Fn(&Range<usize>) -> bool,
    ) -> Vec<Part> {
        let mine = self.range_of(self.ranks.rank());
        let mut sends = Vec::new();
        for to in self.ranks.others().filter(|other| !self.range_of(*other).is_empty()) {
            for (_, gradient) in own {
                sends.push(Outgoing { to, bytes: bytes_of(&gradient[self.range_of(to)]) });
            }
        }
        let part = |leaf, values: Vec<f32>| Part { leaf, values };
        let mut parts: Vec<_> =
            own.iter().map(|(leaf, values)| part(*leaf, values[mine.clone()].to_vec())).collect();
        let mut senders = Vec::new();
        let others = self.ranks.others().filter(|_| !mine.is_empty());
        for from in others {
            for root in self.tree.roots_of(from).filter(&filled) {
                senders.push(from);
                parts.push(part(root.start, vec![0.0; mine.len()]));
            }
        }
        let received = parts[own.len()..].iter_mut().map(|part| bytes_of_mut(&mut part.values));
        let mut receives: Vec<_> = senders
            .into_iter()
            .zip(received)
            .map(|(from, bytes)| Incoming { from, bytes })
            .collect();
        self.ranks.exchange(&sends, &mut receives);
        parts
    }

    /// Adds up the parts of all subtrees.
    fn add<'p>(&self, parts: &'p mut [Part]) -> &'p [f32] {
        let mut sums: Vec<Option<&mut [f32]>> = Vec::new();
        sums.resize_with(self.tree.leaves, || None);
        for Part { leaf, values } in parts {
            sums[*leaf] = Some(values);
        }
        for node in self.tree.shared_nodes() {
            // A subtree without samples has no gradient.
            let Some(right) = sums[node.right()].take() else { continue };
            match &mut sums[node.left] {
                Some(left) => {
                    parallel::for_each_zipped_piece([left], CHUNK, |range, [left]| {
                        add_to(left, &right[range]);
                    });
                }
                left => *left = Some(right),
            }
        }
        sums.swap_remove(0).map_or(&[], |total| total)
    }

    /// Sends the elements that this rank has added up to all others, and receives theirs.
    fn exchange_totals(&self, gradient: &mut [f32]) {
        let lens: Vec<_> = (0..self.ranks.size())
            .map(|rank| self.range_of(rank).len() * size_of::<f32>())
            .collect();
        self.ranks.gather_parts(bytes_of_mut(gradient), &lens);
    }
}
