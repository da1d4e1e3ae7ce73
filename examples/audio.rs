//! A guitar amplifier as a causal convolutional network, block by block, as an audio program calls it.
//!
//!     cargo run --release --example audio [-- IN.wav OUT.wav]
//!
//! trains a network to imitate a distortion, applies it to a WAV file (one channel, 16 bits; without arguments to a plucked
//! string) in blocks of 64 samples and sample by sample, and reports the time of the median and of the worst block beside the
//! time until the next one must be ready.
//!
//! Introduces **chunks of a long sequence**: `forward_from` continues with the `State` that the block before has left. The
//! result has the bits of the whole sequence in one piece, and nothing is computed twice. Training uses the same network
//! for more steps: sizes are constants, so that it is another type with the same weights.
//!
//! The network is the smaller one of Neural Amp Modeler's architecture A2 (sdatkinson/NeuralAmpModelerCore,
//! `NAM/wavenet/a2_fast.h`): 23 causal convolutions of 3 channels, whose outputs are added up for the last one.

use std::error::Error;
use std::f32::consts::TAU;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use unrolled::prelude::*;

network! {
    /// Sound through an amplifier.
    #[allow(deep_without_skip)]
    pub struct Amplifier<const STEPS: usize>(audio: [STEPS, 1]) -> [STEPS, 1] {
        x: audio => Dense(3, bias = false),
        Add { x => { Conv1d(3, kernel = 6, dilation = 1, padding = causal) }, audio => { Dense(3, bias = false) } },
        z1: LeakyReLU(0.01),
        x1: Add { x, z1 => { Dense(3) } },
        Add { x1 => { Conv1d(3, kernel = 6, dilation = 3, padding = causal) }, audio => { Dense(3, bias = false) } },
        z2: LeakyReLU(0.01),
        x2: Add { x1, z2 => { Dense(3) } },
        Add { x2 => { Conv1d(3, kernel = 6, dilation = 7, padding = causal) }, audio => { Dense(3, bias = false) } },
        z3: LeakyReLU(0.01),
        x3: Add { x2, z3 => { Dense(3) } },
        Add { x3 => { Conv1d(3, kernel = 6, dilation = 17, padding = causal) }, audio => { Dense(3, bias = false) } },
        z4: LeakyReLU(0.01),
        x4: Add { x3, z4 => { Dense(3) } },
        Add { x4 => { Conv1d(3, kernel = 6, dilation = 41, padding = causal) }, audio => { Dense(3, bias = false) } },
        z5: LeakyReLU(0.01),
        x5: Add { x4, z5 => { Dense(3) } },
        Add { x5 => { Conv1d(3, kernel = 6, dilation = 101, padding = causal) }, audio => { Dense(3, bias = false) } },
        z6: LeakyReLU(0.01),
        x6: Add { x5, z6 => { Dense(3) } },
        Add { x6 => { Conv1d(3, kernel = 6, dilation = 239, padding = causal) }, audio => { Dense(3, bias = false) } },
        z7: LeakyReLU(0.01),
        x7: Add { x6, z7 => { Dense(3) } },
        Add { x7 => { Conv1d(3, kernel = 6, dilation = 1, padding = causal) }, audio => { Dense(3, bias = false) } },
        z8: LeakyReLU(0.01),
        x8: Add { x7, z8 => { Dense(3) } },
        Add { x8 => { Conv1d(3, kernel = 6, dilation = 3, padding = causal) }, audio => { Dense(3, bias = false) } },
        z9: LeakyReLU(0.01),
        x9: Add { x8, z9 => { Dense(3) } },
        Add { x9 => { Conv1d(3, kernel = 6, dilation = 7, padding = causal) }, audio => { Dense(3, bias = false) } },
        z10: LeakyReLU(0.01),
        x10: Add { x9, z10 => { Dense(3) } },
        Add { x10 => { Conv1d(3, kernel = 6, dilation = 17, padding = causal) }, audio => { Dense(3, bias = false) } },
        z11: LeakyReLU(0.01),
        x11: Add { x10, z11 => { Dense(3) } },
        Add { x11 => { Conv1d(3, kernel = 6, dilation = 41, padding = causal) }, audio => { Dense(3, bias = false) } },
        z12: LeakyReLU(0.01),
        x12: Add { x11, z12 => { Dense(3) } },
        Add { x12 => { Conv1d(3, kernel = 6, dilation = 101, padding = causal) }, audio => { Dense(3, bias = false) } },
        z13: LeakyReLU(0.01),
        x13: Add { x12, z13 => { Dense(3) } },
        Add { x13 => { Conv1d(3, kernel = 6, dilation = 239, padding = causal) }, audio => { Dense(3, bias = false) } },
        z14: LeakyReLU(0.01),
        x14: Add { x13, z14 => { Dense(3) } },
        Add { x14 => { Conv1d(3, kernel = 15, dilation = 1, padding = causal) }, audio => { Dense(3, bias = false) } },
        z15: LeakyReLU(0.01),
        x15: Add { x14, z15 => { Dense(3) } },
        Add { x15 => { Conv1d(3, kernel = 15, dilation = 13, padding = causal) }, audio => { Dense(3, bias = false) } },
        z16: LeakyReLU(0.01),
        x16: Add { x15, z16 => { Dense(3) } },
        Add { x16 => { Conv1d(3, kernel = 6, dilation = 1, padding = causal) }, audio => { Dense(3, bias = false) } },
        z17: LeakyReLU(0.01),
        x17: Add { x16, z17 => { Dense(3) } },
        Add { x17 => { Conv1d(3, kernel = 6, dilation = 3, padding = causal) }, audio => { Dense(3, bias = false) } },
        z18: LeakyReLU(0.01),
        x18: Add { x17, z18 => { Dense(3) } },
        Add { x18 => { Conv1d(3, kernel = 6, dilation = 7, padding = causal) }, audio => { Dense(3, bias = false) } },
        z19: LeakyReLU(0.01),
        x19: Add { x18, z19 => { Dense(3) } },
        Add { x19 => { Conv1d(3, kernel = 6, dilation = 17, padding = causal) }, audio => { Dense(3, bias = false) } },
        z20: LeakyReLU(0.01),
        x20: Add { x19, z20 => { Dense(3) } },
        Add { x20 => { Conv1d(3, kernel = 6, dilation = 41, padding = causal) }, audio => { Dense(3, bias = false) } },
        z21: LeakyReLU(0.01),
        x21: Add { x20, z21 => { Dense(3) } },
        Add { x21 => { Conv1d(3, kernel = 6, dilation = 101, padding = causal) }, audio => { Dense(3, bias = false) } },
        z22: LeakyReLU(0.01),
        x22: Add { x21, z22 => { Dense(3) } },
        Add { x22 => { Conv1d(3, kernel = 6, dilation = 239, padding = causal) }, audio => { Dense(3, bias = false) } },
        z23: LeakyReLU(0.01),
        Add { z1, z2, z3, z4, z5, z6, z7, z8, z9, z10, z11, z12, z13, z14, z15, z16, z17, z18, z19, z20, z21, z22, z23 },
        Conv1d(1, kernel = 16, padding = causal),
    }
}

/// Samples of a block.
const BLOCK: usize = 64;

/// Samples of a training sequence: longer than the 6,346 samples before it that an output depends on.
const SEQUENCE: usize = 8192;

/// Samples per second.
const RATE: u32 = 48_000;

type Sound<const STEPS: usize> = [[f32; 1]; STEPS];

const USAGE: &str = "usage: audio [--quick] [IN.wav OUT.wav]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.first().is_some_and(|argument| argument == "--quick");
    let result = match &arguments[usize::from(quick)..] {
        [] => run(quick, None),
        [input, output] => run(quick, Some([input, output])),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = &result {
        eprintln!("error: {error}");
    }
    ExitCode::from(u8::from(result.is_err()))
}

fn run(quick: bool, files: Option<[&String; 2]>) -> Result<(), Box<dyn Error>> {
    let sound = match files {
        Some([input, _]) => {
            read_wav(&std::fs::read(input)?).map_err(|error| format!("{input}: {error}"))?
        }
        None => pluck(110.0, 2 * RATE as usize),
    };
    let net = train(if quick { 8 } else { 200 })?;
    let (wet, times) = apply(&net, &sound);
    report(times, BLOCK);
    let (stepped, times) = apply_by_samples(&net, &sound);
    report(times, 1);
    if stepped != wet {
        return Err("expected the same sound from blocks and from samples".into());
    }
    if let Some([_, output]) = files {
        std::fs::write(output, wav(&wet))?;
    }
    Ok(())
}

/// A network that imitates [`distort`], after `steps` training steps.
fn train(steps: u64) -> Result<Box<Amplifier<BLOCK>>, Box<dyn Error>> {
    let mut net = Amplifier::<SEQUENCE>::new(1);
    let (mut optimizer, mut gradient) = (Adam::new(4e-3), Amplifier::zeros());
    let (key, mut losses) = (RngKey::new(2), Vec::new());
    for step in 0..steps {
        let key = key.fold_in(step);
        let dry = pluck(80.0 + 320.0 * key.uniform(0), SEQUENCE);
        let (mut x, mut y) = (Sound::<SEQUENCE>::zeroed_vec(1), Sound::<SEQUENCE>::zeroed_vec(1));
        x[0].as_flattened_mut().copy_from_slice(&dry);
        y[0].as_flattened_mut().copy_from_slice(&distort(&dry));
        let loss = net.loss_and_gradients(&MeanSquaredError, &x, &y, &mut gradient, key)?;
        optimizer.update(&mut net, &gradient);
        losses.push(loss);
        if step % 40 == 0 || step + 1 == steps {
            println!("step {:>3}: loss {loss:.5}", step + 1);
        }
    }
    if let [first, .., last] = losses[..]
        && last >= first
    {
        return Err(
            format!("expected a loss below that of the first step, {first}, found {last}").into()
        );
    }
    let mut short = Amplifier::<BLOCK>::zeros();
    short.params_mut().copy_from_slice(net.params());
    Ok(short)
}

/// A sound after the network, and the time of each block.
fn apply(net: &Amplifier<BLOCK>, sound: &[f32]) -> (Vec<f32>, Vec<Duration>) {
    let (mut state, mut wet, mut times) = (State::new(), Vec::new(), Vec::new());
    for samples in sound.chunks(BLOCK) {
        let mut block: Sound<BLOCK> = [[0.0]; BLOCK];
        block.as_flattened_mut()[..samples.len()].copy_from_slice(samples);
        let begin = Instant::now();
        let output = net.forward_from(&mut state, &block);
        times.push(begin.elapsed());
        wet.extend_from_slice(&output.as_flattened()[..samples.len()]);
    }
    (wet, times)
}

/// The same, sample by sample.
fn apply_by_samples(net: &Amplifier<BLOCK>, sound: &[f32]) -> (Vec<f32>, Vec<Duration>) {
    let mut state = State::new();
    let step = |sample: &f32| {
        let begin = Instant::now();
        let [wet] = net.step(&mut state, &[*sample]);
        (wet, begin.elapsed())
    };
    sound.iter().map(step).unzip()
}

/// Prints how long blocks of `samples` samples took.
fn report(mut times: Vec<Duration>, samples: usize) {
    times.sort();
    let [median, worst] =
        [times[times.len() / 2], times[times.len() - 1]].map(|time| time.as_secs_f64());
    let deadline = samples as f64 / f64::from(RATE);
    println!(
        "{} blocks of {samples} samples: median {:.1} us ({:.0} ns per sample), worst {:.1} us; a block lasts {:.0} us",
        times.len(),
        1e6 * median,
        1e9 * median / samples as f64,
        1e6 * worst,
        1e6 * deadline,
    );
}

/// A plucked string: overtones that fade, the higher the faster.
fn pluck(frequency: f32, len: usize) -> Vec<f32> {
    let at = |i: usize| i as f32 / RATE as f32;
    let overtone = |t: f32, n: f32| (TAU * n * frequency * t).sin() * (-3.0 * n * t).exp() / n;
    (0..len).map(|i| 0.4 * (1..8).map(|n| overtone(at(i), n as f32)).sum::<f32>()).collect()
}

/// What the network learns: a high gain that clips, after a filter that removes slow changes.
fn distort(dry: &[f32]) -> Vec<f32> {
    let mut slow = 0.0;
    let clip = |x: &f32| {
        slow += 0.02 * (x - slow);
        0.7 * (6.0 * (x - slow)).tanh()
    };
    dry.iter().map(clip).collect()
}

/// The samples of a WAV file with one channel of 16 bits, from -1 to 1.
fn read_wav(file: &[u8]) -> Result<Vec<f32>, Box<dyn Error>> {
    if file.len() < 44 || &file[..4] != b"RIFF" || &file[8..16] != b"WAVEfmt " {
        return Err("expected a WAV file, found another one".into());
    }
    let number = |at: usize| u16::from_le_bytes([file[at], file[at + 1]]);
    let rate = u32::from(number(24)) | u32::from(number(26)) << 16;
    let found = (number(20), number(22), rate, number(34));
    if found != (1, 1, RATE, 16) {
        let (format, channels, rate, bits) = found;
        return Err(format!(
            "expected 1 channel of 16 bits (format 1), {RATE} samples per second; found {channels} of {bits} bits (format \
             {format}), {rate} samples per second"
        )
        .into());
    }
    // Chunks of a name, a length and bytes; the first is the format, and others may be before the samples.
    let mut rest = &file[12..];
    while let [a, b, c, d, l0, l1, l2, l3, after @ ..] = rest {
        let len = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        let chunk = &after[..len.min(after.len())];
        if [*a, *b, *c, *d] == *b"data" {
            let (samples, _) = chunk.as_chunks::<2>();
            if samples.is_empty() {
                break;
            }
            return Ok(samples
                .iter()
                .map(|s| f32::from(i16::from_le_bytes(*s)) / 32768.0)
                .collect());
        }
        rest = &after[chunk.len().next_multiple_of(2).min(after.len())..];
    }
    Err("expected samples in the WAV file (a chunk `data`), found none".into())
}

/// A WAV file with one channel of 16 bits.
fn wav(samples: &[f32]) -> Vec<u8> {
    let bytes = 2 * samples.len() as u32;
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, one channel.
    [1, 1_u16].iter().for_each(|number| file.extend_from_slice(&number.to_le_bytes()));
    [RATE, 2 * RATE].iter().for_each(|number| file.extend_from_slice(&number.to_le_bytes()));
    [2, 16_u16].iter().for_each(|number| file.extend_from_slice(&number.to_le_bytes()));
    file.extend_from_slice(b"data");
    file.extend_from_slice(&bytes.to_le_bytes());
    let clipped = samples.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32767.0) as i16);
    file.extend(clipped.flat_map(i16::to_le_bytes));
    file
}
