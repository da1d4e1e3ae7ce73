//! [`scaled_bytes`]: images of bytes as values of a network.

/// Values from 0 to 1 of an image of bytes, `byte / 255`: torchvision's `ToTensor`. A data set of bytes takes a quarter of
/// the memory of one of `f32`; only the samples of the next steps are converted.
///
/// ```
/// use unrolled_runtime::data::{Data, Dataset, scaled_bytes};
///
/// let bytes = Data { inputs: vec![[[[255_u8; 3]; 32]; 32]; 10], targets: vec![0_u32; 10] };
/// let train = bytes.map(|image, class, _| (scaled_bytes(&image), class));
/// # assert_eq!(train.get(0, unrolled_runtime::RngKey::new(1)).0[0][0], [1.0; 3]);
/// ```
#[must_use]
pub fn scaled_bytes<const H: usize, const W: usize, const C: usize>(
    image: &[[[u8; C]; W]; H],
) -> [[[f32; C]; W]; H] {
    image.map(|row| row.map(|pixel| pixel.map(|byte| f32::from(byte) / 255.0)))
}
