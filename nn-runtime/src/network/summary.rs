//! [`InferenceExt::summary`](crate::InferenceExt::summary): the table of a network's layers.

use crate::contract::{LayerInfo, Network};
use crate::order::file_tensors;
#[cfg(feature = "train")]
use crate::step;
use crate::types::{OutputInfo, Tensor};
use std::iter;
use unrolled_shape::{Shape, Text};

/// A row of the table: name, kind, output, parameters, multiply-adds.
type Row = [String; 5];

/// The facts of a network in its summary. The table is written from them by code that is not generic, and so compiled
/// once instead of with each network.
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

/// See [`InferenceExt::summary`](crate::InferenceExt::summary).
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
        #[cfg(feature = "train")]
        training_bytes: step::train_len::<N>() * size_of::<f32>(),
        #[cfg(not(feature = "train"))]
        training_bytes: 0,
        tensors: file_tensors::<N>().tensors,
    })
}

fn text(net: &Facts) -> String {
    let header = ["layer", "kind", "output", "parameters", "multiply-adds"].map(String::from);
    let [params, macs] = [net.params, net.macs].map(grouped);
    let mut rows = vec![header];
    add_rows(net.layers, 0, &mut rows);
    rows.push(["total".into(), String::new(), String::new(), params.clone(), macs]);
    let statistics = match net.statistics {
        0 => String::new(),
        count => format!(" and {} running statistics", grouped(count)),
    };
    let inputs: Vec<String> = net.inputs.iter().map(ToString::to_string).collect();
    let bytes = [net.weight_bytes, net.inference_bytes, net.training_bytes].map(grouped);
    format!(
        "{}: {} -> {}\n{}\
         weights: {params} trained values{statistics}, {} bytes\n\
         {}memory for a sample: {} bytes, {} in training\n",
        name(net.name),
        inputs.join(", "),
        outputs(net),
        table(&rows),
        bytes[0],
        shared(&net.tensors),
        bytes[1],
        bytes[2],
    )
}

/// A line for each weight that a layer shares with its owner.
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

/// Appends a row for each layer. The layers of a network inside follow it, indented.
fn add_rows(layers: &[LayerInfo], depth: usize, rows: &mut Vec<Row>) {
    for layer in layers {
        rows.push([
            format!("{:1$}{2}", "", 2 * depth, layer.name),
            layer.kind.into(),
            layer.output.to_string(),
            grouped(layer.params),
            grouped(layer.macs),
        ]);
        add_rows(layer.inner, depth + 1, rows);
    }
}

/// Aligns rows in columns, text to the left and numbers to the right, with rules below the header and above the total.
fn table(rows: &[Row]) -> String {
    let widths: [usize; 5] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1)) + "\n";
    let text = |row: &Row| {
        let cells = iter::zip(row, widths).enumerate().map(|(column, (cell, width))| {
            if column < 3 { format!("{cell:width$}  ") } else { format!("{cell:>width$}  ") }
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    let Some((header, layers)) = rows.split_first() else { return String::new() };
    let Some((total, layers)) = layers.split_last() else { return String::new() };
    let layers: String = layers.iter().map(text).collect();
    [text(header), rule.clone(), layers, rule, text(total)].concat()
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
