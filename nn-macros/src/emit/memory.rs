//! The memory plan as constants: where values, gradients and the nodes' own memory are.

use super::buffers::buffer_names;
use super::context::Context;
use super::forward::Inference;
use super::shapes;
use super::streamable::{network_streams, step_len};
use crate::network::Node;
use crate::plan::{Buffer, BufferPlan};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::cmp::Reverse;
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
    /// The elements of a buffer, where their number is known while expanding.
    fn known_len(self, context: &Context, buffer: &Buffer) -> Option<usize> {
        let network = context.network;
        let shape = network.values[buffer.value.0].dims.known()?;
        let len = match (self, buffer.lines) {
            (Self::Step, _) if context.counts_steps(buffer.value) => shape.len() / shape.dim(0),
            (_, Some(lines)) => lines * (shape.len() / shape.dim(0)),
            (_, None) => shape.len(),
        };
        let begin = network.per_step(buffer.value);
        let samples = match self {
            Self::Whole => network.samples(begin)?,
            Self::Step => network.samples_of_step(begin)?,
        };
        Some(len * samples)
    }

    /// The same as an expression.
    fn len(self, context: &Context, buffer: &Buffer) -> TokenStream {
        match self {
            Self::Whole => buffer_len(context, buffer),
            Self::Step => step_len(context, buffer.value),
        }
    }
}

/// The elements of a buffer as an expression.
pub(super) fn buffer_len(context: &Context, buffer: &Buffer) -> TokenStream {
    let dims = &context.network.values[buffer.value.0].dims;
    let len = shapes::len(&quote!(__rt), dims);
    let len = match (buffer.lines.map(shapes::number), dims.known()) {
        (Some(lines), Some(shape)) => {
            let all = shapes::number(shape.dim(0));
            quote!(#lines * (#len / #all))
        }
        _ => len,
    };
    context.in_samples(len, context.network.per_step(buffer.value), Inference::Whole)
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
pub(super) fn emit_holder(
    context: &Context,
    holder: &str,
    doc: &str,
    constants: &TokenStream,
) -> TokenStream {
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
    let len = extent.known_len(context, buffer)?;
    Some(Lifetime { len, from: buffer.from, to: buffer.to })
}

fn known_constants(names: &[Ident], lifetimes: &[Lifetime]) -> TokenStream {
    let (offsets, total) = best_plan(lifetimes);
    let total = shapes::number(total);
    let offsets = offsets.iter().map(|&offset| shapes::number(offset));
    let lens = lifetimes.iter().map(|lifetime| shapes::number(lifetime.len));
    quote! {
        const VALUES: usize = #total;
        #(const #names: __rt::Buffer = __rt::Buffer { offset: #offsets, len: #lens };)*
    }
}

/// An offset for each buffer, and the total length. Of several orders in which buffers are placed, the one with the smallest total:
/// in the order of the network, small buffers that come first cut the memory of a large one in two; TensorFlow Lite Micro
/// places the largest first. (Constants of the users' sizes have the first order only, since the compiler limits the steps of
/// their evaluation.)
fn best_plan(lifetimes: &[Lifetime]) -> (Vec<usize>, usize) {
    let in_order: Vec<usize> = (0..lifetimes.len()).collect();
    let mut by_len = in_order.clone();
    by_len.sort_by_key(|buffer| Reverse(lifetimes[*buffer].len));
    let backward = in_order.iter().rev().copied().collect();
    let plans = [in_order, by_len, backward].map(|order| placed_in(&order, lifetimes));
    plans.into_iter().min_by_key(|(_, total)| *total).expect("three plans")
}

/// The plan for which buffers are placed in this order.
fn placed_in(order: &[usize], lifetimes: &[Lifetime]) -> (Vec<usize>, usize) {
    let ordered: Vec<Lifetime> = order.iter().map(|buffer| lifetimes[*buffer]).collect();
    let [mut placed, mut by_offset, mut offsets] = [(); 3].map(|()| vec![0; order.len()]);
    let total = unrolled_shape::plan_into(&ordered, &mut placed, &mut by_offset);
    for (buffer, offset) in order.iter().zip(placed) {
        offsets[*buffer] = offset;
    }
    (offsets, total)
}

fn computed_constants(
    context: &Context,
    extent: Extent,
    names: &[Ident],
    buffers: &[Buffer],
) -> TokenStream {
    let lens: Vec<TokenStream> = buffers.iter().map(|buffer| extent.len(context, buffer)).collect();
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
    let [slot, layout] = match context.network.features.train {
        true => ["TrainSlot", "TrainLayout"],
        false => ["Slot", "Layout"],
    };
    let [slot, layout] = [slot, layout].map(|name| format_ident!("{name}"));
    let rows = Rows::new(context);
    let slots = rows.all.iter().map(|row| {
        let Row { name, spec, layer, number, per_step, .. } = row;
        if number.is_none() {
            let new = match per_step {
                Some(per_step) => quote!(per_step(#per_step)),
                None => quote!(NEW),
            };
            return quote! {
                const #name: __rt::InPlaceSlot<#spec, #layer> = __rt::InPlaceSlot::#new;
            };
        }
        let layout = row.layout();
        quote!(const #name: __rt::#slot<#spec, #layer> = __rt::#slot::new(#layout);)
    });
    let layouts = rows.emit_layouts(&layout);
    let constants = quote!(#layouts #(#slots)*);
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
    /// Its samples, if it is in a `PerStep`.
    per_step: Option<TokenStream>,
}

impl Row<'_> {
    /// Its layout.
    fn layout(&self) -> TokenStream {
        let Self { number, first, .. } = self;
        match first {
            Some(first) => quote!(Self::LAYOUTS[#number].sharing(&Self::LAYOUTS[#first])),
            None => quote!(Self::LAYOUTS[#number]),
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
            per_step: context.per_step(it.per_step),
        };
        Self { all: context.running().map(row).collect(), with_memory: numbers.len() }
    }

    /// The layouts of this kind, and the last of them.
    fn emit_layouts(&self, kind: &Ident) -> TokenStream {
        let kind = quote!(__rt::#kind);
        let count = shapes::number(self.with_memory);
        let owners = self.all.iter().filter(|row| row.number.is_some());
        let layouts = owners.map(|Row { spec, layer, first, per_step, .. }| {
            let of = if first.is_some() { quote!(again) } else { quote!(of) };
            let per_step = per_step.iter();
            quote!(#kind::#of::<#spec, #layer>() #(.per_step(#per_step))*)
        });
        // Layouts add up from node to node: the last one has the sums and maxima of all.
        let all = match self.with_memory.checked_sub(1) {
            Some(last) => {
                let last = shapes::number(last);
                quote!(Self::LAYOUTS[#last])
            }
            None => quote!(#kind::START),
        };
        quote! {
            const LAYOUTS: [#kind; #count] = #kind::stack([#(#layouts),*]);
            const ALL: #kind = #all;
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
    let doc = " The phases of nodes that have several; the others run between them.";
    Some(emit_holder(context, "__Phases", doc, &constants))
}

/// The memory that the network needs as a node, at inference.
pub(super) fn emit_sizes(context: &Context) -> TokenStream {
    let turbofish = &context.turbofish;
    // The network's own values, and after them what its nodes use one after the other.
    let all = context.all_layouts();
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
    let all = quote!(__Slots #turbofish::ALL);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan;
    use crate::tests::network;

    /// The elements of the plan for inference, and the most elements that are in use at one moment.
    fn sizes(header: &str, lines: &str) -> [usize; 2] {
        let network = network(&format!("pub struct Net{header} {{ {lines} }}"));
        let context = Context::new(&network);
        let buffers = &plan(&network).infer.buffers;
        let lifetimes: Vec<_> = buffers
            .iter()
            .map(|it| lifetime(&context, Extent::Whole, it).expect("known"))
            .collect();
        let live = |moment: usize| -> usize {
            let live = lifetimes.iter().filter(|it| it.from <= moment && moment <= it.to);
            live.map(|it| it.len.next_multiple_of(16)).sum()
        };
        let most = (0..network.nodes.len()).map(live).max().expect("a node");
        [best_plan(&lifetimes).1, most]
    }

    /// `person_detection` of TensorFlow Lite Micro, whose arena holds 55,296 values.
    #[test]
    fn the_plan_of_a_mobilenet_has_no_gaps() {
        let separable = |depth: usize, channels: usize, stride: usize| {
            format!(
                "Conv2d({depth}, kernel = 3, stride = {stride}, padding = 1, groups = {depth}), ReLU6, \
                 Conv2d({channels}, kernel = 1), ReLU6,"
            )
        };
        let lines = [(8, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2)];
        let lines: String = lines.map(|(d, c, s)| separable(d, c, s)).concat();
        let first = "Conv2d(8, kernel = 3, stride = 2, padding = 1), ReLU6,";
        let lines = format!("{first} {lines} GlobalAvgPool, Dense(2)");
        assert_eq!(sizes("(96x96x1) -> 2", &lines), [55_296; 2]);
    }

    #[test]
    fn plans_are_within_a_twentieth_of_the_least() {
        for (header, lines) in [
            (
                "(28x28x1) -> 10",
                "Conv2d(32, kernel = 3), ReLU, MaxPool2d(2), Conv2d(64, kernel = 3), ReLU, MaxPool2d(2), Flatten, \
                 Dense(128), ReLU, Dense(10)",
            ),
            (
                "(32x32x3) -> 32x32x2",
                "a: Conv2d(16, kernel = 3, padding = 1), ReLU, MaxPool2d(2), b: Conv2d(32, kernel = 3, padding = 1), \
                 ReLU, MaxPool2d(2), Conv2d(64, kernel = 3, padding = 1), ReLU, Upsample(2), Concat { {}, b }, \
                 Conv2d(32, kernel = 3, padding = 1), ReLU, Upsample(2), Concat { {}, a }, Conv2d(2, kernel = 1)",
            ),
            (
                "(64x32) -> 64x32",
                "Repeat(4) { Residual { LayerNorm, MultiHeadAttention(4) }, Residual { LayerNorm, Dense(128), GELU, Dense(32) } }",
            ),
            (
                "(24x24x8) -> 10",
                "Residual { Conv2d(8, kernel = 3, padding = 1, bias = false), BatchNorm, ReLU, \
                 Conv2d(8, kernel = 3, padding = 1, bias = false), BatchNorm }, ReLU, \
                 Residual { Conv2d(16, kernel = 3, stride = 2, padding = 1, bias = false), BatchNorm } \
                 skip { Conv2d(16, kernel = 1, stride = 2, bias = false), BatchNorm }, ReLU, GlobalAvgPool, Dense(10)",
            ),
        ] {
            let [planned, least] = sizes(header, lines);
            assert!(planned * 20 <= least * 21, "{lines}: {planned}, and {least} at the same time");
        }
    }
}
