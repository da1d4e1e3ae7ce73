//! Stubs of networks with mistakes: the struct and its methods. They suppress follow-up errors, because the
//! program around the network still finds the type and the methods that it uses.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, parse_quote};
use unrolled_shape::checks;

use crate::ast;
use crate::emit::{Outputs, input_type, shape};
use crate::network::{Dims, Facade};
use crate::operand::Environment;

/// The stub of a network.
pub(crate) fn emit_stub(facade: &Facade, definition: &ast::Network) -> TokenStream {
    let ast::Network { attributes, visibility, name, generics, .. } = definition;
    // Parameters of these kinds must be used; const generics need not be.
    if generics.type_params().next().is_some() || generics.lifetimes().next().is_some() {
        return emit_unsupported(definition);
    }
    let krate = &facade.krate;
    let (impl_generics, arguments, where_clause) = generics.split_for_impl();
    let methods = match header(definition) {
        Some((inputs, outputs)) => emit_known(facade, definition, &inputs, &outputs),
        None => emit_unknown(definition),
    };
    quote! {
        #(#attributes)*
        #[repr(C)]
        #visibility struct #name #generics #where_clause {}
        // SAFETY: it has no fields.
        unsafe impl #impl_generics #krate::__private::Weights for #name #arguments #where_clause {}
        #methods
    }
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
    let inputs: Vec<TokenStream> =
        inputs.iter().map(|input| input_type(&rt, "f32", &input.dims, input.ragged)).collect();
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
    let inputs = definition.inputs.as_ref()?.iter();
    let inputs =
        inputs.map(|input| Some(Input { dims: dims(&input.shape)?, ragged: input.ragged }));
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

/// Name and shape of an output.
type Output = (Option<Ident>, Dims);

/// An input whose shape is understood.
struct Input {
    dims: Dims,
    ragged: bool,
}
