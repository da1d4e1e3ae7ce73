//! The pipeline of a `network!`, from its tokens to its code.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::emit::emit;
use crate::fallback::emit_stub;
use crate::guard::check_depth;
use crate::infer_shapes::infer_shapes;
use crate::lengths::check_lengths;
use crate::network::{Facade, Features};
use crate::parse::parse;
use crate::report::Report;
use crate::resolve::{resolve, resolve_names};

/// Expands `$crate; tokens of the user's`. All mistakes are reported at once, and networks without mistakes
/// are emitted nevertheless.
pub(crate) fn expand(tokens: TokenStream, features: Features) -> TokenStream {
    let mut report = Report::default();
    let code = expand_networks(tokens, features, &mut report);
    let mistakes = report.into_tokens();
    quote!(#code #mistakes)
}

/// The code of all networks; a stub for each one with a mistake.
pub(crate) fn expand_networks(
    tokens: TokenStream,
    features: Features,
    report: &mut Report,
) -> TokenStream {
    let (krate, tokens) = split_crate(tokens);
    let facade = Facade { krate, features };
    let tokens = check_depth(tokens, report);
    let file = parse(tokens, report);
    // After a syntax error, parts of any network may be missing: none of them is emitted.
    let intact = report.found() == 0;
    let names = resolve_names(&file, report);
    let expand_one = |definition| {
        // Counts repeated mistakes too: one in a block is reported once, but no network that uses the block is emitted.
        let before = report.found();
        let network = resolve(&facade, &names, definition, report);
        let network = network.map(|network| infer_shapes(network, report));
        if let Some(network) = &network {
            check_lengths(network, report);
        }
        match network {
            Some(network) if intact && report.found() == before => emit(&network),
            _ => emit_stub(&facade, definition),
        }
    };
    // A second network of a name is reported already. Its struct would be one more error, of the compiler.
    file.networks.iter().filter(|network| names.is_first(network)).map(expand_one).collect()
}

/// The path of the facade crate, which the facade's macro puts before the first `;`.
fn split_crate(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let mut tokens = tokens.into_iter();
    let end = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';');
    let krate = tokens.by_ref().take_while(|tree| !end(tree)).collect();
    (krate, tokens.collect())
}
