//! Binds each size that is a constant or an expression of the user's to a constant of expanded code, which refers to that
//! everywhere: a mistake in an expression is one error, however often the size is used.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::rc::Rc;
use syn::ext::IdentExt;

use crate::editor::is_editor;
use crate::network::{Argument, BoundSize, Dim, Dims, Layer, Network};
use crate::operand::mentions;
use crate::report::mistake::tidy;

/// Binds the sizes that are no literals and do not depend on const generics, from whose scope constants beside the struct
/// are excluded.
pub(crate) fn bind_sizes(network: &mut Network) {
    let generics = network.generics.const_params().map(|it| it.ident.to_string()).collect();
    let bound = HashMap::new();
    let mut binder = Binder { network: network.name.clone(), generics, bound, sizes: Vec::new() };
    for value in &mut network.values {
        binder.dims(&mut value.dims);
    }
    for output in &mut network.outputs {
        binder.dims(&mut output.promised);
    }
    for node in &mut network.nodes {
        node.arrows.iter_mut().for_each(|arrow| binder.dims(arrow));
        if let Layer::Known { arguments, .. } = &mut node.layer {
            for argument in arguments {
                binder.argument(argument);
            }
        }
    }
    network.bound_sizes = binder.sizes;
}

struct Binder {
    network: Ident,
    generics: Vec<String>,
    /// The index of each size, by its text.
    bound: HashMap<String, usize>,
    sizes: Vec<Rc<BoundSize>>,
}

impl Binder {
    fn dims(&mut self, dims: &mut Dims) {
        for size in &mut dims.sizes {
            *size = self.size(size);
        }
    }

    fn argument(&mut self, argument: &mut Argument) {
        let binder = RefCell::new(self);
        let size = |size: &Dim| Ok::<_, Infallible>(binder.borrow_mut().size(size));
        let shape = |dims: &Dims| {
            let mut dims = dims.clone();
            binder.borrow_mut().dims(&mut dims);
            Ok(dims)
        };
        let Ok(value) = argument.value.try_map(size, shape);
        argument.value = value;
    }

    fn size(&mut self, size: &Dim) -> Dim {
        match size {
            Dim::Symbolic(tokens) if !mentions(tokens, &self.generics) => {
                Dim::Bound(self.bind(tokens))
            }
            _ => size.clone(),
        }
    }

    fn bind(&mut self, tokens: &TokenStream) -> Rc<BoundSize> {
        let (written, span) = inside_braces(tokens);
        let next = self.sizes.len();
        let nth = *self.bound.entry(written.clone()).or_insert(next);
        if nth == next {
            let network = self.network.unraw().to_string().to_uppercase();
            let constant = format_ident!("__{network}_SIZE_{nth}", span = Span::call_site());
            let given = format_ident!("__{network}_GIVEN_SIZE_{nth}", span = Span::call_site());
            // In an editor the check, which has this place for its error, would be a second definition of the constant.
            let span = if is_editor() { Span::call_site() } else { span };
            self.sizes.push(Rc::new(BoundSize {
                constant: quote!(#constant),
                given,
                expression: tokens.clone(),
                span,
                written,
            }));
        }
        self.sizes[nth].clone()
    }
}

/// The text of an expression and its place, without the braces around it, which may be ours.
fn inside_braces(tokens: &TokenStream) -> (String, Span) {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) => inside_braces(&group.stream()),
        (first, _) => (tidy(tokens), first.map_or(Span::call_site(), |tree| tree.span())),
    }
}
