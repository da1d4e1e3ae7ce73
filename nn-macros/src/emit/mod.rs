//! From the network to code: a struct beside its constants, and an unnamed constant that holds the
//! rest, so that nothing of it meets names of the user's.
//!
//! Names in expanded code are absolute paths or begin with two underscores; `__rt` is the runtime.

mod backward;
mod constants;
mod docs;
mod forward;
mod heads;
mod memory;
mod names;
mod shapes;
mod specs;
mod steps;
mod streaming;
mod structure;

use crate::network::{Layer, Network, Station};
use crate::plan::{Plan, Stretch, plan};
pub(crate) use heads::Heads;
use names::{Names, names};
use nn_shape::registry::Storage;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
pub(crate) use shapes::{input_type, shape};
use steps::{Source, sources};
use syn::spanned::Spanned;

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
    let heads = Heads::of(network).emit_struct(&quote!(#krate::__private));
    let methods = structure::emit_methods(&context);
    let constants = constants::emit_shapes(&context);
    let specs = specs::emit_specs(&context);
    let steps = steps::emit_sources(&context);
    let memory = memory::emit_memory(&context);
    let weights = structure::emit_weights(&context);
    let station = emit_station(&context);
    let streaming = streaming::emit_streaming(&context);
    let shaped = structure::emit_shaped(&context);
    quote! {
        #structure
        #heads
        #constants
        #[allow(clippy::all, reason = "comparisons of constants that are the same by chance")]
        const _: () = {
            use #krate::__private as __rt;
            #specs
            #steps
            #memory
            #methods
            #weights
            #station
            #streaming
            #shaped
        };
    }
}

/// `impl Station`: the way of the data through the network.
fn emit_station(context: &Context) -> TokenStream {
    let Context { arguments, where_clause, .. } = context;
    let name = &context.network.name;
    let mut generics = context.network.generics.clone();
    generics.params.push(syn::parse_quote!(__S: __rt::Spec));
    let (impl_generics, _, _) = generics.split_for_impl();
    let sizes = memory::emit_sizes(context);
    let weights = structure::emit_weights_functions(context);
    let check = structure::emit_check(context);
    let forward = forward::emit_forward(context);
    let backward = backward::emit_backward(context);
    quote! {
        impl #impl_generics __rt::Station<__S> for #name #arguments #where_clause {
            #sizes
            #weights
            #check
            #forward
            #backward
        }
    }
}

impl Context<'_> {
    /// Stations that run, with their numbers: all but views.
    fn running(&self) -> impl Iterator<Item = (usize, &Station)> {
        let stations = self.network.stations.iter().enumerate();
        stations.filter(|(_, station)| station.storage() != Storage::View)
    }

    /// Stations with weights.
    fn weighted(&self) -> impl Iterator<Item = (usize, &Station)> {
        self.running().filter(|(_, station)| station.has_weights())
    }

    /// The type of a station, as a spec sees it: `__Conv1`.
    fn spec(&self, station: usize) -> TokenStream {
        let (spec, arguments) = (&self.names[station].spec, &self.arguments);
        quote!(#spec #arguments)
    }

    /// The type of a station's layer, inside the unnamed constant.
    fn layer(&self, station: usize) -> TokenStream {
        match &self.network.stations[station].layer {
            Layer::Known { .. } => shapes::layer_type(&quote!(__rt), self.network, station),
            Layer::Custom(layer) => quote!(#layer),
        }
    }

    /// The layer itself: a field, or the unit struct of a layer without weights.
    fn value(&self, station: usize) -> TokenStream {
        let it = &self.network.stations[station];
        match &it.layer {
            Layer::Known { .. } if !it.has_weights() => self.layer(station),
            _ => {
                let field = &it.field;
                quote!(self.#field)
            }
        }
    }

    /// The memory that a station gets: with the weight that it has from another one.
    fn memory(&self, station: usize) -> TokenStream {
        match self.network.stations[station].owner() {
            Some(owner) => {
                let owner = &self.network.stations[owner.station].field;
                quote!(memory.tied_to(&self.#owner))
            }
            None => quote!(memory),
        }
    }

    /// A constant of one of the structs that hold the plan: `__Train::CONV1`.
    fn constant(&self, holder: &str, name: &Ident) -> TokenStream {
        let holder = format_ident!("{holder}");
        let turbofish = &self.turbofish;
        quote!(#holder #turbofish::#name)
    }

    /// The station at its place: `__Stations::CONV1`.
    fn place(&self, station: usize) -> TokenStream {
        self.constant("__Stations", &self.names[station].constant)
    }

    /// The stations that may take several phases.
    fn crossing(&self) -> impl Iterator<Item = usize> {
        self.plan.stretches.iter().filter_map(|stretch| match stretch {
            Stretch::Crossing { station, .. } => Some(*station),
            Stretch::Straight { .. } => None,
        })
    }

    /// When station `station` runs, which may take several phases: `__Phases::BN1`.
    fn phases(&self, station: usize) -> TokenStream {
        self.constant("__Phases", &self.names[station].constant)
    }
}

/// The where clause of expanded code: types of the user's are layers. Where one is not, the compiler
/// says so once, and goes on as if it were.
fn where_clause(network: &Network, names: &[Names], arguments: &TokenStream) -> TokenStream {
    let (_, _, clause) = network.generics.split_for_impl();
    let bounds = network.stations.iter().zip(names).filter_map(|(station, names)| {
        let Layer::Custom(layer) = &station.layer else { return None };
        let mut spec = names.spec.clone();
        spec.set_span(layer.span());
        Some(quote_spanned!(layer.span()=> #layer: __rt::Standing<#spec #arguments>))
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
