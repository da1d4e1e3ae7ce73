//! The module of `index.html`: a network that classifies drawn digits, shows the activations of its layers, and learns in
//! the page.
//!
//! Functions have numbers as arguments and results. Arrays are in the module's memory, where the page reads and writes
//! them at an address that a function returns: no generated bindings are needed.

#[cfg(feature = "train")]
mod learning;

use std::cell::RefCell;
use unrolled::prelude::*;

network! {
    /// Edges in an image.
    pub struct Edges(28x28x1) -> 13x13x32 { Conv2d(32, kernel = 3), ReLU, MaxPool2d(2) }

    /// Parts of digits.
    pub struct Shapes(13x13x32) -> 5x5x64 { Conv2d(64, kernel = 3), ReLU, MaxPool2d(2) }

    /// Features of the whole image.
    pub struct Features(5x5x64) -> 128 { Flatten, Dense(128), ReLU }

    /// A score for each digit.
    pub struct Scores(128) -> 10 { Dropout(0.5), Dense(10) }

    /// The network of the example `digits`, as four networks: each one's output is visible.
    pub struct Digits(28x28x1) -> 10 { edges: Edges, shapes: Shapes, features: Features, scores: Scores }
}

/// A network, its input and the output of each part.
struct Page {
    net: Box<Digits>,
    image: [[[f32; 1]; 28]; 28],
    edges: Box<[[[f32; 32]; 13]; 13]>,
    shapes: Box<[[[f32; 64]; 5]; 5]>,
    features: [f32; 128],
    scores: [f32; 10],
    #[cfg(feature = "train")]
    learning: learning::Learning,
}

thread_local! {
    static PAGE: RefCell<Page> = RefCell::new(Page {
        #[cfg(feature = "train")]
        net: Digits::new(1),
        #[cfg(not(feature = "train"))]
        net: Digits::zeros(),
        image: [[[0.0]; 28]; 28],
        edges: Values::zeroed_box(),
        shapes: Values::zeroed_box(),
        features: [0.0; 128],
        scores: [0.0; 10],
        #[cfg(feature = "train")]
        learning: learning::Learning::new(),
    });
}

/// The address of the weights, one `f32` after the other.
#[unsafe(no_mangle)]
extern "C" fn weights() -> *mut f32 {
    PAGE.with_borrow_mut(|page| page.net.params_mut().as_mut_ptr())
}

/// The number of weights.
#[unsafe(no_mangle)]
extern "C" fn weights_len() -> usize {
    PAGE.with_borrow(|page| page.net.params().len())
}

/// The address of the image: 28 rows of 28 values from 0 to 1.
#[unsafe(no_mangle)]
extern "C" fn image() -> *mut f32 {
    PAGE.with_borrow_mut(|page| page.image.as_floats_mut().as_mut_ptr())
}

/// The address of a layer's activations in the last image, channels last: 13x13x32, 5x5x64, 128, and the ten scores.
#[unsafe(no_mangle)]
extern "C" fn activations(layer: usize) -> *const f32 {
    PAGE.with_borrow(|page| match layer {
        0 => page.edges.as_floats().as_ptr(),
        1 => page.shapes.as_floats().as_ptr(),
        2 => page.features.as_ptr(),
        _ => page.scores.as_ptr(),
    })
}

/// Classifies the image, and returns the digit with the highest score.
#[unsafe(no_mangle)]
extern "C" fn classify() -> usize {
    PAGE.with_borrow_mut(|page| {
        page.net.edges.forward_into(&page.image, &mut page.edges);
        page.net.shapes.forward_into(&page.edges, &mut page.shapes);
        page.features = page.net.features.forward(&page.shapes);
        page.scores = page.net.scores.forward(&page.features);
        let highest = page.scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        highest.map_or(0, |(digit, _)| digit)
    })
}
