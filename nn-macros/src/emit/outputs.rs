//! The output type of a network: an array, or a struct with one array per output.

use super::{docs, shapes};
use crate::network::{Dims, Network};
use crate::unique::Unique;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Generics, Visibility};

/// The outputs of a network.
pub(crate) struct Outputs<'a> {
    pub(crate) visibility: &'a Visibility,
    pub(crate) network: &'a Ident,
    pub(crate) generics: &'a Generics,
    /// Their names and shapes; a single output has no name.
    pub(crate) outputs: Vec<(Option<&'a Ident>, &'a Dims)>,
}

impl<'a> Outputs<'a> {
    pub(super) fn of(network: &'a Network) -> Self {
        let outputs = network.outputs.iter();
        Self {
            visibility: &network.visibility,
            network: &network.name,
            generics: &network.generics,
            outputs: outputs.map(|output| (output.name.as_ref(), &output.promised)).collect(),
        }
    }

    /// Fields, names and shapes of several outputs; empty for a single one.
    fn several(&self) -> Vec<(Ident, String, &'a Dims)> {
        let mut fields = Unique::default();
        let outputs = self.outputs.iter().filter_map(|(name, dims)| Some(((*name)?, *dims)));
        outputs
            .map(|(name, dims)| {
                let word = name.unraw().to_string();
                (fields.identifier(&word, name.span()), word, dims)
            })
            .collect()
    }

    /// `FusionOutput`
    fn name(&self) -> Ident {
        // With the span of the user's name, since programs use this one too.
        format_ident!("{}Output", self.network.unraw(), span = self.network.span())
    }

    /// The type.
    pub(crate) fn emit_type(&self) -> TokenStream {
        match &self.outputs[..] {
            [(None, dims)] => shapes::array_type("f32", dims),
            _ => {
                let (name, (_, arguments, _)) = (self.name(), self.generics.split_for_impl());
                quote!(#name #arguments)
            }
        }
    }

    /// The shape of all elements together.
    pub(crate) fn emit_shape(&self, rt: &TokenStream) -> TokenStream {
        match &self.outputs[..] {
            [(None, dims)] => shapes::shape(rt, dims),
            several => {
                let lens = several.iter().map(|(_, dims)| shapes::len(rt, dims));
                quote!(#rt::Shape::new(&[#(#lens)+*]))
            }
        }
    }

    /// The struct, if there are several outputs.
    pub(crate) fn emit_struct(&self, rt: &TokenStream) -> Option<TokenStream> {
        let several = self.several();
        if several.is_empty() {
            return None;
        }
        let Self { visibility, network, generics, .. } = self;
        let (impl_generics, arguments, where_clause) = generics.split_for_impl();
        let (name, shape) = (self.name(), self.emit_shape(rt));
        let doc = format!(" What [`{network}`] gives.");
        let fields = several.iter().map(|(field, _, _)| field);
        let types: Vec<TokenStream> =
            several.iter().map(|(_, _, dims)| shapes::array_type("f32", dims)).collect();
        let docs = several
            .iter()
            .map(|(_, name, dims)| format!(" What the line `{name}` gives: {}.", docs::text(dims)));
        let names = several.iter().map(|(_, name, _)| name);
        Some(quote! {
            #[doc = #doc]
            #[derive(
                ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::cmp::PartialEq,
            )]
            #[repr(C)]
            #[allow(
                dead_code,
                clippy::exhaustive_structs,
                reason = "a field for each output, of which a program may read only some"
            )]
            #visibility struct #name #generics #where_clause {
                #(#[doc = #docs] #visibility #fields: #types,)*
            }
            // SAFETY: `repr(C)`, and every field is an array of `f32`s, so there is no padding.
            unsafe impl #impl_generics #rt::Values for #name #arguments #where_clause {
                const SHAPE: #rt::Shape = #shape;
                const REAL: bool = true;
            }
            #[doc(hidden)]
            impl #impl_generics #rt::Outputs for #name #arguments #where_clause {
                type Each = (#(#types),*);
                const NAMES: &'static [&'static str] = &[#(#names),*];
            }
        })
    }
}
