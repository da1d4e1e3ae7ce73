//! Inference step by step: `fn step` and `impl Streaming`.

use super::context::Context;
use super::forward::{Inference, copy_output, emit_nodes};
use super::signature::by_reference;
use super::streamable::{network_streams, own_layers, step_type, whole};
use crate::report::mistake;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

/// A `fn step` that cannot be called: a call is an error that names the layer that needs whole sequences. Without the
/// method, the compiler would report only that there is none.
fn emit_refusal(context: &Context) -> Option<TokenStream> {
    whole(context)?;
    let (krate, visibility) = (&context.network.krate, &context.network.visibility);
    Some(quote! {
        #[doc(hidden)]
        #visibility fn step<__Step: __StepByStep>(
            &self,
            _state: &mut #krate::__private::State<Self>,
            step: __Step,
        ) -> __Step::Output {
            step.refused()
        }
    })
}

/// The trait of [`emit_refusal`], which no type implements: the compiler reports its message.
fn emit_refusal_trait(context: &Context) -> Option<TokenStream> {
    let (network, layer) = (&context.network.name, &whole(context)?.label);
    let message = mistake::takes_whole_sequences(&network.to_string(), layer);
    Some(quote! {
        #[diagnostic::on_unimplemented(message = #message, label = "`step` takes one step at a time")]
        pub trait __StepByStep {
            type Output;
            fn refused(self) -> Self::Output;
        }
    })
}

/// `fn step`.
pub(super) fn emit_step_method(context: &Context) -> Option<TokenStream> {
    if !network_streams(context) {
        return emit_refusal(context);
    }
    let (krate, visibility) = (&context.network.krate, &context.network.visibility);
    let Step { parameter, x, output } = Step::of(context);
    let own = OwnSteps::of(context);
    let function = own.function(context, "step_one");
    let OwnSteps { allow, generics, bounds } = own;
    Some(quote! {
        /// Inference on one step of a sequence, without allocation. `state` contains what the layers remember of earlier
        /// steps, and is updated.
        #[inline]
        #allow
        #visibility fn step #generics (
            &self,
            state: &mut #krate::__private::State<Self>,
            #parameter,
        ) -> #output #bounds {
            #function(self, state, #x)
        }
    })
}

/// `fn step_in`, which needs neither `std` nor an allocator.
pub(super) fn emit_step_in_method(context: &Context) -> Option<TokenStream> {
    if !network_streams(context) {
        return None;
    }
    let visibility = &context.network.visibility;
    let Step { parameter, x, output } = Step::of(context);
    let own = OwnSteps::of(context);
    let function = own.function(context, "step_in");
    let OwnSteps { allow, generics, bounds } = own;
    Some(quote! {
        /// As `step`, in memory of the caller: without allocation, locks or system calls. `state` has `STATE_LEN` elements,
        /// zeros before the first step; `workspace` has `STEP_WORKSPACE_LEN` elements, whose values before the call are
        /// ignored.
        ///
        /// # Panics
        /// If one of them is shorter.
        #[allow(dead_code, reason = "a program may call `step` only")]
        #allow
        #visibility fn step_in #generics (
            &self,
            state: &mut [::core::primitive::f32],
            workspace: &mut [::core::primitive::f32],
            #parameter,
        ) -> #output #bounds {
            #function(self, state, workspace, #x)
        }
    })
}

/// What a method that runs the network step by step needs where it has layers of the user's, of which the macro cannot know
/// whether they can: it is generic over the spec of the network, so that the compiler evaluates its bounds where it is called.
#[derive(Default)]
struct OwnSteps {
    allow: Option<TokenStream>,
    generics: Option<TokenStream>,
    bounds: Option<TokenStream>,
}

impl OwnSteps {
    fn of(context: &Context) -> Self {
        let bounds = own_bounds(context);
        if bounds.is_empty() {
            return Self::default();
        }
        Self {
            allow: Some(quote!(
                #[allow(private_bounds, reason = "a layer may be private, as its field is")]
            )),
            generics: Some(quote!(<__S: __rt::Spec>)),
            bounds: Some(quote!(where __rt::Root: __rt::Is<__S>, #(#bounds),*)),
        }
    }

    /// The runtime's function `name`, and its types.
    fn function(&self, context: &Context, name: &str) -> TokenStream {
        let krate = &context.network.krate;
        let (one, all) = (format_ident!("{name}"), format_ident!("{name}_as"));
        match self.generics {
            None => quote!(#krate::__private::#one),
            Some(_) => quote!(__rt::#all::<Self, __S, _>),
        }
    }
}

/// The bounds of the layers of the user's in a network that runs step by step.
fn own_bounds(context: &Context) -> Vec<TokenStream> {
    let (name, arguments) = (&context.network.name, &context.arguments);
    let one = |(index, layer): (usize, &Type)| {
        let mut spec = context.names[index].spec.clone();
        spec.set_span(layer.span());
        // At the type in the user's code, where the compiler reports one that cannot.
        quote_spanned!(layer.span()=>
            #layer: __rt::StreamingIn<#spec #arguments, __S, #name #arguments>
        )
    };
    own_layers(context).map(one).collect()
}

/// The step of a sequence in the signature of a method.
struct Step {
    /// The parameter.
    parameter: TokenStream,
    /// Its elements, as an argument of the runtime.
    x: TokenStream,
    /// The type of the output.
    output: TokenStream,
}

impl Step {
    fn of(context: &Context) -> Self {
        let network = context.network;
        let krate = &network.krate;
        let types: Vec<TokenStream> = network
            .inputs
            .iter()
            .map(|input| {
                let dims = &network.values[input.value.0].dims;
                let element = if input.index { "u32" } else { "f32" };
                step_type(context, input.value, (element, dims))
            })
            .collect();
        let (pattern, kind, names) = by_reference(context, &types);
        Self {
            parameter: quote!(#pattern: #kind),
            x: quote!(&[#(#krate::__private::Values::as_floats(#names)),*]),
            // The header knows its axes also where the macro does not know those of what the layers give.
            output: step_type(context, network.output_value, ("f32", &network.outputs[0].promised)),
        }
    }
}

/// `impl Streaming`, or the trait whose message says why there is none.
pub(super) fn emit_streaming(context: &Context) -> Option<TokenStream> {
    if !network_streams(context) {
        return emit_refusal_trait(context);
    }
    let Context { arguments, turbofish, where_clause, .. } = context;
    let name = &context.network.name;
    let mut generics = context.network.generics.clone();
    generics.params.push(syn::parse_quote!(__S: __rt::Spec));
    let (impl_generics, _, _) = generics.split_for_impl();
    let own = own_bounds(context);
    let nodes = emit_nodes(context, Inference::Step);
    let copy = copy_output(context);
    Some(quote! {
        #[doc(hidden)]
        impl #impl_generics __rt::Streaming<__S> for #name #arguments #where_clause #(, #own)* {
            #[inline(always)]
            fn step<__I: __rt::Instructions>(&self, isa: __I, call: __rt::Infer<'_>) {
                let __rt::Infer { n, x, y, ctx } = call;
                let (values, mut ctx) = ctx.split_values(__Step #turbofish::VALUES);
                #nodes
                #copy
            }
        }
    })
}
