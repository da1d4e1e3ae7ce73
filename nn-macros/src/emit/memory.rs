//! The memory plan as constants: where values, gradients and the nodes' own memory are.

use super::buffers::buffer_names;
use super::context::Context;
use super::shapes;
use super::streamable::{network_streams, step_len};
use crate::network::{Node, ValueId};
use crate::plan::{Buffer, BufferPlan};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::HashMap;
use unrolled_shape::Lifetime;
use unrolled_shape::registry::Storage;

/// `__Infer`, `__Step` and `__Slots`.
pub(super) fn emit_memory(context: &Context) -> TokenStream {
    let infer = emit_layout(
        context,
        &context.plan.infer,
        Extent::Whole,
        "__Infer",
        " At inference, values are overwritten as soon as no node reads them any more.",
    );
    let step = network_streams(context).then(|| {
        let doc = " The same for a single step.";
        emit_layout(context, &context.plan.infer, Extent::Step, "__Step", doc)
    });
    let slots = emit_slots(context);
    quote!(#infer #step #slots)
}

/// `__Train` and `__Phases`.
pub(super) fn emit_train_memory(context: &Context) -> TokenStream {
    let train = emit_layout(
        context,
        &context.plan.train,
        Extent::Whole,
        "__Train",
        " In training, values and their gradients (`D_`) live until backward has used them.",
    );
    let phases = emit_phases(context);
    quote!(#train #phases)
}

/// How much of a value a buffer contains.
#[derive(Clone, Copy)]
enum Extent {
    Whole,
    /// A single step of a sequence.
    Step,
}

impl Extent {
    /// The elements of a value, where their number is known while expanding.
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
    layout: &BufferPlan,
    extent: Extent,
    holder: &str,
    doc: &str,
) -> TokenStream {
    let names = buffer_names(context, layout);
    let known: Option<Vec<Lifetime>> =
        layout.buffers.iter().map(|buffer| lifetime(context, extent, buffer)).collect();
    // With literal sizes the plan is computed here: less work for the compiler, and plain numbers to read.
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
    let (mut offsets, mut by_offset) = (vec![0; lifetimes.len()], vec![0; lifetimes.len()]);
    let total = unrolled_shape::plan_into(lifetimes, &mut offsets, &mut by_offset);
    let total = shapes::number(total);
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
    // One constant for all offsets, so that the compiler evaluates the plan once.
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

/// `__Slots`: the nodes with their memory and weights, laid out one after the other, and with their memory in training. One
/// constant per node has both: each is an item for the compiler to check.
fn emit_slots(context: &Context) -> TokenStream {
    let trains = context.network.features.train;
    let rows = Rows::new(context);
    let slots = rows.all.iter().map(|row| {
        let Row { name, spec, layer, number, .. } = row;
        if number.is_none() {
            return quote! {
                const #name: __rt::InPlaceSlot<#spec, #layer> = __rt::InPlaceSlot::NEW;
            };
        }
        let (kind, layout) = (if trains { "TrainSlot" } else { "Slot" }, row.layout("LAYOUTS"));
        let kind = format_ident!("{kind}");
        let train = trains.then(|| row.layout("TRAIN_LAYOUTS")).into_iter();
        quote!(const #name: __rt::#kind<#spec, #layer> = __rt::#kind::new(#layout #(, #train)*);)
    });
    let layouts = rows.emit_layouts("Layout", ["LAYOUTS", "ALL"]);
    let train = trains.then(|| rows.emit_layouts("TrainLayout", ["TRAIN_LAYOUTS", "TRAIN"]));
    let constants = quote!(#layouts #train #(#slots)*);
    let doc = " The nodes, what they own laid out one after the other.";
    emit_holder(context, "__Slots", doc, &constants)
}

/// The constants of one node.
struct Row<'a> {
    name: &'a Ident,
    spec: TokenStream,
    layer: TokenStream,
    /// Its index among the nodes with memory of their own.
    number: Option<TokenStream>,
    /// That of the earlier node that it applies again, if it has weights.
    first: Option<TokenStream>,
}

impl Row<'_> {
    /// Its layout among `layouts`.
    fn layout(&self, layouts: &str) -> TokenStream {
        let Self { number, first, .. } = self;
        let layouts = format_ident!("{layouts}");
        match first {
            Some(first) => quote!(Self::#layouts[#number].sharing(&Self::#layouts[#first])),
            None => quote!(Self::#layouts[#number]),
        }
    }
}

/// All nodes that run.
struct Rows<'a> {
    all: Vec<Row<'a>>,
    with_memory: usize,
}

impl<'a> Rows<'a> {
    fn new(context: &'a Context) -> Self {
        // A node that works in place has neither memory nor weights.
        let with_memory = context.running().filter(|(_, it)| it.storage() != Storage::InPlace);
        let numbers: HashMap<usize, usize> =
            with_memory.enumerate().map(|(number, (node, _))| (node, number)).collect();
        let number = |node| numbers.get(&node).copied().map(shapes::number);
        let row = |(node, it): (usize, &Node)| Row {
            name: &context.names[node].constant,
            spec: context.spec(node),
            layer: context.layer(node),
            number: number(node),
            first: it.first.filter(|_| it.has_weights()).and_then(number),
        };
        Self { all: context.running().map(row).collect(), with_memory: numbers.len() }
    }

    /// The layouts of this kind, and the last of them, under these names.
    fn emit_layouts(&self, kind: &str, names: [&str; 2]) -> TokenStream {
        let kind = format_ident!("{kind}");
        let kind = quote!(__rt::#kind);
        let [list, all_name] = names.map(|name| format_ident!("{name}"));
        let count = shapes::number(self.with_memory);
        let owners = self.all.iter().filter(|row| row.number.is_some());
        let layouts = owners.map(|Row { spec, layer, first, .. }| match first {
            Some(_) => quote!(#kind::again::<#spec, #layer>()),
            None => quote!(#kind::of::<#spec, #layer>()),
        });
        // Layouts add up from node to node: the last one has the sums and maxima of all.
        let all = match self.with_memory.checked_sub(1) {
            Some(last) => {
                let last = shapes::number(last);
                quote!(Self::#list[#last])
            }
            None => quote!(#kind::START),
        };
        quote! {
            const #list: [#kind; #count] = #kind::stack([#(#layouts),*]);
            const #all_name: #kind = #all;
        }
    }
}

/// `__Phases`: the phases of nodes that may have several.
fn emit_phases(context: &Context) -> Option<TokenStream> {
    let nodes: Vec<usize> = context.crossing().collect();
    if nodes.is_empty() {
        return None;
    }
    let count = shapes::number(nodes.len());
    let slots = nodes.iter().map(|&node| context.train_slot(node));
    let names = nodes.iter().map(|&node| &context.names[node].constant);
    let numbers = (0..nodes.len()).map(shapes::number);
    let constants = quote! {
        const ALL: [__rt::Phases; #count] = __rt::Phases::stack([#(#slots.phases()),*]);
        #(const #names: __rt::Phases = Self::ALL[#numbers];)*
    };
    let doc = " The phases of nodes that look across the batch; the others run between them.";
    Some(emit_holder(context, "__Phases", doc, &constants))
}

/// The memory that the network needs as a node, at inference.
pub(super) fn emit_sizes(context: &Context) -> TokenStream {
    let turbofish = &context.turbofish;
    // The network's own values, and after them what its nodes use one after the other.
    let all = quote!(__Slots #turbofish::ALL);
    let step_workspace = match network_streams(context) {
        true => quote!(__Step #turbofish::VALUES + #all.step_workspace),
        false => quote!(0),
    };
    quote! {
        const WORKSPACE: usize = __Infer #turbofish::VALUES + #all.workspace;
        const STEP_WORKSPACE: usize = #step_workspace;
        const SCRATCH: usize = #all.scratch;
        const STATE: usize = #all.state.end();
        const SHARD: usize = #all.shard;
    }
}

/// The memory that the network needs as a node, in training.
pub(super) fn emit_train_sizes(context: &Context) -> TokenStream {
    let turbofish = &context.turbofish;
    let phases = match context.crossing().last() {
        Some(last) => {
            let last = context.phases(last);
            quote!(#last.last + 1)
        }
        None => quote!(1),
    };
    let all = quote!(__Slots #turbofish::TRAIN);
    quote! {
        const PHASES: usize = #phases;
        const MIN_BATCH: usize = #all.min_batch;
        const SAVED: usize = __Train #turbofish::VALUES + #all.saved.end();
        const DEFERRED: usize = #all.deferred.end();
        const SHARD_SUMS: usize = #all.shard_sums.end();
        const PREPARED: usize = #all.prepared.end();
        const TRAIN_SCRATCH: usize = #all.scratch;
        const GRADIENT_TASKS: usize = #all.tasks.end();
    }
}
