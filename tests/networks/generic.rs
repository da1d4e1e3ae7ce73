//! Functions over any network, with the bound `Network` alone.

use unrolled::prelude::*;

network! {
    struct Single(3) -> 2 { Dense(4), Tanh, Dense(2) }
    struct Several(a: 3, b: ..4x2) -> (c: 2, d: 4x2) {
        c: a => Dense(2),
        d: b => Dense(2),
    }
}

/// Adds one.
#[derive(Weights)]
#[repr(C)]
struct Plus {
    weight: f32,
}

impl Layer for Plus {
    type Input = [f32; 2];
    type Output = [f32; 2];

    fn forward(&self, x: &[f32; 2], y: &mut [f32; 2]) {
        *y = x.map(|x| x + self.weight);
    }

    fn backward(
        &self,
        _x: &[f32; 2],
        _y: &[f32; 2],
        d_y: &[f32; 2],
        d_x: &mut [f32; 2],
        d_self: &mut Self,
    ) {
        *d_x = *d_y;
        d_self.weight += d_y.iter().sum::<f32>();
    }
}

fn answer<N: Network>(net: &N, x: &N::Input) -> N::Output {
    net.forward(x)
}

#[test]
fn generic_code_calls_forward() {
    let net = Single::new(1);
    assert_eq!(answer(&*net, &[0.5, -1.0, 2.0]), net.forward(&[0.5, -1.0, 2.0]));

    let (net, b) = (Several::new(1), Sequence::new(&[[0.5, 1.0], [-1.0, 2.0]]).unwrap());
    let SeveralOutput { c, d } = answer(&*net, &([0.5, -1.0, 2.0], b));
    let expected = net.forward((&[0.5, -1.0, 2.0], &b));
    assert_eq!((c, d), (expected.c, expected.d));
}

#[test]
fn a_hand_written_layer_alone_is_a_network() {
    let layer = Plus { weight: 1.0 };
    assert_eq!(answer(&layer, &[1.0, 2.0]), [2.0, 3.0]);
    // The method of `Layer`, not that of a network.
    let mut y = [0.0; 2];
    layer.forward(&[1.0, 2.0], &mut y);
    assert_eq!(y, [2.0, 3.0]);
}

#[test]
fn a_hand_written_layer_alone_is_trained() {
    let (mut layer, mut d_layer) = (Plus::new(1), Plus::zeros());
    d_layer.weight = 3.0;
    SGD::new(0.5).update(&mut layer, &d_layer);
    assert_eq!(layer.weight, -1.5);
    assert_eq!(Plus::trained(), [("the layer".to_owned(), 0..1)]);
}
