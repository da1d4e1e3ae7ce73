//! [`resize`]: images scaled to another size.

use crate::kernels::upsample::Between;
use crate::types::Values;

/// Scales an image by bilinear interpolation, `[H, W, C] -> [H2, W2, C]`: PyTorch's
/// `interpolate(mode = "bilinear", align_corners = False)`. The result is in a box, since an image may be larger than the
/// stack.
#[must_use]
pub fn resize<const H: usize, const W: usize, const C: usize, const H2: usize, const W2: usize>(
    image: &[[[f32; C]; W]; H],
) -> Box<[[[f32; C]; W2]; H2]> {
    let mut result = <[[[f32; C]; W2]; H2]>::zeroed_box();
    for (y, row) in result.iter_mut().enumerate() {
        let vertical = Between::new(y, H, H2, false);
        for (x, pixel) in row.iter_mut().enumerate() {
            let Between { first: left, second: right, share } = Between::new(x, W, W2, false);
            for (c, value) in pixel.iter_mut().enumerate() {
                let line = |y: usize| mix(image[y][left][c], image[y][right][c], share);
                *value = mix(line(vertical.first), line(vertical.second), vertical.share);
            }
        }
    }
    result
}

fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_size_is_the_same_image() {
        let image = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.5]]];
        assert_eq!(*resize(&image), image);
    }

    #[test]
    fn values_agree_with_pytorch() {
        // torch.nn.functional.interpolate(torch.tensor([[[[0., 1.], [2., 4.]]]]), (3, 4),
        //                                 mode="bilinear", align_corners=False)
        let image = [[[0.0], [1.0]], [[2.0], [4.0]]];
        let expected = [
            [[0.0], [0.25], [0.75], [1.0]],
            [[1.0], [1.375], [2.125], [2.5]],
            [[2.0], [2.5], [3.5], [4.0]],
        ];
        assert_eq!(*resize::<2, 2, 1, 3, 4>(&image), expected);
    }
}
