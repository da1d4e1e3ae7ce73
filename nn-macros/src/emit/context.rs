//! [`Context`]: the network, its plan and its names, which all files of emission read.

use super::names::{Names, names};
use super::shapes;
use super::sources::{Source, sources};
use crate::network::{Layer, Network, Node};
use crate::plan::{PhaseSegment, Plan, plan};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use unrolled_shape::registry::Storage;

/// Everything that emission looks at.
pub(super) struct Context<'a> {
    pub(super) network: &'a Network,
    pub(super) plan: Plan,
    pub(super) names: Vec<Names>,
    /// For each value from where it has its steps.
    pub(super) steps: Vec<Option<Source>>,
    /// `impl` generics, type arguments and where clause of the network.
    pub(super) impl_generics: TokenStream,
    pub(super) arguments: TokenStream,
    pub(super) turbofish: TokenStream,
    pub(super) where_clause: TokenStream,
}

impl<'a> Context<'a> {
    /// Plans the network and names its parts.
    pub(super) fn new(network: &'a Network) -> Self {
        let (impl_generics, arguments, _) = network.generics.split_for_impl();
        let turbofish = arguments.as_turbofish();
        let names = names(network);
        Self {
            network,
            plan: plan(network),
            where_clause: where_clause(network, &names, &quote!(#arguments)),
            names,
            steps: sources(network),
            impl_generics: quote!(#impl_generics),
            arguments: quote!(#arguments),
            turbofish: quote!(#turbofish),
        }
    }
}

impl Context<'_> {
    /// Slots that run, with their numbers: all but views.
    pub(super) fn running(&self) -> impl Iterator<Item = (usize, &Node)> {
        let nodes = self.network.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.storage() != Storage::View)
    }

    /// Slots with weights.
    pub(super) fn weighted(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.running().filter(|(_, node)| node.has_weights())
    }

    /// The type of a node, as a spec sees it: `__Conv1`.
    pub(super) fn spec(&self, node: usize) -> TokenStream {
        let (spec, arguments) = (&self.names[node].spec, &self.arguments);
        quote!(#spec #arguments)
    }

    /// The type of a node's layer, inside the unnamed constant.
    pub(super) fn layer(&self, node: usize) -> TokenStream {
        match &self.network.nodes[node].layer {
            Layer::Known { .. } => shapes::layer_type(&quote!(__rt), self.network, node),
            Layer::Custom(layer) => quote!(#layer),
        }
    }

    /// The layer itself: a field, or the unit struct of a layer without weights.
    pub(super) fn value(&self, node: usize) -> TokenStream {
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
    pub(super) fn ctx(&self, node: usize) -> TokenStream {
        match self.network.nodes[node].owner {
            Some(owner) => {
                let owner = &self.network.nodes[owner].field;
                quote!(ctx.tied_to(&self.#owner))
            }
            None => quote!(ctx.reborrow()),
        }
    }

    /// A constant of one of the structs that hold the plan: `__Train::CONV1`.
    pub(super) fn constant(&self, holder: &str, name: &Ident) -> TokenStream {
        let holder = format_ident!("{holder}");
        let turbofish = &self.turbofish;
        quote!(#holder #turbofish::#name)
    }

    /// The node at its place: `__Slots::CONV1`.
    pub(super) fn slot(&self, node: usize) -> TokenStream {
        self.constant("__Slots", &self.names[node].constant)
    }

    /// The node at its position, in training: `__TrainSlots::CONV1`.
    pub(super) fn train_slot(&self, node: usize) -> TokenStream {
        self.constant("__TrainSlots", &self.names[node].constant)
    }

    /// The nodes that may take several phases.
    pub(super) fn crossing(&self) -> impl Iterator<Item = usize> {
        self.plan.segments.iter().filter_map(|segment| match segment {
            PhaseSegment::Crossing { node, .. } => Some(*node),
            PhaseSegment::Straight { .. } => None,
        })
    }

    /// When node `node` runs, which may take several phases: `__Phases::BN1`.
    pub(super) fn phases(&self, node: usize) -> TokenStream {
        self.constant("__Phases", &self.names[node].constant)
    }
}

/// The where clause of expanded code: types of the user's are layers. Where one is not, the compiler
/// says so once, and goes on as if it were.
fn where_clause(network: &Network, names: &[Names], arguments: &TokenStream) -> TokenStream {
    let (_, _, clause) = network.generics.split_for_impl();
    let bound = match network.features.train {
        true => format_ident!("TrainEmbeds"),
        false => format_ident!("Embeds"),
    };
    let bounds = network.nodes.iter().zip(names).filter_map(|(node, names)| {
        let Layer::Custom(layer) = &node.layer else { return None };
        let mut spec = names.spec.clone();
        spec.set_span(layer.span());
        Some(quote_spanned!(layer.span()=> #layer: __rt::#bound<#spec #arguments>))
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
