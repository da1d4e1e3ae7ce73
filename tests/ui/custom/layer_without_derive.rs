use unrolled::Layer;

struct Twice;

impl Layer for Twice {
    type Input = [f32; 3];
    type Output = [f32; 3];

    fn forward(&self, x: &[f32; 3], y: &mut [f32; 3]) {
        *y = x.map(|x| 2.0 * x);
    }

    fn backward(
        &self,
        _x: &[f32; 3],
        _y: &[f32; 3],
        d_y: &[f32; 3],
        d_x: &mut [f32; 3],
        _d_self: &mut Self,
    ) {
        *d_x = d_y.map(|d_y| 2.0 * d_y);
    }
}

fn main() {}
