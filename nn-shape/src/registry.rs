//! The table of all layers, in which the macro finds a layer by its name.
//!
//! Rules do not import this module, only `row`, so that modules form no cycle.

pub use crate::row::{
    Channels, ChannelsOf, Count, Features, Flow, Flows, How, Inputs, Needs, Row, Rule, Size, Steps,
    StepsFor, Storage, Streaming, Tensors,
};
use crate::rules;

/// The layer of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().copied().find(|row| row.name == name)
}

/// Every layer of the language, in the order of the documentation.
pub static ROWS: &[&Row] = &[
    &rules::dense::ROW,
    &rules::wn_dense::ROW,
    &rules::sn_dense::ROW,
    &rules::conv2d::ROW,
    &rules::ws_conv2d::ROW,
    &rules::wn_conv2d::ROW,
    &rules::sn_conv2d::ROW,
    &rules::conv_transpose2d::ROW,
    &rules::max_pool2d::ROW,
    &rules::avg_pool2d::ROW,
    &rules::adaptive_avg_pool2d::ROW,
    &rules::adaptive_max_pool2d::ROW,
    &rules::global_avg_pool::ROW,
    &rules::global_max_pool::ROW,
    &rules::upsample::ROW,
    &rules::pixel_shuffle::ROW,
    &rules::pad2d::ROW,
    &rules::conv3d::ROW,
    &rules::max_pool3d::ROW,
    &rules::avg_pool3d::ROW,
    &rules::adaptive_avg_pool3d::ROW,
    &rules::adaptive_max_pool3d::ROW,
    &rules::conv1d::ROW,
    &rules::wn_conv1d::ROW,
    &rules::sn_conv1d::ROW,
    &rules::max_pool1d::ROW,
    &rules::avg_pool1d::ROW,
    &rules::adaptive_avg_pool1d::ROW,
    &rules::adaptive_max_pool1d::ROW,
    &rules::conv_transpose1d::ROW,
    &rules::pad1d::ROW,
    &rules::rnn::ROW,
    &rules::lstm::ROW,
    &rules::gru::ROW,
    &rules::multi_head_attention::ROW,
    &rules::embedding::ROW,
    &rules::positional_embedding::ROW,
    &rules::positional_encoding::ROW,
    &rules::class_token::ROW,
    &rules::flatten::ROW,
    &rules::reshape::ROW,
    &rules::transpose::ROW,
    &rules::slice::ROW,
    &rules::split::ROW,
    &rules::repeat_steps::ROW,
    &rules::gather::ROW,
    &rules::reduce::ROW,
    &rules::batch_norm::ROW,
    &rules::layer_norm::ROW,
    &rules::rms_norm::ROW,
    &rules::group_norm::ROW,
    &rules::instance_norm::ROW,
    &rules::scale::ROW,
    &rules::dropout::ROW,
    &rules::gaussian_noise::ROW,
    &rules::relu::ROW,
    &rules::leaky_relu::ROW,
    &rules::prelu::ROW,
    &rules::elu::ROW,
    &rules::gelu::ROW,
    &rules::silu::ROW,
    &rules::sigmoid::ROW,
    &rules::tanh::ROW,
    &rules::softplus::ROW,
    &rules::hard_swish::ROW,
    &rules::relu6::ROW,
    &rules::hard_sigmoid::ROW,
    &rules::hard_tanh::ROW,
    &rules::mish::ROW,
    &rules::selu::ROW,
    &rules::celu::ROW,
    &rules::softsign::ROW,
    &rules::log_sigmoid::ROW,
    &rules::threshold::ROW,
    &rules::identity::ROW,
    &rules::glu::ROW,
    &rules::swi_glu::ROW,
    &rules::exp::ROW,
    &rules::log::ROW,
    &rules::sqrt::ROW,
    &rules::pow::ROW,
    &rules::abs::ROW,
    &rules::neg::ROW,
    &rules::clip::ROW,
    &rules::softmax::ROW,
    &rules::log_softmax::ROW,
    &rules::add::ROW,
    &rules::sub::ROW,
    &rules::mul::ROW,
    &rules::div::ROW,
    &rules::min::ROW,
    &rules::max::ROW,
    &rules::concat::ROW,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Kind, Padding, Parameter, StepPadding, Value};
    use crate::shape::Shape;
    use std::collections::HashSet;

    fn kind_of(row: &Row, argument: &str) -> Option<Kind> {
        row.parameters.iter().find(|p| p.name == argument).map(|p| p.kind)
    }

    #[test]
    fn names_and_stems_are_unique() {
        let names: HashSet<_> = ROWS.iter().map(|row| row.name).collect();
        let stems: HashSet<_> = ROWS.iter().map(|row| row.stem).collect();
        assert_eq!((names.len(), stems.len()), (ROWS.len(), ROWS.len()));
    }

    #[test]
    fn every_row_is_found_by_its_name() {
        for row in ROWS {
            assert_eq!(find(row.name).unwrap().stem, row.stem);
        }
        assert!(find("Linear").is_none());
    }

    #[test]
    fn layers_with_weights_name_their_tensors() {
        for row in ROWS {
            assert_eq!(row.tensors.is_some(), !row.sizes.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn stems_are_snake_case() {
        for row in ROWS {
            let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(row.stem.starts_with(|c: char| c.is_ascii_lowercase()), "{}", row.stem);
            assert!(row.stem.chars().all(letters), "{}", row.stem);
            assert_eq!(row.stem.replace('_', ""), row.name.to_lowercase());
        }
    }

    #[test]
    fn sizes_name_arguments_of_their_kind() {
        for row in ROWS {
            for (nth, size) in row.sizes.iter().enumerate() {
                match *size {
                    Size::Argument(name) => assert_eq!(kind_of(row, name), Some(Kind::Number)),
                    Size::ArgumentAxis(name, axis) => {
                        let axes = match kind_of(row, name) {
                            Some(Kind::Pair) => 2,
                            Some(Kind::Triple) => 3,
                            _ => 0,
                        };
                        assert!(axis < axes, "{}", row.name);
                    }
                    Size::Unless(name) => {
                        assert_eq!(kind_of(row, name), Some(Kind::Flag));
                        assert_eq!(nth, row.sizes.len() - 1, "{}: only the last", row.name);
                    }
                    Size::InputLastIf(names) => {
                        let kinds = names.iter().map(|name| kind_of(row, name));
                        assert!(kinds.into_iter().all(|kind| kind == Some(Kind::Flag)));
                    }
                    Size::InputAxesIf(axes, flags) => {
                        assert_eq!(kind_of(row, axes), Some(Kind::Number));
                        let kinds = flags.iter().map(|name| kind_of(row, name));
                        assert!(kinds.into_iter().all(|kind| kind == Some(Kind::Flag)));
                    }
                    Size::InputLastUnless(names, _) => {
                        assert_eq!(names.map(|name| kind_of(row, name)), [Some(Kind::Number); 2]);
                    }
                    Size::InputLast | Size::Computed(_) => {}
                }
            }
            for size in row.weight.iter().flatten() {
                match *size {
                    Size::Argument(name) => assert_eq!(kind_of(row, name), Some(Kind::Number)),
                    size => assert_eq!(size, Size::InputLast, "{}", row.name),
                }
            }
            let is_computed =
                |size: &&Size| matches!(size, Size::Computed(_) | Size::InputLastUnless(..));
            let computed = row.sizes.iter().filter(is_computed);
            assert_eq!(computed.count(), row.computed.len(), "{}", row.name);
        }
    }

    #[test]
    fn flows_name_numbers() {
        for row in ROWS {
            for flow in [row.flows.leading, row.flows.last] {
                if let Flow::Argument(name) = flow {
                    assert_eq!(kind_of(row, name), Some(Kind::Number), "{}", row.name);
                }
            }
        }
    }

    #[test]
    fn arguments_are_sound() {
        for row in ROWS {
            assert!(row.positional <= row.parameters.len(), "{}", row.name);
            assert!(!row.summary.is_empty() && !row.summary.ends_with('.'), "{}", row.name);
            let mut optional = false;
            for parameter in row.parameters {
                let place = std::format!("{}, {}", row.name, parameter.name);
                assert!(!optional || parameter.default.is_some(), "{place}: defaults come last");
                optional = parameter.default.is_some();
                match (parameter.kind, parameter.default) {
                    (Kind::Word(words), Some(Value::Word(word))) => {
                        assert!(words.contains(&word), "{place}");
                    }
                    (Kind::Word(_), default) => assert!(default.is_none(), "{place}"),
                    _ => {}
                }
            }
        }
    }

    /// A value for each parameter: its default, or something small.
    fn values(row: &Row) -> std::vec::Vec<Value> {
        let value = |kind| match kind {
            Kind::Number => Value::Number(4),
            Kind::Pair => Value::Pair([2, 2]),
            Kind::Triple => Value::Triple([2, 2, 2]),
            Kind::Real => Value::Real(0.5),
            Kind::Padding => Value::Padding(Padding::Explicit([1, 1])),
            Kind::StepPadding => Value::StepPadding(StepPadding::Explicit(1)),
            Kind::Shape => Value::Shape(Shape::new(&[2, 288])),
            Kind::Input => Value::Input(1),
            _ => panic!("other arguments have defaults"),
        };
        // `Clip` and `Upsample` need one of their first two arguments, either of which may be left out.
        let alternatives = row.parameters.iter().take(2).filter(|p| p.is_optional()).count() == 2;
        let one = |(nth, p): (usize, &Parameter)| match p.default {
            Some(default) if nth > 0 || !alternatives => default,
            _ => value(p.kind),
        };
        row.parameters.iter().enumerate().map(one).collect()
    }

    #[test]
    fn flows_agree_with_rules() {
        let shapes = [&[6, 6, 16][..], &[36, 16], &[576], &[6, 6, 6, 16]].map(Shape::new);
        for row in ROWS {
            let values = values(row);
            let second = |input: &Shape| match row.inputs {
                Inputs::OneAndIndices => Shape::new(&[5]),
                _ => *input,
            };
            let takes = |input: &Shape| (row.rule)(&[*input, second(input)], &values).is_ok();
            let input = shapes.into_iter().find(takes).unwrap_or(shapes[1]);
            let takes_more = values.contains(&Value::Input(1));
            let inputs = match row.inputs {
                Inputs::One | Inputs::Indices if !takes_more => &[input][..],
                _ => &[input, second(&input)],
            };
            let output = (row.rule)(inputs, &values).unwrap();
            if row.flows.keeps_rank {
                assert_eq!(output.rank(), input.rank(), "{}", row.name);
            }
            if row.flows.leading == Flow::Keep {
                assert_eq!(output.with_last(1), input.with_last(1), "{}", row.name);
            }
            match row.flows.last {
                Flow::Keep => assert_eq!(output.last(), input.last(), "{}", row.name),
                Flow::Argument(_) => assert_eq!(output.last(), 4, "{}", row.name),
                Flow::Compute => {}
            }
            if row.storage != Storage::Separate {
                assert_eq!(output.len(), input.len(), "{}", row.name);
            }
            let trained = row.params(inputs, &values) > 0;
            assert!(!trained || !row.sizes.is_empty(), "{}: weights need sizes", row.name);
        }
    }
}
