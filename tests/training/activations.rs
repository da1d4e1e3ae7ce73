//! Values of lines and their gradients in inference mode, and Grad-CAM with them.

use unrolled::prelude::*;

network! {
    /// The front of `Whole`: lines of one kind in a row, of which inference computes several at once.
    struct Front(6x6x1) -> 3x3x4 {
        conv: Conv2d(4, kernel = 3, padding = 1), ReLU, MaxPool2d(2),
        inner: Residual { norm: BatchNorm, Dropout(0.5), Sigmoid },
    }
}

network! {
    /// The rest of `Whole`.
    struct Head(3x3x4) -> 2 { Flatten, fc: Dense(5), Tanh, Dense(2) }
}

network! {
    /// Two networks in one.
    struct Whole(6x6x1) -> 2 { front: Front, head: Head }
}

type Image = [[[f32; 1]; 6]; 6];

fn image(seed: u64) -> Image {
    let mut image = [[[0.0; 1]; 6]; 6];
    for (i, value) in image.as_flattened_mut().as_flattened_mut().iter_mut().enumerate() {
        *value = 2.0 * RngKey::new(seed).uniform(i as u64) - 1.0;
    }
    image
}

fn network() -> Box<Whole> {
    let mut net = Whole::new(2);
    net.front.inner_norm.running_mean = [0.1, 0.2, -0.1, 0.0];
    net.front.inner_norm.running_var = [0.5, 1.5, 1.0, 2.0];
    net
}

#[test]
fn values_are_those_of_inference() {
    let (net, image) = (network(), image(1));
    let before = net.clone_boxed();
    let activations = net.activations(&image).unwrap();
    assert_eq!(net.params(), before.params());
    let of = |path: &str| activations.get(path).unwrap();
    let features = net.front.forward(&image);
    assert_eq!(of("front").values, features.as_flattened().as_flattened());
    assert_eq!(of("front").shape.dims(), [3, 3, 4]);
    assert_eq!(of("front.inner").values, of("front").values, "its last line");
    assert_eq!(
        (of("head.flatten").values, of("head.flatten").shape.dims()),
        (of("front").values, &[36][..])
    );
    assert_eq!(of("head").values, net.head.forward(&features));
    // Lines that inference computes at once: the convolution by its definition, then `ReLU` and `MaxPool2d` of the values before.
    let (conv, relu, pool) = (of("front.conv"), of("front.relu"), of("front.max_pool2d"));
    let padded = |y: usize, x: usize| match (y.checked_sub(1), x.checked_sub(1)) {
        (Some(y @ 0..6), Some(x @ 0..6)) => image[y][x][0],
        _ => 0.0,
    };
    for (at, found) in conv.values.iter().enumerate() {
        let (y, x, c) = (at / 24, at / 4 % 6, at % 4);
        let taps = (0..9).map(|tap| (tap / 3, tap % 3));
        let terms = taps.map(|(i, j)| net.front.conv.weight[i][j][0][c] * padded(y + i, x + j));
        let expected = net.front.conv.bias[c] + terms.sum::<f32>();
        assert!((found - expected).abs() < 1e-5, "{at}: {found} {expected}");
        assert_eq!(relu.values[at], found.max(0.0));
    }
    let at = |y: usize, x: usize, c: usize| relu.values[(y * 6 + x) * 4 + c];
    for (i, found) in pool.values.iter().enumerate() {
        let (y, x, c) = (2 * (i / 12), 2 * (i / 4 % 3), i % 4);
        let largest =
            at(y, x, c).max(at(y, x + 1, c)).max(at(y + 1, x, c)).max(at(y + 1, x + 1, c));
        assert_eq!(*found, largest);
    }
}

#[test]
fn gradients_are_those_of_the_rest_of_the_network() {
    let (net, image) = (network(), image(3));
    let gradient = |_: &[f32; 2], d: &mut [f32; 2]| *d = [1.0, -0.5];
    let gradients = net.activation_gradients(&image, gradient).unwrap();
    let mut d_features = [[[[0.0; 4]; 3]; 3]];
    net.head.input_gradients(&[net.front.forward(&image)], gradient, &mut d_features).unwrap();
    let expected = d_features.as_flattened().as_flattened().as_flattened();
    assert_eq!(gradients.get("front").unwrap().values, expected);
    assert_eq!(gradients.get("head").unwrap().values, [1.0, -0.5]);
    // Through the pool and the `ReLU`: a bias of the convolution is added to each pixel of its channel.
    let loss = |net: &Whole| {
        let [a, b] = net.forward(&image);
        f64::from(a) - 0.5 * f64::from(b)
    };
    let d_conv = gradients.get("front.conv").unwrap().values;
    for channel in 0..4 {
        let moved = |step: f32| {
            let mut net = net.clone_boxed();
            net.front.conv.bias[channel] += step;
            loss(&net)
        };
        let numeric = (moved(1e-3) - moved(-1e-3)) / 2e-3;
        let found: f32 = d_conv.iter().skip(channel).step_by(4).sum();
        assert!((f64::from(found) - numeric).abs() < 1e-3, "{found} {numeric}");
    }
}

#[test]
fn unknown_paths_are_refused_with_similar_ones() {
    let activations = network().activations(&image(1)).unwrap();
    let paths: Vec<&str> = activations.iter().map(|(path, _)| path).collect();
    assert_eq!(paths[..3], ["front.conv", "front.relu", "front.max_pool2d"]);
    let error = activations.get("front.convv").unwrap_err().to_string();
    let expected =
        "no line of the network has the path `front.convv`; the closest paths are `front.conv`, ";
    assert!(error.starts_with(expected), "{error}");
}

network! {
    /// Whether an image contains a vertical or a horizontal bar.
    struct Bars(6x6x1) -> 2 { conv: Conv2d(8, kernel = 3, padding = 1), ReLU, GlobalAvgPool, Dense(2) }
}

/// A bar of three pixels on noise, the position of its middle, and its class.
fn bar(seed: u64) -> (Image, [usize; 2], u32) {
    let mut pixels = image(seed);
    pixels.as_flattened_mut().as_flattened_mut().iter_mut().for_each(|x| *x *= 0.1);
    let [y, x] = [1, 2].map(|axis| 1 + (4.0 * RngKey::new(seed).fold_in(axis).uniform(0)) as usize);
    let class = (seed % 2) as u32;
    for along in 0..3 {
        let (row, column) = if class == 0 { (y + along - 1, x) } else { (y, x + along - 1) };
        pixels[row][column][0] = 1.0;
    }
    (pixels, [y, x], class)
}

/// The pixel of the largest value of Grad-CAM (Selvaraju et al., 2017) for `class`.
fn hottest(net: &Bars, image: &Image, class: u32) -> [usize; 2] {
    let activations = net.activations(image).unwrap();
    let gradients = net.activation_gradients(image, |_, d| d[class as usize] = 1.0).unwrap();
    let (maps, d_maps) = (activations.get("relu").unwrap(), gradients.get("relu").unwrap());
    let channels = maps.shape.last();
    let importance: Vec<f32> =
        (0..channels).map(|c| d_maps.values.iter().skip(c).step_by(channels).sum()).collect();
    let heat = maps
        .values
        .chunks(channels)
        .map(|pixel| pixel.iter().zip(&importance).map(|(x, w)| x * w).sum::<f32>());
    let (at, _) = heat.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    [at / 6, at % 6]
}

#[test]
fn grad_cam_finds_the_object() {
    let samples = || (0..256).map(bar);
    let data = Data {
        inputs: samples().map(|(image, ..)| image).collect(),
        targets: samples().map(|(_, _, class)| class).collect(),
    };
    let mut net = Bars::new(1);
    let mut trainer = Trainer::new(Adam::new(0.02)).batch(32).epochs(20).seed(1).quiet();
    let history = trainer.fit(&mut net, &data, &CrossEntropy::new()).unwrap();
    assert!(history.epochs.last().unwrap().training.accuracy.unwrap() > 0.98);
    // On images that the network has not seen. The bar is a twelfth of the image.
    let near = (1000..1100).map(bar).filter(|(image, [y, x], class)| {
        let [row, column] = hottest(&net, image, *class);
        row.abs_diff(*y) <= 1 && column.abs_diff(*x) <= 1
    });
    let near = near.count();
    assert!(near >= 90, "{near} of 100");
}
