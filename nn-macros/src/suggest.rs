//! "Did you mean": the known name that a misspelt one was meant to be.

use unrolled_shape::Kind;

/// Names of PyTorch and Keras for things that have another name here.
const FOREIGN: [(&str, &str); 93] = [
    ("Linear", "Dense"),
    ("FullyConnected", "Dense"),
    ("Conv", "Conv2d"),
    ("Convolution2D", "Conv2d"),
    ("MaxPool", "MaxPool2d"),
    ("AvgPool", "AvgPool2d"),
    ("AveragePooling2D", "AvgPool2d"),
    ("Convolution3D", "Conv3d"),
    ("AveragePooling3D", "AvgPool3d"),
    ("GlobalAveragePooling3D", "GlobalAvgPool"),
    ("GlobalMaxPooling3D", "GlobalMaxPool"),
    ("GlobalAveragePooling2D", "GlobalAvgPool"),
    ("GlobalMaxPooling2D", "GlobalMaxPool"),
    ("ReflectionPad1d", "Pad1d"),
    ("ReplicationPad1d", "Pad1d"),
    ("ConstantPad1d", "Pad1d"),
    ("ReflectionPad2d", "Pad2d"),
    ("ReplicationPad2d", "Pad2d"),
    ("ConstantPad2d", "Pad2d"),
    ("Conv1DTranspose", "ConvTranspose1d"),
    ("Interpolate", "Upsample"),
    ("BatchNormalization", "BatchNorm"),
    ("LayerNormalization", "LayerNorm"),
    ("GroupNormalization", "GroupNorm"),
    ("Conv2dTranspose", "ConvTranspose2d"),
    ("Conv2DTranspose", "ConvTranspose2d"),
    ("Deconvolution2D", "ConvTranspose2d"),
    ("UpSampling2D", "Upsample"),
    ("UpsamplingNearest2d", "Upsample"),
    ("UpsamplingBilinear2d", "Upsample"),
    ("ScaledStdConv2d", "WSConv2d"),
    ("LayerScale", "Scale"),
    ("SkipInit", "Scale"),
    ("Swish", "SiLU"),
    ("Hardswish", "HardSwish"),
    ("Hardsigmoid", "HardSigmoid"),
    ("Hardtanh", "HardTanh"),
    ("Concatenate", "Concat"),
    ("Cat", "Concat"),
    ("Multiply", "Mul"),
    ("View", "Reshape"),
    ("Subtract", "Sub"),
    ("Divide", "Div"),
    ("Minimum", "Min"),
    ("Maximum", "Max"),
    ("Clamp", "Clip"),
    ("Permute", "Transpose"),
    ("RepeatVector", "RepeatSteps"),
    ("Mean", "Reduce"),
    ("Sum", "Reduce"),
    ("out_features", "units"),
    ("hidden_size", "units"),
    ("return_sequences", "output"),
    ("proj_size", "projection"),
    ("h0", "state"),
    ("h_0", "state"),
    ("hx", "state"),
    ("initial_state", "state"),
    ("c0", "cell"),
    ("c_0", "cell"),
    ("cx", "cell"),
    ("filters", "out_channels"),
    ("channels", "out_channels"),
    ("kernel_size", "kernel"),
    ("pool_size", "kernel"),
    ("rate", "p"),
    ("stddev", "std"),
    ("use_bias", "bias"),
    ("negative_slope", "slope"),
    ("epsilon", "eps"),
    ("elementwise_affine", "affine"),
    ("center", "bias"),
    ("scale", "affine"),
    ("num_groups", "groups"),
    ("num_parameters", "per_channel"),
    ("target_shape", "shape"),
    ("scale_factor", "factor"),
    ("interpolation", "mode"),
    ("upscale_factor", "factor"),
    ("output_size", "size"),
    ("stop", "end"),
    ("learnable", "trained"),
    ("num_layers", "layers"),
    ("num_embeddings", "vocabulary"),
    ("input_dim", "vocabulary"),
    ("embedding_dim", "dimension"),
    ("output_dim", "dimension"),
    ("num_heads", "heads"),
    ("nhead", "heads"),
    ("d_model", "width"),
    ("dim_feedforward", "hidden"),
    ("alpha", "slope"),
    ("activation", "nonlinearity"),
];

/// The name among `known` that was meant by `name`, if one is close or means the same elsewhere.
pub(crate) fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    // The same thing under another name comes first, however different the letters are.
    if let Some(meant) = renamed(name, known.iter().copied()) {
        return Some(meant);
    }
    let plain = simplify(name);
    // With more than a third of its letters changed, it is another word.
    let most = (plain.len() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(&plain, &simplify(candidate)), candidate))
        // As many changes as it has letters make a candidate of any name: `N` is not meant by `K`.
        .filter(|(distance, candidate)| *distance <= most && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The name among `known` of what has this name in other libraries.
pub(crate) fn renamed<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'static str> {
    let (_, meant) = FOREIGN.iter().find(|(foreign, _)| *foreign == name)?;
    known.into_iter().any(|known| known == *meant).then_some(*meant)
}

/// Without capitals and underscores, which are mistaken most often: `Relu`, `Max_Pool2d`.
fn simplify(name: &str) -> Vec<char> {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// How many letters must be inserted, deleted, replaced, or swapped with their neighbour to make
/// `b` of `a` (the optimal string alignment distance).
fn distance(a: &[char], b: &[char]) -> usize {
    // Three rows of the table are enough: a swap looks two rows back.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

/// The words that a padding can be.
pub(crate) const fn padding_words(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Padding | Kind::VolumePadding => &["same"],
        Kind::StepPadding => &["same", "causal"],
        _ => &[],
    }
}

/// The word of a padding that was meant by another word. Words in capitals are names of constants.
pub(crate) fn misspelt_padding(kind: Kind, word: &str) -> Option<&'static str> {
    let known = padding_words(kind);
    let is_word = word.chars().any(char::is_lowercase);
    closest(word, known.iter().copied()).filter(|_| is_word)
}

#[cfg(test)]
mod tests {
    use super::closest;

    const KNOWN: [&str; 6] = ["Dense", "Conv2d", "MaxPool2d", "ReLU", "ELU", "BatchNorm"];

    #[test]
    fn finds_what_was_meant() {
        for (name, meant) in [
            ("Denes", "Dense"),
            ("dense", "Dense"),
            ("Conv2D", "Conv2d"),
            ("Conv", "Conv2d"),
            ("Linear", "Dense"),
            ("MaxPooling2D", "MaxPool2d"),
            ("Relu", "ReLU"),
            ("BatchNorm2d", "BatchNorm"),
            ("Batch_Norm", "BatchNorm"),
        ] {
            assert_eq!(closest(name, KNOWN), Some(meant), "{name}");
        }
    }

    #[test]
    fn is_silent_about_other_names() {
        for name in ["TextEncoder", "Mixer", "X", ""] {
            assert_eq!(closest(name, KNOWN), None, "{name}");
        }
    }
}
