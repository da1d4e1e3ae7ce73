//! `#[derive(Weights)]`: makes a struct of `f32` arrays the weights of a hand-written layer.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::Result;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Field, Fields, Ident, Member, Meta, Path, Token, Type,
    parse_quote,
};

/// Expands the derive. After a mistake the traits are still implemented, so that one mistake is one
/// error.
pub(crate) fn derive_weights(input: &DeriveInput) -> TokenStream {
    // Nothing can be implemented for what does not live long enough.
    if let Err(mistake) = check_lifetimes(input) {
        return mistake.into_compile_error();
    }
    let mut mistakes = Mistakes(TokenStream::new());
    let krate = mistakes.take(read_crate(&input.attrs)).unwrap_or_else(|| parse_quote!(::unrolled));
    let fields = match &input.data {
        Data::Struct(data) => {
            let laid_out = mistakes.take(check_layout(input, &data.fields));
            let trained = mistakes.take(expand_trained(&data.fields)).flatten();
            Some((expand_fields(&krate, &data.fields), trained, laid_out.is_some()))
        }
        Data::Enum(data) => mistakes.other_kind(data.enum_token.span, &input.ident, "an enum"),
        Data::Union(data) => mistakes.other_kind(data.union_token.span, &input.ident, "a union"),
    };
    let implementations = expand_implementations(&krate, input, fields);
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

    /// Refuses what is no struct. It has no fields.
    fn other_kind<T>(&mut self, span: Span, name: &Ident, kind: &str) -> Option<T> {
        let message = format!("weights are a struct of `f32` arrays, but `{name}` is {kind}");
        self.0.extend(Error::new(span, message).into_compile_error());
        None
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

/// The offset of the first buffer, where some fields are buffers: `#[weights(buffer)]`. Trained ones come first, so that they
/// are one range of the weights.
fn expand_trained(fields: &Fields) -> Result<Option<TokenStream>> {
    let mut first = None;
    for (member, field) in fields.members().zip(fields) {
        match (is_buffer(field)?, first.is_some()) {
            (true, false) => first = Some(member),
            (false, true) => {
                let message = "a trained field comes after a buffer: move it before the first one";
                return Err(Error::new_spanned(&field.ty, message));
            }
            _ => {}
        }
    }
    Ok(first.map(|first| {
        quote!(
            const BUFFERS: usize = ::core::mem::offset_of!(Self, #first);
        )
    }))
}

fn is_buffer(field: &Field) -> Result<bool> {
    let mut found = false;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("weights")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("buffer") {
                let message = "expected `buffer`, for a field that is not trained";
                return Err(Error::new_spanned(meta.path, message));
            }
            found = true;
            Ok(())
        })?;
    }
    Ok(found)
}

/// The fields as an array of `Field`. The type of a field is the one place where its trait is asked for, so that the
/// error points there.
fn expand_fields(krate: &Path, fields: &Fields) -> TokenStream {
    let members: Vec<Member> = fields.members().collect();
    let variables: Vec<Ident> = (0..fields.len())
        .map(|nth| format_ident!("field{nth}", span = Span::mixed_site()))
        .collect();
    let types: Vec<&Type> = fields.iter().map(|field| &field.ty).collect();
    let one = members.iter().zip(&types).map(|(member, ty)| {
        let name = match member {
            Member::Named(name) => name.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        };
        // The place of the user's type, where the error is to point, but names as the macro sees them.
        let span = ty.span().resolved_at(Span::mixed_site());
        let of = quote_spanned!(span=> of::<#ty>);
        quote!(#krate::__private::Field::#of(#name, ::core::mem::offset_of!(Self, #member)))
    });
    quote! {
        // An attribute macro below the derive may have changed the struct since: this compiles only if it has these fields
        // and no others. Through a variable, so that no reference is converted to another type.
        let _ = |all: &Self| {
            let Self { #(#members: #variables),* } = all;
            let all = (#(#variables,)*);
            let _: (#(&#types,)*) = all;
        };
        &[#(#one),*]
    }
}

/// `Weights` and `Parameters`. `fields` are there for a struct, with the constant of its buffers and whether its layout is that of
/// weights.
fn expand_implementations(
    krate: &Path,
    input: &DeriveInput,
    fields: Option<(TokenStream, Option<TokenStream>, bool)>,
) -> TokenStream {
    let name = &input.ident;
    let words = name.unraw().to_string();
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    // After a mistake of the layout, this would be a second error.
    let len = fields
        .as_ref()
        .filter(|(.., laid_out)| *laid_out)
        .map(|_| quote!(const LEN: usize = #krate::__private::len_of_weights::<Self>();));
    let fields = fields.map(|(fields, trained, _)| {
        quote! {
            #trained
            const FIELDS: &'static [#krate::__private::Field] = { #fields };
        }
    });
    // The compiler evaluates a constant of a generic type only where it is used.
    let check = (len.is_some() && input.generics.params.is_empty())
        .then(|| quote!(const _: usize = <#name as #krate::__private::Weights>::LEN;));
    quote! {
        // SAFETY: `repr(C)`; every field is `f32`s alone by the bound of `Field::of`, and by `LEN` there is nothing else.
        #[automatically_derived]
        unsafe impl #parameters #krate::__private::Weights for #name #arguments #bounds {
            #len
        }

        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #parameters #krate::__private::Parameters for #name #arguments #bounds {
            const NAME: &'static str = #words;
            #fields
        }

        #check
    }
}
