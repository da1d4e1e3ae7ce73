//! `c_api!(Digits)`: the functions of a network for C.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Path, Result, Token};

use crate::scope::snake_case;

/// `$crate; Digits`
struct CApi {
    krate: Path,
    network: Ident,
}

impl Parse for CApi {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate = input.call(Path::parse_mod_style)?;
        input.parse::<Token![;]>()?;
        let network = input.parse()?;
        let end = input.span();
        if !input.is_empty() {
            return Err(Error::new(end, "expected the name of a network alone: `c_api!(Digits)`"));
        }
        Ok(Self { krate, network })
    }
}

/// Expands `$crate; Digits`. With `std` there is a function that needs no workspace.
pub(crate) fn expand(tokens: TokenStream, std: bool) -> TokenStream {
    match syn::parse2::<CApi>(tokens) {
        Ok(api) => emit(&api, std),
        Err(error) => error.to_compile_error(),
    }
}

fn emit(CApi { krate, network }: &CApi, std: bool) -> TokenStream {
    let name = network.unraw().to_string();
    let prefix = snake_case(&name);
    let constants = prefix.to_uppercase();
    let [header, forward, forward_in] = [
        format_ident!("{constants}_HEADER"),
        format_ident!("{prefix}_forward"),
        format_ident!("{prefix}_forward_in"),
    ];
    let rt = quote!(#krate::__private);
    let x = quote!(*const <#network as #rt::Network>::Input);
    let y = quote!(*mut <#network as #rt::Network>::Output);
    let doc = format!(" The C header of `{forward_in}` and the like.");
    let forward = std.then(|| {
        quote! {
            /// Inference on one sample, for C.
            ///
            /// # Safety
            /// Where they are not null, `x` points to an input and `y` to memory for an output, which do not overlap.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn #forward(x: #x, y: #y) -> ::core::ffi::c_int {
                // SAFETY: the same contract.
                unsafe { #rt::c_forward(#network::pretrained(), x, y) }
            }
        }
    });
    quote! {
        #[doc = #doc]
        pub const #header: &::core::primitive::str = {
            const HEADER: #rt::CHeader = #rt::CHeader::new::<#network>(#name, #prefix, #constants);
            HEADER.as_str()
        };
        #forward
        /// Inference on one sample in memory of the caller, for C.
        ///
        /// # Safety
        /// Where they are not null, `workspace` points to `WORKSPACE_LEN` floats, `x` to an input and `y` to memory for an
        /// output, which do not overlap.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn #forward_in(
            workspace: *mut ::core::primitive::f32,
            x: #x,
            y: #y,
        ) -> ::core::ffi::c_int {
            // SAFETY: the same contract.
            unsafe { #rt::c_forward_in(#network::pretrained(), workspace, x, y) }
        }
    }
}
