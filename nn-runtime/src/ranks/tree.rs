//! [`Tree`]: the binary tree in which gradients and sums are added, and the part of each rank.

use std::ops::Range;

/// A balanced binary tree over a power of two of leaves, of which each rank has consecutive ones, as many as the others or
/// one more or less.
///
/// What a rank computes alone are its *roots*: the largest subtrees all of whose leaves it has. Which additions are made
/// depends on the number of leaves only; the number of ranks decides where they are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree {
    pub(crate) leaves: usize,
    pub(crate) ranks: usize,
}

/// An inner node of the tree: the sum of two subtrees of `width` leaves each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TreeNode {
    /// The first leaf of the left subtree.
    pub(crate) left: usize,
    pub(crate) width: usize,
}

impl TreeNode {
    /// The first leaf of the right subtree.
    pub(crate) const fn right(self) -> usize {
        self.left + self.width
    }

    const fn end(self) -> usize {
        self.left + 2 * self.width
    }
}

impl Tree {
    /// The leaves of a rank.
    pub(crate) const fn leaves_of(self, rank: usize) -> Range<usize> {
        rank * self.leaves / self.ranks..(rank + 1) * self.leaves / self.ranks
    }

    /// The roots of a rank.
    pub(crate) fn roots_of(self, rank: usize) -> impl Iterator<Item = Range<usize>> {
        let Range { mut start, end } = self.leaves_of(rank);
        std::iter::from_fn(move || {
            let left = end.checked_sub(start).filter(|left| *left > 0)?;
            // The largest subtree that begins here, and the largest one that fits.
            let begins = if start == 0 { self.leaves } else { 1 << start.trailing_zeros() };
            let root = start..start + begins.min(1 << left.ilog2());
            start = root.end;
            Some(root)
        })
    }

    /// The inner nodes inside of the subtree `root`; each comes after those below it.
    pub(crate) fn nodes_of(self, root: Range<usize>) -> impl Iterator<Item = TreeNode> {
        self.nodes().filter(move |node| root.start <= node.left && node.end() <= root.end)
    }

    /// The inner nodes whose leaves belong to several ranks; each comes after those below it.
    pub(crate) fn shared_nodes(self) -> impl Iterator<Item = TreeNode> {
        self.nodes().filter(move |node| node.end() > self.leaves_of(self.rank_of(node.left)).end)
    }

    fn nodes(self) -> impl Iterator<Item = TreeNode> {
        let widths = (0..self.leaves.ilog2()).map(|level| 1 << level);
        widths.flat_map(move |width| {
            (0..self.leaves).step_by(2 * width).map(move |left| TreeNode { left, width })
        })
    }

    /// The rank of a leaf: the last one whose first leaf is not after it.
    fn rank_of(self, leaf: usize) -> usize {
        ((leaf + 1) * self.ranks).div_ceil(self.leaves) - 1
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges, some of one")]
mod tests {
    use super::*;

    /// The sum of all leaves as a term, as it is computed by `ranks` ranks.
    fn term(leaves: usize, ranks: usize) -> String {
        let tree = Tree { leaves, ranks };
        let mut terms: Vec<_> = (0..leaves).map(|leaf| leaf.to_string()).collect();
        let mut add = |node: TreeNode| {
            terms[node.left] = format!("({}+{})", terms[node.left], terms[node.right()]);
        };
        for rank in 0..ranks {
            for root in tree.roots_of(rank) {
                tree.nodes_of(root).for_each(&mut add);
            }
        }
        tree.shared_nodes().for_each(add);
        terms.swap_remove(0)
    }

    #[test]
    fn the_sum_is_the_same_term_on_any_number_of_ranks() {
        assert_eq!(term(4, 1), "((0+1)+(2+3))");
        for leaves in [1, 2, 4, 8, 16, 64] {
            let expected = term(leaves, 1);
            for ranks in 1..=leaves {
                assert_eq!(term(leaves, ranks), expected, "{ranks} ranks");
            }
        }
    }

    #[test]
    fn roots_are_the_largest_subtrees_of_a_rank() {
        let roots = |leaves, ranks, rank| Tree { leaves, ranks }.roots_of(rank).collect::<Vec<_>>();
        assert_eq!(roots(8, 1, 0), [0..8]);
        assert_eq!(roots(8, 2, 1), [4..8]);
        assert_eq!(
            [0, 1, 2].map(|rank| roots(8, 3, rank)),
            [vec![0..2], vec![2..4, 4..5], vec![5..6, 6..8],]
        );
    }
}
