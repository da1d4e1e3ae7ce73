//! [`RngKey`]: random numbers that depend on what they are for, not on when they are drawn.

/// A splittable random key, like `jax.random.key`: one for each layer, step and sample, all derived from one seed. It
/// has no state, unlike a `torch.Generator`, so that random numbers do not depend on the order in which threads draw
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngKey {
    key: u64,
}

impl RngKey {
    /// The key of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { key: mix(seed) }
    }

    /// The key of a seed that is drawn from `rng`.
    #[cfg(feature = "train")]
    #[must_use]
    pub fn from_rng<R: rand::Rng + ?Sized>(rng: &mut R) -> Self {
        Self::new(rng.next_u64())
    }

    /// A number for a name (FNV-1a), for [`fold_in`](Self::fold_in).
    #[must_use]
    pub const fn hash(name: &str) -> u64 {
        let bytes = name.as_bytes();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
            i += 1;
        }
        hash
    }

    /// The key that is derived from this one and `number`, such as the index of a step.
    #[must_use]
    pub const fn fold_in(self, number: u64) -> Self {
        // The number is mixed first: the numbers are small and consecutive, and so would be the bits in which keys
        // differ.
        Self { key: mix(self.key ^ mix(number)) }
    }

    /// 64 random bits, the same for the same `counter`.
    #[must_use]
    pub const fn bits(self, counter: u64) -> u64 {
        // The SplitMix64 generator at position `counter`: its state advances by 2^64 over the golden ratio, made odd,
        // so that all 2^64 counters have different states.
        mix(self.key.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// A random number in `[0, 1)`, a multiple of 2^-24, the same for the same `counter`.
    #[must_use]
    pub const fn uniform(self, counter: u64) -> f32 {
        // 24 bits, which an `f32` represents exactly: the result is never rounded up to 1.
        (self.bits(counter) >> 40) as f32 * (1.0 / (1_u64 << 24) as f32)
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014; constants by Stafford).
const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// A generator that counts.
    struct Counter(u64);

    impl rand::TryRng for Counter {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(self.try_next_u64()? as u32)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            self.0 += 1;
            Ok(self.0)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(0);
            Ok(())
        }
    }

    #[test]
    fn seeds_come_from_generators() {
        let mut rng = Counter(6);
        assert_eq!(RngKey::from_rng(&mut rng), RngKey::new(7));
        assert_eq!(RngKey::from_rng(&mut rng), RngKey::new(8));
        let any: &mut dyn rand::Rng = &mut rng;
        assert_eq!(RngKey::from_rng(any), RngKey::new(9));
    }
}
