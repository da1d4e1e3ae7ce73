//! The plan as constants: where values, gradients and the stations' own memory are.

use super::names::Unique;
use super::streaming::{network_streams, step_len};
use super::{Context, shapes};
use crate::network::ValueId;
use crate::plan::{Buffer, Content, Layout};
use nn_shape::Lifetime;
use nn_shape::registry::Storage;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// `__Train`, `__Infer`, `__Step`, `__Stations` and `__Phases`.
pub(super) fn emit_memory(context: &Context) -> TokenStream {
    let train = emit_layout(
        context,
        &context.plan.train,
        Extent::Whole,
        "__Train",
        " In training, values and their gradients (`D_`) live until backward has used them.",
    );
    let infer = emit_layout(
        context,
        &context.plan.infer,
        Extent::Whole,
        "__Infer",
        " At inference, values are overwritten as soon as nobody needs them.",
    );
    let step = network_streams(context).then(|| {
        let doc = " The same of a single step.";
        emit_layout(context, &context.plan.infer, Extent::Step, "__Step", doc)
    });
    let places = emit_places(context);
    let phases = emit_phases(context);
    quote!(#train #infer #step #places #phases)
}

/// The name of each buffer of a layout.
pub(super) fn buffer_names(context: &Context, layout: &Layout) -> Vec<Ident> {
    let mut unique = Unique::new(&["VALUES", "PLAN"]);
    let part = |station: usize| &context.names[station].constant;
    let buffers = layout.buffers.iter();
    buffers
        .map(|buffer| {
            let name = match buffer.content {
                Content::Value { station } => part(station).to_string(),
                Content::Gradient { station } => format!("D_{}", part(station)),
                Content::Contribution { station, nth } => format!("D_{}_X{nth}", part(station)),
            };
            format_ident!("{}", unique.name(name))
        })
        .collect()
}

/// How much of a value a layout has room for.
#[derive(Clone, Copy)]
enum Extent {
    Whole,
    /// A single step of a sequence.
    Step,
}

impl Extent {
    /// How many numbers of a value that is, where it is known while expanding.
    fn known_len(self, context: &Context, value: ValueId) -> Option<usize> {
        let shape = context.network.values[value.0].dims.known()?;
        Some(match self {
            Self::Step if context.counts_steps(value) => shape.len() / shape.dim(0),
            _ => shape.len(),
        })
    }

    /// The same as an expression.
    fn len(self, context: &Context, value: ValueId) -> TokenStream {
        match self {
            Self::Whole => shapes::len(&quote!(__rt), &context.network.values[value.0].dims),
            Self::Step => step_len(context, value),
        }
    }
}

fn emit_layout(
    context: &Context,
    layout: &Layout,
    extent: Extent,
    holder: &str,
    doc: &str,
) -> TokenStream {
    let names = buffer_names(context, layout);
    let known: Option<Vec<Lifetime>> =
        layout.buffers.iter().map(|buffer| lifetime(context, extent, buffer)).collect();
    let constants = match known {
        Some(lifetimes) => known_constants(&names, &lifetimes),
        None => computed_constants(context, extent, &names, &layout.buffers),
    };
    emit_holder(context, holder, doc, &constants)
}

/// A type that holds constants.
fn emit_holder(context: &Context, holder: &str, doc: &str, constants: &TokenStream) -> TokenStream {
    let Context { impl_generics, arguments, where_clause, .. } = context;
    let (parameters, holder) = (&context.network.generics, format_ident!("{holder}"));
    quote! {
        #[doc = #doc]
        enum #holder #parameters {}
        impl #impl_generics #holder #arguments #where_clause {
            #constants
        }
    }
}

fn lifetime(context: &Context, extent: Extent, buffer: &Buffer) -> Option<Lifetime> {
    let len = extent.known_len(context, buffer.value)?;
    Some(Lifetime { len, from: buffer.from, to: buffer.to })
}

fn known_constants(names: &[Ident], lifetimes: &[Lifetime]) -> TokenStream {
    let mut offsets = vec![0; lifetimes.len()];
    let total = shapes::number(nn_shape::plan_into(lifetimes, &mut offsets));
    let offsets = offsets.iter().map(|&offset| shapes::number(offset));
    let lens = lifetimes.iter().map(|lifetime| shapes::number(lifetime.len));
    quote! {
        const VALUES: usize = #total;
        #(const #names: __rt::Buffer = __rt::Buffer { offset: #offsets, len: #lens };)*
    }
}

fn computed_constants(
    context: &Context,
    extent: Extent,
    names: &[Ident],
    buffers: &[Buffer],
) -> TokenStream {
    let lens: Vec<TokenStream> =
        buffers.iter().map(|buffer| extent.len(context, buffer.value)).collect();
    let from = buffers.iter().map(|buffer| shapes::number(buffer.from));
    let to = buffers.iter().map(|buffer| shapes::number(buffer.to));
    let count = shapes::number(buffers.len());
    let numbers = (0..buffers.len()).map(shapes::number);
    quote! {
        const PLAN: ([usize; #count], usize) = __rt::plan(&[
            #(__rt::Lifetime { len: #lens, from: #from, to: #to }),*
        ]);
        const VALUES: usize = Self::PLAN.1;
        #(const #names: __rt::Buffer = __rt::Buffer { offset: Self::PLAN.0[#numbers], len: #lens };)*
    }
}

/// The stations at their places, one behind the other.
fn emit_places(context: &Context) -> TokenStream {
    let mut parts = Vec::new();
    let places: TokenStream = context
        .running()
        .map(|(station, it)| {
            let (spec, layer) = (context.spec(station), context.layer(station));
            let name = &context.names[station].constant;
            if it.storage() == Storage::InPlace {
                return quote! {
                    const #name: __rt::InPlace<#spec, #layer> = __rt::InPlace::ANYWHERE;
                };
            }
            let part = shapes::number(parts.len());
            parts.push(quote!(__rt::Part::of::<#spec, #layer>()));
            quote!(const #name: __rt::Place<#spec, #layer> = __rt::Place::at(Self::PARTS[#part]);)
        })
        .collect();
    let count = shapes::number(parts.len());
    let all = match parts.len().checked_sub(1) {
        Some(last) => {
            let last = shapes::number(last);
            quote!(Self::PARTS[#last])
        }
        None => quote!(__rt::Part::START),
    };
    let constants = quote! {
        const PARTS: [__rt::Part; #count] = __rt::Part::stack([#(#parts),*]);
        #places
        const ALL: __rt::Part = #all;
    };
    let doc = " The stations, what they own standing one behind the other.";
    emit_holder(context, "__Stations", doc, &constants)
}

/// The phases of stations that may take several.
fn emit_phases(context: &Context) -> Option<TokenStream> {
    let stations: Vec<usize> = context.crossing().collect();
    if stations.is_empty() {
        return None;
    }
    let count = shapes::number(stations.len());
    let places = stations.iter().map(|&station| context.place(station));
    let names = stations.iter().map(|&station| &context.names[station].constant);
    let numbers = (0..stations.len()).map(shapes::number);
    let constants = quote! {
        const ALL: [__rt::Phases; #count] = __rt::Phases::stack([#(#places.phases()),*]);
        #(const #names: __rt::Phases = Self::ALL[#numbers];)*
    };
    let doc = " The phases of stations that look across the batch; the others run between them.";
    Some(emit_holder(context, "__Phases", doc, &constants))
}

/// The sizes that the network asks for as a station.
pub(super) fn emit_sizes(context: &Context) -> TokenStream {
    let turbofish = &context.turbofish;
    let phases = match context.crossing().last() {
        Some(last) => {
            let last = context.phases(last);
            quote!(#last.last + 1)
        }
        None => quote!(1),
    };
    let all = quote!(__Stations #turbofish::ALL);
    let step_work = match network_streams(context) {
        true => quote!(__Step #turbofish::VALUES + #all.step_work),
        false => quote!(0),
    };
    quote! {
        const PHASES: usize = #phases;
        const LEAST_BATCH: usize = #all.least_batch;
        const SHARD: usize = #all.shard;
        const SAVED: usize = __Train #turbofish::VALUES + #all.saved.end();
        const WORK: usize = __Infer #turbofish::VALUES + #all.work;
        const STEP_WORK: usize = #step_work;
        const SCRATCH: usize = #all.scratch;
        const KEPT: usize = #all.kept.end();
        const PARTIAL: usize = #all.partial.end();
        const SHARED: usize = #all.shared.end();
        const STATE: usize = #all.state.end();
        const GRADIENT_TASKS: usize = #all.tasks.end();
    }
}
