//! What is said about shapes, and that dependent mistakes are not messages.

use super::{assert_about, assert_lines, assert_messages};

const DIGITS: &str = "
    /// Classifies handwritten digits.
    pub struct Digits(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3)    -> 26x26x32,
        ReLU,
        MaxPool2d(2)                     -> 13x13x32,
        conv2: Conv2d(64, kernel = 3)    -> 11x11x64,
        ReLU,
        MaxPool2d(2)                     -> 5x5x64,
        Flatten                          -> 1600,
        fc1: Dense(128),
        ReLU,
        Dropout(0.5),
        fc2: Dense(10),
    }";

#[test]
fn a_wrong_arrow_on_flatten() {
    assert_messages(DIGITS, &[]);
    assert_messages(
        &DIGITS.replace("1600", "1568"),
        &[(
            "1568",
            "layer `fc1` takes 1568 values, but `Flatten` gives 5x5x64 = 1600\n  \
             = help: write `-> 1600`, or drop the arrow and let the size be inferred\n  \
             = trace: 28x28x1 -conv1-> 26x26x32 -MaxPool2d-> 13x13x32 \
             -conv2-> 11x11x64 -MaxPool2d-> 5x5x64 -Flatten-> 1600",
        )],
    );
}

/// The lines of a network, and its mistakes.
#[track_caller]
fn lines(lines: &str, expected: &[(&str, &str)]) {
    assert_messages(&format!("struct Net(28x28x1) -> 10 {{ {lines} }}"), expected);
}

#[test]
fn a_mistake_of_the_layer_is_reported_at_the_layer() {
    lines(
        "MaxPool2d(2), conv2: Conv2d(8, kernel = 15), Flatten, Dense(10)",
        &[(
            "15",
            "layer `conv2` has a kernel of 15, but its input is only 14 high\n  \
             = note: (14 + 2*0 - 15)/1 + 1 is less than 1\n  \
             = help: a kernel of at most 14 fits, or write `padding = 1`\n  \
             = trace: 28x28x1 -MaxPool2d-> 14x14x1",
        )],
    );
    assert_lines(
        "Flatten, Conv2d(8, kernel = 3), Flatten, Dense(10)",
        &[("Conv2d", "but gets 784")],
    );
}

#[test]
fn what_follows_from_a_mistake_is_not_reported() {
    lines(
        "Dens(3), Conv2d(8, 99), Dense(9)",
        &[("Dens", "there is no layer `Dens`: did you mean `Dense`?")],
    );
}

#[test]
fn an_arrow_says_how_to_go_on() {
    assert_lines(
        "Dens(3) -> 14x14x1, pool: MaxPool2d(20), Flatten -> 99, Dense(0), Dense(11)",
        &[
            ("Dens", "there is no layer `Dens`: did you mean `Dense`?"),
            ("20", "layer `pool` has a kernel of 20"),
            ("0", "layer `Dense` has 0 units, but needs at least 1\n  = trace: .. 99"),
        ],
    );
}

#[test]
fn arrows() {
    lines(
        "conv1: Conv2d(8, kernel = 3) -> 25x25x8, Flatten, Dense(10)",
        &[(
            "25x25x8",
            "layer `conv1` gives 26x26x8, but its arrow says 25x25x8\n  \
             = note: (28 + 2*0 - 3)/1 + 1 = 26\n  \
             = help: write `-> 26x26x8`, or drop the arrow and let the shape be inferred\n  \
             = trace: 28x28x1 -conv1-> 26x26x8",
        )],
    );
    // Behind a block or a repeat it is that of the last layer inside.
    assert_lines(
        "b: Repeat(2) { Conv2d(1, kernel = 3) } -> 20x20x1, Flatten, Dense(10)",
        &[("20x20x1", "layer `b.1.conv2d` gives 24x24x1, but its arrow says 20x20x1")],
    );
    // Told once, although each copy gives something else.
    assert_lines(
        "b: Repeat(2) { Conv2d(1, kernel = 3), ReLU -> 24x24x1 }, Flatten, Dense(10)",
        &[("24x24x1", "layer `b.0.relu` gives 26x26x1, but its arrow says 24x24x1")],
    );
}

#[test]
fn headers() {
    assert_messages(
        "struct Net(0x28x1) -> 10 { Flatten, Dense(10) }".replace("0x28x1", "[0, 28, 1]").as_str(),
        &[("[0, 28, 1]", "the network takes 0x28x1, but every axis needs at least 1")],
    );
    lines(
        "Flatten, Dense(12)",
        &[(
            "10",
            "the network gives 12, but its header promises 10\n  \
             = help: write `-> 12` in the header, or let the last layer give 10\n  \
             = trace: 28x28x1 -Flatten-> 784 -Dense-> 12",
        )],
    );
}

#[test]
fn joins() {
    assert_lines(
        "Concat { { Conv2d(8, kernel = 3) }, {} }, Flatten, Dense(10)",
        &[("{}", "branch 1 gives 26x26x8 and branch 2 gives 28x28x1")],
    );
    lines(
        "Residual { Conv2d(8, kernel = 3, padding = 1) }, Flatten, Dense(10)",
        &[(
            "Residual",
            "layer `Residual` adds its input and its body, but the input is 28x28x1 and the body gives 28x28x8\n  \
             = help: add `skip { Conv2d(8, kernel = 1) }`, which gives 28x28x8\n  \
             = trace: 28x28x1 -Conv2d-> 28x28x8",
        )],
    );
    assert_about(
        "block Down(channels) { Residual { Conv2d(channels, kernel = 3) } skip { Conv2d(channels, 1) } }
         struct Net(28x28x1) -> 10 { first: Down(8), Flatten, Dense(10) }",
        &[("Residual", "layer `first.residual` adds its body and its `skip`")],
    );
}

#[test]
fn long_traces_show_their_end() {
    let convolutions = "Conv2d(4, kernel = 3, padding = 1), ".repeat(20);
    let end = "= trace: .. 28x28x4 -Conv2d-> ";
    assert_lines(&format!("{convolutions} Flatten -> 1, Dense(10)"), &[("1", end)]);
}
