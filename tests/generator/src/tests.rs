//! Every layer and every form of the language is drawn, and the same network for the same seed.

use super::*;
use unrolled_shape::registry::ROWS;

fn sources() -> Vec<String> {
    (0..200).map(|seed| print::print(&draw::draw(seed))).collect()
}

#[test]
fn the_same_seed_gives_the_same_network() {
    assert_eq!(print::print(&draw::draw(7)), print::print(&draw::draw(7)));
    assert_ne!(print::print(&draw::draw(7)), print::print(&draw::draw(8)));
}

#[test]
fn every_layer_and_argument_is_drawn_often() {
    let sources = sources();
    for row in ROWS {
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
        "Repeat(2)",
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
        "same",
        "in2: ",
    ];
    for form in forms {
        let used = sources.iter().filter(|source| source.contains(form)).count();
        assert!(used >= 4, "`{form}`: {used} times");
    }
}
