//! [`Network::summary`]: the table of a network's layers.

use crate::{LayerInfo, Network};
use nn_shape::Text;
use std::iter;

/// One line: name, kind, output, parameters, multiply-adds.
type Line = [String; 5];

/// See [`Network::summary`].
pub(crate) fn of<N: Network>() -> String {
    let head = ["layer", "kind", "output", "parameters", "multiply-adds"].map(String::from);
    let total =
        ["total".into(), String::new(), String::new(), grouped(N::PARAMS), grouped(N::MACS)];
    let mut lines = vec![head];
    add_lines(N::LAYERS, 0, &mut lines);
    lines.push(total);
    let statistics = match N::LEN - N::PARAMS {
        0 => String::new(),
        count => format!(" and {} running statistics", grouped(count)),
    };
    format!(
        "{}: {} -> {}\n{}\
         weights: {} trained numbers{statistics}, {} bytes\n\
         memory for a sample: {} bytes, {} in training\n",
        name(std::any::type_name::<N>()),
        N::INPUTS.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        N::OUTPUT,
        table(&lines),
        grouped(N::PARAMS),
        grouped(N::PARAM_BYTES),
        grouped(N::WORKSPACE_BYTES),
        grouped(N::TRAIN_BYTES),
    )
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

/// Lines in columns, words to the left and numbers to the right, with rules below the head and above
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
    let Some((head, layers)) = lines.split_first() else { return String::new() };
    let Some((total, layers)) = layers.split_last() else { return String::new() };
    let layers: String = layers.iter().map(text).collect();
    [text(head), rule.clone(), layers, rule, text(total)].concat()
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
