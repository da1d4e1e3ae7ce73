//! [`Ring`]: the last steps of a sequence, of which a step replaces the oldest one and moves no other.

/// The sizes of a ring buffer of steps. Its state is the place of the oldest step, then the steps `[steps, channels]`.
#[derive(Clone, Copy)]
pub(super) struct Ring {
    pub(super) steps: usize,
    pub(super) channels: usize,
}

impl Ring {
    /// Elements of the state.
    pub(super) const fn len(self) -> usize {
        if self.values() == 0 { 0 } else { 1 + self.values() }
    }

    const fn values(self) -> usize {
        self.steps * self.channels
    }

    /// The element at which the oldest step begins.
    #[inline(always)]
    const fn oldest(self, place: f32) -> usize {
        // The bits of a `u32`. The remainder, since a caller may have filled the state with anything.
        place.to_bits() as usize % self.steps * self.channels
    }

    /// The steps in the order of time.
    pub(super) fn copy_to(self, ordered: &mut [f32], state: &[f32]) {
        let [place, steps @ ..] = state else { return };
        let (newer, older) = steps.split_at(self.oldest(*place));
        let (first, last) = ordered.split_at_mut(older.len());
        first.copy_from_slice(older);
        last.copy_from_slice(newer);
    }

    /// Goes on by `count` steps, after which `last` are the last ones.
    pub(super) fn go_on(self, state: &mut [f32], count: usize, last: &[f32]) {
        let [place, steps @ ..] = state else { return };
        let oldest = (self.oldest(*place) + count * self.channels) % self.values();
        *place = f32::from_bits((oldest / self.channels) as u32);
        let (newer, older) = steps.split_at_mut(oldest);
        let (first, rest) = last.split_at(older.len());
        older.copy_from_slice(first);
        newer.copy_from_slice(rest);
    }

    /// Copies every `dilation`-th step, from the oldest one on, and `x` to `taps`; `x` takes the place of the oldest.
    #[inline(always)]
    pub(super) fn step(self, state: &mut [f32], x: &[f32], dilation: usize, taps: &mut [f32]) {
        let [place, steps @ ..] = state else { return taps.copy_from_slice(x) };
        let oldest = self.oldest(*place);
        let (earlier, now) = taps.split_at_mut(taps.len() - self.channels);
        for (k, tap) in earlier.chunks_exact_mut(self.channels).enumerate() {
            let at = oldest + k * dilation * self.channels;
            let at = if at < self.values() { at } else { at - self.values() };
            tap.copy_from_slice(&steps[at..][..self.channels]);
        }
        now.copy_from_slice(x);
        steps[oldest..][..self.channels].copy_from_slice(x);
        let next = oldest / self.channels + 1;
        *place = f32::from_bits(if next < self.steps { next as u32 } else { 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: Ring = Ring { steps: 5, channels: 2 };

    /// The steps `from..`, of which step `t` is `[t, -t]`.
    fn steps(from: usize, count: usize) -> Vec<f32> {
        (from..from + count).flat_map(|t| [t as f32, -(t as f32)]).collect()
    }

    fn ordered(state: &[f32]) -> Vec<f32> {
        let mut ordered = [0.0; 10];
        RING.copy_to(&mut ordered, state);
        ordered.to_vec()
    }

    #[test]
    fn holds_the_last_steps_in_the_order_of_time() {
        let mut state = [0.0; RING.len()];
        let mut taps = [0.0; 6];
        for t in 1..=13 {
            let before = ordered(&state);
            RING.step(&mut state, &steps(t, 1), 2, &mut taps);
            assert_eq!(ordered(&state), [&before[2..], &steps(t, 1)].concat(), "step {t}");
            assert_eq!(taps, *[&before[..2], &before[4..6], &steps(t, 1)].concat(), "step {t}");
        }
        assert_eq!(ordered(&state), steps(9, 5));
    }

    /// One chunk leaves the state that its steps leave one by one.
    #[test]
    fn chunks_leave_the_state_of_their_steps() {
        for count in [0, 1, 3, 5, 6, 12] {
            let (mut one_by_one, mut taps) = ([0.0; RING.len()], [0.0; 2]);
            for t in 0..3 {
                RING.step(&mut one_by_one, &steps(t, 1), 5, &mut taps);
            }
            let mut at_once = one_by_one;
            let all = [ordered(&at_once), steps(3, count)].concat();
            RING.go_on(&mut at_once, count, &all[all.len() - 10..]);
            for t in 3..3 + count {
                RING.step(&mut one_by_one, &steps(t, 1), 5, &mut taps);
            }
            assert_eq!(at_once.map(f32::to_bits), one_by_one.map(f32::to_bits), "{count} steps");
        }
    }

    /// A caller may fill a state with anything.
    #[test]
    fn any_place_is_one_of_the_ring() {
        for place in [-1.0, f32::NAN, f32::INFINITY, f32::from_bits(u32::MAX), f32::from_bits(5)] {
            let mut state = [0.0; RING.len()];
            state[0] = place;
            RING.step(&mut state, &[1.0, 2.0], 1, &mut [0.0; 12]);
            RING.go_on(&mut state, 7, &[3.0; 10]);
            assert!(state[0].to_bits() < 5 && ordered(&state) == [3.0; 10], "{place}");
        }
    }

    #[test]
    fn without_steps_it_has_no_state() {
        let ring = Ring { steps: 0, channels: 2 };
        assert_eq!(ring.len(), 0);
        let mut taps = [0.0; 2];
        ring.step(&mut [], &[1.0, 2.0], 1, &mut taps);
        assert_eq!(taps, [1.0, 2.0]);
    }
}
