//! `#[derive(Weights)]`: makes a struct of `f32` arrays the weights of a hand-written layer.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::Result;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, Meta, Path, Token, parse_quote};

/// Expands the derive. After a mistake the traits are still implemented, so that one mistake is one
/// error.
pub(crate) fn derive_weights(input: &DeriveInput) -> TokenStream {
    // Nothing can be implemented for what does not live long enough.
    if let Err(mistake) = check_lifetimes(input) {
        return mistake.into_compile_error();
    }
    let mut mistakes = Mistakes(TokenStream::new());
    let krate = mistakes.take(read_crate(&input.attrs)).unwrap_or_else(|| parse_quote!(::unrolled));
    let tensors = match &input.data {
        Data::Struct(data) => {
            mistakes.take(check_layout(input, &data.fields));
            expand_tensors(&krate, &data.fields)
        }
        Data::Enum(data) => mistakes.other_kind(data.enum_token.span, &input.ident, "an enum"),
        Data::Union(data) => mistakes.other_kind(data.union_token.span, &input.ident, "a union"),
    };
    let implementations = expand_implementations(&krate, input, &tensors);
    let Mistakes(mistakes) = mistakes;
    quote!(#mistakes #implementations)
}

/// What is wrong, as compile errors.
struct Mistakes(TokenStream);

impl Mistakes {
    /// The value, if there is one.
    fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.0.extend(error.into_compile_error())).ok()
    }

    /// Refuses what is no struct. It has no tensors.
    fn other_kind(&mut self, span: Span, name: &Ident, kind: &str) -> TokenStream {
        let message = format!("weights are a struct of `f32` arrays, but `{name}` is {kind}");
        self.0.extend(Error::new(span, message).into_compile_error());
        TokenStream::new()
    }
}

/// The path of the facade: `#[weights(crate = renamed)]`, where the user calls it something else.
fn read_crate(attributes: &[Attribute]) -> Result<Path> {
    // A derive macro gets no `$crate`.
    let mut path = parse_quote!(::unrolled);
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("weights")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                let message = "expected `crate = path`, the path of the crate `unrolled`";
                return Err(Error::new_spanned(meta.path, message));
            }
            path = meta.value()?.call(Path::parse_mod_style)?;
            Ok(())
        })?;
    }
    Ok(path)
}

/// Weights own their numbers.
fn check_lifetimes(input: &DeriveInput) -> Result<()> {
    match input.generics.lifetimes().next() {
        None => Ok(()),
        Some(lifetime) => {
            let message = format!("weights own their values, but `{}` borrows some", input.ident);
            Err(Error::new_spanned(&lifetime.lifetime, message))
        }
    }
}

/// The fields must be laid out in their order and without gaps: `repr(C)` and no other option. Without
/// fields, there is nothing to lay out.
fn check_layout(input: &DeriveInput, fields: &Fields) -> Result<()> {
    let mut is_c = fields.is_empty();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        let words = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        for word in words {
            if !word.path().is_ident("C") {
                let message = "weights are laid out by `#[repr(C)]` only: leave out this option";
                return Err(Error::new(word.span(), message));
            }
            is_c = true;
        }
    }
    if is_c {
        return Ok(());
    }
    let message = format!(
        "`{}` needs `#[repr(C)]`, which keeps its fields in their order\n  = help: write \
         `#[repr(C)]` above the struct",
        input.ident
    );
    Err(Error::new(input.ident.span(), message))
}

/// The statements that add each field's tensors. The type of the field is the one place where its
/// trait is asked for, so that the error points there.
fn expand_tensors(krate: &Path, fields: &Fields) -> TokenStream {
    let fields = fields.iter().zip(fields.members()).map(|(field, member)| {
        let name = match &member {
            syn::Member::Named(name) => name.unraw().to_string(),
            syn::Member::Unnamed(index) => index.index.to_string(),
        };
        let ty = &field.ty;
        // The place of the user's type, where the error is to point, but names as the macro sees them.
        let span = ty.span().resolved_at(Span::mixed_site());
        let add = quote_spanned!(span=> add_field::<#ty>);
        quote! {
            #krate::__private::#add(&mut tensors, #name, ::core::mem::offset_of!(Self, #member));
        }
    });
    quote!(#(#fields)*)
}

/// `Weights` and `Parameters`.
fn expand_implementations(krate: &Path, input: &DeriveInput, tensors: &TokenStream) -> TokenStream {
    let name = &input.ident;
    let words = name.unraw().to_string();
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        // SAFETY: `repr(C)`, and every field is `f32`s alone by the bounds of `add_field` below.
        #[automatically_derived]
        unsafe impl #parameters #krate::__private::Weights for #name #arguments #bounds {}

        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #parameters #krate::__private::Parameters for #name #arguments #bounds {
            const NAME: &'static str = #words;

            #krate::__private::if_std! {
                fn named_tensors() -> ::std::vec::Vec<#krate::__private::Tensor> {
                    #[allow(unused_mut, reason = "a layer without weights")]
                    let mut tensors = ::std::vec::Vec::new();
                    #tensors
                    tensors
                }
            }
        }
    }
}
