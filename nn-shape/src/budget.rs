//! [`LayerMemory`]: the memory of a network layer by layer, compared with what a device has.

use crate::error::ShapeError;
use crate::shape::Shape;
use crate::text::Text;

/// What one layer uses at inference on one sample. Counts are elements of 4 bytes.
#[derive(Clone, Copy, Debug)]
pub struct LayerMemory {
    /// Its name in messages.
    pub layer: &'static str,
    /// Its inputs.
    pub input: usize,
    /// Its output.
    pub output: usize,
    /// All values that are in memory while it runs: its own, those for later layers, inputs and outputs of the network.
    pub values: usize,
    /// Its working memory.
    pub working: usize,
    /// Its weights.
    pub weights: usize,
}

/// The bytes of an element.
const ELEMENT: usize = size_of::<f32>();

/// Compares the memory of inference, `needed` elements, with a limit in bytes. Returns a shape of no meaning, as other
/// checks in expanded code.
///
/// # Errors
/// When it needs more: with the layer at which memory peaks.
pub const fn check_ram(
    layers: &[LayerMemory],
    needed: usize,
    limit: usize,
) -> Result<Shape, ShapeError> {
    let needed = needed.saturating_mul(ELEMENT);
    if needed <= limit {
        return Ok(Shape::new(&[]));
    }
    let message = Text::of("needs ").number(needed).text(" bytes of memory for inference, but ");
    let message = message.text("`ram` allows ").number(limit);
    let error = ShapeError::layer(message).about(Text::of("the network"));
    let Some(peak) = peak(layers) else { return Err(error) };
    let LayerMemory { layer, input, output, values, working, .. } = peak;
    let others = values.saturating_sub(input + output);
    let how = Text::of("memory peaks at layer ").quoted(layer).text(": its input has ");
    let how = how.number(input * ELEMENT).text(" bytes, its output ").number(output * ELEMENT);
    let how = how.text(", its working memory ").number(working * ELEMENT);
    let how = how.text(", other values ").number(others * ELEMENT);
    let help = if others >= input && others >= output && others >= working {
        Text::of(
            "values for later layers, such as those of skip connections, take most of it: give them fewer channels",
        )
    } else if working >= input && working >= output {
        Text::of("its working memory takes most of it: make this layer smaller")
    } else if input >= output {
        Text::of(
            "put a pool before it, or fewer channels or a larger stride into the layer before it",
        )
    } else {
        Text::of("give it fewer channels or a larger stride")
    };
    Err(error.how(how).help(help))
}

/// Compares the weights of all layers, of so many bytes each, with a limit in bytes.
///
/// # Errors
/// When there are more: with the layer that has most of them.
pub const fn check_flash(
    layers: &[LayerMemory],
    bytes: usize,
    limit: usize,
) -> Result<Shape, ShapeError> {
    let (mut all, mut most, mut nth) = (0_usize, 0, 0);
    while nth < layers.len() {
        all = all.saturating_add(layers[nth].weights.saturating_mul(bytes));
        if layers[nth].weights > layers[most].weights {
            most = nth;
        }
        nth += 1;
    }
    if all <= limit {
        return Ok(Shape::new(&[]));
    }
    let LayerMemory { layer, weights, .. } = layers[most];
    let message = Text::of("has ").number(all).text(" bytes of weights, but `flash` allows ");
    let how = Text::of("layer ").quoted(layer).text(" has ").number(weights * bytes);
    let how = how.text(" bytes of them, more than any other");
    let help = Text::of("give it fewer features or channels, or a pool before it");
    let error = ShapeError::layer(message.number(limit)).about(Text::of("the network"));
    Err(error.how(how).help(help))
}

/// The layer during which most memory is in use.
const fn peak(layers: &[LayerMemory]) -> Option<LayerMemory> {
    let (mut peak, mut nth) = (None, 0);
    while nth < layers.len() {
        let it = layers[nth];
        peak = match peak {
            None => Some(it),
            Some(LayerMemory { values, working, .. })
                if it.values + it.working > values + working =>
            {
                Some(it)
            }
            before => before,
        };
        nth += 1;
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::testing::refusal;

    const fn layer(layer: &'static str, numbers: [usize; 5]) -> LayerMemory {
        let [input, output, values, working, weights] = numbers;
        LayerMemory { layer, input, output, values, working, weights }
    }

    const LAYERS: [LayerMemory; 3] = [
        layer("conv1", [100, 400, 510, 0, 90]),
        layer("conv2", [400, 300, 720, 10, 900]),
        layer("fc", [300, 10, 320, 0, 3000]),
    ];

    #[test]
    fn names_the_layer_at_which_memory_peaks() {
        assert!(check_ram(&LAYERS, 730, 2920).is_ok());
        let (_, words) = refusal(check_ram(&LAYERS, 730, 2919));
        assert_eq!(
            words,
            "the network needs 2920 bytes of memory for inference, but `ram` allows 2919\n  \
             = note: memory peaks at layer `conv2`: its input has 1600 bytes, its output 1200, its working \
             memory 40, other values 80\n  \
             = help: put a pool before it, or fewer channels or a larger stride into the layer before it"
        );
    }

    #[test]
    fn names_what_takes_most() {
        let about = |numbers, help: &str| {
            let (_, words) = refusal(check_ram(&[layer("it", numbers)], 1000, 1));
            assert!(words.contains(help), "{words}");
        };
        about([10, 20, 30, 0, 0], "give it fewer channels or a larger stride");
        about([10, 20, 90, 0, 0], "values for later layers");
        about([10, 20, 30, 40, 0], "its working memory takes most of it");
    }

    #[test]
    fn weights_have_two_bytes_in_half_precision() {
        assert!(check_flash(&LAYERS, 2, 2 * 3990).is_ok());
        let (_, words) = refusal(check_flash(&LAYERS, 2, 2 * 3990 - 1));
        assert!(words.contains("has 7980 bytes") && words.contains("has 6000 bytes of them"));
    }

    #[test]
    fn names_the_layer_with_most_weights() {
        assert!(check_flash(&LAYERS, 4, 4 * 3990).is_ok());
        let (_, words) = refusal(check_flash(&LAYERS, 4, 10_000));
        assert_eq!(
            words,
            "the network has 15960 bytes of weights, but `flash` allows 10000\n  \
             = note: layer `fc` has 12000 bytes of them, more than any other\n  \
             = help: give it fewer features or channels, or a pool before it"
        );
    }
}
