//! Which steps of a sequence are valid, as it goes through a network.

/// How a layer changes the number of steps: a kernel that goes over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepMap {
    /// How many steps the kernel spans, from its first to its last.
    pub extent: usize,
    /// How far it goes in one step.
    pub stride: usize,
    /// How much is added to the sequence before its first and behind its last step, together.
    pub padding: usize,
}

impl StepMap {
    /// How many steps come out of `valid` ones.
    #[must_use]
    pub const fn apply(&self, valid: usize) -> usize {
        match (valid + self.padding).checked_sub(self.extent) {
            Some(rest) if valid > 0 => rest / self.stride + 1,
            _ => 0,
        }
    }
}

/// From where a value has its first axis, if that counts the steps of a network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepsOf {
    /// The number of the input.
    pub input: usize,
    /// What lies between, in order.
    pub maps: &'static [StepMap],
}

impl StepsOf {
    /// How many steps of the value are valid where `valid` of the input are.
    #[must_use]
    pub const fn apply(&self, mut valid: usize) -> usize {
        let mut i = 0;
        while i < self.maps.len() {
            valid = self.maps[i].apply(valid);
            i += 1;
        }
        valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_shorten_sequences_one_after_the_other() {
        const SAME: StepMap = StepMap { extent: 3, stride: 1, padding: 2 };
        const POOL: StepMap = StepMap { extent: 2, stride: 2, padding: 0 };
        assert_eq!([0, 1, 7].map(|valid| SAME.apply(valid)), [0, 1, 7]);
        assert_eq!([0, 1, 7].map(|valid| POOL.apply(valid)), [0, 0, 3]);
        let of = StepsOf { input: 0, maps: &[SAME, POOL] };
        assert_eq!([1, 8].map(|valid| of.apply(valid)), [0, 4]);
    }
}
