//! Arguments of layers and blocks: which parameter each belongs to, and its value.

use proc_macro2::Span;
use std::collections::HashMap;
use syn::{Error, Expr, Ident};
use unrolled_shape::{Kind, Padding, Shape, StepPadding, Value};

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
    for (nth, argument) in arguments.iter().enumerate() {
        match find_slot(callee, &numbers, nth, argument) {
            Some(slot) => match slots[slot] {
                None => slots[slot] = Some(argument),
                Some(first) => {
                    correct = false;
                    let name = callee.parameters[slot].name;
                    report.given_twice(name, span_of(first), span_of(argument));
                }
            },
            None => {
                correct = false;
                report.explain(span_of(argument), || no_slot(callee, argument, nth));
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

/// What is wrong with an argument that is for no parameter.
fn no_slot(callee: &Callee<'_>, argument: &ast::Argument, nth: usize) -> String {
    let names = callee.parameters.iter().map(|parameter| parameter.name);
    if let Some(name) = &argument.name {
        return mistake::no_argument(callee.name, name, names);
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
    match convert_value(&operand, parameter.kind) {
        Some(value) => Ok(Argument { value, span: operand.span }),
        None => {
            // Of a block's parameter these are the tokens of its argument, where the block is used.
            let words = mistake::wrong_kind(callee, parameter, &operand.tokens);
            Err(Error::new_spanned(&operand.tokens, words))
        }
    }
}

fn convert_value(operand: &Operand, kind: Kind) -> Option<ArgumentValue> {
    Some(match kind {
        Kind::Number => ArgumentValue::Number(operand.size()?),
        Kind::Pair => ArgumentValue::Pair(pair(operand)?),
        Kind::Padding => ArgumentValue::Padding(match &operand.value {
            Evaluated::Word(word) if word == "same" => Padding::Same,
            // Any other word would be taken for the name of a constant.
            Evaluated::Word(word) if misspelt_padding(kind, &word.to_string()).is_some() => {
                return None;
            }
            _ => Padding::Explicit(pair(operand)?),
        }),
        Kind::StepPadding => ArgumentValue::StepPadding(match &operand.value {
            Evaluated::Word(word) if word == "same" => StepPadding::Same,
            Evaluated::Word(word) if word == "causal" => StepPadding::Causal,
            Evaluated::Word(word) if misspelt_padding(kind, &word.to_string()).is_some() => {
                return None;
            }
            _ => StepPadding::Explicit(operand.size()?),
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

/// A size per axis; one number is used for both. `same` is refused, though it could be the name of a
/// constant, and so are the words of paddings in other layers and libraries.
fn pair(operand: &Operand) -> Option<[Dim; 2]> {
    match &operand.value {
        Evaluated::Pair(pair) => Some(pair.clone()),
        Evaluated::Word(word) if ["same", "valid", "causal"].iter().any(|it| word == it) => None,
        _ => operand.size().map(|size| [size.clone(), size]),
    }
}

/// The default of an argument that was left out; `at` is the layer's name.
pub(crate) fn default(value: Value, at: Span) -> Argument {
    let dims = |shape: &Shape| Dims {
        sizes: shape.dims().iter().copied().map(Dim::Known).collect(),
        span: at,
        constant: None,
    };
    Argument { value: value.map(|size| Dim::Known(*size), dims), span: at }
}
