//! Whole programs that leave the trainer's usual path: distillation, a diffusion model, a neural ODE, and a recommender. The
//! examples have more: `vae`, `gan`, `contrastive`, `dqn`, `transfer`, `saliency`.

use std::f32::consts::TAU;
use unrolled::data::{Idx, Image};
use unrolled::loss::KLDivergence;
use unrolled::prelude::*;

/// A standard normal number (Box and Muller, 1958).
fn normal(key: RngKey, i: u64) -> f32 {
    let radius = (-2.0 * (1.0 - key.uniform(2 * i)).ln()).sqrt();
    radius * (TAU * key.uniform(2 * i + 1)).cos()
}

mod distillation {
    use super::*;

    network! {
        struct Teacher(8x8x1) -> 10 {
            Conv2d(16, kernel = 3), ReLU, MaxPool2d(2),
            Flatten, Dense(64), ReLU, Dense(10),
        }

        struct Student(8x8x1) -> 10 { Flatten, Dense(8), ReLU, Dense(10), LogSoftmax }
    }

    fn digits() -> Data<Image<8, 8>, u32> {
        let read = |name| Idx::read(format!("examples/data/digits-{name}-ubyte")).unwrap();
        let mut digits = read("images-idx3").labelled::<8, 8>(&read("labels-idx1")).unwrap();
        let pixels = digits.inputs.as_flattened_mut().as_flattened_mut().as_flattened_mut();
        pixels.iter_mut().for_each(|pixel| *pixel *= 255.0 / 16.0);
        digits
    }

    fn accuracy(student: &Student, digits: &Data<Image<8, 8>, u32>) -> f64 {
        let mut outputs = vec![[0.0; 10]; digits.len()];
        student.forward_batch(&digits.inputs, &mut outputs);
        let largest = |y: &[f32; 10]| (0..10).max_by(|a, b| y[*a].total_cmp(&y[*b])).unwrap();
        let right = outputs.iter().zip(&digits.targets);
        right.filter(|(y, class)| largest(y) == **class as usize).count() as f64
            / digits.len() as f64
    }

    /// A student learns the probabilities of a teacher on images that have no labels (Hinton, Vinyals and Dean, 2015).
    #[test]
    fn a_student_learns_from_a_teacher_alone() {
        let mut labelled = digits();
        let test = labelled.split_off(400);
        let mut teacher = Teacher::new(1);
        let mut trainer = Trainer::new(Adam::new(3e-3)).batch(32).epochs(8).quiet();
        trainer.fit(&mut teacher, &labelled, &CrossEntropy::new()).unwrap();

        let mut scores = vec![[0.0; 10]; labelled.len()];
        teacher.forward_batch(&labelled.inputs, &mut scores);
        let softened = |scores: [f32; 10]| {
            let powers = scores.map(|score| (score / 2.0).exp());
            powers.map(|power| power / powers.iter().sum::<f32>())
        };
        let inputs = labelled.inputs;
        let distilled = Data { inputs, targets: scores.into_iter().map(softened).collect() };
        let mut student = Student::new(2);
        let before = accuracy(&student, &test);
        let mut trainer = Trainer::new(Adam::new(1e-2)).batch(32).epochs(20).quiet();
        trainer.fit(&mut student, &distilled, &KLDivergence::new()).unwrap();
        let after = accuracy(&student, &test);
        assert!(before < 0.3 && after > 0.85, "{before} {after}");
    }
}

mod diffusion {
    use super::*;
    use unrolled::optim::schedule::Cosine;

    const STEPS: usize = 40;

    network! {
        /// The noise of a point at a level of noise.
        struct Denoiser(point: 2, level: 1) -> 2 {
            Concat { point, level => { Embedding(STEPS, 16), Flatten } },
            Dense(64), SiLU, Dense(64), SiLU, Dense(2),
        }
    }

    /// The share of the point and of the noise at each level (Nichol and Dhariwal, 2021).
    fn shares(level: usize) -> [f32; 2] {
        let angle = TAU / 4.0 * (level as f32 + 1.0) / (STEPS as f32 + 1.0);
        [angle.cos(), angle.sin()]
    }

    /// A point of the unit circle.
    fn point(key: RngKey) -> [f32; 2] {
        let angle = TAU * key.uniform(0);
        [angle.cos(), angle.sin()]
    }

    /// Points and their noise at random levels, other ones in each epoch (Ho, Jain and Abbeel, 2020).
    fn noisy(count: u64, key: RngKey) -> Data<([f32; 2], [u32; 1]), [f32; 2]> {
        let sample = |i: u64| {
            let key = key.fold_in(i);
            let (clean, level) = (point(key), (key.uniform(1) * STEPS as f32) as usize);
            let noise = [2, 3].map(|i| normal(key, i));
            let [of_point, of_noise] = shares(level);
            let at = [0, 1].map(|i| of_point * clean[i] + of_noise * noise[i]);
            ((at, [level as u32]), noise)
        };
        let (inputs, targets) = (0..count).map(sample).unzip();
        Data { inputs, targets }
    }

    /// Points from noise, level by level (Song, Meng and Ermon, 2021).
    fn generated(net: &Denoiser, count: usize, key: RngKey) -> Vec<[f32; 2]> {
        let mut points: Vec<[f32; 2]> =
            (0..count as u64).map(|i| [0, 1].map(|axis| normal(key, 2 * i + axis))).collect();
        let mut noise = vec![[0.0; 2]; count];
        for level in (0..STEPS).rev() {
            let inputs: Vec<_> = points.iter().map(|point| (*point, [level as u32])).collect();
            net.forward_batch(&inputs, &mut noise);
            let [of_point, of_noise] = shares(level);
            let [next_point, next_noise] = if level == 0 { [1.0, 0.0] } else { shares(level - 1) };
            for (point, noise) in points.iter_mut().zip(&noise) {
                *point = [0, 1].map(|i| {
                    // Coordinates are in this range, where little is left of the point.
                    let clean = ((point[i] - of_noise * noise[i]) / of_point).clamp(-1.0, 1.0);
                    next_point * clean + next_noise * noise[i]
                });
            }
        }
        points
    }

    /// The mean distance of points from the circle.
    fn distance(points: &[[f32; 2]]) -> f32 {
        let distances = points.iter().map(|[x, y]| (x.hypot(*y) - 1.0).abs());
        distances.sum::<f32>() / points.len() as f32
    }

    #[test]
    fn noise_becomes_points_of_a_circle() {
        let mut net = Denoiser::new(1);
        let key = RngKey::new(2);
        let before = distance(&generated(&net, 500, key));
        let mut trainer = Trainer::new(Adam::new(5e-3)).batch(64).epochs(100).quiet();
        trainer = trainer.schedule_epochs(Cosine::new(100));
        for epoch in 0..100 {
            trainer
                .fit_epoch(&mut net, &noisy(4000, key.fold_in(epoch)), &MeanSquaredError)
                .unwrap();
        }
        let points = generated(&net, 500, key);
        let after = distance(&points);
        assert!(after < 0.1 && after < 0.25 * before, "{before} {after}");
        // All around the circle.
        for sign in [-1.0, 1.0] {
            for axis in [0, 1] {
                let there = points.iter().filter(|point| sign * point[axis] > 0.5).count();
                assert!(there > 80, "{there} of 500");
            }
        }
    }
}

mod neural_ode {
    use super::*;

    /// Euler's steps, each of the length `STEP`.
    const STEPS: usize = 10;
    const STEP: f32 = 0.1;

    network! {
        /// The speed at a point.
        struct Speed(2) -> 2 { Dense(16), Tanh, Dense(2) }
    }

    /// A program with a network in a loop: a pass for each step, all with the same weights.
    struct Solver {
        passes: Vec<TrainPass<Speed>>,
        d_step: Box<Speed>,
    }

    impl Solver {
        fn new(batch: usize) -> Self {
            let passes = (0..STEPS).map(|_| TrainPass::new(batch)).collect();
            Self { passes, d_step: Speed::zeros() }
        }

        fn forward(&mut self, net: &mut Speed, points: &mut [[f32; 2]]) {
            for pass in &mut self.passes {
                let speeds = pass.forward(net, points, RngKey::new(0)).unwrap();
                for (point, speed) in points.iter_mut().zip(speeds) {
                    *point = [0, 1].map(|i| point[i] + STEP * speed[i]);
                }
            }
        }

        /// Adds the gradients of all steps, from the last to the first one.
        fn backward(&mut self, net: &Speed, d_points: &mut [[f32; 2]], d_net: &mut Speed) {
            let mut d_through = d_points.to_vec();
            d_net.params_mut().fill(0.0);
            for pass in self.passes.iter_mut().rev() {
                let d_speeds: Vec<_> = d_points.iter().map(|d| d.map(|d| STEP * d)).collect();
                pass.backward(net, &d_speeds, &mut self.d_step, Some(&mut d_through)).unwrap();
                for (d, through) in d_points.iter_mut().zip(&d_through) {
                    *d = [0, 1].map(|i| d[i] + through[i]);
                }
                let sums = d_net.params_mut().iter_mut().zip(self.d_step.params());
                sums.for_each(|(sum, d)| *sum += d);
            }
        }
    }

    /// Half of the squared distances from where a rotation by one radian moves the points; its gradient is `ends`.
    fn loss(starts: &[[f32; 2]], ends: &mut [[f32; 2]]) -> f32 {
        let (sin, cos) = 1.0_f32.sin_cos();
        for ([x, y], end) in starts.iter().zip(&mut *ends) {
            *end = [end[0] - (cos * x - sin * y), end[1] - (sin * x + cos * y)];
        }
        0.5 * ends.as_flattened().iter().map(|d| d * d).sum::<f32>()
    }

    /// Chen, Rubanova, Bettencourt and Duvenaud (2018), with gradients through the solver.
    #[test]
    fn learns_the_speed_of_a_rotation_from_starts_and_ends() {
        let key = RngKey::new(3);
        let starts: Vec<[f32; 2]> =
            (0..64).map(|i| [0, 1].map(|axis| 2.0 * key.uniform(2 * i + axis) - 1.0)).collect();
        let (mut net, mut d_net) = (Speed::new(1), Speed::zeros());
        let (mut solver, mut adam) = (Solver::new(starts.len()), Adam::new(1e-2));
        let mut losses = Vec::new();
        for _ in 0..300 {
            let mut ends = starts.clone();
            solver.forward(&mut net, &mut ends);
            losses.push(loss(&starts, &mut ends));
            solver.backward(&net, &mut ends, &mut d_net);
            adam.update(&mut net, &d_net);
        }
        assert!(losses[299] < 0.01 * losses[0], "{} {}", losses[0], losses[299]);

        // Finite differences of the whole loop, in a few of the weights.
        let mut value = |net: &mut Speed| {
            let mut ends = starts.clone();
            solver.forward(net, &mut ends);
            f64::from(loss(&starts, &mut ends))
        };
        let mut net = Speed::new(5);
        let before = net.params().to_vec();
        let mut differences = Vec::new();
        for place in [0, 17, 40, 60, 81] {
            let [less, more] = [-1e-2, 1e-2].map(|step| {
                net.params_mut()[place] = before[place] + step;
                value(&mut net)
            });
            net.params_mut()[place] = before[place];
            differences.push((place, (more - less) / 2e-2));
        }
        let mut ends = starts.clone();
        solver.forward(&mut net, &mut ends);
        loss(&starts, &mut ends);
        solver.backward(&net, &mut ends, &mut d_net);
        for (place, difference) in differences {
            let found = f64::from(d_net.params()[place]);
            assert!(
                (found - difference).abs() < 1e-2 * difference.abs() + 1e-3,
                "{found} {difference}"
            );
        }
    }
}

mod recommender {
    use super::*;

    const USERS: usize = 60;
    const FILMS: usize = 40;

    network! {
        /// The rating that a user gives a film: the product of two vectors, and what is usual for both (Koren and others, 2009).
        struct Ratings(user: 1, film: 1) -> 1 {
            taste: user => [Embedding(USERS, 6), Flatten],
            kind: film => [Embedding(FILMS, 6), Flatten],
            Mul { taste, kind },
            match_: Dense(1),
            of_user: user => [Embedding(USERS, 1), Flatten],
            of_film: film => [Embedding(FILMS, 1), Flatten],
            Add { match_, of_user, of_film },
        }
    }

    fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
        let count = values.len() as f32;
        values.sum::<f32>() / count
    }

    #[test]
    fn predicts_ratings_that_are_missing() {
        // Users and films of three hidden features; half of the ratings are known.
        let key = RngKey::new(4);
        let feature = |of: u64, i: usize| {
            let key = key.fold_in(of).fold_in(i as u64);
            [0, 1, 2].map(|nth| normal(key, nth))
        };
        let mut known: Data<([u32; 1], [u32; 1]), [f32; 1]> = Data::default();
        for user in 0..USERS {
            for film in 0..FILMS {
                let (a, b) = (feature(0, user), feature(1, film));
                known.inputs.push(([user as u32], [film as u32]));
                known.targets.push([3.0 + (0..3).map(|i| a[i] * b[i]).sum::<f32>()]);
            }
        }
        known.shuffle(5);
        let missing = known.split_off(USERS * FILMS / 4);
        let usual = mean(known.targets.iter().map(|[rating]| *rating));
        let baseline = mean(missing.targets.iter().map(|[rating]| (rating - usual).powi(2)));

        let mut net = Ratings::new(6);
        let mut trainer = Trainer::new(Adam::new(1e-2)).batch(64).epochs(60).quiet();
        trainer.fit(&mut net, &known, &MeanSquaredError).unwrap();
        let score = net.evaluate(&missing, &MeanSquaredError).unwrap();
        assert!(score.loss < 0.3 * f64::from(baseline), "{} {baseline}", score.loss);
    }
}
