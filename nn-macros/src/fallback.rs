//! Stubs of networks with mistakes: the struct, the fields of its lines without mistakes, and its methods. They suppress
//! follow-up errors, because the program around the network still finds the type and what it uses of it.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Type, parse_quote};
use unrolled_shape::checks;
use unrolled_shape::registry::{Inputs, find};

use crate::arguments::plain_name;
use crate::ast;
use crate::emit::{Outputs, array_type, emit_pretrained_stub, input_type, layer_type, shape};
use crate::network::{Dim, Dims, Facade, Layer, Network, Node};
use crate::operand::Environment;

/// The stub of a network, of which `network` is what could be resolved.
pub(crate) fn emit_stub(
    facade: &Facade,
    definition: &ast::Network,
    network: Option<&Network>,
) -> TokenStream {
    let ast::Network { attributes, visibility, name, generics, .. } = definition;
    // Parameters of these kinds must be used; const generics need not be.
    if generics.type_params().next().is_some() || generics.lifetimes().next().is_some() {
        return emit_unsupported(definition);
    }
    let krate = &facade.krate;
    let (impl_generics, arguments, where_clause) = generics.split_for_impl();
    let fields = network.map(|network| emit_fields(facade, network));
    let methods = match header(definition) {
        Some((inputs, outputs)) => emit_known(facade, definition, &inputs, &outputs),
        None => emit_unknown(definition),
    };
    // A static of another size than the struct's cannot depend on const generics.
    let weights = definition.weights.as_ref().filter(|_| generics.params.is_empty());
    let pretrained = weights.map(|weights| {
        emit_pretrained_stub(&quote!(#krate::__private), name, visibility, weights.half)
    });
    quote! {
        #(#attributes)*
        #[repr(C)]
        #[allow(dead_code, reason = "the code that uses the fields is not emitted")]
        #visibility struct #name #generics #where_clause { #fields }
        // SAFETY: it is never used, since the program does not compile.
        unsafe impl #impl_generics #krate::__private::Weights for #name #arguments #where_clause {}
        #methods
        #pretrained
    }
}

/// The fields of the lines without mistakes.
fn emit_fields(facade: &Facade, network: &Network) -> TokenStream {
    let (krate, visibility) = (&facade.krate, &network.visibility);
    let rt = quote!(#krate::__private);
    let one = |(index, node): (usize, &Node)| {
        let is_known = match &node.layer {
            // The placeholder of a line that could not be resolved has no tokens.
            Layer::Custom(layer) => !matches!(&**layer, Type::Verbatim(_)),
            // Constants beside the struct, which other sizes may need, are not emitted.
            Layer::Known { row, .. } => network.sizes(node, Dim::known).is_some_and(|sizes| {
                // An input without axes is that of a line with a mistake.
                let has_inputs = sizes.inputs.iter().all(|input| input.rank() > 0);
                has_inputs && (row.rule)(&sizes.inputs, &sizes.values).is_ok()
            }),
        };
        let (field, layer) = (&node.field, is_known.then(|| layer_type(&rt, network, index))?);
        Some(quote!(#visibility #field: #layer,))
    };
    let weighted = network.nodes.iter().enumerate().filter(|(_, node)| node.owns_weights());
    weighted.filter_map(one).collect()
}

/// A network with generics that networks cannot have: all of them are used, and nothing else.
fn emit_unsupported(definition: &ast::Network) -> TokenStream {
    let ast::Network { attributes, visibility, name, generics, .. } = definition;
    let (_, _, where_clause) = generics.split_for_impl();
    let types = generics.type_params().map(|parameter| &parameter.ident);
    let lifetimes = generics.lifetimes().map(|parameter| &parameter.lifetime);
    let methods = emit_unknown(definition);
    quote! {
        #(#attributes)*
        #visibility struct #name #generics #where_clause {
            __used: ::core::marker::PhantomData<(#(fn() -> #types,)* #(&#lifetimes (),)*)>,
        }
        #methods
    }
}

/// The methods of a network whose header is understood. `new` and the like are those of `Network`'s extension traits.
///
/// No stub ever runs: `loop {}` is an expression of any type.
fn emit_known(
    facade: &Facade,
    definition: &ast::Network,
    inputs: &[Input],
    outputs: &[Output],
) -> TokenStream {
    let ast::Network { visibility, name, generics, .. } = definition;
    let (impl_generics, arguments, where_clause) = generics.split_for_impl();
    let krate = &facade.krate;
    let rt = quote!(#krate::__private);
    let shapes = inputs.iter().map(|input| shape(&rt, &input.dims));
    let steps = emit_step(&rt, definition, inputs, outputs);
    let inputs: Vec<TokenStream> = inputs
        .iter()
        .map(|input| input_type(&rt, input.element, &input.dims, input.ragged))
        .collect();
    let outputs = outputs.iter().map(|(name, dims)| (name.as_ref(), dims)).collect();
    let outputs = Outputs { visibility, network: name, generics, outputs };
    let (shape, output, outputs) =
        (outputs.emit_shape(&rt), outputs.emit_type(), outputs.emit_struct(&rt));
    let (by_value, by_reference) = match &inputs[..] {
        [input] => (input.clone(), quote!(&#input)),
        _ => (quote!((#(#inputs),*)), quote!((#(&#inputs),*))),
    };
    let mut with_spec = generics.clone();
    with_spec.params.push(parse_quote!(__S: #rt::Spec));
    let (node_generics, _, _) = with_spec.split_for_impl();
    let training = facade.features.train.then(|| {
        quote! {
            impl #node_generics #rt::TrainNode<__S> for #name #arguments #where_clause {
                fn forward_shard(&self, _: #rt::Forward<'_>) {}
                fn backward_shard(&self, _: #rt::Backward<'_, '_>) {}
            }
        }
    });
    let graph = facade.features.std.then(|| quote!(const GRAPH: #rt::Graph = #rt::Graph::EMPTY;));
    quote! {
        #outputs
        impl #impl_generics #name #arguments #where_clause {
            #[doc(hidden)]
            #visibility fn forward(&self, _input: #by_reference) -> #output {
                loop {}
            }
            #[doc(hidden)]
            #visibility fn forward_into(&self, _input: #by_reference, _output: &mut #output) {}
            #steps
        }
        impl #node_generics #rt::Node<__S> for #name #arguments #where_clause {
            fn infer(&self, _: #rt::Infer<'_>) {}
        }
        #training
        impl #impl_generics #rt::Shaped for #name #arguments #where_clause {
            const INPUTS: &'static [#rt::Shape] = &[#(#shapes),*];
            const OUTPUT: #rt::Shape = #shape;
            #graph
        }
        impl #impl_generics #rt::Network for #name #arguments #where_clause {
            type Input = #by_value;
            type Output = #output;
        }
    }
}

/// `fn step`, of a network of sequences with one output.
fn emit_step(
    rt: &TokenStream,
    definition: &ast::Network,
    inputs: &[Input],
    outputs: &[Output],
) -> Option<TokenStream> {
    let visibility = &definition.visibility;
    let [(None, output)] = outputs else { return None };
    let step = |element: &str, dims: &Dims| {
        let sizes = dims.sizes[1..].to_vec();
        array_type(element, &Dims { sizes, ..dims.clone() })
    };
    let are_sequences = inputs.iter().all(|it| it.element == "u32" || it.dims.sizes.len() > 1);
    let types: Vec<TokenStream> =
        inputs.iter().map(|input| step(input.element, &input.dims)).collect();
    let kind = match &types[..] {
        [only] => quote!(&#only),
        _ => quote!((#(&#types),*)),
    };
    // The output may have no steps, as that of `GRU(64, output = last)`.
    let output = match output.sizes.len() {
        1 => array_type("f32", output),
        _ => step("f32", output),
    };
    are_sequences.then(|| {
        quote! {
            #[doc(hidden)]
            #visibility fn step(&self, _state: &mut #rt::State<Self>, _step: #kind) -> #output {
                loop {}
            }
        }
    })
}

/// The methods of a network whose header is not understood: they agree with every use.
fn emit_unknown(definition: &ast::Network) -> TokenStream {
    let ast::Network { visibility, name, generics, .. } = definition;
    let (impl_generics, arguments, where_clause) = generics.split_for_impl();
    quote! {
        impl #impl_generics #name #arguments #where_clause {
            #[doc(hidden)]
            #visibility fn new(_seed: u64) -> ::std::boxed::Box<Self> {
                loop {}
            }
            #[doc(hidden)]
            #visibility fn forward<__Input, __Output>(&self, _input: __Input) -> __Output {
                loop {}
            }
        }
    }
}

/// The shapes of the inputs and of the outputs, where the header is understood.
fn header(definition: &ast::Network) -> Option<(Vec<Input>, Vec<Output>)> {
    let environment = Environment::default();
    let dims = |shape: &ast::Shape| {
        let dims = environment.shape(shape).ok()?;
        let sound = dims.known().is_none_or(|shape| checks::header_input(shape).is_ok());
        sound.then_some(dims)
    };
    let inputs = definition.inputs.as_ref()?;
    // The first line reads the only input.
    let is_only = inputs.len() == 1;
    let inputs = inputs.iter().map(|input| {
        let holds_tokens = definition.body.as_ref().is_some_and(|body| {
            let named = input.name.as_ref().is_some_and(|name| reads_tokens(body, name));
            named || is_only && begins_with_tokens(body)
        });
        let element = if holds_tokens { "u32" } else { "f32" };
        Some(Input { dims: dims(&input.shape)?, ragged: input.ragged, element })
    });
    let outputs = match definition.output.as_ref()? {
        ast::Output::One(shape) => vec![(None, dims(shape)?)],
        ast::Output::Several(outputs) => {
            let one =
                |(name, shape): &(Ident, ast::Shape)| Some((Some(name.clone()), dims(shape)?));
            // An output twice would be a field twice in the struct of outputs.
            let names: HashSet<&Ident> = outputs.iter().map(|(name, _)| name).collect();
            let unlike = names.len() == outputs.len();
            outputs.iter().map(one).collect::<Option<_>>().filter(|_: &Vec<_>| unlike)?
        }
    };
    Some((inputs.collect::<Option<_>>()?, outputs))
}

/// Whether the first line takes indices of tokens.
fn begins_with_tokens(body: &ast::Body) -> bool {
    let first = body.lines.first();
    first.is_some_and(|line| line.source.is_none() && takes_tokens(&line.construct))
}

/// Whether a line or a branch that begins with `input` takes indices of tokens.
fn reads_tokens(body: &ast::Body, input: &Ident) -> bool {
    body.lines.iter().any(|line| {
        let begins = line.source.as_ref() == Some(input) && takes_tokens(&line.construct);
        let branches = match &line.construct {
            ast::Construct::Call(call) => call.branches.as_deref().unwrap_or_default(),
            _ => &[],
        };
        let of_input = |branch: &&ast::Branch| branch.source.as_ref() == Some(input);
        begins
            || names_indices(&line.construct, input)
            || branches.iter().filter(of_input).any(|branch| begins_with_tokens(&branch.body))
            || line.construct.bodies().iter().any(|(_, body)| reads_tokens(body, input))
    })
}

/// Whether a layer has an argument that names `input` as its indices.
fn names_indices(construct: &ast::Construct, input: &Ident) -> bool {
    let ast::Construct::Call(call) = construct else { return false };
    let takes_indices =
        find(&call.name.to_string()).is_some_and(|row| row.inputs == Inputs::OneAndIndices);
    let mut arguments = call.arguments.iter().flatten();
    takes_indices && arguments.any(|argument| plain_name(argument) == Some(input))
}

fn takes_tokens(construct: &ast::Construct) -> bool {
    match construct {
        ast::Construct::Call(call) => {
            find(&call.name.to_string()).is_some_and(|row| row.inputs == Inputs::Indices)
        }
        ast::Construct::Sequential(body) => begins_with_tokens(body),
        _ => false,
    }
}

/// Name and shape of an output.
type Output = (Option<Ident>, Dims);

/// An input whose shape is understood.
struct Input {
    dims: Dims,
    ragged: bool,
    /// The type of its elements.
    element: &'static str,
}
