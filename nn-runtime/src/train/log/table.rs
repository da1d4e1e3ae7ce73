//! [`Layers`]: the table of a network's layers in `report.svg`.

use super::chart::{escaped, text};
use crate::contract::LayerInfo;
use crate::order::NetworkInfo;

/// The layers of a network, those of inner networks among them.
pub(super) struct Layers(Vec<Row>);

struct Row {
    name: String,
    kind: &'static str,
    output: String,
    params: usize,
}

/// The height of a row, and the left edges of the columns, in pixels.
pub(super) const ROW: f64 = 16.0;
const COLUMNS: [f64; 4] = [16.0, 176.0, 416.0, 536.0];

/// The characters of names and kinds that fit into their columns.
const CHARACTERS: [usize; 2] = [24, 38];

impl Layers {
    pub(super) fn of(net: &NetworkInfo) -> Self {
        let mut rows = Vec::new();
        add_rows(net.layers, "", &mut rows);
        let (kind, output) = ("", String::new());
        rows.push(Row { name: "total".into(), kind, output, params: net.params });
        Self(rows)
    }

    /// The height of the table.
    pub(super) fn height(&self) -> f64 {
        ROW * (self.0.len() + 2) as f64
    }

    /// Appends the table with its upper edge at `top`.
    pub(super) fn write(&self, top: f64, svg: &mut String) {
        let header = ["layer", "kind", "output", "parameters"].map(str::to_owned);
        write_row(top + ROW, header, svg);
        for (nth, row) in self.0.iter().enumerate() {
            let Row { name, kind, output, params } = row;
            let cells = [
                shortened(name, CHARACTERS[0]),
                shortened(kind, CHARACTERS[1]),
                output.clone(),
                params.to_string(),
            ];
            write_row(top + ROW * (nth + 2) as f64, cells, svg);
        }
    }
}

fn write_row(baseline: f64, cells: [String; 4], svg: &mut String) {
    for (x, cell) in COLUMNS.into_iter().zip(cells) {
        text(svg, [x, baseline], "start", &escaped(&cell));
    }
}

fn add_rows(layers: &[LayerInfo], path: &str, rows: &mut Vec<Row>) {
    for layer in layers {
        let name = format!("{path}{}", layer.name);
        if layer.inner.is_empty() {
            let output = layer.output.to_string();
            rows.push(Row { name, kind: layer.kind, output, params: layer.params });
        } else {
            add_rows(layer.inner, &format!("{name}."), rows);
        }
    }
}

/// The end of a name of more than `most` characters: layers differ there.
pub(super) fn shortened(name: &str, most: usize) -> String {
    let count = name.chars().count();
    if count <= most {
        return name.to_owned();
    }
    "…".chars().chain(name.chars().skip(count - most + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn long_names_keep_their_end() {
        assert_eq!(shortened("conv1", 5), "conv1");
        assert_eq!(shortened("stage1.0.conv2d", 8), "….conv2d");
    }
}
