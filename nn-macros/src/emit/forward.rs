//! Inference and the forward pass of training: one block per node, without loops or branches.

use super::buffers::{Io, Views, buffer_names};
use super::context::Context;
use super::half::{emit_widened, widened_len, widened_together};
use super::shapes;
use crate::fusion::{Fused, Stage, fusion};
use crate::network::{Layer, Node, ValueId};
use crate::plan::PhaseSegment;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use unrolled_shape::Fusion;
use unrolled_shape::registry::Storage;

/// A pass of training.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Forward,
    Backward,
}

/// `forward` and `combine_forward`.
pub(super) fn emit_forward(context: &Context) -> TokenStream {
    let forward = emit_train(context);
    let combine = emit_combine(context, Pass::Forward);
    quote!(#forward #combine)
}

/// `infer` and `infer_inlined`.
pub(super) fn emit_infer(context: &Context) -> TokenStream {
    // `infer` is the inlined code with `AtRunTime`, for which each layer calls kernels that choose their instructions.
    let nodes = emit_call(context);
    quote! {
        fn infer(&self, call: __rt::Infer<'_>) {
            __rt::Node::<__S>::infer_inlined(self, __rt::AtRunTime, call);
        }
        #[inline(always)]
        fn infer_inlined<__I: __rt::Instructions>(&self, isa: __I, call: __rt::Infer<'_>) {
            #nodes
        }
    }
}

/// `WIDENED` and `infer_half`, of a network whose weights are stored in half precision.
pub(super) fn emit_infer_half(context: &Context) -> TokenStream {
    let context = &Context { half: true, ..Context::new(context.network) };
    let lens = context.running().map(|(index, node)| widened_len(context, index, node));
    let nodes = emit_call(context);
    quote! {
        const WIDENED: usize = __rt::largest(&[#(#lens),*]);
        fn infer_half(halves: __rt::Halves<'_>, widened: &mut [f32], call: __rt::Infer<'_>) {
            let isa = __rt::AtRunTime;
            #nodes
        }
    }
}

/// All nodes, in the memory of `call`, and the output.
fn emit_call(context: &Context) -> TokenStream {
    // `outer` outlives the nodes' contexts, which refer to it.
    let turbofish = &context.turbofish;
    let nodes = emit_nodes(context, Inference::Whole);
    let copy = copy_output(context);
    quote! {
        let __rt::Infer { n, x, y, ctx } = call;
        let outer = ctx.lengths;
        let (values, mut ctx) = ctx.split_values(n * __Infer #turbofish::VALUES);
        ctx.lengths = outer.inside::<__S>();
        #nodes
        #copy
    }
}

/// What runs through the nodes at inference.
#[derive(Clone, Copy)]
pub(super) enum Inference {
    /// `n` samples.
    Whole,
    /// One step of one sample, where `n` is 1.
    Step,
}

/// Inference, node by node.
pub(super) fn emit_nodes(context: &Context, inference: Inference) -> TokenStream {
    let names = buffer_names(context, &context.plan.infer);
    let nodes = context.running();
    nodes.map(|(index, it)| infer_node(context, inference, &names, index, it)).collect()
}

fn infer_node(
    context: &Context,
    inference: Inference,
    names: &[Ident],
    index: usize,
    node: &Node,
) -> TokenStream {
    let holder = match inference {
        Inference::Whole => "__Infer",
        Inference::Step => "__Step",
    };
    let fused = &context.plan.fused;
    if fused.iter().any(|it| it.hides(index)) {
        return TokenStream::new();
    }
    let mut views = Views::new(context, holder, names);
    let together = if context.half { widened_together(context, index, node) } else { None };
    let widened = together.as_ref().map(|nodes| emit_widened(context, nodes));
    if let Some(fused) = fused.iter().find(|it| it.last() == index) {
        let code = infer_fused(context, inference, views, fused);
        return if context.half { quote!({ #widened #code }) } else { code };
    }
    let io = Io::new(&mut views, &context.plan.infer, node, node.output);
    let Io { inputs, output, copy } = &io;
    let taken = views.emit();
    let (slot, value, ctx) = (context.slot(index), context.value(index), context.ctx(index));
    let n = context.in_samples(quote!(n), node.per_step, inference);
    if node.storage() == Storage::InPlace {
        return quote! {{
            #taken
            #copy
            #slot.infer(isa, &#value, #n, #output);
        }};
    }
    let call = match inference {
        // What is applied to each step sees nothing of other steps.
        Inference::Step if node.per_step.is_none() => {
            let step = match node.layer {
                Layer::Known { .. } => quote!(step),
                Layer::Custom(_) => quote!(step_own::<__S, Self, _>),
            };
            quote!(#step(isa, &#value, &[#(#inputs),*], #output, #ctx))
        }
        _ if context.half && widened.is_none() && node.has_weights() => {
            quote!(infer_half((halves, &mut *widened), #n, &[#(#inputs),*], #output, #ctx))
        }
        _ => quote!(infer(isa, &#value, #n, &[#(#inputs),*], #output, #ctx)),
    };
    quote! {{
        #widened
        #taken
        #slot.#call;
    }}
}

/// What inference computes together.
fn infer_fused(
    context: &Context,
    inference: Inference,
    mut views: Views,
    fused: &Fused,
) -> TokenStream {
    let nodes = &context.network.nodes;
    let mut read = |value: ValueId, name: &str| {
        let location = context.plan.infer.values[value.0];
        views.read(location.expect("every value that is read has a location"), name)
    };
    let inputs = fused.inputs().into_iter().enumerate();
    let mut inputs =
        inputs.map(|(nth, input)| (input, read(input, &format!("x{nth}")))).collect::<Vec<_>>();
    let between: Vec<_> = fused.stages.split_last().expect("a stage").1.iter().collect();
    let bands: Vec<_> =
        between.iter().map(|stage| read(nodes[stage.last()].output, "lines")).collect();
    let output = read(nodes[fused.last()].output, "out");
    let taken = views.emit();
    let (_, input) = inputs.swap_remove(0);
    let added = |value: ValueId| {
        inputs.iter().find(|(of, _)| *of == value).map_or(&input, |(_, variable)| variable)
    };
    let normalised =
        fused.nodes().any(|node| matches!(fusion(&nodes[node]), Fusion::Normalization));
    let call = match (&fused.stages[..], fusion(&nodes[fused.last()])) {
        ([stage], Fusion::Largest(_)) => infer_pooled(context, inference, stage, (&input, &output)),
        ([stage], _) => {
            let epilogue = epilogue(context, stage, added);
            let (slot, value) = (context.slot(stage.first()), context.value(stage.first()));
            let scratch = if normalised { quote!(scratch) } else { quote!(ctx.reborrow().scratch) };
            match context.half {
                true => {
                    let weights = quote!((halves, &mut *widened));
                    quote!(#slot.infer_half_with(#weights, #input, #output, #epilogue, #scratch);)
                }
                false => quote!(#slot.infer_with(&#value, #input, #output, #epilogue, #scratch);),
            }
        }
        (stages, _) => {
            let layers = stages.iter().map(|stage| {
                let epilogue = epilogue(context, stage, added);
                let (slot, value) = (context.slot(stage.first()), context.value(stage.first()));
                quote!(#slot.convolution(&#value, #epilogue))
            });
            let lines = shapes::number(fused.lines);
            quote! {
                let layers = [#(#layers),*];
                __rt::ConvBands { layers: &layers, lines: #lines }
                    .compute(__rt::Isa::best(), #input, [#(&mut *#bands),*], #output);
            }
        }
    };
    let scratch = normalised.then(|| quote!(let mut scratch = ctx.reborrow().scratch;));
    quote! {{
        #taken
        #scratch
        #call
    }}
}

/// A convolution with the pool after it, then the bounds between them, which commute with the pool.
fn infer_pooled(
    context: &Context,
    inference: Inference,
    stage: &Stage,
    (input, output): (&TokenStream, &TokenStream),
) -> TokenStream {
    let (first, last) = (stage.first(), stage.last());
    let n = context.in_samples(quote!(n), context.network.nodes[first].per_step, inference);
    let (slot, value, spec) = (context.slot(first), context.value(first), context.spec(last));
    // On the smaller output of the pool.
    let between = stage.nodes[1..].iter().filter(|node| **node != last).map(|between| {
        let (slot, value) = (context.slot(*between), context.value(*between));
        quote!(#slot.infer(isa, &#value, #n, #output);)
    });
    quote! {
        #slot.infer_pooled::<#spec>(&#value, #n, &[#input], #output, &mut ctx);
        #(#between)*
    }
}

/// What is computed from the sums of a convolution before they are stored.
fn epilogue<'a>(
    context: &Context,
    stage: &Stage,
    added: impl Fn(ValueId) -> &'a TokenStream,
) -> TokenStream {
    let [mut normalization, mut add, mut bounds] = [const { None }; 3];
    for &node in &stage.nodes[1..] {
        let (slot, value) = (context.slot(node), context.value(node));
        match fusion(&context.network.nodes[node]) {
            Fusion::Normalization => {
                normalization = Some(quote!(#slot.normalization(&#value, &mut scratch)));
            }
            Fusion::Sum => {
                let added = added(stage.inputs[1]);
                add = Some(quote!(&#added[..]));
            }
            _ => bounds = Some(quote!(#slot.bounds())),
        }
    }
    let [normalization, add, bounds] = [normalization, add, bounds].map(option);
    quote! {
        __rt::Epilogue { normalization: #normalization, add: #add, bounds: #bounds }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(__rt::Some(#value)),
        None => quote!(__rt::None),
    }
}

fn emit_train(context: &Context) -> TokenStream {
    let turbofish = &context.turbofish;
    let names = buffer_names(context, &context.plan.train);
    let segments =
        by_phase(context, Pass::Forward, |node, phase| train_node(context, &names, node, phase));
    let copy = copy_output(context);
    quote! {
        fn forward_shard(&self, call: __rt::Forward<'_>) {
            let __rt::Forward { pass, phase, x, y, ctx } = call;
            let n = pass.n;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * __Train #turbofish::VALUES);
            ctx.lengths = outer.inside::<__S>();
            #segments
            #copy
        }
    }
}

fn train_node(
    context: &Context,
    names: &[Ident],
    index: usize,
    phase: &TokenStream,
) -> TokenStream {
    let node = &context.network.nodes[index];
    let mut views = Views::new(context, "__Train", names);
    let io = Io::new(&mut views, &context.plan.train, node, node.output);
    let Io { inputs, output, copy } = &io;
    let taken = views.emit();
    let (slot, value, ctx) = (context.train_slot(index), context.value(index), context.ctx(index));
    if node.storage() == Storage::InPlace {
        return quote! {{
            #taken
            #copy
            #slot.forward(&#value, pass, #output);
        }};
    }
    quote! {{
        #taken
        #slot.forward(&#value, pass, #phase, &[#(#inputs),*], #output, #ctx);
    }}
}

/// The output of a network whose nodes are all views: a copy of its input.
pub(super) fn copy_output(context: &Context) -> Option<TokenStream> {
    let input = shapes::number(context.plan.copied?);
    Some(quote!(y.copy_from_slice(x[#input]);))
}

/// The nodes, each in its phases; without conditions where all have one. `emit` is called with the phase as the node counts
/// it.
pub(super) fn by_phase(
    context: &Context,
    pass: Pass,
    emit: impl Fn(usize, &TokenStream) -> TokenStream,
) -> TokenStream {
    let straight = |nodes: &[usize]| -> TokenStream {
        // These nodes have one phase.
        let emit = |node: &usize| emit(*node, &quote!(0));
        match pass {
            Pass::Forward => nodes.iter().map(emit).collect(),
            Pass::Backward => nodes.iter().rev().map(emit).collect(),
        }
    };
    let segments = &context.plan.segments;
    if let [PhaseSegment::Straight { nodes, .. }] = segments.as_slice() {
        return straight(nodes);
    }
    let emitted = segments.iter().map(|segment| match segment {
        PhaseSegment::Straight { phase, nodes } => {
            let nodes = straight(nodes);
            let phase = match phase.checked_sub(1).and_then(|before| context.crossing().nth(before))
            {
                Some(before) => {
                    let before = context.phases(before);
                    quote!(#before.last)
                }
                None => quote!(0),
            };
            quote!(if phase == #phase { #nodes })
        }
        PhaseSegment::Crossing { node, .. } => {
            let phases = context.phases(*node);
            // `emit` returns a block.
            let node = emit(*node, &quote!(phase - #phases.first));
            quote!(if #phases.contain(phase) #node)
        }
    });
    let mut emitted: Vec<TokenStream> = emitted.collect();
    if pass == Pass::Backward {
        emitted.reverse();
    }
    quote!(#(#emitted)*)
}

/// `combine_forward` or `combine_backward`: calls the node of which `phase` and the next phase of the pass are.
pub(super) fn emit_combine(context: &Context, pass: Pass) -> TokenStream {
    let (name, borrow, first) = match pass {
        Pass::Forward => (quote!(combine_forward), quote!(&mut), quote!(phase)),
        Pass::Backward => (quote!(combine_backward), quote!(&), quote!(phase - 1)),
    };
    let nodes = context.crossing().map(|index| {
        let (slot, value) = (context.train_slot(index), context.value(index));
        let phases = context.phases(index);
        quote! {
            if #phases.contain_both(#first) {
                #slot.#name(#borrow #value, phase - #phases.first, shards, prepared);
            }
        }
    });
    let nodes: TokenStream = nodes.collect();
    if nodes.is_empty() {
        return nodes;
    }
    quote! {
        fn #name(#borrow self, phase: usize, shards: __rt::Shards<'_>, prepared: &mut [f32]) {
            #nodes
        }
    }
}
