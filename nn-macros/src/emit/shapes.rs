//! Shapes, arguments and types as expressions.

use crate::network::{Argument, ArgumentValue, Dim, Dims, Layer, Network, Node, ValueId};
use crate::operand::{is_name, mentions};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use unrolled_shape::registry::{Count, Row, Size};
use unrolled_shape::{Padding, StepPadding, VolumePadding};

/// A number without a suffix.
pub(super) fn number(number: usize) -> TokenStream {
    let literal = Literal::usize_unsuffixed(number);
    quote!(#literal)
}

/// A size, as an expression and as a const generic argument.
pub(super) fn size(dim: &Dim) -> TokenStream {
    match dim {
        Dim::Known(size) => number(*size),
        Dim::Symbolic(tokens) | Dim::Computed(tokens) => tokens.clone(),
        Dim::Bound(size) => size.constant.clone(),
    }
}

/// A shape, as an expression that a constant can use.
pub(crate) fn shape(rt: &TokenStream, dims: &Dims) -> TokenStream {
    if let Some(constant) = &dims.constant {
        return constant.clone();
    }
    let sizes = dims.sizes.iter().map(size);
    quote!(#rt::Shape::new(&[#(#sizes),*]))
}

/// The shapes of some values: `[Shape::new(&[28, 28, 1])]`.
pub(super) fn shapes(rt: &TokenStream, network: &Network, values: &[ValueId]) -> TokenStream {
    let shapes = values.iter().map(|value| shape(rt, &network.values[value.0].dims));
    quote!([#(#shapes),*])
}

/// The number of elements of a value.
pub(super) fn len(rt: &TokenStream, dims: &Dims) -> TokenStream {
    if let Some(shape) = dims.known() {
        return number(shape.len());
    }
    if let (None, [only]) = (&dims.constant, dims.sizes.as_slice()) {
        return size(only);
    }
    let shape = shape(rt, dims);
    quote!(#shape.len())
}

/// The array type of a shape: `[[[f32; 1]; 28]; 28]`.
pub(crate) fn array_type(element: &str, dims: &Dims) -> TokenStream {
    let element = Ident::new(element, Span::call_site());
    let array = |inner, dim| {
        let size = size(dim);
        quote!([#inner; #size])
    };
    // The last axis is the innermost array.
    dims.sizes.iter().rev().fold(quote!(#element), array)
}

/// The type of an input: an array, or a sequence of up to as many steps as its first axis has.
pub(crate) fn input_type(
    rt: &TokenStream,
    element: &str,
    dims: &Dims,
    ragged: bool,
) -> TokenStream {
    if !ragged {
        return array_type(element, dims);
    }
    let most = size(&dims.sizes[0]);
    let step = Dims { sizes: dims.sizes[1..].to_vec(), ..dims.clone() };
    let step = array_type(element, &step);
    quote!(#rt::Sequence<#step, #most>)
}

/// The type of a node's layer: `layers::Conv2d<32, 1, 3, 3>`, or the user's own.
pub(crate) fn layer_type(rt: &TokenStream, network: &Network, node: usize) -> TokenStream {
    let node = &network.nodes[node];
    let row = match &node.layer {
        Layer::Custom(layer) => return quote!(#layer),
        Layer::Known { row, .. } => row,
    };
    // `TiedDense`: see `Kind::Weight`.
    let tied = if node.owner.is_some() { "Tied" } else { "" };
    let name = format_ident!("{tied}{}", row.name);
    // The counts of the computed sizes are in the order of these.
    let mut computed = row.computed.iter();
    let sizes: Vec<TokenStream> = row
        .sizes
        .iter()
        .filter_map(|size| {
            let count = match size {
                Size::Computed(_) | Size::InputLastUnless(..) => computed.next(),
                _ => None,
            };
            layer_size(rt, network, node, *size, count)
        })
        .collect();
    if sizes.is_empty() {
        quote!(#rt::layers::#name)
    } else {
        quote!(#rt::layers::#name<#(#sizes),*>)
    }
}

/// One const generic of a layer; `None` for its default.
fn layer_size(
    rt: &TokenStream,
    network: &Network,
    node: &Node,
    kind: Size,
    count: Option<&Count>,
) -> Option<TokenStream> {
    let Layer::Known { row, arguments } = &node.layer else { return None };
    let argument = |name: &str| argument(row, arguments, name);
    let input = &network.values[node.inputs[0].0].dims;
    match kind {
        Size::InputLast => input.last().map(|last| type_argument(network, last)),
        Size::Argument(name) => match &argument(name).value {
            ArgumentValue::Number(dim) => Some(type_argument(network, dim)),
            _ => unreachable!("a number by its row"),
        },
        Size::ArgumentAxis(name, axis) => match &argument(name).value {
            ArgumentValue::Pair(pair) => Some(type_argument(network, &pair[axis])),
            ArgumentValue::Triple(triple) => Some(type_argument(network, &triple[axis])),
            _ => unreachable!("a number per axis by its row"),
        },
        Size::InputLastUnless(names, method) if !node.has_same(names) => {
            layer_size(rt, network, node, Size::Computed(method), count)
        }
        Size::Computed(method) => {
            // The same for all constants: a literal, since a type cannot compute with const generics.
            if let Some(size) = count.and_then(|count| network.count(node, count)) {
                return Some(number(size));
            }
            let (method, shape) = (format_ident!("{method}"), shape(rt, input));
            let rule = rule(rt, row, arguments);
            Some(quote!({ #rule.#method(#shape) }))
        }
        Size::InputLastIf(flags) | Size::InputAxesIf(_, flags)
            if !flags.iter().all(|flag| argument(flag).is_true()) =>
        {
            Some(number(0))
        }
        Size::InputAxesIf(axes, _) if !argument(axes).is_one() => {
            let ArgumentValue::Number(axes) = &argument(axes).value else {
                unreachable!("a number by its row")
            };
            if let (Some(shape), Some(axes)) = (input.known(), axes.known()) {
                return Some(number(shape.last_axes(axes)));
            }
            let (shape, axes) = (shape(rt, input), size(axes));
            Some(quote!({ #shape.last_axes(#axes) }))
        }
        Size::InputLastIf(_) | Size::InputAxesIf(..) | Size::InputLastUnless(..) => {
            input.last().map(|last| type_argument(network, last))
        }
        Size::Unless(flag) => (!argument(flag).is_true()).then(|| number(0)),
    }
}

/// A size as an argument of a type. A constant is in braces: a name alone could be a type, and for an unknown name the
/// compiler would report a missing type as well.
fn type_argument(network: &Network, dim: &Dim) -> TokenStream {
    let tokens = size(dim);
    let parameters: Vec<String> =
        network.generics.const_params().map(|parameter| parameter.ident.to_string()).collect();
    match dim {
        Dim::Symbolic(name) if is_name(name) && !mentions(name, &parameters) => {
            quote!({ #tokens })
        }
        Dim::Bound(_) => quote!({ #tokens }),
        _ => tokens,
    }
}

/// The argument called `name`.
fn argument<'a>(row: &Row, arguments: &'a [Argument], name: &str) -> &'a Argument {
    let position = row.parameters.iter().position(|parameter| parameter.name == name);
    &arguments[position.expect("rows name their own parameters")]
}

/// The type of a layer's arguments: `rules::conv2d::Conv2d`.
pub(crate) fn rule_type(rt: &TokenStream, row: &Row) -> TokenStream {
    let (module, name) = (format_ident!("{}", row.stem), format_ident!("{}", row.name));
    quote!(#rt::rules::#module::#name)
}

/// A layer's arguments: `rules::dense::Dense { units: 10, bias: true, weight: None }`.
pub(super) fn rule(rt: &TokenStream, row: &Row, arguments: &[Argument]) -> TokenStream {
    let rule = rule_type(rt, row);
    let names = row.parameters.iter().map(|parameter| format_ident!("{}", parameter.name));
    let values = row.parameters.iter().zip(arguments).map(|(parameter, argument)| {
        let value = argument_value(rt, row, &argument.value);
        match &argument.value {
            ArgumentValue::Absent => value,
            _ if parameter.is_optional() => quote!(::core::option::Option::Some(#value)),
            _ => value,
        }
    });
    quote!(#rule { #(#names: #values),* })
}

fn argument_value(rt: &TokenStream, row: &Row, value: &ArgumentValue) -> TokenStream {
    let array = |sizes: &[Dim]| {
        let sizes = sizes.iter().map(size);
        quote!([#(#sizes),*])
    };
    match value {
        ArgumentValue::Absent => quote!(::core::option::Option::None),
        ArgumentValue::Number(dim) => size(dim),
        ArgumentValue::Pair(sizes) => array(sizes),
        ArgumentValue::Triple(sizes) => array(sizes),
        ArgumentValue::Padding(Padding::Same) => quote!(#rt::Padding::Same),
        ArgumentValue::Padding(Padding::Explicit(sizes)) => {
            let sizes = array(sizes);
            quote!(#rt::Padding::Explicit(#sizes))
        }
        ArgumentValue::Padding(Padding::Sides(sides)) => {
            let sides = array(sides);
            quote!(#rt::Padding::Sides(#sides))
        }
        ArgumentValue::VolumePadding(VolumePadding::Same) => quote!(#rt::VolumePadding::Same),
        ArgumentValue::VolumePadding(VolumePadding::Explicit(sizes)) => {
            let sizes = array(sizes);
            quote!(#rt::VolumePadding::Explicit(#sizes))
        }
        ArgumentValue::VolumePadding(VolumePadding::Sides(sides)) => {
            let sides = array(sides);
            quote!(#rt::VolumePadding::Sides(#sides))
        }
        ArgumentValue::StepPadding(StepPadding::Sides(sides)) => {
            let sides = array(sides);
            quote!(#rt::StepPadding::Sides(#sides))
        }
        ArgumentValue::StepPadding(StepPadding::Same) => quote!(#rt::StepPadding::Same),
        ArgumentValue::StepPadding(StepPadding::Causal) => quote!(#rt::StepPadding::Causal),
        ArgumentValue::StepPadding(StepPadding::Explicit(dim)) => {
            let size = size(dim);
            quote!(#rt::StepPadding::Explicit(#size))
        }
        ArgumentValue::Flag(flag) => quote!(#flag),
        ArgumentValue::Real(real) => {
            // Finite: infinity and NaN have no literals.
            let literal = Literal::f64_unsuffixed(*real);
            quote!(#literal)
        }
        ArgumentValue::Word(word) => {
            let module = format_ident!("{}", row.stem);
            let [kind, variant] =
                [word.enumeration, word.variant].map(|name| format_ident!("{name}"));
            quote!(#rt::rules::#module::#kind::#variant)
        }
        ArgumentValue::Shape(dims) | ArgumentValue::Weight(dims) => shape(rt, dims),
        ArgumentValue::Input(nth) => number(*nth),
    }
}
