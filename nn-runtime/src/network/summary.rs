//! [`Network::summary`]: the table of a network's layers.

use crate::contract::{LayerInfo, Network, Node};
#[cfg(feature = "train")]
use crate::step;
use crate::types::{OutputInfo, Tensor};
use std::iter;
use unrolled_shape::{Shape, Text};

/// One line: name, kind, output, parameters, multiply-adds.
type Line = [String; 5];

/// What is told of a network. Of its type nothing more is needed: the table is written by code that
/// is compiled once, not with every network.
struct Facts {
    name: &'static str,
    inputs: &'static [Shape],
    output: Shape,
    outputs: &'static [OutputInfo],
    layers: &'static [LayerInfo],
    params: usize,
    macs: usize,
    statistics: usize,
    weight_bytes: usize,
    inference_bytes: usize,
    training_bytes: usize,
    tensors: Vec<Tensor>,
}

/// See [`Network::summary`].
pub(crate) fn of<N: Network>() -> String {
    text(&Facts {
        name: std::any::type_name::<N>(),
        inputs: N::INPUTS,
        output: N::OUTPUT,
        outputs: N::OUTPUTS,
        layers: N::LAYERS,
        params: N::PARAMS,
        macs: N::MACS,
        statistics: N::LEN - N::PARAMS,
        weight_bytes: N::PARAM_BYTES,
        inference_bytes: N::WORKSPACE_BYTES,
        training_bytes: train_bytes::<N>(),
        tensors: <N as Node<crate::contract::Root>>::tensors(),
    })
}

/// Bytes of memory that a training step uses per sample; none without training code.
const fn train_bytes<N: Network>() -> usize {
    #[cfg(feature = "train")]
    return step::train_len::<N>() * size_of::<f32>();
    #[cfg(not(feature = "train"))]
    return 0;
}

fn text(net: &Facts) -> String {
    let output = ["layer", "kind", "output", "parameters", "multiply-adds"].map(String::from);
    let [params, macs] = [net.params, net.macs].map(grouped);
    let mut lines = vec![output];
    add_lines(net.layers, 0, &mut lines);
    lines.push(["total".into(), String::new(), String::new(), params.clone(), macs]);
    let statistics = match net.statistics {
        0 => String::new(),
        count => format!(" and {} running statistics", grouped(count)),
    };
    let inputs: Vec<String> = net.inputs.iter().map(ToString::to_string).collect();
    let bytes = [net.weight_bytes, net.inference_bytes, net.training_bytes].map(grouped);
    format!(
        "{}: {} -> {}\n{}\
         weights: {params} trained numbers{statistics}, {} bytes\n\
         {}memory for a sample: {} bytes, {} in training\n",
        name(net.name),
        inputs.join(", "),
        outputs(net),
        table(&lines),
        bytes[0],
        shared(&net.tensors),
        bytes[1],
        bytes[2],
    )
}

/// A line for each weight that a layer has from another one.
fn shared(tensors: &[Tensor]) -> String {
    let one = |tensor: &Tensor| {
        let owner = tensors.iter().find(|owner| owner.is_weight_of(tensor))?;
        Some(format!("shared: `{}` is `{}`, and counted there\n", tensor.name, owner.name))
    };
    tensors.iter().filter(|tensor| tensor.shared).filter_map(one).collect()
}

/// `10`, or `digit 10, place 2`.
fn outputs(net: &Facts) -> String {
    let outputs: Vec<String> =
        net.outputs.iter().map(|output| format!("{} {}", output.name, output.shape)).collect();
    if outputs.is_empty() { net.output.to_string() } else { outputs.join(", ") }
}

/// A type's name without its path: `Digits`, `Mlp<64>`.
fn name(path: &str) -> &str {
    let end = path.find('<').unwrap_or(path.len());
    path[..end].rfind("::").map_or(path, |colons| &path[colons + 2..])
}

/// A line for each layer; those of a network inside stand below it, further to the right.
fn add_lines(layers: &[LayerInfo], depth: usize, lines: &mut Vec<Line>) {
    for layer in layers {
        lines.push([
            format!("{:1$}{2}", "", 2 * depth, layer.name),
            layer.kind.into(),
            layer.output.to_string(),
            grouped(layer.params),
            grouped(layer.macs),
        ]);
        add_lines(layer.inner, depth + 1, lines);
    }
}

/// Lines in columns, words to the left and numbers to the right, with rules below the output and above
/// the total.
fn table(lines: &[Line]) -> String {
    let widths: [usize; 5] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1)) + "\n";
    let text = |line: &Line| {
        let cells = iter::zip(line, widths).enumerate().map(|(column, (cell, width))| {
            if column < 3 { format!("{cell:width$}  ") } else { format!("{cell:>width$}  ") }
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    let Some((output, layers)) = lines.split_first() else { return String::new() };
    let Some((total, layers)) = layers.split_last() else { return String::new() };
    let layers: String = layers.iter().map(text).collect();
    [text(output), rule.clone(), layers, rule, text(total)].concat()
}

/// `225,034`
fn grouped(number: usize) -> String {
    Text::new().grouped(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_path_alone() {
        assert_eq!(name("digits::Digits"), "Digits");
        assert_eq!(name("a::b::Mlp<64>"), "Mlp<64>");
        assert_eq!(name("Wrapped<a::b::C>"), "Wrapped<a::b::C>");
    }
}
