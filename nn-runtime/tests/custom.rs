//! Layers written by hand, in a crate downstream of the trait, and the gradient check.

use unrolled_runtime::loss::{Loss, TargetError};
use unrolled_runtime::*;
use unrolled_shape::Shape;

/// `y[i] = weight[i] * a[i] * b[j] ^ 2` summed over `j`: two inputs, one of them a matrix.
/// The gradients of its weights are wrong by `W` percent, those of its second input by `B`.
#[repr(C)]
struct Mix<const N: usize, const W: usize, const B: usize> {
    weight: [f32; N],
}

// SAFETY: `repr(C)`, one array of `f32`.
unsafe impl<const N: usize, const W: usize, const B: usize> Weights for Mix<N, W, B> {}

impl<const N: usize, const W: usize, const B: usize> Parameters for Mix<N, W, B> {
    fn named_tensors() -> Vec<Tensor> {
        <[f32; N]>::named_tensors().into_iter().map(|t| t.inside("weight", 0)).collect()
    }
}

impl<const N: usize, const W: usize, const B: usize> Layer for Mix<N, W, B> {
    type Input = ([f32; N], [[f32; 3]; 2]);
    type Output = [f32; N];

    fn initialise(&mut self, key: RngKey) {
        for (i, w) in self.weight.iter_mut().enumerate() {
            *w = key.uniform(i as u64) + 0.5;
        }
    }

    fn forward(&self, (a, b): (&[f32; N], &[[f32; 3]; 2]), y: &mut [f32; N]) {
        assert!(y.iter().all(|y| *y == 0.0), "outputs are zeroed");
        let sum: f32 = b.as_flattened().iter().map(|b| b * b).sum();
        for i in 0..N {
            y[i] = self.weight[i] * a[i] * sum;
        }
    }

    fn backward(
        &self,
        (a, b): (&[f32; N], &[[f32; 3]; 2]),
        y: &[f32; N],
        d_y: &[f32; N],
        (d_a, d_b): (&mut [f32; N], &mut [[f32; 3]; 2]),
        d_self: &mut Self,
    ) {
        let sum: f32 = b.as_flattened().iter().map(|b| b * b).sum();
        for i in 0..N {
            assert_eq!(y[i], self.weight[i] * a[i] * sum, "the output of this sample");
            d_self.weight[i] += a[i] * sum * d_y[i] * (1.0 + W as f32 / 100.0);
            d_a[i] += self.weight[i] * sum * d_y[i];
            for (d_b, b) in d_b.as_flattened_mut().iter_mut().zip(b.as_flattened()) {
                *d_b += 2.0 * b * self.weight[i] * a[i] * d_y[i] * (1.0 + B as f32 / 100.0);
            }
        }
    }
}

struct HalfSquare;

impl<const N: usize> Loss<[f32; N]> for HalfSquare {
    type Target = [f32; N];

    fn check(&self, _target: &[f32; N]) -> Result<(), TargetError> {
        Ok(())
    }

    fn sample(&self, y: &[f32], target: &[f32; N], scale: f32, d_y: &mut [f32]) -> f64 {
        let mut sum = 0.0;
        for ((y, t), d) in y.iter().zip(target).zip(d_y) {
            *d = (y - t) * scale;
            sum += f64::from(0.5 * (y - t) * (y - t));
        }
        sum
    }
}

type Sample<const N: usize> = ([f32; N], [[f32; 3]; 2]);

fn samples<const N: usize>(count: usize) -> (Vec<Sample<N>>, Vec<[f32; N]>) {
    let key = RngKey::new(5);
    let value = |i: usize, j: usize| 2.0 * key.uniform((i * 100 + j) as u64) - 1.0;
    let input = |i| {
        let b = |row: usize| std::array::from_fn(|column| value(i, N + 3 * row + column));
        (std::array::from_fn(|j| value(i, j)), [b(0), b(1)])
    };
    let target = |i| std::array::from_fn(|j| value(i, 50 + j));
    ((0..count).map(input).collect(), (0..count).map(target).collect())
}

#[test]
fn shapes_follow_from_the_types() {
    assert_eq!(<Mix<5, 0, 0> as Shaped>::INPUTS, [Shape::new(&[5]), Shape::new(&[2, 3])]);
    assert_eq!(<Mix<5, 0, 0> as Shaped>::OUTPUT, Shape::new(&[5]));
    assert_eq!(<[[[f32; 3]; 2]; 1] as Values>::SHAPE, Shape::new(&[1, 2, 3]));
}

#[test]
fn tensors_are_the_fields() {
    let tensors = <Mix<5, 0, 0> as Node<Root>>::file_tensors(&LayerOrder::default());
    assert_eq!(tensors, [Tensor::new("weight", 0, vec![Axis::plain(5, 1)])]);
}

#[test]
fn right_gradients_pass_the_check_and_wrong_ones_do_not() {
    let (inputs, targets) = samples(37);
    let right = check_gradients(&*Mix::<5, 0, 0>::new(1), &HalfSquare, &inputs, &targets).unwrap();
    assert_eq!(right.tried, 5 + 24 + 24);
    assert!(right.worst < 1e-3, "{right}");
    let wrong = check_gradients(&*Mix::<5, 5, 0>::new(1), &HalfSquare, &inputs, &targets).unwrap();
    assert!(wrong.worst > 2e-2, "{wrong}");
    assert!((wrong.analytic / wrong.numeric - 1.05).abs() < 1e-3, "{wrong}");
    assert!(wrong.place.ends_with("in the layer,"), "{wrong}");
    let wrong = check_gradients(&*Mix::<5, 0, 5>::new(1), &HalfSquare, &inputs, &targets).unwrap();
    assert!(wrong.worst > 2e-2, "{wrong}");
    assert!(wrong.place.ends_with("in input 1,"), "{wrong}");
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (inputs, targets) = samples(67);
    let gradients = [1, 2, 7].map(|threads| {
        parallel::with_threads(threads, || {
            let mut d_mix = Mix::zeros();
            let key = RngKey::new(0);
            let mix = &mut *Mix::<5, 0, 0>::new(1);
            loss_and_gradients(mix, &HalfSquare, &inputs, &targets, &mut d_mix, key).unwrap();
            d_mix.weight.map(f32::to_bits)
        })
    });
    assert_eq!(gradients[0], gradients[1]);
    assert_eq!(gradients[0], gradients[2]);
}

#[test]
fn a_bad_target_stops_the_check() {
    let (inputs, _) = samples::<5>(2);
    assert!(check_gradients(&*Mix::<5, 0, 0>::new(1), &HalfSquare, &inputs, &[]).is_err());
}

/// A generator that repeats one number.
struct Constant(u64);

impl rand::TryRng for Constant {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0 as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(self.0 as u8);
        Ok(())
    }
}

#[test]
fn seeds_come_from_generators() {
    let drawn = Mix::<5, 0, 0>::from_rng(&mut Constant(1 << 40));
    assert_eq!(drawn.weight, Mix::<5, 0, 0>::new(1 << 40).weight);
    assert_ne!(drawn.weight, Mix::<5, 0, 0>::new(0).weight);
}
