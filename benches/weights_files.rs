//! Loading and saving the 498 MB of a GPT-2, beside the crate `safetensors` alone: prints seconds and the peak of memory, the
//! medians of several processes.
//!
//!     weights_files FILE     # written if it does not exist
//!
//! The file to load is in the page cache.

use safetensors::SafeTensors;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};
use unrolled::prelude::*;

network! {
    /// GPT-2 with 124 million weights (Radford et al., 2019), without the last layer, which has the weights of the first.
    #[allow(large_output_on_stack, reason = "nothing is computed")]
    struct Gpt2(1024) -> 1024x768 {
        wte: Embedding(50257, 768),
        wpe: PositionalEmbedding,
        h: Repeat(12) { _: TransformerEncoder(768, heads = 12, hidden = 3072, causal = true) },
        ln_f: LayerNorm,
    }
}

/// Processes for each figure.
const RUNS: usize = 7;

/// What a process measures: its name, and the seconds that it takes with the file.
type Task = (&'static str, fn(&Path) -> f64);

const TASKS: [Task; 5] = [
    ("load", |path| seconds(|| Gpt2::load(path).expect("weights"))),
    ("load, safetensors: bytes in memory", |path| seconds(|| parsed(path))),
    ("load, safetensors: copied to a vector for each tensor", |path| seconds(|| copied(path))),
    ("save", |path| {
        let (net, copy) = (Gpt2::load(path).expect("weights"), path.with_extension("copy"));
        let seconds = seconds(|| net.save(&copy).expect("a writable folder"));
        fs::remove_file(copy).expect("a file");
        seconds
    }),
    // `net.save` returns when the file is on the disk.
    ("save, safetensors: bytes in memory, and `sync_all`", |path| {
        let (bytes, copy) = (parsed(path), path.with_extension("copy"));
        let tensors = SafeTensors::deserialize(&bytes).expect("a safetensors file").tensors();
        let save = || safetensors::serialize_to_file(tensors, None, &copy);
        let sync = || fs::File::open(&copy)?.sync_all();
        let seconds = seconds(|| (save().expect("a writable folder"), sync().expect("a disk")));
        fs::remove_file(copy).expect("a file");
        seconds
    }),
];

/// The bytes of the file, whose header is valid.
fn parsed(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a file");
    black_box(SafeTensors::deserialize(&bytes).expect("a safetensors file"));
    bytes
}

/// The tensors of the file as floats.
fn copied(path: &Path) -> Vec<Vec<f32>> {
    let bytes = fs::read(path).expect("a file");
    let tensors = SafeTensors::deserialize(&bytes).expect("a safetensors file").tensors();
    let floats =
        |data: &[u8]| data.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect();
    tensors.iter().map(|(_, tensor)| floats(tensor.data())).collect()
}

/// Seconds of a call.
fn seconds<T>(call: impl FnOnce() -> T) -> f64 {
    let begin = Instant::now();
    black_box(call());
    begin.elapsed().as_secs_f64()
}

/// The largest memory that this process has used, in MB.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1.024e-3
}

/// The seconds and the peak of a task in a process of its own.
fn run(file: &str, task: usize) -> [f64; 2] {
    let program = env::current_exe().expect("the path of this program");
    let output = Command::new(program).args([file, &task.to_string()]).output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let numbers: Vec<f64> =
        text.split_whitespace().map(|it| it.parse().expect("a number")).collect();
    [numbers[0], numbers[1]]
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [file] => {
            if !Path::new(file).exists() {
                Gpt2::new(1).save(file).expect("a writable folder");
            }
            println!("{:54} {:>8} {:>8}", "", "seconds", "peak, MB");
            // They take turns, so that all see the same load of the machine.
            let runs: Vec<Vec<[f64; 2]>> =
                (0..RUNS).map(|_| (0..TASKS.len()).map(|task| run(file, task)).collect()).collect();
            for (task, (name, _)) in TASKS.iter().enumerate() {
                let column = |i: usize| median(runs.iter().map(|run| run[task][i]));
                println!("{name:54} {:8.2} {:8.0}", column(0), column(1));
            }
        }
        [file, task] => {
            let (_, task) = TASKS[task.parse::<usize>().expect("the index of a task")];
            println!("{} {}", task(Path::new(file)), peak());
        }
        _ => println!("usage: weights_files FILE"),
    }
}
