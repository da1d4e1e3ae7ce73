//! The order in which the chunks of a long sequence are trained on.

/// The indices of `len` chunks of one long sequence in the order of training. The sequence is cut into `batch` parallel
/// sequences of about the same length, and a step takes one chunk of each. If they cannot have the same length, the first
/// ones have one chunk more, and the last step has only those: sample `i` of a step always continues sample `i` of the
/// step before.
pub(super) fn order(len: usize, batch: usize) -> Vec<usize> {
    let (each, longer) = (len / batch, len % batch);
    let chunk = |i: usize| {
        let (step, sequence) = (i / batch, i % batch);
        sequence * each + sequence.min(longer) + step
    };
    (0..len).map(chunk).collect()
}

/// The recurrent states of a batch before the first of `len` chunks, `each` elements for each sample: zeros.
pub(super) fn initial_state(batch: usize, len: usize, each: usize) -> Vec<f32> {
    vec![0.0; batch.min(len) * each]
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn each_sample_continues_the_one_before() {
        // Sequences 0 1 2, 3 4 5, 6 7.
        assert_eq!(order(8, 3), [0, 3, 6, 1, 4, 7, 2, 5]);
        assert_eq!(order(6, 3), [0, 2, 4, 1, 3, 5]);
        assert_eq!(order(2, 5), [0, 1]);
        assert_eq!(order(4, 1), [0, 1, 2, 3]);
    }
}
