//! [`Augment`]: images shifted, flipped and rotated at random.

use crate::hyper::{Range, checked};
use crate::system::RngKey;

/// Random changes of images that keep their meaning, against overfitting on few images.
///
/// ```
/// # use unrolled_runtime::data::Augment;
/// let images = vec![[[[1.0]; 28]; 28]; 10];
/// let mut changed = images.clone();
/// let augment = Augment::new().shift(2).rotate(10.0);
/// for epoch in 0..3 {
///     // Other changes in each epoch, the same ones whenever the program runs.
///     augment.images(&images, epoch, &mut changed);
/// }
/// ```
///
/// Pixels from outside of the image are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    shift: usize,
    flip: bool,
    degrees: f32,
}

/// One change: the source of each pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Change {
    /// Down and to the right.
    shift: [isize; 2],
    flip: bool,
    /// Sine and cosine of the angle.
    rotation: [f32; 2],
}

impl Augment {
    /// No change.
    #[must_use]
    pub const fn new() -> Self {
        Self { shift: 0, flip: false, degrees: 0.0 }
    }

    /// Shifts by up to `pixels` whole pixels in each direction.
    #[must_use]
    pub const fn shift(mut self, pixels: usize) -> Self {
        self.shift = pixels;
        self
    }

    /// Flips half of the images horizontally.
    #[must_use]
    pub const fn flip(mut self) -> Self {
        self.flip = true;
        self
    }

    /// Rotates around the centre by up to `degrees` in both directions, with bilinear interpolation.
    ///
    /// # Panics
    /// If `degrees` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn rotate(mut self, degrees: f32) -> Self {
        self.degrees = checked("Augment: angle", degrees, Range::NonNegative);
        self
    }

    /// Writes a changed copy of each image to `changed`. The same seed gives the same changes: use another one for each
    /// epoch.
    ///
    /// # Panics
    /// If `images` and `changed` differ in length.
    pub fn images<const H: usize, const W: usize, const C: usize>(
        &self,
        images: &[[[[f32; C]; W]; H]],
        seed: u64,
        changed: &mut [[[[f32; C]; W]; H]],
    ) {
        assert_eq!(images.len(), changed.len(), "Augment: as many changed images as images");
        let key = RngKey::new(seed);
        for (index, (image, changed)) in images.iter().zip(changed).enumerate() {
            self.draw(key.fold_in(index as u64)).apply(image, changed);
        }
    }

    /// A changed copy of one image: the same one for the same key.
    ///
    /// ```
    /// # use unrolled_runtime::data::{Augment, Data, Dataset};
    /// # let train = Data { inputs: vec![[[[1.0]; 28]; 28]; 10], targets: vec![0_u32; 10] };
    /// let augment = Augment::new().shift(2).rotate(10.0);
    /// // Other changes in each epoch of a trainer, without copies of all images in memory.
    /// let changed = train.map(|image, digit, key| (augment.image(&image, key), digit));
    /// ```
    #[must_use]
    pub fn image<const H: usize, const W: usize, const C: usize>(
        &self,
        image: &[[[f32; C]; W]; H],
        key: RngKey,
    ) -> [[[f32; C]; W]; H] {
        let mut changed = [[[0.0; C]; W]; H];
        self.draw(key).apply(image, &mut changed);
        changed
    }

    fn draw(&self, key: RngKey) -> Change {
        let symmetric = |counter| 2.0 * key.uniform(counter) - 1.0;
        let shifts = 2 * self.shift as u64 + 1;
        let shift = |counter| {
            let shift = (u128::from(key.bits(counter)) * u128::from(shifts)) >> 64;
            shift as isize - self.shift as isize
        };
        let (sine, cosine) = (self.degrees * symmetric(3)).to_radians().sin_cos();
        Change {
            shift: [shift(0), shift(1)],
            flip: self.flip && key.bits(2) >> 63 == 1,
            rotation: [sine, cosine],
        }
    }
}

impl Change {
    fn apply<const H: usize, const W: usize, const C: usize>(
        self,
        image: &[[[f32; C]; W]; H],
        changed: &mut [[[f32; C]; W]; H],
    ) {
        for (y, row) in changed.iter_mut().enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let [dy, dx] = self.shift;
                let at = [y as isize - dy, x as isize - dx];
                *pixel = if self.rotation == [0.0, 1.0] {
                    self.pixel(image, at)
                } else {
                    self.rotated(image, at)
                };
            }
        }
    }

    /// A pixel of the image or of its flipped version; zeros outside.
    fn pixel<const H: usize, const W: usize, const C: usize>(
        self,
        image: &[[[f32; C]; W]; H],
        [y, x]: [isize; 2],
    ) -> [f32; C] {
        let x = if self.flip { W as isize - 1 - x } else { x };
        let inside = (0..H as isize).contains(&y) && (0..W as isize).contains(&x);
        if inside { image[y as usize][x as usize] } else { [0.0; C] }
    }

    /// A pixel of the rotated image: interpolated between four pixels.
    fn rotated<const H: usize, const W: usize, const C: usize>(
        self,
        image: &[[[f32; C]; W]; H],
        [y, x]: [isize; 2],
    ) -> [f32; C] {
        let [sine, cosine] = self.rotation;
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
                for (sum, value) in sum.iter_mut().zip(self.pixel(image, at)) {
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

    type Image = [[[f32; 1]; 3]; 3];
    const IMAGE: Image = [[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]], [[7.0], [8.0], [9.0]]];
    const STRAIGHT: [f32; 2] = [0.0, 1.0];

    fn applied(change: Change) -> [f32; 9] {
        let mut changed = [[[f32::NAN]; 3]; 3];
        change.apply(&IMAGE, &mut changed);
        std::array::from_fn(|i| changed[i / 3][i % 3][0])
    }

    #[test]
    fn images_are_shifted() {
        let down_and_left = Change { shift: [1, -1], flip: false, rotation: STRAIGHT };
        assert_eq!(applied(down_and_left), [0.0, 0.0, 0.0, 2.0, 3.0, 0.0, 5.0, 6.0, 0.0]);
    }

    #[test]
    fn images_are_flipped() {
        let flipped = Change { shift: [0, 0], flip: true, rotation: STRAIGHT };
        assert_eq!(applied(flipped), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0, 9.0, 8.0, 7.0]);
    }

    #[test]
    fn images_are_rotated() {
        // By 90 degrees clockwise the left column becomes the top row.
        let rotated = applied(Change { shift: [0, 0], flip: false, rotation: [1.0, 0.0] });
        assert_eq!(rotated, [7.0, 4.0, 1.0, 8.0, 5.0, 2.0, 9.0, 6.0, 3.0]);
        // By 45 degrees the centre stays, and corners come from outside.
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let rotated = applied(Change { shift: [0, 0], flip: false, rotation: [half, half] });
        assert!((rotated[4] - 5.0).abs() < 1e-6, "{rotated:?}");
        // The upper left corner comes from 0.41 pixels left of the middle of the left column.
        assert!((rotated[0] - 4.0 * (2.0 - 2.0_f32.sqrt())).abs() < 1e-5, "{rotated:?}");
    }

    #[test]
    fn the_seed_decides_and_all_changes_occur() {
        let images = vec![IMAGE; 2000];
        let augment = Augment::new().shift(1).flip();
        let of = |seed| {
            let mut changed = images.clone();
            augment.images(&images, seed, &mut changed);
            changed
        };
        assert!(of(1) == of(1) && of(1) != of(2));
        let mut kinds: Vec<[u32; 9]> =
            of(1).iter().map(|p| std::array::from_fn(|i| p[i / 3][i % 3][0] as u32)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        // Nine shifts, flipped or not.
        assert_eq!(kinds.len(), 18);
    }

    #[test]
    fn angles_stay_within_bounds() {
        let augment = Augment::new().rotate(30.0);
        let angles: Vec<f32> = (0..1000)
            .map(|i| augment.draw(RngKey::new(1).fold_in(i)).rotation)
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
        Augment::new().images(&[IMAGE; 2], 9, &mut changed);
        assert_eq!(changed, [IMAGE; 2]);
    }
}
