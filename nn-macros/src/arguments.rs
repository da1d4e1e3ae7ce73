//! Arguments of layers and blocks: which parameter each belongs to, and its value.

use proc_macro2::{Span, TokenTree};
use quote::ToTokens;
use std::collections::HashMap;
use syn::{Error, Expr, ExprLit, Ident, Lit};
use unrolled_shape::registry::{Inputs, Row};
use unrolled_shape::{Kind, Padding, Shape, StepPadding, Value, VolumePadding};

use crate::ast;
use crate::network::{Argument, ArgumentValue, Dim, Dims};
use crate::operand::{Environment, Evaluated, Operand};
use crate::report::{Report, mistake};
use crate::suggest::misspelt_padding;

/// A layer or a block, as far as its arguments are concerned.
pub(crate) struct Callee<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) parameters: Vec<Parameter<'a>>,
    /// How many of the first parameters may be given without their names.
    pub(crate) positional: usize,
    /// The row of a layer.
    pub(crate) row: Option<&'static Row>,
}

/// A parameter of a callee.
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a str,
    pub(crate) required: bool,
}

/// The argument given for each parameter of `callee`. `None` where one is wrong, which is reported.
pub(crate) fn assign<'a>(
    callee: &Callee<'_>,
    arguments: &'a [ast::Argument],
    report: &mut Report,
) -> Option<Vec<Option<&'a ast::Argument>>> {
    let names = callee.parameters.iter().map(|parameter| parameter.name);
    let numbers: HashMap<&str, usize> = names.zip(0..).collect();
    let mut slots: Vec<Option<&ast::Argument>> = vec![None; callee.parameters.len()];
    let mut correct = true;
    let mut too_many = false;
    if let Some((at, words)) = foreign_arguments(callee, arguments) {
        report.explain(at, || words);
        return None;
    }
    for (nth, argument) in arguments.iter().enumerate() {
        match find_slot(callee, &numbers, nth, argument) {
            Some(slot) => match slots[slot] {
                None => slots[slot] = Some(argument),
                Some(first) => {
                    correct = false;
                    let name = callee.parameters[slot].name;
                    if first.name.is_none() && argument.name.is_some() {
                        let value = mistake::tidy(&first.value.to_token_stream());
                        let words = mistake::also_without_name(callee.name, name, &value);
                        report.error(span_of(argument), words);
                    } else {
                        report.given_twice(name, span_of(first), span_of(argument));
                    }
                }
            },
            None => {
                correct = false;
                // Arguments without a name that are too many have one cause: the first is reported.
                if argument.name.is_some() || !too_many {
                    report.explain(span_of(argument), || no_slot(callee, argument, nth));
                }
                too_many |= argument.name.is_none();
            }
        }
    }
    let parameters = callee.parameters.iter().zip(&slots);
    let missing: Vec<&str> = parameters
        .filter(|(parameter, slot)| parameter.required && slot.is_none())
        .map(|(parameter, _)| parameter.name)
        .collect();
    // A misspelt name is probably the missing argument: one report is enough.
    if correct && !missing.is_empty() {
        report.explain(callee.name.span(), || mistake::missing(callee.name, &missing));
        correct = false;
    }
    correct.then_some(slots)
}

/// The index of the parameter that the `nth` argument is for; `numbers` has those of all names.
fn find_slot(
    callee: &Callee<'_>,
    numbers: &HashMap<&str, usize>,
    nth: usize,
    argument: &ast::Argument,
) -> Option<usize> {
    match &argument.name {
        Some(name) => numbers.get(name.to_string().as_str()).copied(),
        // `nth` counts all arguments: one without a name belongs to the parameter at whose position it is written.
        None => Some(nth).filter(|nth| *nth < callee.positional),
    }
}

/// What to write for all arguments of a layer, if there are more without names than the layer takes, as in other libraries.
fn foreign_arguments(callee: &Callee<'_>, arguments: &[ast::Argument]) -> Option<(Span, String)> {
    let row = callee.row?;
    let unnamed = arguments.iter().take_while(|argument| argument.name.is_none());
    let values: Vec<String> =
        unnamed.map(|argument| mistake::tidy(&argument.value.to_token_stream())).collect();
    if values.len() <= callee.positional {
        return None;
    }
    let at = span_of(&arguments[callee.positional]);
    if row.inputs == Inputs::Branches {
        let branches: Option<Vec<&Ident>> = arguments.iter().map(plain_name).collect();
        let branches: Vec<String> = match branches {
            Some(names) => names.iter().map(ToString::to_string).collect(),
            None => vec!["a => { .. }".into(), "b => { .. }".into()],
        };
        return Some((at, mistake::branches_in_parentheses(callee.name, &branches.join(", "))));
    }
    if matches!(row.parameters.first().map(|first| first.kind), Some(Kind::Shape)) {
        return Some((at, mistake::shape_in_arguments(callee.name, &values)));
    }
    // Layers with weights have the size of their input as first argument elsewhere.
    let has_size = row.params.is_some() && row.inputs == Inputs::One;
    let is_size = |argument: &ast::Argument| {
        matches!(&argument.value, Expr::Lit(ExprLit { lit: Lit::Int(_), .. }))
    };
    if !has_size
        || !arguments[..values.len()].iter().all(is_size)
        || values.len() > 1 + callee.parameters.len()
    {
        return None;
    }
    let takes_size = |parameter: &&unrolled_shape::Parameter| {
        matches!(
            parameter.kind,
            Kind::Number
                | Kind::Pair
                | Kind::Triple
                | Kind::Padding
                | Kind::VolumePadding
                | Kind::StepPadding
        )
    };
    let next = row.parameters.get(callee.positional).filter(takes_size);
    let next = next.map(|next| format!("{} = {}", next.name, values[callee.positional]));
    // PyTorch's `GroupNorm` has the number of groups before that of channels.
    let size = usize::from(callee.parameters.first().is_some_and(|first| first.name == "groups"));
    let others = values.iter().enumerate().filter(|(nth, _)| *nth != size);
    let others = callee.parameters.iter().zip(others).enumerate();
    let meant = others.map(|(nth, (parameter, (_, value)))| match nth < callee.positional {
        true => value.clone(),
        false => format!("{} = {value}", parameter.name),
    });
    let meant: Vec<String> = meant.collect();
    Some((at, mistake::size_of_input_first(callee.name, &meant, next)))
}

/// What is wrong with an argument that is for no parameter.
fn no_slot(callee: &Callee<'_>, argument: &ast::Argument, nth: usize) -> String {
    let names = callee.parameters.iter().map(|parameter| parameter.name);
    if let Some(name) = &argument.name {
        let value = argument.value.to_token_stream();
        return match name.to_string().as_str() {
            "activation" if names.clone().all(|name| name != "nonlinearity") => {
                mistake::activation_as_argument(callee.name, &value)
            }
            "name" => mistake::name_as_argument(callee.name, &value),
            _ => mistake::no_argument(callee.name, name, names),
        };
    }
    let all: Vec<&str> = names.collect();
    mistake::too_many(callee.name, &all[..callee.positional], all.get(nth).copied())
}

/// The span of an argument.
pub(crate) fn span_of(argument: &ast::Argument) -> Span {
    use syn::spanned::Spanned;
    argument.name.as_ref().map_or_else(|| argument.value.span(), Ident::span)
}

/// Whether one of the arguments could not be parsed.
pub(crate) fn are_broken(arguments: &[ast::Argument]) -> bool {
    let empty = |value: &Expr| matches!(value, Expr::Verbatim(tokens) if tokens.is_empty());
    arguments.iter().any(|argument| empty(&argument.value))
}

/// The name that an argument is, if it is nothing but a name.
pub(crate) fn plain_name(argument: &ast::Argument) -> Option<&Ident> {
    match &argument.value {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    }
}

/// The value of an argument of the layer `callee`.
pub(crate) fn convert(
    callee: &Ident,
    parameter: &unrolled_shape::Parameter,
    argument: &ast::Argument,
    environment: &Environment,
) -> Result<Argument, Error> {
    let operand = environment.evaluate(&argument.value)?;
    if parameter.kind == Kind::Real && is_quotient(&operand) {
        let words = mistake::quotient(callee, parameter.name, &operand.tokens);
        return Err(Error::new_spanned(&operand.tokens, words));
    }
    let literal = matches!(argument.value, Expr::Lit(_));
    match convert_value(&operand, parameter.kind) {
        Some(value) => Ok(Argument { value, span: operand.span, literal }),
        None => {
            // Of a block's parameter these are the tokens of its argument, where the block is used.
            let words = mistake::wrong_kind(callee, parameter, &operand.tokens);
            Err(Error::new_spanned(&operand.tokens, words))
        }
    }
}

/// Whether it is a whole number that was divided, as in `1/2`.
fn is_quotient(operand: &Operand) -> bool {
    let is_slash = |tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '/');
    matches!(operand.value, Evaluated::Size(_)) && operand.tokens.clone().into_iter().any(is_slash)
}

fn convert_value(operand: &Operand, kind: Kind) -> Option<ArgumentValue> {
    Some(match kind {
        Kind::Number => ArgumentValue::Number(operand.size()?),
        Kind::Pair => ArgumentValue::Pair(per_axis(operand)?),
        Kind::Triple => ArgumentValue::Triple(per_axis(operand)?),
        Kind::Padding => ArgumentValue::Padding(match operand.tuple() {
            _ if operand.is_word("same") => Padding::Same,
            _ if is_misspelt(operand, kind) => return None,
            Some(sides) => Padding::Sides(sides),
            None => Padding::Explicit(per_axis(operand)?),
        }),
        Kind::VolumePadding => ArgumentValue::VolumePadding(match operand.tuple() {
            _ if operand.is_word("same") => VolumePadding::Same,
            _ if is_misspelt(operand, kind) => return None,
            Some(sides) => VolumePadding::Sides(sides),
            None => VolumePadding::Explicit(per_axis(operand)?),
        }),
        Kind::StepPadding => ArgumentValue::StepPadding(match operand.tuple() {
            _ if operand.is_word("same") => StepPadding::Same,
            _ if operand.is_word("causal") => StepPadding::Causal,
            _ if is_misspelt(operand, kind) => return None,
            Some(sides) => StepPadding::Sides(sides),
            None => StepPadding::Explicit(operand.size()?),
        }),
        Kind::Flag => match operand.value {
            Evaluated::Flag(flag) => ArgumentValue::Flag(flag),
            _ => return None,
        },
        Kind::Real => match operand.value {
            Evaluated::Real(real) => ArgumentValue::Real(real),
            Evaluated::Size(size) => ArgumentValue::Real(size as f64),
            _ => return None,
        },
        Kind::Word(words) => match &operand.value {
            Evaluated::Word(word) => {
                ArgumentValue::Word(words.iter().copied().find(|known| word == known.text)?)
            }
            _ => return None,
        },
        Kind::Shape => {
            let sizes = operand.shape()?;
            if sizes.is_empty() || sizes.len() > unrolled_shape::MAX_RANK {
                return None;
            }
            ArgumentValue::Shape(Dims { sizes, span: operand.span, constant: None })
        }
        // The resolver looks them up among the named values.
        Kind::Input | Kind::Weight => return None,
    })
}

/// Whether it is almost a word of a padding of this kind. Any other word would be taken for the name of a constant.
fn is_misspelt(operand: &Operand, kind: Kind) -> bool {
    match &operand.value {
        Evaluated::Word(word) => misspelt_padding(kind, &word.to_string()).is_some(),
        _ => false,
    }
}

/// A size per axis; one number is used for all. `same` is refused, though it could be the name of a
/// constant, and so are the words of paddings in other layers and libraries.
fn per_axis<const N: usize>(operand: &Operand) -> Option<[Dim; N]> {
    if ["same", "valid", "causal"].iter().any(|word| operand.is_word(word)) {
        return None;
    }
    operand.tuple().or_else(|| operand.size().map(|size| std::array::from_fn(|_| size.clone())))
}

/// The default of an argument that was left out; `at` is the layer's name.
pub(crate) fn default(value: Value, at: Span) -> Argument {
    let dims = |shape: &Shape| Dims {
        sizes: shape.dims().iter().copied().map(Dim::Known).collect(),
        span: at,
        constant: None,
    };
    Argument { value: value.map(|size| Dim::Known(*size), dims), span: at, literal: false }
}
