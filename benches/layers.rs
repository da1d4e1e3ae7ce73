//! Two consecutive layers of one kind, with sizes unlike those of the workloads, on one thread: prints the
//! microseconds of inference and of a training step (forward, mean squared error, backward), separated by a tab.
//!
//!     layers NAME BATCH
//!
//! `scripts/layers.py` compares them with PyTorch.

use std::hint::black_box;
use unrolled::RngKey;
use unrolled::parallel::with_threads;
use unrolled::prelude::*;
use unrolled_benches::seconds_per_call;

network! {
    /// `dense17`
    #[allow(dense_after_dense)]
    pub struct Dense17(17) -> 17 { Dense(17), Dense(17) }
    /// `dense4096`
    #[allow(dense_after_dense)]
    pub struct Dense4096(4096) -> 4096 { Dense(4096), Dense(4096) }
    /// `lstm17`
    pub struct Lstm17(32x17) -> 32x17 { LSTM(17), LSTM(17) }
    /// `lstm512`
    pub struct Lstm512(32x512) -> 32x512 { LSTM(512), LSTM(512) }
    /// `lstm256`
    pub struct Lstm256(32x256) -> 32x256 { LSTM(256), LSTM(256) }
    /// `lstm1024`
    pub struct Lstm1024(32x1024) -> 32x1024 { LSTM(1024), LSTM(1024) }
    /// `gru512`
    pub struct Gru512(32x512) -> 32x512 { GRU(512), GRU(512) }
    /// `rnn512`
    pub struct Rnn512(32x512) -> 32x512 { RNN(512), RNN(512) }
    /// `attention512`
    #[allow(attention_without_positions, large_output_on_stack)]
    pub struct Attention512(512x512) -> 512x512 {
        MultiHeadAttention(heads = 8), MultiHeadAttention(heads = 8),
    }
}

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, batch] = arguments.as_slice() else {
        return Err("expected NAME BATCH; benches/layers.rs lists the names".into());
    };
    let batch = batch.parse().map_err(|_| format!("BATCH is `{batch}`, expected a number"))?;
    let [inference, training] = with_threads(1, || match name.as_str() {
        "dense17" => Ok(measure::<Dense17>(batch)),
        "dense4096" => Ok(measure::<Dense4096>(batch)),
        "lstm17" => Ok(measure::<Lstm17>(batch)),
        "lstm512" => Ok(measure::<Lstm512>(batch)),
        "lstm256" => Ok(measure::<Lstm256>(batch)),
        "lstm1024" => Ok(measure::<Lstm1024>(batch)),
        "gru512" => Ok(measure::<Gru512>(batch)),
        "rnn512" => Ok(measure::<Rnn512>(batch)),
        "attention512" => Ok(measure::<Attention512>(batch)),
        _ => Err(format!("there is no layer `{name}`")),
    })?;
    println!("{:.2}\t{:.2}", 1e6 * inference, 1e6 * training);
    Ok(())
}

/// Seconds of inference, and of a training step without the optimiser.
fn measure<N>(batch: usize) -> [f64; 2]
where
    N: Network<Input: Values + Clone>,
    MeanSquaredError: Loss<N::Output, Target = N::Output>,
{
    let mut net = N::new(1);
    let mut x = vec![N::Input::zeroed(); batch];
    for (i, x) in (0..).zip(&mut x) {
        let key = RngKey::new(1).fold_in(i);
        (0..).zip(x.as_floats_mut()).for_each(|(i, x)| *x = key.uniform(i) - 0.5);
    }
    let (mut y, targets) = (vec![N::Output::zeroed(); batch], vec![N::Output::zeroed(); batch]);
    let inference = seconds_per_call(|| {
        net.forward_batch(black_box(&x), &mut y);
        black_box(&mut y);
    });
    let (mut d_net, loss) = (N::zeros(), MeanSquaredError);
    let training = seconds_per_call(|| {
        let loss =
            net.loss_and_gradients(&loss, black_box(&x), &targets, &mut d_net, RngKey::new(1));
        black_box(loss.expect("as many targets as inputs"));
    });
    [inference, training]
}
