//! The pipeline of a `network!`, from its tokens to its code.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Attribute;

use crate::ast;
use crate::bind_sizes::bind_sizes;
use crate::editor::{emit_view, is_editor};
use crate::emit::emit;
use crate::fallback::emit_stub;
use crate::guard::check_depth;
use crate::infer_shapes::infer_shapes;
use crate::lengths::check_lengths;
use crate::lint::{Warnings, find_mistakes};
use crate::network::{Facade, Features};
use crate::parse::parse;
use crate::pretrained::read_weights;
use crate::report::Report;
use crate::resolve::{resolve, resolve_names};

/// Expands `$crate; tokens of the user's`. All mistakes are reported at once, and networks without mistakes
/// are emitted nevertheless.
pub(crate) fn expand(tokens: TokenStream, features: Features) -> TokenStream {
    let mut report = Report::default();
    let mut warnings = Warnings::default();
    let code = expand_networks(tokens, features, &mut report, &mut warnings);
    // Mistakes come first: warnings may follow from them.
    let warnings = (report.found() == 0).then(|| warnings.emit());
    let mistakes = report.into_tokens();
    quote!(#code #mistakes #warnings)
}

/// The code of all networks; a stub for each one with a mistake.
pub(crate) fn expand_networks(
    tokens: TokenStream,
    features: Features,
    report: &mut Report,
    warnings: &mut Warnings,
) -> TokenStream {
    let (krate, tokens) = split_crate(tokens);
    let facade = Facade { krate, features };
    let tokens = check_depth(tokens, report);
    let file = parse(tokens, report);
    // After a syntax error, parts of any network may be missing: none of them is emitted.
    let intact = report.found() == 0;
    let names = resolve_names(&file, report);
    let expand_one = |definition: &ast::Network| {
        // Counts repeated mistakes too: one in a block is reported once, but no network that uses the block is emitted.
        let before = report.found();
        let network = resolve(&facade, &names, definition, report);
        let network = network.map(|network| infer_shapes(network, report));
        if let Some(network) = &network {
            check_lengths(network, report);
        }
        match network {
            Some(mut network) if intact && report.found() == before => {
                let is_layer = names.is_layer(&network.name);
                warnings.add(&network.attributes, find_mistakes(&network, is_layer));
                let weights = definition.weights.as_ref();
                bind_sizes(&mut network);
                // A mistake in the file is none of the network, which is emitted nevertheless.
                let pretrained = weights.map(|weights| read_weights(&network, weights, report));
                with_attributes(&network.attributes, emit(&network, pretrained.as_ref()))
            }
            network => {
                let stub = emit_stub(&facade, definition, network.as_ref());
                with_attributes(&definition.attributes, stub)
            }
        }
    };
    // A second network of a name is reported already. Its struct would be one more error, of the compiler.
    let networks = file.networks.iter().filter(|network| names.is_first(network));
    let code: TokenStream = networks.map(expand_one).collect();
    let levels = file.networks.iter().map(|network| &network.levels);
    let levels = levels.chain(file.blocks.iter().map(|block| &block.levels));
    // After a mistake, what an attribute expects may not have been looked for.
    let whole = report.found() == 0;
    let unfulfilled = levels.map(|levels| {
        warnings.add_unknown(levels);
        whole.then(|| warnings.emit_unfulfilled(levels))
    });
    let unfulfilled = unfulfilled.collect::<Vec<_>>();
    let view = is_editor().then(|| emit_view(&facade.krate, &file));
    // The view is first, because rust-analyzer prefers the first of the places where a token of the user's is.
    quote!(#view #code #(#unfulfilled)*)
}

/// The items of a network with the attributes of its struct that concern all of them: `#[cfg(..)]`; and `#[deprecated]`,
/// beside which the network's own code may use the struct.
fn with_attributes(attributes: &[Attribute], items: TokenStream) -> TokenStream {
    let cfg = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let mut shared: TokenStream = cfg.map(ToTokens::to_token_stream).collect();
    if attributes.iter().any(|attribute| attribute.path().is_ident("deprecated")) {
        shared.extend(quote!(#[allow(deprecated, reason = "code of the deprecated type itself")]));
    }
    if shared.is_empty() {
        return items;
    }
    let file: syn::File = syn::parse2(items).expect("code of items");
    file.items.iter().map(|item| quote!(#shared #item)).collect()
}

/// The path of the facade crate, which the facade's macro puts before the first `;`.
fn split_crate(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let mut tokens = tokens.into_iter();
    let end = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';');
    let krate = tokens.by_ref().take_while(|tree| !end(tree)).collect();
    (krate, tokens.collect())
}
