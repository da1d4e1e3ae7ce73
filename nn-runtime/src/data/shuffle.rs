//! Random permutations.

use crate::system::RngKey;

/// Calls `swap` for each exchange of a random permutation of `len` items (Fisher and Yates).
pub(crate) fn for_each_swap(len: usize, key: RngKey, mut swap: impl FnMut(usize, usize)) {
    for i in (1..len).rev() {
        // The upper half of the product is uniform on 0..=i up to a bias of 2^-40 or less (Lemire, 2019).
        let j = (u128::from(key.bits(i as u64)) * (i as u128 + 1)) >> 64;
        swap(i, j as usize);
    }
}

/// Exchanges two elements in small blocks. `slice::swap` would move one of them through the stack.
pub(super) fn swap_in_place<T>(values: &mut [T], i: usize, j: usize) {
    if i != j {
        let (before, after) = values.split_at_mut(i.max(j));
        before[i.min(j)..][..1].swap_with_slice(&mut after[..1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_as_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            let mut order = [0, 1, 2];
            for_each_swap(3, RngKey::new(seed), |i, j| order.swap(i, j));
            *counts.entry(order).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Standard deviation 29.
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
