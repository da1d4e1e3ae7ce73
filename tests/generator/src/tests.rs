//! Every layer and every form of the language is drawn, and the same network for the same seed.

use super::*;
use unrolled_shape::registry::ROWS;

fn sources() -> Vec<String> {
    (0..400).map(|seed| print::print(&draw::draw(seed))).collect()
}

#[test]
fn the_same_seed_gives_the_same_network() {
    assert_eq!(print::print(&draw::draw(7)), print::print(&draw::draw(7)));
    assert_ne!(print::print(&draw::draw(7)), print::print(&draw::draw(8)));
}

#[test]
fn every_layer_and_argument_is_drawn_often() {
    let sources = sources();
    for row in ROWS.iter().filter(|row| !draw::NOT_DRAWN.contains(&row.name)) {
        let used = sources.iter().filter(|source| source.contains(row.name)).count();
        assert!(used >= 5, "{}: {used} times", row.name);
    }
}

#[test]
fn every_form_is_drawn_often() {
    let sources = sources();
    let forms = [
        "Residual",
        "skip",
        "Repeat(3)",
        "Repeat(2, shared = true)",
        "PerStep",
        "block Block0()",
        "p0 = ",
        "p1 = p0",
        "p0 + ",
        "=> {",
        "struct Inner0",
        "const SIZE",
        "N3",
        "{ N2 + 1 }",
        "-> [",
        "line",
        "state = ",
        "memory = ",
        "same",
        "in2: ",
    ];
    for form in forms {
        let used = sources.iter().filter(|source| source.contains(form)).count();
        assert!(used >= 4, "`{form}`: {used} times");
    }
}

/// Of blocks, repeats and nested networks, descriptions have the layers, in the order of their weights.
#[test]
fn descriptions_have_all_layers() {
    fn outputs(nodes: &[Node], all: &mut Vec<String>) {
        for Node { output, inner, .. } in nodes {
            match inner.is_empty() {
                true => all.push(format!("\"output\": {:?}}}", output.dims())),
                false => outputs(inner, all),
            }
        }
    }
    for seed in 0..200 {
        let file = draw::draw(seed);
        let network = file.networks.last().expect("a network");
        let mut expected = Vec::new();
        outputs(&evaluate(&file, network).expect("a network that was drawn"), &mut expected);
        let description = describe::describe(&file, network);
        // A `PerStep` is the view that ends it.
        let layers = description.split("\"kind\": ").skip(1);
        let found: Vec<&str> = layers
            .filter(|layer| !layer.starts_with("\"OneStep\""))
            .map(|layer| {
                let at = layer.find("\"output\": [").expect("an output");
                &layer[at..at + layer[at..].find('}').expect("an end") + 1]
            })
            .collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}
