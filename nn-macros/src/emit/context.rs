//! [`Context`]: the network, its plan and names, for all parts of emission.

use super::names::{Names, names};
use super::shapes;
use super::step_sources::{Source, sources};
use crate::network::{Layer, Network, Node};
use crate::plan::{PhaseSegment, Plan, plan};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use unrolled_shape::registry::Storage;

/// What all parts of the code are emitted from.
pub(super) struct Context<'a> {
    pub(super) network: &'a Network,
    pub(super) plan: Plan,
    pub(super) names: Vec<Names>,
    /// Whether the code of the nodes reads weights that were widened from half precision, in variables of their own, instead
    /// of the fields.
    pub(super) half: bool,
    /// For each value, where its steps come from.
    pub(super) steps: Vec<Option<Source>>,
    /// `impl` generics, type arguments and where clause of the network.
    pub(super) impl_generics: TokenStream,
    pub(super) arguments: TokenStream,
    pub(super) turbofish: TokenStream,
    pub(super) where_clause: TokenStream,
}

impl<'a> Context<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        let (impl_generics, arguments, _) = network.generics.split_for_impl();
        let turbofish = arguments.as_turbofish();
        let names = names(network);
        Self {
            network,
            plan: plan(network),
            where_clause: where_clause(network, &names, &quote!(#arguments)),
            names,
            half: false,
            steps: sources(network),
            impl_generics: quote!(#impl_generics),
            arguments: quote!(#arguments),
            turbofish: quote!(#turbofish),
        }
    }

    /// The nodes that run, with their indices: all but views.
    pub(super) fn running(&self) -> impl Iterator<Item = (usize, &Node)> {
        let nodes = self.network.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.storage() != Storage::View)
    }

    /// The nodes with weights of their own.
    pub(super) fn weighted(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.running().filter(|(_, node)| node.owns_weights())
    }

    /// The spec of a node: `__Conv1`.
    pub(super) fn spec(&self, node: usize) -> TokenStream {
        let (spec, arguments) = (&self.names[node].spec, &self.arguments);
        quote!(#spec #arguments)
    }

    /// The type of a node's layer, inside the unnamed constant.
    pub(super) fn layer(&self, node: usize) -> TokenStream {
        let it = &self.network.nodes[node];
        match &it.layer {
            Layer::Known { .. } if it.has_weights() => {
                let (layer, arguments) =
                    (&self.names[self.network.first(node)].layer, &self.arguments);
                quote!(#layer #arguments)
            }
            Layer::Known { .. } => {
                shapes::layer_type(&quote!(__rt), self.network, self.network.first(node))
            }
            Layer::Custom(layer) => quote!(#layer),
        }
    }

    /// The layer as an expression: a field (of the first node that it is applied at), or the unit struct of a layer without weights.
    pub(super) fn value(&self, node: usize) -> TokenStream {
        let it = &self.network.nodes[node];
        match &it.layer {
            // Custom layers always have a field: only the compiler knows whether they have weights.
            Layer::Known { .. } if !it.has_weights() => self.layer(node),
            _ if self.half => self.widened(node),
            _ => {
                let field = &self.network.nodes[self.network.first(node)].field;
                quote!(self.#field)
            }
        }
    }

    /// The variable with the widened weights of a node, as a place.
    fn widened(&self, node: usize) -> TokenStream {
        let variable = widened_name(node);
        quote!(*#variable)
    }

    /// The context argument of a node, with the weight that it uses of another one.
    pub(super) fn ctx(&self, node: usize) -> TokenStream {
        match self.network.nodes[node].owner {
            Some(owner) if self.half => {
                let owner = self.widened(owner);
                quote!(&mut ctx.tied_to(&#owner))
            }
            Some(owner) => {
                let owner = &self.network.nodes[owner].field;
                quote!(&mut ctx.tied_to(&self.#owner))
            }
            None => quote!(&mut ctx),
        }
    }

    /// A constant of one of the structs that hold the plan: `__Train::CONV1`.
    pub(super) fn constant(&self, holder: &str, name: &Ident) -> TokenStream {
        let holder = format_ident!("{holder}");
        let turbofish = &self.turbofish;
        quote!(#holder #turbofish::#name)
    }

    /// The slot of a node: `__Slots::CONV1`, or the one in its slot for training: `__Slots::CONV1.slot`.
    pub(super) fn slot(&self, node: usize) -> TokenStream {
        let slot = self.train_slot(node);
        match self.network.nodes[node].storage() {
            // One that works in place has no memory, in training either.
            Storage::InPlace => slot,
            _ if self.network.features.train => quote!(#slot.slot),
            _ => slot,
        }
    }

    /// What all nodes need at inference, and their weights: `__Slots::ALL`, or its field `infer` where it has training, too.
    pub(super) fn all_layouts(&self) -> TokenStream {
        let turbofish = &self.turbofish;
        let infer = self.network.features.train.then(|| quote!(.infer));
        quote!(__Slots #turbofish::ALL #infer)
    }

    /// The slot of a node for training: `__Slots::CONV1`.
    pub(super) fn train_slot(&self, node: usize) -> TokenStream {
        self.constant("__Slots", &self.names[node].constant)
    }

    /// The nodes that may have several phases.
    pub(super) fn crossing(&self) -> impl Iterator<Item = usize> {
        self.plan.segments.iter().filter_map(|segment| match segment {
            PhaseSegment::Crossing { node, .. } => Some(*node),
            PhaseSegment::Straight { .. } => None,
        })
    }

    /// The phases of a node that may have several: `__Phases::BN1`.
    pub(super) fn phases(&self, node: usize) -> TokenStream {
        self.constant("__Phases", &self.names[node].constant)
    }
}

/// The name of the variable with the widened weights of a node.
pub(super) fn widened_name(node: usize) -> Ident {
    format_ident!("weights{node}")
}

/// The where clause of expanded code: the user's types must be layers. Where one is not, the compiler reports it once and
/// continues as if it were.
fn where_clause(network: &Network, names: &[Names], arguments: &TokenStream) -> TokenStream {
    let (_, _, clause) = network.generics.split_for_impl();
    // One bound for all that is needed, so that the compiler reports one error.
    let bound = match network.features.train {
        true => format_ident!("TrainEmbeds"),
        false => format_ident!("Embeds"),
    };
    let bounds = network.nodes.iter().zip(names).filter_map(|(node, names)| {
        let Layer::Custom(layer) = &node.layer else { return None };
        let mut spec = names.spec.clone();
        // All tokens of the bound have the place of the user's type: there the compiler reports that it is no layer.
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
