//! Shape inference: applies the shape rules to the nodes of a network, in order.
//!
//! Where all sizes are literals, the rule is called while expanding. Where some are constants of the user's,
//! expanded code calls it, and only sizes that pass through unchanged are known here.

use proc_macro2::Span;
use quote::{ToTokens, quote};
use std::collections::HashMap;
use syn::ext::IdentExt;
use unrolled_shape::registry::{Flow, Row, Size, Storage};
use unrolled_shape::{Blame, Role, Shape, ShapeError, checks, explain};

use crate::network::{
    Argument, ArgumentValue, Cost, Dim, Dims, Layer, Network, Node, Sizes, ValueId, custom_output,
};
use crate::operand::{is_name, mentions};
use crate::report::{Report, mistake, say};
use crate::resolve::Resolved;
use crate::trace::trace;

/// Completes the network: shapes and costs. Checks what can be checked while expanding.
pub(crate) fn infer_shapes(resolved: Resolved, report: &mut Report) -> Network {
    let Resolved { network, broken, branches, generics } = resolved;
    let known = vec![false; network.values.len()];
    let mut inference = ShapeInference { network, broken, branches, generics, known, report };
    inference.inputs();
    inference.indices();
    for node in 0..inference.network.nodes.len() {
        inference.node(node);
    }
    inference.check_outputs();
    inference.network
}

/// The network while its shapes are inferred, node by node.
struct ShapeInference<'a> {
    network: Network,
    broken: Vec<bool>,
    branches: HashMap<usize, Vec<Span>>,
    /// The const generics.
    generics: Vec<String>,
    /// The values whose shape is known; others follow from a mistake that is reported.
    known: Vec<bool>,
    report: &'a mut Report,
}

impl ShapeInference<'_> {
    fn inputs(&mut self) {
        for input in 0..self.network.inputs.len() {
            let value = self.network.inputs[input].value;
            let dims = &self.network.values[value.0].dims;
            let checked = dims.known().map(checks::header_input);
            match checked {
                Some(Err(error)) => self.report.error(dims.span, explain("", &error, "")),
                _ => self.known[value.0] = true,
            }
        }
    }

    /// Marks the inputs that hold token indices, because a layer reads them as such; no other layer can read
    /// them.
    fn indices(&mut self) {
        let indices = |node: &Node| match &node.layer {
            Layer::Known { row, .. } => row.indices(),
            Layer::Custom(_) => None,
        };
        let nodes = self.network.nodes.iter();
        let readers = nodes.filter_map(|node| Some((node, node.inputs[indices(node)?])));
        // Inputs whose shape is refused and values that could not be resolved are reported already: nothing is said about
        // their readers.
        let readers = readers.filter(|(_, read)| match self.network.producer(*read) {
            Some(node) => !self.broken[node],
            None => self.known[read.0],
        });
        let mut marked = Vec::new();
        for (reader, read) in readers {
            match self.network.input_behind(read) {
                Some(input) => marked.push((input, reader.label.clone())),
                None => {
                    let as_argument = indices(reader) != Some(0);
                    let words = mistake::indices_from_a_layer(&reader.label, as_argument);
                    self.report.error(reader.span, words);
                }
            }
        }
        // A view reads nothing: the nodes that read through it do.
        for other in self.network.nodes.iter().filter(|node| node.storage() != Storage::View) {
            let real =
                other.inputs.iter().enumerate().filter(|(nth, _)| indices(other) != Some(*nth));
            let inputs = real.filter_map(|(_, input)| self.network.input_behind(*input));
            for (input, reader) in inputs.filter_map(|input| marked.iter().find(|it| it.0 == input))
            {
                let name = self.network.inputs[*input].name.as_ref().map(ToString::to_string);
                let words = mistake::reads_indices(&other.label, name.as_deref(), reader);
                self.report.error(other.span, words);
            }
        }
        for (input, _) in marked {
            self.network.inputs[input].index = true;
        }
    }

    fn node(&mut self, number: usize) {
        let node = &self.network.nodes[number];
        let before = [node.owner, node.first].into_iter().flatten();
        let before: Vec<ValueId> = before.map(|it| self.network.nodes[it].output).collect();
        let mut needed = node.inputs.iter().chain(&before);
        let usable = !self.broken[number] && needed.all(|value| self.known[value.0]);
        // Before the rule, which compares the shape of a shared weight.
        self.network.infer_weight(number);
        self.network.infer_steps(number);
        let inferred = if usable { self.output(number) } else { None };
        let output = self.network.nodes[number].output;
        if let Some(dims) = &inferred {
            self.set(output, dims.clone());
        }
        match inferred {
            Some(inferred) => self.check_arrows(number, &inferred),
            None => self.trust_arrow(number),
        }
    }

    fn set(&mut self, value: ValueId, dims: Dims) {
        self.network.values[value.0].dims = dims;
        self.known[value.0] = true;
    }

    /// The output's shape. `None` after a mistake, which is reported.
    fn output(&mut self, number: usize) -> Option<Dims> {
        self.network.nodes[number].generic = self.is_generic(number);
        let (row, literals) = match &self.network.nodes[number].layer {
            Layer::Custom(layer) => {
                // Array types cannot have sizes that mention const generics in an expression. The type's own constant
                // mentions them only if the type does, the node's constant also if only an input of the node does.
                let constant = match self.network.nodes[number].generic {
                    true => custom_output(&self.network.krate, layer),
                    false => self.network.shape_constant(number),
                };
                let last = Dim::Computed(quote!({ #constant.last() }));
                let span = self.network.nodes[number].span;
                return Some(Dims { sizes: vec![last], span, constant: Some(constant) });
            }
            Layer::Known { row, .. } => {
                let node = &self.network.nodes[number];
                // Of a node that is applied again, the compiler compares with what the first one takes.
                let first = &self.network.nodes[self.network.first(number)];
                let is_known = self.network.sizes(first, Dim::known).is_some();
                let literals = self.network.sizes(node, Dim::known);
                (*row, literals.filter(|_| is_known))
            }
        };
        let Some(literals) = literals else {
            return self.symbolic(number, row);
        };
        match self.ask(number, row, &literals) {
            Ok(shape) => {
                if let Err(error) = self.check_samples(number, shape) {
                    self.blame(number, &error);
                    return None;
                }
                let Sizes { inputs, values } = literals;
                // The parameters of an earlier node are counted there.
                let is_first = self.network.nodes[number].first.is_none();
                self.network.nodes[number].cost = Some(Cost {
                    params: if is_first { row.params(&inputs, &values) } else { 0 },
                    macs: row.macs(&inputs, &values),
                });
                Some(self.known_dims(number, shape))
            }
            Err(error) => {
                self.blame(number, &error);
                None
            }
        }
    }

    /// Whether a value of one step is small enough for all steps.
    fn check_samples(&self, number: usize, shape: Shape) -> Result<Shape, ShapeError> {
        let node = &self.network.nodes[number];
        // Of a number that is not known, or too large itself, expanded code or the view after the lines has an error.
        let samples = node.per_step.and_then(|_| self.network.samples(node.per_step));
        samples.map_or(Ok(shape), |samples| checks::each_step(shape, samples))
    }

    fn known_dims(&self, number: usize, shape: Shape) -> Dims {
        let sizes = shape.dims().iter().copied().map(Dim::Known).collect();
        Dims { sizes, span: self.network.nodes[number].span, constant: None }
    }

    fn input(&self, number: usize, nth: usize) -> &Dims {
        &self.network.values[self.network.nodes[number].inputs[nth].0].dims
    }

    /// Calls the rule. A `Residual` has one of its own, whose messages name its body and its `skip`.
    fn ask(&self, number: usize, row: &Row, literals: &Sizes) -> Result<Shape, ShapeError> {
        let inputs = &literals.inputs;
        if let Some((first, sizes)) = self.first_sizes(number) {
            let output = (row.rule)(&sizes.inputs, &sizes.values)?;
            return checks::again(inputs, &sizes.inputs, output, &first.path);
        }
        match self.network.nodes[number].skip.residual(inputs) {
            Some((input, body, skip)) => checks::residual(*input, *body, skip.copied()),
            None => (row.rule)(inputs, &literals.values),
        }
    }

    /// The node that node `number` applies again, and its inputs and arguments.
    fn first_sizes(&self, number: usize) -> Option<(&Node, Sizes)> {
        let first = &self.network.nodes[self.network.nodes[number].first?];
        Some((first, self.network.sizes(first, Dim::known)?))
    }

    /// Reports a mistake of a node, on the token that it blames.
    fn blame(&mut self, number: usize, error: &ShapeError) {
        if let Some((span, words)) = self.wrong_width(number) {
            return self.report.error(span, words);
        }
        let node = &self.network.nodes[number];
        let mut input = 0;
        let span = match error.blame {
            Blame::Layer => node.span,
            Blame::Argument(name) => {
                let blamed = node.argument(name);
                if let Some(ArgumentValue::Input(nth)) = blamed.map(|it| &it.value) {
                    input = *nth;
                }
                blamed.map_or(node.span, |it| it.span)
            }
            Blame::Branch(nth) => {
                input = nth;
                let spans = self.branches.get(&number);
                spans.and_then(|spans| spans.get(nth)).copied().unwrap_or(node.span)
            }
        };
        // The trace leads to the input that does not fit.
        let value = node.inputs.get(input).or(node.inputs.first());
        let trace = value.map_or(String::new(), |value| trace(&self.network, *value));
        self.report.error(span, explain(&node.label, error, &trace));
    }

    /// What is wrong with the width of a predefined block, where its last `Residual` cannot add its body to its input: the
    /// user cannot edit either.
    fn wrong_width(&self, number: usize) -> Option<(Span, String)> {
        let node = &self.network.nodes[number];
        let block = node.predefined.as_ref()?;
        let (input, body, _) = node.skip.residual(&node.inputs)?;
        let mut last = &self.network.nodes[self.network.producer(*body)?];
        while last.role() == Role::Dropout {
            last = &self.network.nodes[self.network.producer(last.inputs[0])?];
        }
        let shape = self.network.values[input.0].dims.known()?;
        let width = self.network.values[last.output.0].dims.known()?.last();
        let at = last.argument("units")?.span;
        let words = mistake::wrong_width(block, width, shape);
        Some((at, format!("{words}\n  = trace: {}", trace(&self.network, *input))))
    }

    /// The output's sizes as far as they pass through: the rest are read from the constant that
    /// expanded code computes.
    fn symbolic(&mut self, number: usize, row: &'static Row) -> Option<Dims> {
        if !self.check_computed_sizes(number, row) {
            return None;
        }
        if let Some(dims) = self.network.step_dims(number) {
            return Some(dims);
        }
        let node = &self.network.nodes[number];
        let constant = self.network.shape_constant(number);
        let input = self.input(number, 0);
        let pass = |flow: Flow, kept: Option<&Dim>, computed| match flow {
            Flow::Keep => kept.cloned().unwrap_or(Dim::Computed(computed)),
            Flow::Argument(name) => match node.argument(name).map(|it| &it.value) {
                Some(ArgumentValue::Number(size)) => size.clone(),
                _ => Dim::Computed(computed),
            },
            Flow::Compute => Dim::Computed(computed),
        };
        let span = node.span;
        let last = pass(row.flows.last, input.last(), quote!({ #constant.last() }));
        let leading = match self.rank(number, row) {
            Some(rank) => rank - 1,
            None => return Some(Dims { sizes: vec![last], span, constant: Some(constant) }),
        };
        // Only axes that correspond can pass through.
        let same_rank = input.constant.is_none() && input.sizes.len() == leading + 1;
        let leading = (0..leading).map(|axis| {
            let kept = if same_rank { input.sizes.get(axis) } else { None };
            let axis_number = proc_macro2::Literal::usize_unsuffixed(axis);
            pass(row.flows.leading, kept, quote!({ #constant.dim(#axis_number) }))
        });
        Some(Dims { sizes: leading.chain([last.clone()]).collect(), span, constant: None })
    }

    /// How many axes the output has, if the macro can know.
    fn rank(&self, number: usize, row: &Row) -> Option<usize> {
        let input = self.input(number, 0);
        // A `constant` is a shape of which the macro does not know the number of axes.
        if row.flows.keeps_rank && input.constant.is_none() {
            return Some(input.sizes.len());
        }
        self.network.rank(&self.network.nodes[number])
    }

    /// Whether anything that the node is made of depends on const generics.
    fn is_generic(&self, number: usize) -> bool {
        let node = &self.network.nodes[number];
        let layer = match &node.layer {
            Layer::Known { arguments, .. } => {
                arguments.iter().any(|argument| self.is_generic_argument(argument))
            }
            Layer::Custom(layer) => mentions(&layer.to_token_stream(), &self.generics),
        };
        let first = node.first.is_some_and(|first| self.network.nodes[first].generic);
        let mut inputs = node.inputs.iter();
        // The sizes of an arrow may replace those that are inferred: see `check_arrows`.
        let arrows = node.arrows.iter().any(|arrow| self.are_generic(arrow));
        layer
            || first
            || arrows
            || inputs.any(|input| self.are_generic(&self.network.values[input.0].dims))
    }

    fn is_generic_argument(&self, argument: &Argument) -> bool {
        // An error stands for a size that depends on const generics.
        let size = |size: &Dim| if self.is_generic_size(size) { Err(()) } else { Ok(0_usize) };
        let shape =
            |dims: &Dims| if self.are_generic(dims) { Err(()) } else { Ok(Shape::new(&[])) };
        argument.value.try_map(size, shape).is_err()
    }

    fn are_generic(&self, dims: &Dims) -> bool {
        let constant = dims.constant.as_ref().is_some_and(|it| mentions(it, &self.generics));
        constant || dims.sizes.iter().any(|size| self.is_generic_size(size))
    }

    fn is_generic_size(&self, size: &Dim) -> bool {
        size.tokens().is_some_and(|tokens| mentions(tokens, &self.generics))
    }

    /// Types of weights cannot have sizes that are computed from const generics.
    fn check_computed_sizes(&mut self, number: usize, row: &Row) -> bool {
        let node = &self.network.nodes[number];
        // Its type is that of the first one.
        if node.first.is_some() {
            return true;
        }
        let mut counts = row.computed.iter();
        let has_computed_last = || {
            self.input(number, 0).last().is_some_and(|size| {
                let plain = matches!(size, Dim::Symbolic(tokens) if is_name(tokens));
                self.is_generic_size(size) && !plain
            })
        };
        let mut computed = |size: &Size| match size {
            Size::InputAxesIf(axes, _) if !node.argument(axes).is_some_and(Argument::is_one) => {
                node.generic
            }
            Size::InputLast | Size::InputLastIf(_) | Size::InputAxesIf(..) => has_computed_last(),
            Size::InputLastUnless(names, _) if node.has_same(*names) => {
                counts.next();
                has_computed_last()
            }
            Size::Computed(_) | Size::InputLastUnless(..) => {
                let count = counts.next().and_then(|count| self.network.count(node, count));
                node.generic && count.is_none()
            }
            _ => false,
        };
        // All of them, so that each count goes with its size.
        if row.sizes.iter().filter(|size| computed(size)).count() == 0 {
            return true;
        }
        let words = format!("layer `{}`: {}", node.label, say::COMPUTED_SIZE);
        self.report.error(node.span, words);
        false
    }

    /// The arrows of a node whose output is known.
    fn check_arrows(&mut self, number: usize, inferred: &Dims) {
        let output = self.network.nodes[number].output;
        for arrow in self.network.nodes[number].arrows.clone() {
            match (inferred.known(), arrow.known()) {
                (Some(found), Some(declared)) => {
                    self.check_arrow(number, found, declared, arrow.span)
                }
                (_, Some(declared)) => match checks::layer_output(declared) {
                    // Expanded code checks it; what the user wrote is easier to read on.
                    Ok(_) => self.set(output, arrow),
                    Err(error) => {
                        let label = &self.network.nodes[number].label;
                        self.report.error(arrow.span, explain(label, &error, ""));
                        self.known[output.0] = false;
                    }
                },
                _ => self.set(output, arrow),
            }
        }
    }

    fn check_arrow(&mut self, number: usize, found: Shape, declared: Shape, at: Span) {
        let node = &self.network.nodes[number];
        let Layer::Known { row, .. } = &node.layer else { return };
        // An output may be known where an argument is not: then expanded code checks the arrow.
        let Some(literals) = self.network.sizes(node, Dim::known) else { return };
        let arrow = checks::Arrow {
            layer: &node.label,
            input: literals.inputs[0],
            output: found,
            how: row.how(&literals.inputs, &literals.values),
            declared,
            view: row.storage == Storage::View,
            reader: self.network.reader(node.output),
        };
        if let Err(error) = checks::arrow(&arrow) {
            let trace = trace(&self.network, node.output);
            self.report.error(at, explain(&node.label, &error, &trace));
            // Either of the two may be meant: what follows from this value is not reported.
            self.known[node.output.0] = false;
        }
    }

    /// After a mistake, the declared shape is used for the nodes that follow.
    fn trust_arrow(&mut self, number: usize) {
        let node = &self.network.nodes[number];
        let Some(arrow) = node.arrows.last() else { return };
        // Rules take sizes for granted that this check limits, as those of the header are.
        if arrow.known().is_none_or(|shape| checks::layer_output(shape).is_ok()) {
            let (output, arrow) = (node.output, arrow.clone());
            self.set(output, arrow);
        }
    }

    /// Whether the network gives what its header promises.
    fn check_outputs(&mut self) {
        for output in &self.network.outputs {
            let found = self.network.values[output.value.0].dims.known();
            let Some(declared) = output.promised.known() else { continue };
            let checked = match (found, &output.name) {
                // Expanded code compares the two, but types of this size cannot be emitted.
                (None, _) => checks::header_promise(declared),
                (Some(found), Some(name)) => {
                    checks::named_output(found, declared, &name.unraw().to_string())
                }
                (Some(found), None) => checks::header_output(found, declared),
            };
            // Where the shape is not known, the mistake is reported already.
            if let (Err(error), true) = (checked, self.known[output.value.0]) {
                let trace = trace(&self.network, output.value);
                self.report.error(output.promised.span, explain("", &error, &trace));
            }
        }
    }
}
