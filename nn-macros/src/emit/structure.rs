//! The struct itself, and what it offers as weights, as a layer and as a network.

use super::{Context, Heads, docs, shapes};
use crate::network::{Layer, Station};
use nn_shape::registry::Inputs;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

/// `pub struct Digits { .. }`
pub(super) fn emit_struct(context: &Context) -> TokenStream {
    let network = context.network;
    let (attributes, visibility, name) = (&network.attributes, &network.visibility, &network.name);
    let (generics, krate) = (&network.generics, &network.krate);
    let (_, _, where_clause) = generics.split_for_impl();
    let rt = quote!(#krate::__private);
    let table = docs::table(network);
    // An empty line ends what the user wrote.
    let table = table.iter().take(1).map(|_| "").chain(table.iter().map(String::as_str));
    let fields = context.weighted().map(|(index, station)| {
        let doc = format!(" {}", docs::line(network, station));
        let (field, layer) = (&station.field, shapes::layer_type(&rt, network, index));
        quote!(#[doc = #doc] #visibility #field: #layer)
    });
    quote! {
        #(#attributes)*
        #(#[doc = #table])*
        #[repr(C)]
        #visibility struct #name #generics #where_clause {
            #(#fields,)*
        }
    }
}

/// What can be called without importing anything.
pub(super) fn emit_methods(context: &Context) -> TokenStream {
    let Context { network, impl_generics, arguments, where_clause, .. } = context;
    let (name, visibility) = (&network.name, &network.visibility);
    let output = Heads::of(network).emit_type();
    let types = input_types(context);
    let (parameter, kind, inputs) = by_reference(context, &types);
    let infer = emit_infer(context, &inputs);
    let step = super::streaming::emit_step_method(context);
    let panics = network.inputs.iter().any(|input| input.index).then(|| {
        quote! {
            ///
            /// # Panics
            /// When the number of a token is not in the vocabulary; `check_inputs` tells beforehand.
        }
    });
    let associated = super::constants::emit_associated(context);
    let checks = context.constants_of_self();
    quote! {
        impl #impl_generics #name #arguments #where_clause {
            /// Inference on one sample, on the calling thread.
            #panics
            #[inline]
            #[must_use]
            #visibility fn forward(&self, #parameter: #kind) -> #output {
                const { #checks }
                #infer
            }
            #step
            #associated
        }
    }
}

/// A parameter of one reference for each input: its pattern, its type, and the references.
pub(super) fn by_reference(
    context: &Context,
    types: &[TokenStream],
) -> (TokenStream, TokenStream, Vec<TokenStream>) {
    if let [kind] = types {
        return (quote!(input), quote!(&#kind), vec![quote!(input)]);
    }
    let names: Vec<Ident> = input_names(context);
    let inputs = names.iter().map(|name| quote!(#name)).collect();
    (quote!((#(#names),*)), quote!((#(&#types),*)), inputs)
}

/// Inference on references to the inputs.
fn emit_infer(context: &Context, inputs: &[TokenStream]) -> TokenStream {
    let krate = &context.network.krate;
    let rt = quote!(#krate::__private);
    if !context.network.inputs.iter().any(|input| input.ragged) {
        return quote!(#rt::infer_one(self, &[#(#rt::Values::as_floats(#inputs)),*]));
    }
    quote! {
        #rt::infer_one_from(
            self,
            &[#(#rt::Input::floats(#inputs)),*],
            #rt::Lengths::Given(&[#(#rt::Input::steps(#inputs)),*]),
            &mut [],
        )
    }
}

impl Context<'_> {
    /// An expression that makes the compiler look at shapes that depend on const generics.
    fn constants_of_self(&self) -> TokenStream {
        let krate = &self.network.krate;
        quote!(<Self as #krate::__private::Network>::CHECKS)
    }
}

/// The type of each input: an array, or a sequence of steps.
fn input_types(context: &Context) -> Vec<TokenStream> {
    let inputs = context.network.inputs.iter();
    inputs
        .map(|input| {
            let element = if input.index { "u32" } else { "f32" };
            let dims = &context.network.values[input.value.0].dims;
            let krate = &context.network.krate;
            shapes::input_type(&quote!(#krate::__private), element, dims, input.ragged)
        })
        .collect()
}

/// The names of inputs as variables.
fn input_names(context: &Context) -> Vec<Ident> {
    let inputs = context.network.inputs.iter().enumerate();
    inputs
        .map(|(nth, input)| input.name.clone().unwrap_or_else(|| format_ident!("input{nth}")))
        .collect()
}

/// `unsafe impl Weights`
pub(super) fn emit_weights(context: &Context) -> TokenStream {
    let Context { network, impl_generics, arguments, turbofish, where_clause, .. } = context;
    let name = &network.name;
    quote! {
        /// SAFETY: `repr(C)`; every field is `Weights`, since `Station` asks for that, and `LEN`
        /// checks that nothing stands between them.
        unsafe impl #impl_generics __rt::Weights for #name #arguments #where_clause {
            const LEN: usize = __rt::len_of_fields::<Self>(__Stations #turbofish::ALL.weights.end());
        }
    }
}

/// `check`: asks the stations that read inputs of the network whether they take these.
pub(super) fn emit_check(context: &Context) -> Option<TokenStream> {
    let asked: Vec<TokenStream> = context
        .running()
        .filter_map(|(index, station)| {
            let may_refuse = match &station.layer {
                Layer::Known { row, .. } => row.inputs == Inputs::Indices,
                Layer::Custom(_) => true,
            };
            let inputs = station.inputs.iter().map(|input| context.network.input_behind(*input));
            let inputs: Vec<usize> = inputs.collect::<Option<_>>().filter(|_| may_refuse)?;
            let inputs = inputs.into_iter().map(shapes::number);
            let place = context.place(index);
            Some(quote!(#place.check(&[#(x[#inputs]),*])?;))
        })
        .collect();
    if asked.is_empty() {
        return None;
    }
    Some(quote! {
        fn check(x: &[&[f32]]) -> ::core::result::Result<(), ::std::string::String> {
            #(#asked)*
            ::core::result::Result::Ok(())
        }
    })
}

/// What concerns the weights of each station.
pub(super) fn emit_weights_functions(context: &Context) -> TokenStream {
    let weighted: Vec<(usize, &Station)> = context.weighted().collect();
    if weighted.is_empty() {
        return TokenStream::new();
    }
    let fields: Vec<&Ident> = weighted.iter().map(|(_, station)| &station.field).collect();
    let places: Vec<TokenStream> =
        weighted.iter().map(|(index, _)| context.place(*index)).collect();
    let turbofish = &context.turbofish;
    let tensors = weighted.iter().map(|(index, _)| emit_tensors(context, *index));
    let gradients = weighted.iter().map(|(index, _)| emit_gradient(context, *index));
    quote! {
        fn initialise(&mut self, streams: __rt::Streams) {
            #(#places.initialise(&mut self.#fields, streams);)*
        }
        fn tensors() -> ::std::vec::Vec<__rt::Tensor> {
            let mut all = ::std::vec::Vec::new();
            #(#tensors)*
            all
        }
        fn prepare(&self, shared: &mut [f32]) {
            #(#places.prepare(&self.#fields, shared);)*
        }
        fn gradient_end(task: usize) -> usize {
            #(if #places.reaches_task(task) {
                return #places.gradient_end(task);
            })*
            __Stations #turbofish::ALL.weights.end()
        }
        fn gradient(task: usize, shards: __rt::Shards<'_>, d_weights: &mut [f32]) {
            #(#gradients)*
        }
    }
}

/// Adds the tensors of a station to `all`.
fn emit_tensors(context: &Context, index: usize) -> TokenStream {
    let place = context.place(index);
    let tied = context.network.stations[index].owner().map(|owner| {
        let owner = context.place(owner.station);
        quote!(all.extend(#place.tied_tensors(&#owner));)
    });
    quote! {
        #tied
        all.extend(#place.tensors());
    }
}

/// Writes a piece of a station's gradient, with what the stations add that have its weight, too.
fn emit_gradient(context: &Context, index: usize) -> TokenStream {
    let place = context.place(index);
    let tied: Vec<TokenStream> =
        context.network.tied_to(index).map(|(tied, _)| context.place(tied)).collect();
    if tied.is_empty() {
        return quote! {
            if #place.reaches_task(task) {
                return #place.gradient(task, shards, d_weights);
            }
        };
    }
    quote! {
        if #place.reaches_task(task) {
            #place.gradient(task, shards, d_weights);
            #(#tied.add_gradient(&#place, task, shards, d_weights);)*
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
    let heads = Heads::of(network);
    let output = heads.emit_shape(&rt);
    let counts: Vec<Counts> =
        (0..network.stations.len()).map(|station| Counts::of(context, station)).collect();
    let params = sum(counts.iter().map(|counts| &counts.params));
    let macs = sum(counts.iter().map(|counts| &counts.macs));
    let lines = network.written().map(|(station, _)| line(context, station, &counts[station]));
    let types = input_types(context);
    let input_type = match types.as_slice() {
        [kind] => quote!(#kind),
        _ => quote!((#(#types),*)),
    };
    let output_type = heads.emit_type();
    let checks = super::constants::emit_checks(context);
    let output_steps = match network.has_heads() {
        true => Some(emit_heads(context)),
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
        }
        impl #impl_generics __rt::Network for #name #arguments #where_clause {
            type Input = #input_type;
            type Output = #output_type;
            #checks
        }
    }
}

/// `const HEADS`, of several outputs.
fn emit_heads(context: &Context) -> TokenStream {
    let rt = quote!(__rt);
    let heads = context.network.outputs.iter().map(|output| {
        let name = output.name.as_ref().map_or(String::new(), |name| name.unraw().to_string());
        let shape = shapes::shape(&rt, &output.promised);
        let steps = context.steps_of(output.value);
        quote!(__rt::Head { name: #name, shape: #shape, steps: #steps })
    });
    quote!(const HEADS: &'static [__rt::Head] = &[#(#heads),*];)
}

/// `const INPUT_NAMES`, where there is more than one input.
fn input_name_list(context: &Context) -> Option<TokenStream> {
    let inputs = &context.network.inputs;
    if inputs.len() < 2 {
        return None;
    }
    let names =
        inputs.iter().map(|input| input.name.as_ref().map_or(String::new(), Ident::to_string));
    Some(quote!(const INPUT_NAMES: &'static [&'static str] = &[#(#names),*];))
}

/// What a station has and costs, as expressions.
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
        let rt = quote!(__rt);
        let station = &context.network.stations[index];
        if let Some(cost) = station.cost {
            return Self { params: Count::Known(cost.params), macs: Count::Known(cost.macs) };
        }
        let [params, macs] = match &station.layer {
            Layer::Known { row, arguments } => {
                let rule = shapes::rule(&rt, row, arguments);
                let inputs = shapes::shapes(&rt, context.network, &station.inputs);
                [quote!(#rule.params(&#inputs)), quote!(#rule.macs(&#inputs))]
            }
            Layer::Custom(_) => {
                let layer = context.layer(index);
                [quote!(<#layer as __rt::Shaped>::PARAMS), quote!(<#layer as __rt::Shaped>::MACS)]
            }
        };
        Self { params: Count::Computed(params), macs: Count::Computed(macs) }
    }
}

/// The sum of what is known, plus what is not.
fn sum<'a>(counts: impl Iterator<Item = &'a Count>) -> TokenStream {
    let mut known = 0;
    let mut computed = TokenStream::new();
    for count in counts {
        match count {
            Count::Known(number) => known += number,
            Count::Computed(tokens) => computed.extend(quote!(+ #tokens)),
        }
    }
    let known = shapes::number(known);
    quote!(#known #computed)
}

/// A line of `LAYERS`.
fn line(context: &Context, index: usize, counts: &Counts) -> TokenStream {
    let station = &context.network.stations[index];
    let (name, kind) = (&station.path, &station.source);
    let output = shapes::shape(&quote!(__rt), &context.network.values[station.output.0].dims);
    let (params, macs) = (counts.params.emit(), counts.macs.emit());
    let offset = if station.has_weights() {
        let place = context.place(index);
        quote!(#place.offset())
    } else {
        quote!(0)
    };
    let inner = match &station.layer {
        Layer::Custom(_) => {
            let layer = context.layer(index);
            quote!(<#layer as __rt::Shaped>::LAYERS)
        }
        Layer::Known { .. } => quote!(&[]),
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
