//! The order in which long sequences are led through a network, stretch by stretch.

use crate::contract::{Network, Node, Root};

/// The places of `len` stretches of one long sequence, in the order of training: the sequence is cut into
/// `batch` key of about the same length, and a step takes one stretch of each. Where key cannot
/// be equally long the first ones have one more, so that the last step has those alone: sample `i` of
/// a step always goes on where sample `i` of the step before ended.
pub(super) fn order(len: usize, batch: usize) -> Vec<usize> {
    let (each, longer) = (len / batch, len % batch);
    let place = |i: usize| {
        let (step, stream) = (i / batch, i % batch);
        stream * each + stream.min(longer) + step
    };
    (0..len).map(place).collect()
}

/// What the samples of a step carry before the first one, of `len` stretches.
pub(super) fn nothing_carried<N: Network>(batch: usize, len: usize) -> Vec<f32> {
    vec![0.0; batch.min(len) * <N as Node<Root>>::STATE]
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn each_sample_goes_on_where_the_one_before_ended() {
        // RngKey 0 1 2, 3 4 5, 6 7.
        assert_eq!(order(8, 3), [0, 3, 6, 1, 4, 7, 2, 5]);
        assert_eq!(order(6, 3), [0, 2, 4, 1, 3, 5]);
        assert_eq!(order(2, 5), [0, 1]);
        assert_eq!(order(4, 1), [0, 1, 2, 3]);
    }
}
