//! Inference and the training forward pass: one block per node, in straight line.

use super::context::Context;
use super::names::buffer_names;
use super::shapes;
use crate::fusion::Pooled;
use crate::network::{Node, ValueId};
use crate::plan::{BufferPlan, Location, PhaseSegment};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use unrolled_shape::registry::Storage;

/// `forward` and `combine_forward`.
pub(super) fn emit_forward(context: &Context) -> TokenStream {
    let forward = emit_train(context);
    let combine = emit_combine(context);
    quote!(#forward #combine)
}

/// `infer` and `infer_inlined`.
pub(super) fn emit_infer(context: &Context) -> TokenStream {
    let turbofish = &context.turbofish;
    let nodes = emit_nodes(context, Inference::Whole);
    let copy = copy_output(context);
    quote! {
        fn infer(&self, call: __rt::Infer<'_>) {
            __rt::Node::<__S>::infer_inlined(self, __rt::AtRunTime, call);
        }
        #[inline(always)]
        fn infer_inlined<__I: __rt::Instructions>(&self, isa: __I, call: __rt::Infer<'_>) {
            let __rt::Infer { n, x, y, ctx } = call;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * __Infer #turbofish::VALUES);
            ctx.lengths = outer.inside::<__S>();
            #nodes
            #copy
        }
    }
}

/// What inference leads through the nodes.
#[derive(Clone, Copy)]
pub(super) enum Inference {
    /// Samples, `n` of them.
    Whole,
    /// A step of one sample, with `n` as 1.
    Step,
}

/// Inference, node by node.
pub(super) fn emit_nodes(context: &Context, inference: Inference) -> TokenStream {
    let names = buffer_names(&context.names, &context.plan.infer);
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
    let pooled = context.plan.pooled.iter();
    if pooled.clone().any(|it| it.hides(index)) {
        return TokenStream::new();
    }
    let mut views = Views::new(context, holder, names);
    if let Some(pooled) = pooled.clone().find(|it| it.pool == index) {
        return infer_pooled(context, views, pooled);
    }
    let io = Io::new(&mut views, &context.plan.infer, node, node.output);
    let Io { inputs, output, copy } = &io;
    let taken = views.emit();
    let (place, value, ctx) = (context.slot(index), context.value(index), context.ctx(index));
    if node.storage() == Storage::InPlace {
        return quote! {{
            #taken
            #copy
            #place.infer(isa, &#value, n, #output);
        }};
    }
    let method = match inference {
        Inference::Whole => quote!(infer),
        Inference::Step => quote!(step),
    };
    quote! {{
        #taken
        #place.#method(isa, &#value, __rt::Infer {
            n,
            x: &[#(#inputs),*],
            y: &mut *#output,
            ctx: #ctx,
        });
    }}
}

/// A node, the pool behind it, and then what stands between them in the user's code.
fn infer_pooled(context: &Context, mut views: Views, pooled: &Pooled) -> TokenStream {
    let nodes = &context.network.nodes;
    let layout = &context.plan.infer;
    let Pooled { node, between, pool } = *pooled;
    let Io { inputs, output, .. } = Io::new(&mut views, layout, &nodes[node], nodes[pool].output);
    let taken = views.emit();
    let (place, value, spec) = (context.slot(node), context.value(node), context.spec(pool));
    let between = between.map(|between| {
        let (place, value) = (context.slot(between), context.value(between));
        quote!(#place.infer(isa, &#value, n, #output);)
    });
    quote! {{
        #taken
        #place.infer_pooled::<#spec>(&#value, __rt::Infer {
            n,
            x: &[#(#inputs),*],
            y: &mut *#output,
            ctx: ctx.reborrow(),
        });
        #between
    }}
}

fn emit_train(context: &Context) -> TokenStream {
    let turbofish = &context.turbofish;
    let names = buffer_names(&context.names, &context.plan.train);
    let segments = by_phase(context, false, |node, phase| train_node(context, &names, node, phase));
    let copy = copy_output(context);
    quote! {
        fn forward(&self, call: __rt::Forward<'_>) {
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
    let (place, value, ctx) = (context.train_slot(index), context.value(index), context.ctx(index));
    if node.storage() == Storage::InPlace {
        return quote! {{
            #taken
            #copy
            #place.forward(&#value, pass, #output);
        }};
    }
    quote! {{
        #taken
        #place.forward(&#value, __rt::Forward {
            pass,
            phase: #phase,
            x: &[#(#inputs),*],
            y: &mut *#output,
            ctx: #ctx,
        });
    }}
}

/// The output of a network that changes nothing of its input.
pub(super) fn copy_output(context: &Context) -> Option<TokenStream> {
    let input = shapes::number(context.plan.copied?);
    Some(quote!(y.copy_from_slice(x[#input]);))
}

/// The nodes, each in its phases: without any condition where all have one. `emit` gets the phase
/// as the node counts it.
pub(super) fn by_phase(
    context: &Context,
    backward: bool,
    emit: impl Fn(usize, &TokenStream) -> TokenStream,
) -> TokenStream {
    let straight = |nodes: &[usize]| -> TokenStream {
        let emit = |node: &usize| emit(*node, &quote!(0));
        if backward {
            nodes.iter().rev().map(emit).collect()
        } else {
            nodes.iter().map(emit).collect()
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
            let node = emit(*node, &quote!(phase - #phases.first));
            quote!(if #phases.contain(phase) #node)
        }
    });
    let mut emitted: Vec<TokenStream> = emitted.collect();
    if backward {
        emitted.reverse();
    }
    quote!(#(#emitted)*)
}

/// Leads a combination to the node whose phase it is.
fn emit_combine(context: &Context) -> TokenStream {
    let nodes: TokenStream = context
        .crossing()
        .map(|index| {
            let (place, value) = (context.train_slot(index), context.value(index));
            let phases = context.phases(index);
            quote! {
                if #phases.contain_both(phase) {
                    #place.combine_forward(&mut #value, phase - #phases.first, shards, prepared);
                }
            }
        })
        .collect();
    if nodes.is_empty() {
        return nodes;
    }
    quote! {
        fn combine_forward(&mut self, phase: usize, shards: __rt::Shards<'_>, prepared: &mut [f32]) {
            #nodes
        }
    }
}

/// The buffers that one node takes out of the network's values, each once.
pub(super) struct Views<'a> {
    context: &'a Context<'a>,
    holder: &'static str,
    names: &'a [Ident],
    taken: Vec<(usize, Ident)>,
}

impl<'a> Views<'a> {
    pub(super) fn new(context: &'a Context, holder: &'static str, names: &'a [Ident]) -> Self {
        Self { context, holder, names, taken: Vec::new() }
    }

    /// The variable that holds `buffer`: `name`, unless it was taken under another one.
    pub(super) fn take(&mut self, buffer: usize, name: &str) -> Ident {
        if let Some((_, variable)) = self.taken.iter().find(|(taken, _)| *taken == buffer) {
            return variable.clone();
        }
        let variable = Ident::new(&self.unused(name), Span::mixed_site());
        self.taken.push((buffer, variable.clone()));
        variable
    }

    /// `name`, or `name2` where another buffer has it.
    fn unused(&self, name: &str) -> String {
        let used = |name: &str| self.taken.iter().any(|(_, variable)| variable == name);
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !used(name)).expect("numbers do not end")
    }

    /// The numbers at a place, to be read or written; not for inputs.
    pub(super) fn read(&mut self, place: Location, name: &str) -> TokenStream {
        match place {
            Location::Input(input) => {
                let input = shapes::number(input);
                quote!(x[#input])
            }
            Location::Output => quote!(y),
            Location::Buffer(buffer) => {
                let variable = self.take(buffer, name);
                quote!(#variable)
            }
        }
    }

    /// `let [x0, out] = take(values, n, [__Train::CONV1, __Train::RELU]);`
    pub(super) fn emit(&self) -> Option<TokenStream> {
        if self.taken.is_empty() {
            return None;
        }
        let variables = self.taken.iter().map(|(_, variable)| variable);
        let buffers = self.taken.iter().map(|(buffer, _)| &self.names[*buffer]);
        let buffers = buffers.map(|name| self.context.constant(self.holder, name));
        Some(quote!(let [#(#variables),*] = __rt::take(values, n, [#(#buffers),*]);))
    }
}

/// What goes into a node and what comes out, as expressions.
struct Io {
    inputs: Vec<TokenStream>,
    output: TokenStream,
    /// The copy that a node makes that works in place, but not on its input.
    copy: Option<TokenStream>,
}

impl Io {
    /// Those of `node`, of which `output` comes.
    fn new(views: &mut Views, layout: &BufferPlan, node: &Node, output: ValueId) -> Self {
        let place = |value: usize| layout.values[value].expect("every value has a place");
        let to = place(output.0);
        if node.storage() != Storage::InPlace {
            let inputs = node.inputs.iter().enumerate();
            let inputs =
                inputs.map(|(nth, input)| views.read(place(input.0), &format!("x{nth}"))).collect();
            return Self { inputs, output: views.read(to, "out"), copy: None };
        }
        let from = place(node.inputs[0].0);
        let copy = (from != to).then(|| {
            let (from, to) = (views.read(from, "x0"), views.read(to, "out"));
            quote!(#to.copy_from_slice(#from);)
        });
        Self { inputs: Vec::new(), output: views.read(to, "out"), copy }
    }
}
