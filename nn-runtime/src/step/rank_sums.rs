//! [`sum_over_ranks`]: the sum of gradients over all ranks, in the order of the reduction tree.

use crate::kernels::add_to;
use crate::ranks::{Division, Incoming, Outgoing, Ranks, Shares, Tree, bytes_of, bytes_of_mut};
use crate::system::parallel;
use std::ops::Range;

/// Elements that one thread adds at a time.
const CHUNK: usize = 1 << 14;

/// The gradients of the subtrees of this rank, which are computed in several tasks.
pub(crate) trait SubtreeGradients {
    /// The number of tasks.
    fn tasks(&self) -> usize;

    /// The end of the elements of a task.
    fn end(&self, task: usize) -> usize;

    /// Whether a subtree has samples. One without has no gradient.
    fn is_filled(&self, subtree: &Range<usize>) -> bool;

    /// Writes the elements of some tasks. Calls `after_task` after each.
    fn write(
        &self,
        subtree: Range<usize>,
        tasks: Range<usize>,
        elements: &mut [f32],
        after_task: &(dyn Fn() + Sync),
    );
}

/// Writes the sum of the gradients of all leaves to `gradient`; where ranks keep their shares, only this rank's share.
///
/// Each rank adds up one share of the elements, for which it receives the subtrees of all others, and sends the sum to
/// them: where each rank has one subtree it sends and receives `2 (ranks - 1) / ranks` times the gradient, the least that
/// is possible (Patarasuk and Yuan, 2009).
pub(crate) fn sum_over_ranks(
    gradient: &mut [f32],
    division: &Division<'_>,
    gradients: &dyn SubtreeGradients,
) {
    let tree = division.tree();
    let Some(ranks) = division.ranks.filter(|ranks| ranks.size() > 1) else {
        return gradients.write(division.own(), 0..gradients.tasks(), gradient, &|| {});
    };
    let equal;
    let shares = match division.shares {
        Some(shares) => shares,
        None => {
            equal = Shares::equal(gradient.len(), ranks.size());
            &equal
        }
    };
    let sum = RankSum { ranks, tree, shares };
    let mine = shares.of(ranks.rank());
    // Most often this rank has one subtree, whose gradient needs no further memory.
    let roots: Vec<_> = tree.roots_of(ranks.rank()).filter(|r| gradients.is_filled(r)).collect();
    let len = gradient.len();
    let mut more = vec![0.0; roots.len().saturating_sub(1) * len];
    let memory = std::iter::once(&mut *gradient).chain(more.chunks_exact_mut(len.max(1)));
    let mut own: Vec<_> = roots.into_iter().zip(memory).collect();
    sum.compute_and_send(gradients, &mut own);
    let mut parts = sum.receive(&own, |subtree| gradients.is_filled(subtree));
    let total = sum.add(&mut parts);
    drop(own);
    gradient[mine].copy_from_slice(total);
    if division.shares.is_none() {
        ranks.gather_parts(bytes_of_mut(gradient), &shares.lens(size_of::<f32>()));
    }
}

/// The sum of gradients.
struct RankSum<'a> {
    ranks: &'a Ranks<'a>,
    tree: Tree,
    shares: &'a Shares,
}

/// The elements of one subtree that this rank adds up.
struct Part {
    /// The first leaf of the subtree.
    leaf: usize,
    values: Vec<f32>,
}

/// A subtree of this rank, and its gradient.
type Subtree<'g> = (Range<usize>, &'g mut [f32]);

impl RankSum<'_> {
    /// Computes the gradients of this rank's subtrees, and sends the share of another rank as soon as it is computed: that
    /// of the next rank first and the own one last, so that at any time each rank receives from one other.
    fn compute_and_send(&self, gradients: &dyn SubtreeGradients, own: &mut [Subtree<'_>]) {
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        let ends: Vec<_> = (0..gradients.tasks()).map(|task| gradients.end(task)).collect();
        let task_of = |element: usize| ends.partition_point(|end| *end <= element);
        // The task in which the share of the next rank begins is the first one; after the last task come those before it.
        let first = if rank + 1 < size { task_of(self.shares.of(rank).end) } else { ends.len() };
        for (receivers, tasks) in [(rank + 1..size, first..ends.len()), (0..rank + 1, 0..first)] {
            let mut next = tasks.start;
            for to in receivers.clone() {
                let share = self.shares.of(to);
                let is_last = to + 1 == receivers.end;
                let needed = if share.is_empty() { next } else { task_of(share.end - 1) + 1 };
                let end = if is_last { tasks.end } else { needed.clamp(next, tasks.end) };
                self.compute(gradients, &ends, next..end, own);
                next = end;
                if to != rank && !share.is_empty() {
                    self.send(to, share, own);
                }
            }
        }
    }

    /// Computes some tasks of each subtree.
    fn compute(
        &self,
        gradients: &dyn SubtreeGradients,
        ends: &[usize],
        tasks: Range<usize>,
        own: &mut [Subtree<'_>],
    ) {
        if tasks.is_empty() {
            return;
        }
        let elements = tasks.start.checked_sub(1).map_or(0, |t| ends[t])..ends[tasks.end - 1];
        for (subtree, gradient) in own {
            let after_task = || self.ranks.progress();
            let gradient = &mut gradient[elements.clone()];
            gradients.write(subtree.clone(), tasks.clone(), gradient, &after_task);
        }
    }

    /// Begins to send the gradients of a share.
    fn send(&self, to: usize, share: Range<usize>, own: &[Subtree<'_>]) {
        let sends: Vec<_> = own
            .iter()
            .map(|(_, gradient)| Outgoing { to, bytes: bytes_of(&gradient[share.clone()]) })
            .collect();
        self.ranks.post(&sends);
    }

    /// The elements of all subtrees that this rank adds up, those of others when they have been received.
    fn receive(&self, own: &[Subtree<'_>], filled: impl Fn(&Range<usize>) -> bool) -> Vec<Part> {
        let mine = self.shares.of(self.ranks.rank());
        let part = |leaf, values: Vec<f32>| Part { leaf, values };
        let own_part =
            |(root, values): &Subtree<'_>| part(root.start, values[mine.clone()].to_vec());
        let mut parts: Vec<_> = own.iter().map(own_part).collect();
        let mut senders = Vec::new();
        for from in self.ranks.others().filter(|_| !mine.is_empty()) {
            for root in self.tree.roots_of(from).filter(&filled) {
                senders.push(from);
                parts.push(part(root.start, vec![0.0; mine.len()]));
            }
        }
        let received = parts[own.len()..].iter_mut().map(|part| bytes_of_mut(&mut part.values));
        let messages = senders.into_iter().zip(received);
        let mut receives: Vec<_> = messages.map(|(from, bytes)| Incoming { from, bytes }).collect();
        self.ranks.exchange(&[], &mut receives);
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
}
