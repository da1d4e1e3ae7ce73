//! Functions over any network, with the bound `Network` alone.

use unrolled::DynNetwork;
use unrolled::prelude::*;

network! {
    struct Small(2) -> 2 { Dense(2) }
    struct Wide(2) -> 2 { Dense(5), ReLU, Dense(2) }
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
fn networks_of_several_types_are_used_behind_pointers() {
    let mut nets: Vec<Box<dyn DynNetwork<[f32; 2], [f32; 2]>>> = vec![Small::new(1), Wide::new(2)];
    let x = [0.5, -1.0];
    let (first, second) = (Small::new(1), Wide::new(2));
    let answers =
        |nets: &[Box<dyn DynNetwork<[f32; 2], [f32; 2]>>]| [0, 1].map(|i| nets[i].forward(&x));
    assert_eq!(answers(&nets), [first.forward(&x), second.forward(&x)]);
    for net in &nets {
        let (mut output, mut outputs) = ([0.0; 2], [[0.0; 2]; 3]);
        net.forward_into(&x, &mut output);
        net.forward_batch(&[x; 3], &mut outputs);
        assert_eq!((output, outputs), (net.forward(&x), [output; 3]));
    }
    assert_eq!([0, 1].map(|i| nets[i].params().len()), [Small::LEN, Wide::LEN]);
    assert_eq!((nets[0].tensors(), nets[1].summary()), (Small::tensors(), Wide::summary()));
    nets[0].params_mut().fill(0.0);
    let zero = std::thread::scope(|scope| scope.spawn(|| nets[0].forward(&x)).join().unwrap());
    assert_eq!(zero, [0.0; 2]);
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
