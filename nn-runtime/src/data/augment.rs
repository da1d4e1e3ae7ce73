//! [`Augment`]: pictures shifted, mirrored and turned at random.

use crate::system::RngKey;

/// Random changes of pictures after which they show the same thing, so that a network does not learn a
/// few pictures by heart.
///
/// ```
/// # use unrolled_runtime::data::Augment;
/// let pictures = vec![[[[1.0]; 28]; 28]; 10];
/// let mut changed = pictures.clone();
/// let augment = Augment::new().shift(2).rotate(10.0);
/// for epoch in 0..3 {
///     // Other changes in each epoch, the same ones whenever the program runs.
///     augment.pictures(&pictures, epoch, &mut changed);
/// }
/// ```
///
/// What comes in from beyond the edge is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    shift: usize,
    mirror: bool,
    degrees: f32,
}

/// One change: where each pixel comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Change {
    /// Downwards and to the right.
    shift: [isize; 2],
    mirror: bool,
    /// Sine and cosine of the angle.
    turn: [f32; 2],
}

impl Augment {
    /// No change.
    #[must_use]
    pub const fn new() -> Self {
        Self { shift: 0, mirror: false, degrees: 0.0 }
    }

    /// Shifts by up to `pixels` in each direction, whole pixels.
    #[must_use]
    pub const fn shift(mut self, pixels: usize) -> Self {
        self.shift = pixels;
        self
    }

    /// Mirrors half of the pictures: left becomes right.
    #[must_use]
    pub const fn flip(mut self) -> Self {
        self.mirror = true;
        self
    }

    /// Turns around the middle by up to `degrees` in both directions.
    ///
    /// # Panics
    /// When that is negative or not finite.
    #[must_use]
    pub const fn rotate(mut self, degrees: f32) -> Self {
        assert!(degrees >= 0.0 && degrees.is_finite(), "an angle from 0 on");
        self.degrees = degrees;
        self
    }

    /// Changes all of `pictures` into `changed`, each in its own way. The same seed gives the same changes:
    /// take another one for each epoch.
    ///
    /// # Panics
    /// When there is not as much room as there are pictures.
    pub fn pictures<const H: usize, const W: usize, const C: usize>(
        &self,
        pictures: &[[[[f32; C]; W]; H]],
        seed: u64,
        changed: &mut [[[[f32; C]; W]; H]],
    ) {
        assert_eq!(pictures.len(), changed.len(), "as much room as there are pictures");
        let key = RngKey::new(seed);
        for (number, (picture, changed)) in pictures.iter().zip(changed).enumerate() {
            self.draw(key.fold_in(number as u64)).apply(picture, changed);
        }
    }

    fn draw(&self, key: RngKey) -> Change {
        let symmetric = |counter| 2.0 * key.uniform(counter) - 1.0;
        let places = 2 * self.shift as u64 + 1;
        let shift = |counter| {
            let place = (u128::from(key.bits(counter)) * u128::from(places)) >> 64;
            place as isize - self.shift as isize
        };
        let (sine, cosine) = (self.degrees * symmetric(3)).to_radians().sin_cos();
        Change {
            shift: [shift(0), shift(1)],
            mirror: self.mirror && key.bits(2) >> 63 == 1,
            turn: [sine, cosine],
        }
    }
}

impl Change {
    fn apply<const H: usize, const W: usize, const C: usize>(
        self,
        picture: &[[[f32; C]; W]; H],
        changed: &mut [[[f32; C]; W]; H],
    ) {
        for (y, row) in changed.iter_mut().enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let [dy, dx] = self.shift;
                let at = [y as isize - dy, x as isize - dx];
                *pixel = if self.turn == [0.0, 1.0] {
                    self.pixel(picture, at)
                } else {
                    self.turned(picture, at)
                };
            }
        }
    }

    /// A pixel of the picture, or of its mirror image; zeros beyond the edge.
    fn pixel<const H: usize, const W: usize, const C: usize>(
        self,
        picture: &[[[f32; C]; W]; H],
        [y, x]: [isize; 2],
    ) -> [f32; C] {
        let x = if self.mirror { W as isize - 1 - x } else { x };
        let inside = (0..H as isize).contains(&y) && (0..W as isize).contains(&x);
        if inside { picture[y as usize][x as usize] } else { [0.0; C] }
    }

    /// What is at a place of the turned picture: between four pixels.
    fn turned<const H: usize, const W: usize, const C: usize>(
        self,
        picture: &[[[f32; C]; W]; H],
        [y, x]: [isize; 2],
    ) -> [f32; C] {
        let [sine, cosine] = self.turn;
        let middle = [(H as f32 - 1.0) / 2.0, (W as f32 - 1.0) / 2.0];
        let (from_y, from_x) = (y as f32 - middle[0], x as f32 - middle[1]);
        let old_y = middle[0] + cosine * from_y - sine * from_x;
        let old_x = middle[1] + sine * from_y + cosine * from_x;
        let (above, left) = (old_y.floor(), old_x.floor());
        let (down, across) = (old_y - above, old_x - left);
        let mut sum = [0.0; C];
        for (i, vertical) in [1.0 - down, down].into_iter().enumerate() {
            for (j, horizontal) in [1.0 - across, across].into_iter().enumerate() {
                let at = [above as isize + i as isize, left as isize + j as isize];
                for (sum, value) in sum.iter_mut().zip(self.pixel(picture, at)) {
                    *sum += vertical * horizontal * value;
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Picture = [[[f32; 1]; 3]; 3];
    const PICTURE: Picture = [[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]], [[7.0], [8.0], [9.0]]];
    const STRAIGHT: [f32; 2] = [0.0, 1.0];

    fn applied(change: Change) -> [f32; 9] {
        let mut changed = [[[f32::NAN]; 3]; 3];
        change.apply(&PICTURE, &mut changed);
        std::array::from_fn(|i| changed[i / 3][i % 3][0])
    }

    #[test]
    fn pictures_are_shifted() {
        let down_and_left = Change { shift: [1, -1], mirror: false, turn: STRAIGHT };
        assert_eq!(applied(down_and_left), [0.0, 0.0, 0.0, 2.0, 3.0, 0.0, 5.0, 6.0, 0.0]);
    }

    #[test]
    fn pictures_are_mirrored() {
        let mirrored = Change { shift: [0, 0], mirror: true, turn: STRAIGHT };
        assert_eq!(applied(mirrored), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0, 9.0, 8.0, 7.0]);
    }

    #[test]
    fn pictures_are_turned() {
        // By a right angle, with the clock: the left column becomes the top row.
        let turned = applied(Change { shift: [0, 0], mirror: false, turn: [1.0, 0.0] });
        assert_eq!(turned, [7.0, 4.0, 1.0, 8.0, 5.0, 2.0, 9.0, 6.0, 3.0]);
        // By half a right angle the middle stays, and corners come from beyond the edges.
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let turned = applied(Change { shift: [0, 0], mirror: false, turn: [half, half] });
        assert!((turned[4] - 5.0).abs() < 1e-6, "{turned:?}");
        // The upper left corner comes from the middle of the left column, 0.41 beyond it.
        assert!((turned[0] - 4.0 * (2.0 - 2.0_f32.sqrt())).abs() < 1e-5, "{turned:?}");
    }

    #[test]
    fn the_seed_decides_and_all_changes_occur() {
        let pictures = vec![PICTURE; 2000];
        let augment = Augment::new().shift(1).flip();
        let of = |seed| {
            let mut changed = pictures.clone();
            augment.pictures(&pictures, seed, &mut changed);
            changed
        };
        assert!(of(1) == of(1) && of(1) != of(2));
        let mut kinds: Vec<[u32; 9]> =
            of(1).iter().map(|p| std::array::from_fn(|i| p[i / 3][i % 3][0] as u32)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        // Nine shifts, with and without a mirror image.
        assert_eq!(kinds.len(), 18);
    }

    #[test]
    fn angles_stay_within_bounds() {
        let augment = Augment::new().rotate(30.0);
        let angles: Vec<f32> = (0..1000)
            .map(|i| augment.draw(RngKey::new(1).fold_in(i)).turn)
            .map(|[sine, cosine]| sine.atan2(cosine).to_degrees())
            .collect();
        assert!(angles.iter().all(|angle| angle.abs() <= 30.0 + 1e-4));
        let (least, most) =
            angles.iter().fold((0.0_f32, 0.0_f32), |(a, b), x| (a.min(*x), b.max(*x)));
        assert!(least < -29.0 && most > 29.0);
    }

    #[test]
    fn no_change_changes_nothing() {
        let mut changed = [[[[f32::NAN]; 3]; 3]; 2];
        Augment::new().pictures(&[PICTURE; 2], 9, &mut changed);
        assert_eq!(changed, [PICTURE; 2]);
    }
}
