//! [`resize`]: pictures of another size.

/// A picture scaled to another size, `[H, W, C] -> [H2, W2, C]`, by linear interpolation along both
/// axes: PyTorch's `interpolate(mode = "bilinear", align_corners = False)`.
#[must_use]
pub fn resize<const H: usize, const W: usize, const C: usize, const H2: usize, const W2: usize>(
    picture: &[[[f32; C]; W]; H],
) -> [[[f32; C]; W2]; H2] {
    let mut result = [[[0.0; C]; W2]; H2];
    for (y, row) in result.iter_mut().enumerate() {
        let (above, below, down) = between(y, H, H2);
        for (x, pixel) in row.iter_mut().enumerate() {
            let (left, right, across) = between(x, W, W2);
            for (c, value) in pixel.iter_mut().enumerate() {
                let line = |y: usize| mix(picture[y][left][c], picture[y][right][c], across);
                *value = mix(line(above), line(below), down);
            }
        }
    }
    result
}

/// Between which of `from` pixels pixel `i` of `to` lies, and how far it is from the first to the
/// second. Pixels are squares: the first one's middle is half a pixel from the edge.
fn between(i: usize, from: usize, to: usize) -> (usize, usize, f32) {
    let place = ((i as f32 + 0.5) * from as f32 / to as f32 - 0.5).max(0.0);
    let first = (place as usize).min(from - 1);
    (first, (first + 1).min(from - 1), place - first as f32)
}

fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_size_is_the_same_picture() {
        let picture = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.5]]];
        assert_eq!(resize(&picture), picture);
    }

    #[test]
    fn numbers_are_pytorchs() {
        // torch.nn.functional.interpolate(torch.tensor([[[[0., 1.], [2., 4.]]]]), (3, 4),
        //                                 mode="bilinear", align_corners=False)
        let picture = [[[0.0], [1.0]], [[2.0], [4.0]]];
        let expected = [
            [[0.0], [0.25], [0.75], [1.0]],
            [[1.0], [1.375], [2.125], [2.5]],
            [[2.0], [2.5], [3.5], [4.0]],
        ];
        assert_eq!(resize::<2, 2, 1, 3, 4>(&picture), expected);
    }
}
