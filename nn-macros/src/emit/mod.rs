//! From the network to code: a struct beside its constants, and an unnamed constant that contains the rest, so that its
//! names cannot clash with the user's.
//!
//! Names in expanded code are absolute paths or begin with two underscores. Inside the unnamed constant `__rt` is the
//! runtime. Outside there is no such name: functions that emit code for both places take the runtime's path as `rt`.
//!
//! Tokens that the macro makes have the span of its call. They have the span of a user's token where the compiler may
//! report a mistake of the user's at them: the bound on a custom layer, the call of a check, the field of a layer.

mod backward;
mod budget;
mod buffers;
mod constants;
mod context;
mod docs;
mod forward;
mod graph;
mod half;
mod memory;
mod names;
mod outputs;
mod per_step;
mod pretrained;
mod shapes;
mod signature;
mod specs;
mod step_sources;
mod steps;
mod streamable;
mod streaming;
mod structure;

use crate::network::Network;
use crate::pretrained::Pretrained;
use context::Context;
pub(crate) use outputs::Outputs;
pub(crate) use pretrained::emit_pretrained_stub;
use proc_macro2::TokenStream;
use quote::quote;
pub(crate) use shapes::{array_type, input_type, layer_type, rule_type, shape};

/// The code of a network, with the weights of a file if it has one.
pub(crate) fn emit(network: &Network, pretrained: Option<&Pretrained<'_>>) -> TokenStream {
    let context = Context::new(network);
    let krate = &network.krate;
    let structure = structure::emit_struct(&context);
    let outputs = Outputs::of(network).emit_struct(&quote!(#krate::__private));
    let methods = structure::emit_methods(&context);
    let constants = constants::emit_shapes(&context);
    let specs = specs::emit_specs(&context);
    let steps = steps::emit_sources(&context);
    let per_step = per_step::emit_per_step(&context);
    let memory = memory::emit_memory(&context);
    let weights = structure::emit_weights(&context);
    let half = pretrained.is_some_and(|pretrained| pretrained.of.half);
    let node = emit_node(&context, half);
    let training = network.features.train.then(|| emit_training(&context));
    let streaming = streaming::emit_streaming(&context);
    let shaped = structure::emit_shaped(&context);
    let budget = budget::emit_budget(&context, half);
    let pretrained = pretrained.map(|pretrained| {
        let (name, visibility) = (&network.name, &network.visibility);
        pretrained::emit_pretrained(&quote!(__rt), name, visibility, pretrained)
    });
    quote! {
        #structure
        #outputs
        #constants
        #[allow(clippy::all, reason = "comparisons of constants that are the same by chance")]
        const _: () = {
            use #krate::__private as __rt;
            #specs
            #steps
            #per_step
            #memory
            #methods
            #weights
            #node
            #training
            #streaming
            #shaped
            #pretrained
            #budget
        };
    }
}

/// `impl Node`: inference.
fn emit_node(context: &Context, half: bool) -> TokenStream {
    let Context { arguments, where_clause, .. } = context;
    let name = &context.network.name;
    let mut generics = context.network.generics.clone();
    generics.params.push(syn::parse_quote!(__S: __rt::Spec));
    let (impl_generics, _, _) = generics.split_for_impl();
    let sizes = memory::emit_sizes(context);
    let check = structure::emit_check(context);
    let infer = forward::emit_infer(context);
    let infer_half = half.then(|| forward::emit_infer_half(context));
    quote! {
        #[doc(hidden)]
        impl #impl_generics __rt::Node<__S> for #name #arguments #where_clause {
            #sizes
            #check
            #infer
            #infer_half
        }
    }
}

/// The memory of training, and `impl TrainNode`.
fn emit_training(context: &Context) -> TokenStream {
    let Context { arguments, where_clause, .. } = context;
    let name = &context.network.name;
    let mut generics = context.network.generics.clone();
    generics.params.push(syn::parse_quote!(__S: __rt::Spec));
    let (impl_generics, _, _) = generics.split_for_impl();
    let memory = memory::emit_train_memory(context);
    let sizes = memory::emit_train_sizes(context);
    let weights = structure::emit_train_weights(context);
    let forward = forward::emit_forward(context);
    let backward = backward::emit_backward(context);
    quote! {
        #memory
        #[doc(hidden)]
        impl #impl_generics __rt::TrainNode<__S> for #name #arguments #where_clause {
            #sizes
            #weights
            #forward
            #backward
        }
    }
}
