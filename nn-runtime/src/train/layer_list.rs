//! [`layer_list`]: the layers of a network, as runs compare them.

use crate::contract::LayerInfo;

/// Name, and arguments and output, of each layer of a network, those of inner networks among them.
pub(super) fn layer_list(layers: &[LayerInfo]) -> Vec<(String, String)> {
    fn add(layers: &[LayerInfo], path: &str, all: &mut Vec<(String, String)>) {
        for layer in layers {
            let name = format!("{path}{}", layer.name);
            all.push((name.clone(), format!("{} -> {}", layer.kind, layer.output)));
            add(layer.inner, &format!("{name}."), all);
        }
    }
    let mut all = Vec::new();
    add(layers, "", &mut all);
    all
}
