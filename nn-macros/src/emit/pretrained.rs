//! `fn pretrained`: the weights of a file, in the program.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use syn::{LitStr, Visibility};

use super::shapes;
use crate::ast::Weights;
use crate::pretrained::Pretrained;

/// `impl Net { pub const fn pretrained() -> &'static Self }`, with the weights of a file. Stored in half precision they
/// are a `Half<Self>`.
pub(super) fn emit_pretrained(
    rt: &TokenStream,
    name: &Ident,
    visibility: &Visibility,
    pretrained: &Pretrained<'_>,
) -> TokenStream {
    let Pretrained { of: Weights { path, half }, bytes } = pretrained;
    let Some(bytes) = bytes else { return emit_pretrained_stub(rt, name, visibility, *half) };
    let len = shapes::number(bytes.len());
    // One token, whatever its length.
    let bytes = Literal::byte_string(bytes);
    let doc = format!(" The weights in `{}`, in read-only memory.", path.value());
    let file = tracked_file(path);
    let (weights, pretrained) = match half {
        true => (
            quote!([::core::primitive::u8; #len] = *#bytes),
            quote!(#rt::Half<Self> { #rt::Half::new(&__WEIGHTS) }),
        ),
        false => (
            quote! {
                #rt::StaticWeights<{ ::core::mem::size_of::<#name>() }> =
                    #rt::StaticWeights::new(#bytes)
            },
            quote!(&'static Self { __WEIGHTS.get() }),
        ),
    };
    quote! {
        // The compiler reads this file when it was changed.
        const _: &[::core::primitive::u8] = ::core::include_bytes!(#file);
        static __WEIGHTS: #weights;
        impl #name {
            #[doc = #doc]
            #[must_use]
            #[allow(dead_code, reason = "another part of the program may use it")]
            #visibility const fn pretrained() -> #pretrained
        }
    }
}

/// The same of a network or file with a mistake: zeros, so that a `static` of it is no further error.
pub(crate) fn emit_pretrained_stub(
    rt: &TokenStream,
    name: &Ident,
    visibility: &Visibility,
    half: bool,
) -> TokenStream {
    if half {
        return quote! {
            impl #name {
                #[doc(hidden)]
                #[allow(dead_code, reason = "another part of the program may use it")]
                #visibility const fn pretrained() -> #rt::Half<Self> {
                    #rt::Half::NONE
                }
            }
        };
    }
    quote! {
        impl #name {
            #[doc(hidden)]
            #[allow(dead_code, reason = "another part of the program may use it")]
            #visibility const fn pretrained() -> &'static Self {
                static __ZEROS: #rt::StaticWeights<{ ::core::mem::size_of::<#name>() }> =
                    #rt::StaticWeights::ZEROS;
                __ZEROS.get()
            }
        }
    }
}

/// The path as an expression for `include_bytes!`, which would begin at the folder of the source file.
fn tracked_file(path: &LitStr) -> TokenStream {
    if std::path::Path::new(&path.value()).is_absolute() {
        return quote!(#path);
    }
    quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path))
}
