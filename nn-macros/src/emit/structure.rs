//! The struct, its methods, and its traits as weights, as a layer and as a network.

use super::context::Context;
use super::forward::Inference;
use super::outputs::Outputs;
use super::signature::{by_reference, input_types};
use super::{docs, shapes};
use crate::network::{Layer, Node, ValueId};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use unrolled_shape::registry::Storage;

/// `pub struct Digits { .. }`
pub(super) fn emit_struct(context: &Context) -> TokenStream {
    let network = context.network;
    let (attributes, visibility, name) = (&network.attributes, &network.visibility, &network.name);
    let (generics, krate) = (&network.generics, &network.krate);
    let (_, _, where_clause) = generics.split_for_impl();
    let rt = quote!(#krate::__private);
    let table = docs::network(network);
    // An empty line ends the user's own documentation.
    let table = [""].into_iter().chain(table.iter().map(String::as_str));
    let fields = context.weighted().map(|(index, node)| {
        let doc = format!(" {}", docs::field(network, node));
        let (field, layer) = (&node.field, shapes::layer_type(&rt, network, index));
        quote!(#[doc = #doc] #visibility #field: #layer)
    });
    quote! {
        #(#attributes)*
        #(#[doc = #table])*
        #[allow(
            clippy::struct_field_names,
            clippy::pub_underscore_fields,
            clippy::exhaustive_structs,
            reason = "a field for each of the user's lines"
        )]
        #[repr(C)]
        #visibility struct #name #generics #where_clause {
            #(#fields,)*
        }
    }
}

/// The inherent methods, which need no import.
pub(super) fn emit_methods(context: &Context) -> TokenStream {
    let Context { network, impl_generics, arguments, where_clause, .. } = context;
    let (name, visibility) = (&network.name, &network.visibility);
    let output = Outputs::of(network).emit_type();
    let types = input_types(context);
    let (parameter, kind, inputs) = by_reference(context, &types);
    let infer = emit_infer(context, &inputs, None);
    // Hygienic: an input may have this name.
    let written = Ident::new("output", Span::mixed_site());
    let infer_into = emit_infer(context, &inputs, Some(&written));
    let step = super::streaming::emit_step_method(context);
    let step_in = super::streaming::emit_step_in_method(context);
    let panics = network.inputs.iter().any(|input| input.index).then(|| {
        quote! {
            ///
            /// # Panics
            /// When a token number is not in the vocabulary; `check_inputs` checks that beforehand.
        }
    });
    let associated = super::constants::emit_associated(context);
    let call = network.features.std.then(|| {
        quote! {
            /// Inference on one sample. Large networks divide it among threads.
            #panics
            #[inline]
            #[must_use]
            #visibility fn forward(&self, #parameter: #kind) -> #output {
                #infer
            }
            /// As `forward`, with the output written to `output`, which may be too large for the stack.
            #panics
            #[allow(dead_code, reason = "a program may call `forward` only")]
            #[inline]
            #visibility fn forward_into(&self, #parameter: #kind, #written: &mut #output) {
                #infer_into
            }
            #step
        }
    });
    quote! {
        impl #impl_generics #name #arguments #where_clause {
            #call
            #step_in
            #associated
        }
    }
}

/// Inference on references to the inputs: an expression of the output, or a statement that writes it to `output`.
fn emit_infer(context: &Context, inputs: &[TokenStream], output: Option<&Ident>) -> TokenStream {
    let krate = &context.network.krate;
    let rt = quote!(#krate::__private);
    // `infer_one` takes full sequences only, and is faster for small networks.
    if !context.network.inputs.iter().any(|input| input.ragged) {
        let floats = quote!(&[#(#rt::Values::as_floats(#inputs)),*]);
        return match output {
            None => quote!(#rt::infer_one(self, #floats)),
            Some(output) => quote!(#rt::infer_one_into(self, #floats, #output);),
        };
    }
    let (function, end) = match output {
        None => (quote!(infer_one_from), None),
        Some(_) => (quote!(infer_one_from_into), Some(quote!(;))),
    };
    quote! {
        #rt::#function(
            self,
            &[#(#rt::Input::floats(#inputs)),*],
            #rt::Lengths::Given(&[#(#rt::Input::steps(#inputs)),*]),
            &mut [],
            #output
        )
        #end
    }
}

/// `unsafe impl Weights`
pub(super) fn emit_weights(context: &Context) -> TokenStream {
    let Context { network, impl_generics, arguments, where_clause, .. } = context;
    let name = &network.name;
    let fields = context.weighted().map(|(_, node)| &node.field);
    let all = context.all_layouts();
    // The compiler evaluates a constant of a generic type only where it is used, and whatever makes a network reads `LEN`.
    let checks = network.generics.const_params().next();
    let checks = checks.map(|_| quote!(let () = <Self as __rt::Network>::CHECKS;));
    quote! {
        // SAFETY: `repr(C)`; every field is `Weights` by the bounds of `Node`, and `LEN` checks that there is no padding.
        unsafe impl #impl_generics __rt::Weights for #name #arguments #where_clause {
            const LEN: usize = {
                // Does not compile if an attribute macro has added a field.
                let _ = |Self { #(#fields: _),* }: &Self| {};
                #checks
                __rt::len_of_fields::<Self>(#all.weights.end())
            };
        }
    }
}

/// `check`: calls the nodes that read inputs of the network and may refuse them.
pub(super) fn emit_check(context: &Context) -> Option<TokenStream> {
    let asked: Vec<TokenStream> = context
        .running()
        .filter_map(|(index, node)| {
            let refusable = match &node.layer {
                Layer::Known { row, .. } => Some(row.indices()?),
                // It may be a network that begins with an `Embedding`.
                Layer::Custom(_) => None,
            };
            let one = |(nth, input): (usize, &ValueId)| {
                if refusable.is_some_and(|it| it != nth) {
                    return Some(quote!(&[]));
                }
                // Only the values of inputs are known before inference.
                let input = shapes::number(context.network.input_behind(*input)?);
                Some(quote!(x[#input]))
            };
            let inputs = node.inputs.iter().enumerate().map(one).collect::<Option<Vec<_>>>()?;
            let slot = context.slot(index);
            Some(quote!(#slot.check(&[#(#inputs),*])?;))
        })
        .collect();
    if asked.is_empty() {
        return None;
    }
    Some(quote! {
        fn check(x: &[&[f32]]) -> ::core::result::Result<(), __rt::InputError> {
            #(#asked)*
            ::core::result::Result::Ok(())
        }
    })
}

/// `initialise`, `prepare`, `gradient_end` and `gradient`.
pub(super) fn emit_train_weights(context: &Context) -> TokenStream {
    let weighted: Vec<(usize, &Node)> = context.weighted().collect();
    if weighted.is_empty() {
        return TokenStream::new();
    }
    let fields: Vec<&Ident> = weighted.iter().map(|(_, node)| &node.field).collect();
    let slots: Vec<TokenStream> =
        weighted.iter().map(|(index, _)| context.train_slot(*index)).collect();
    let prepared = context.running().filter(|(_, node)| node.has_weights()).map(|(index, node)| {
        let (slot, value) = (context.train_slot(index), context.value(index));
        match node.first {
            None => quote!(#slot.prepare(&#value, prepared);),
            Some(_) => quote!(#slot.prepare_again(&#value, prepared);),
        }
    });
    let all = context.all_layouts();
    // In the order of the weights: a task belongs to the first node that reaches it.
    let gradients = weighted.iter().map(|(index, _)| emit_gradient(context, *index));
    quote! {
        fn initialise(&mut self, key: __rt::RngKey) {
            #(#slots.initialise(&mut self.#fields, key);)*
        }
        fn prepare(&self, prepared: &mut [f32]) {
            #(#prepared)*
        }
        fn gradient_end(task: usize) -> usize {
            #(if #slots.reaches_task(task) {
                return #slots.gradient_end(task);
            })*
            #all.weights.end()
        }
        fn gradient(task: usize, shards: __rt::Shards<'_>, d_weights: &mut [f32]) {
            #(#gradients)*
        }
    }
}

/// Writes a part of a node's gradient, including the contributions of nodes that apply it again or use its weight.
fn emit_gradient(context: &Context, index: usize) -> TokenStream {
    let slot = context.train_slot(index);
    let tied: Vec<TokenStream> =
        context.network.tied_to(index).map(|(tied, _)| context.train_slot(tied)).collect();
    let again: Vec<TokenStream> =
        context.network.again(index).map(|(again, _)| context.train_slot(again)).collect();
    if tied.is_empty() && again.is_empty() {
        return quote! {
            if #slot.reaches_task(task) {
                return #slot.gradient(task, shards, d_weights);
            }
        };
    }
    quote! {
        if #slot.reaches_task(task) {
            #slot.gradient(task, shards, d_weights);
            #(#again.add_gradient_to(&#slot, task, shards, d_weights);)*
            #(#tied.add_gradient(&#slot, task, shards, d_weights);)*
            return;
        }
    }
}

/// `impl Shaped` and `impl Network`
pub(super) fn emit_shaped(context: &Context) -> TokenStream {
    let Context { network, impl_generics, arguments, where_clause, .. } = context;
    let rt = quote!(__rt);
    let name = &network.name;
    let inputs: Vec<_> = network.inputs.iter().map(|input| input.value).collect();
    let inputs = shapes::shapes(&rt, network, &inputs);
    let names = input_name_list(context);
    let outputs = Outputs::of(network);
    let output = outputs.emit_shape(&rt);
    let counts: Vec<Counts> =
        (0..network.nodes.len()).map(|node| Counts::of(context, node)).collect();
    let params = sum(counts.iter().map(|counts| &counts.params));
    let macs = sum(counts.iter().map(|counts| &counts.macs));
    let lines = network.written().map(|(node, _)| line(context, node, &counts[node]));
    let types = input_types(context);
    let input_type = match types.as_slice() {
        [kind] => quote!(#kind),
        _ => quote!((#(#types),*)),
    };
    let output_type = outputs.emit_type();
    let checks = super::constants::emit_checks(context);
    let graph = super::graph::emit_graph(context);
    // Of several outputs, each has steps of its own in `OUTPUTS`.
    let output_steps = match network.has_several_outputs() {
        true => Some(emit_outputs(context)),
        false => super::steps::emit_output_steps(context),
    };
    quote! {
        impl #impl_generics __rt::Shaped for #name #arguments #where_clause {
            const INPUTS: &'static [__rt::Shape] = &#inputs;
            #names
            const OUTPUT: __rt::Shape = #output;
            #output_steps
            const PARAMS: usize = #params;
            const MACS: usize = #macs;
            const LAYERS: &'static [__rt::LayerInfo] = &[#(#lines),*];
            #graph
        }
        impl #impl_generics __rt::Network for #name #arguments #where_clause {
            type Input = #input_type;
            type Output = #output_type;
            #checks
        }
    }
}

/// `const OUTPUTS`, of several outputs.
fn emit_outputs(context: &Context) -> TokenStream {
    let rt = quote!(__rt);
    let outputs = context.network.outputs.iter().map(|output| {
        let name = output.name.as_ref().map_or(String::new(), |name| name.unraw().to_string());
        let shape = shapes::shape(&rt, &output.promised);
        let steps = context.steps_of(output.value);
        quote!(__rt::OutputInfo { name: #name, shape: #shape, steps: #steps })
    });
    quote!(const OUTPUTS: &'static [__rt::OutputInfo] = &[#(#outputs),*];)
}

/// `const INPUT_NAMES`, where there is more than one input.
fn input_name_list(context: &Context) -> Option<TokenStream> {
    let inputs = &context.network.inputs;
    if inputs.len() < 2 {
        return None;
    }
    let name = |name: &Ident| name.unraw().to_string();
    let names = inputs.iter().map(|input| input.name.as_ref().map_or(String::new(), name));
    Some(quote!(const INPUT_NAMES: &'static [&'static str] = &[#(#names),*];))
}

/// Parameters and multiply-adds of a node, as expressions.
struct Counts {
    params: Count,
    macs: Count,
}

/// A number, or an expression.
enum Count {
    Known(usize),
    Computed(TokenStream),
}

impl Count {
    fn emit(&self) -> TokenStream {
        match self {
            Self::Known(number) => shapes::number(*number),
            Self::Computed(tokens) => tokens.clone(),
        }
    }
}

impl Counts {
    fn of(context: &Context, index: usize) -> Self {
        let node = &context.network.nodes[index];
        let Self { params, macs } = Self::of_sample(context, index);
        let macs = match (macs, context.network.samples(node.per_step)) {
            (Count::Known(0), _) => Count::Known(0),
            (Count::Known(macs), Some(samples)) => Count::Known(macs.saturating_mul(samples)),
            (macs, _) => {
                let macs = context.in_samples(macs.emit(), node.per_step, Inference::Whole);
                Count::Computed(macs)
            }
        };
        Self { params, macs }
    }

    /// The same for one sample of the node.
    fn of_sample(context: &Context, index: usize) -> Self {
        let rt = quote!(__rt);
        let node = &context.network.nodes[index];
        if let Some(cost) = node.cost {
            return Self { params: Count::Known(cost.params), macs: Count::Known(cost.macs) };
        }
        let counts = match &node.layer {
            Layer::Known { row, arguments } => {
                let rule = shapes::rule(&rt, row, arguments);
                let inputs = shapes::shapes(&rt, context.network, &node.inputs);
                // Rules have the methods of the counts that their rows have.
                let params = row.params.map(|_| quote!(#rule.params(&#inputs)));
                let macs = row.macs.map(|_| quote!(#rule.macs(&#inputs)));
                [params, macs]
            }
            Layer::Custom(_) => {
                let layer = context.layer(index);
                let params = quote!(<#layer as __rt::Shaped>::PARAMS);
                let macs = quote!(<#layer as __rt::Shaped>::MACS);
                [Some(params), Some(macs)]
            }
        };
        let [params, macs] = counts.map(|tokens| tokens.map_or(Count::Known(0), Count::Computed));
        // Those of an earlier node are counted there.
        let params = if node.first.is_none() { params } else { Count::Known(0) };
        Self { params, macs }
    }
}

/// The sum of known counts as one number, plus the computed ones.
fn sum<'a>(counts: impl Iterator<Item = &'a Count>) -> TokenStream {
    let mut known: usize = 0;
    let mut computed = TokenStream::new();
    for count in counts {
        match count {
            Count::Known(number) => known = number.saturating_add(known),
            Count::Computed(tokens) => computed.extend(quote!(+ #tokens)),
        }
    }
    let known = shapes::number(known);
    quote!(#known #computed)
}

/// A line of `LAYERS`.
fn line(context: &Context, index: usize, counts: &Counts) -> TokenStream {
    let node = &context.network.nodes[index];
    let (name, kind) = (&node.path, &node.source);
    let output = shapes::shape(&quote!(__rt), &context.network.values[node.output.0].dims);
    let (params, macs) = (counts.params.emit(), counts.macs.emit());
    let offset = if node.has_weights() {
        let slot = context.slot(index);
        quote!(#slot.offset())
    } else {
        quote!(0)
    };
    let is_layer = matches!(node.layer, Layer::Known { .. }) && node.storage() != Storage::View;
    if is_layer {
        let spec = context.spec(index);
        return quote!(__rt::LayerInfo::of::<#spec>(#kind, #params, #macs, #offset));
    }
    let inner = match &node.layer {
        // Their parameters are counted where it is first.
        Layer::Custom(_) if node.first.is_none() => {
            let layer = context.layer(index);
            quote!(<#layer as __rt::Shaped>::LAYERS)
        }
        _ => quote!(&[]),
    };
    quote! {
        __rt::LayerInfo {
            name: #name,
            kind: #kind,
            output: #output,
            params: #params,
            macs: #macs,
            offset: #offset,
            inner: #inner,
        }
    }
}
