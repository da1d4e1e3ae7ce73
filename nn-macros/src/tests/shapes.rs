//! What is said about shapes, and that dependent mistakes are not told.

use super::assert_told;

const DIGITS: &str = "
    /// The walkthrough's handwritten-digit classifier.
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
    assert_told(DIGITS, &[]);
    assert_told(
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
