//! [`TreeSum`]: a few sums over all leaves, combined in the order of the tree.

use super::bytes::{bytes_of, bytes_of_mut};
use super::division::Division;
use super::traffic::Ranks;
use super::transport::{Incoming, Outgoing};
use super::tree::{Tree, TreeNode};
use std::cell::RefCell;

thread_local! {
    /// The memory of a thread's sums, kept from one to the next: it only grows, so that a repeated call does not allocate.
    static SUMS: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Sums of `len` elements for each leaf, which are combined over all leaves of all ranks.
pub(crate) struct TreeSum<'a> {
    pub(crate) division: Division<'a>,
    pub(crate) len: usize,
}

impl TreeSum<'_> {
    /// Calls `write(leaf, sums)` for each leaf of this rank, combines the sums of all leaves by `merge(left, right)`, and
    /// returns `done(total)`.
    pub(crate) fn run<R>(
        &self,
        mut write: impl FnMut(usize, &mut [f64]),
        merge: impl Fn(&mut [f64], &[f64]),
        done: impl FnOnce(&[f64]) -> R,
    ) -> R {
        let mut sums = SUMS.take();
        sums.clear();
        sums.resize(self.division.leaves * self.len, 0.0);
        self.sum(&mut sums, &mut write, &merge);
        let result = done(&sums[..self.len]);
        SUMS.set(sums);
        result
    }

    /// Writes the total to the first of the sums, which are zeros.
    fn sum(
        &self,
        sums: &mut [f64],
        write: &mut dyn FnMut(usize, &mut [f64]),
        merge: &dyn Fn(&mut [f64], &[f64]),
    ) {
        let Self { division, len } = *self;
        let tree = division.tree();
        let combine = |sums: &mut [f64], node: TreeNode| {
            let (left, right) = sums.split_at_mut(node.right() * len);
            merge(&mut left[node.left * len..][..len], &right[..len]);
        };
        for leaf in division.own() {
            write(leaf, &mut sums[leaf * len..][..len]);
        }
        for root in tree.roots_of(division.rank()) {
            tree.nodes_of(root).for_each(|node| combine(sums, node));
        }
        if let Some(ranks) = division.ranks {
            self.exchange_roots(ranks, tree, sums);
        }
        tree.shared_nodes().for_each(|node| combine(sums, node));
    }

    /// Every rank receives the roots of all others.
    fn exchange_roots(&self, ranks: &Ranks<'_>, tree: Tree, sums: &mut [f64]) {
        let own = tree.leaves_of(ranks.rank());
        let (before, rest) = sums.split_at_mut(own.start * self.len);
        let (own_sums, after) = rest.split_at_mut(own.len() * self.len);
        let sends: Vec<_> = ranks
            .others()
            .flat_map(|to| tree.roots_of(ranks.rank()).map(move |root| (to, root)))
            .map(|(to, root)| {
                let bytes = bytes_of(&own_sums[(root.start - own.start) * self.len..][..self.len]);
                Outgoing { to, bytes }
            })
            .collect();
        let mut receives = Vec::new();
        // By leaves, of which the first one of each root has its sums.
        let mut leaves = before.chunks_exact_mut(self.len).chain(after.chunks_exact_mut(self.len));
        for from in ranks.others() {
            for root in tree.roots_of(from) {
                if let Some(sums) = leaves.next() {
                    receives.push(Incoming { from, bytes: bytes_of_mut(sums) });
                }
                if root.len() > 1 {
                    let _ = leaves.nth(root.len() - 2);
                }
            }
        }
        ranks.exchange(&sends, &mut receives);
    }
}

/// Adds sums element by element: the usual `merge` of [`TreeSum::run`].
pub(crate) fn add_sums(left: &mut [f64], right: &[f64]) {
    for (left, right) in left.iter_mut().zip(right) {
        *left += right;
    }
}
