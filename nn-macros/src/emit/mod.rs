//! From the network to code: a struct beside its constants, and an unnamed constant that holds the
//! rest, so that nothing of it meets names of the user's.
//!
//! Names in expanded code are absolute paths or begin with two underscores; `__rt` is the runtime.

mod backward;
mod constants;
mod docs;
mod forward;
mod memory;
mod names;
mod outputs;
mod shapes;
mod specs;
mod steps;
mod streaming;
mod structure;

use crate::network::{Layer, Network, Node};
use crate::plan::{PhaseSegment, Plan, plan};
use names::{Names, names};
pub(crate) use outputs::Outputs;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
pub(crate) use shapes::{input_type, shape};
use steps::{Source, sources};
use syn::spanned::Spanned;
use unrolled_shape::registry::Storage;

/// Everything that emission looks at.
struct Context<'a> {
    network: &'a Network,
    plan: Plan,
    names: Vec<Names>,
    /// For each value from where it has its steps.
    steps: Vec<Option<Source>>,
    /// `impl` generics, type arguments and where clause of the network.
    impl_generics: TokenStream,
    arguments: TokenStream,
    turbofish: TokenStream,
    where_clause: TokenStream,
}

/// The code of a network.
pub(crate) fn emit(network: &Network) -> TokenStream {
    let (impl_generics, arguments, _) = network.generics.split_for_impl();
    let turbofish = arguments.as_turbofish();
    let names = names(network);
    let context = Context {
        network,
        plan: plan(network),
        where_clause: where_clause(network, &names, &quote!(#arguments)),
        names,
        steps: sources(network),
        impl_generics: quote!(#impl_generics),
        arguments: quote!(#arguments),
        turbofish: quote!(#turbofish),
    };
    let krate = &network.krate;
    let structure = structure::emit_struct(&context);
    let outputs = Outputs::of(network).emit_struct(&quote!(#krate::__private));
    let methods = structure::emit_methods(&context);
    let constants = constants::emit_shapes(&context);
    let specs = specs::emit_specs(&context);
    let steps = steps::emit_sources(&context);
    let memory = memory::emit_memory(&context);
    let weights = structure::emit_weights(&context);
    let node = emit_node(&context);
    let training = network.features.train.then(|| emit_training(&context));
    let streaming = streaming::emit_streaming(&context);
    let shaped = structure::emit_shaped(&context);
    quote! {
        #structure
        #outputs
        #constants
        #[allow(clippy::all, reason = "comparisons of constants that are the same by chance")]
        const _: () = {
            use #krate::__private as __rt;
            #specs
            #steps
            #memory
            #methods
            #weights
            #node
            #training
            #streaming
            #shaped
        };
    }
}

/// `impl Node`: inference.
fn emit_node(context: &Context) -> TokenStream {
    let Context { arguments, where_clause, .. } = context;
    let name = &context.network.name;
    let mut generics = context.network.generics.clone();
    generics.params.push(syn::parse_quote!(__S: __rt::Spec));
    let (impl_generics, _, _) = generics.split_for_impl();
    let sizes = memory::emit_sizes(context);
    let tensors = structure::emit_tensors(context);
    let check = structure::emit_check(context);
    let infer = forward::emit_infer(context);
    quote! {
        impl #impl_generics __rt::Node<__S> for #name #arguments #where_clause {
            #sizes
            #tensors
            #check
            #infer
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
        impl #impl_generics __rt::TrainNode<__S> for #name #arguments #where_clause {
            #sizes
            #weights
            #forward
            #backward
        }
    }
}

impl Context<'_> {
    /// Slots that run, with their numbers: all but views.
    fn running(&self) -> impl Iterator<Item = (usize, &Node)> {
        let nodes = self.network.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.storage() != Storage::View)
    }

    /// Slots with weights.
    fn weighted(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.running().filter(|(_, node)| node.has_weights())
    }

    /// The type of a node, as a spec sees it: `__Conv1`.
    fn spec(&self, node: usize) -> TokenStream {
        let (spec, arguments) = (&self.names[node].spec, &self.arguments);
        quote!(#spec #arguments)
    }

    /// The type of a node's layer, inside the unnamed constant.
    fn layer(&self, node: usize) -> TokenStream {
        match &self.network.nodes[node].layer {
            Layer::Known { .. } => shapes::layer_type(&quote!(__rt), self.network, node),
            Layer::Custom(layer) => quote!(#layer),
        }
    }

    /// The layer itself: a field, or the unit struct of a layer without weights.
    fn value(&self, node: usize) -> TokenStream {
        let it = &self.network.nodes[node];
        match &it.layer {
            Layer::Known { .. } if !it.has_weights() => self.layer(node),
            _ => {
                let field = &it.field;
                quote!(self.#field)
            }
        }
    }

    /// The context that a node gets: with the weight that it uses of another one.
    fn ctx(&self, node: usize) -> TokenStream {
        match self.network.nodes[node].owner {
            Some(owner) => {
                let owner = &self.network.nodes[owner].field;
                quote!(ctx.tied_to(&self.#owner))
            }
            None => quote!(ctx.reborrow()),
        }
    }

    /// A constant of one of the structs that hold the plan: `__Train::CONV1`.
    fn constant(&self, holder: &str, name: &Ident) -> TokenStream {
        let holder = format_ident!("{holder}");
        let turbofish = &self.turbofish;
        quote!(#holder #turbofish::#name)
    }

    /// The node at its place: `__Slots::CONV1`.
    fn slot(&self, node: usize) -> TokenStream {
        self.constant("__Slots", &self.names[node].constant)
    }

    /// The node at its position, in training: `__TrainSlots::CONV1`.
    fn train_slot(&self, node: usize) -> TokenStream {
        self.constant("__TrainSlots", &self.names[node].constant)
    }

    /// The nodes that may take several phases.
    fn crossing(&self) -> impl Iterator<Item = usize> {
        self.plan.segments.iter().filter_map(|segment| match segment {
            PhaseSegment::Crossing { node, .. } => Some(*node),
            PhaseSegment::Straight { .. } => None,
        })
    }

    /// When node `node` runs, which may take several phases: `__Phases::BN1`.
    fn phases(&self, node: usize) -> TokenStream {
        self.constant("__Phases", &self.names[node].constant)
    }
}

/// The where clause of expanded code: types of the user's are layers. Where one is not, the compiler
/// says so once, and goes on as if it were.
fn where_clause(network: &Network, names: &[Names], arguments: &TokenStream) -> TokenStream {
    let (_, _, clause) = network.generics.split_for_impl();
    let bounds = network.nodes.iter().zip(names).filter_map(|(node, names)| {
        let Layer::Custom(layer) = &node.layer else { return None };
        let mut spec = names.spec.clone();
        spec.set_span(layer.span());
        Some(quote_spanned!(layer.span()=> #layer: __rt::Embeds<#spec #arguments>))
    });
    let bounds: Vec<TokenStream> = bounds.collect();
    match clause {
        _ if bounds.is_empty() => quote!(#clause),
        Some(clause) => {
            let written = clause.predicates.iter();
            quote!(where #(#written,)* #(#bounds),*)
        }
        None => quote!(where #(#bounds),*),
    }
}
