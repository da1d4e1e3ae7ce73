//! Constructs: residuals, joins, repeats, blocks and nested networks.

use unrolled_shape::registry::{Inputs, Row, find};
use unrolled_shape::rules::per_step;
use unrolled_shape::{Kind, Shape};

use super::{Context, Generator, MAX_DEPTH, Scope, TRIES};
use crate::evaluate::{Named, evaluate_line};
use crate::network::{
    Argument, ArgumentValue, Block, Branch, Construct, Environment, JoinKind, Line, Network, Size,
};

impl Generator {
    /// Draws a construct, which the rules can still reject.
    pub(super) fn construct(
        &mut self,
        current: Option<Shape>,
        named: &mut Named,
        context: &Context<'_>,
    ) -> Option<Construct> {
        let Some(input) = current else { return self.join(None, named, context) };
        let form = if context.depth >= MAX_DEPTH { 99 } else { self.rng.below(100) };
        match form {
            0..10 => self.residual(input, named, context),
            10..28 => self.join(current, named, context),
            28..34 => self.repeat(input, named, context),
            34..42 => self.block(input, context),
            42..45 => self.per_step(input, context),
            45..50 => self.nested(vec![input], context).map(Construct::Network),
            _ => {
                let row = self.row(|row| row.inputs == Inputs::One);
                let arguments = self.arguments(row, input, context);
                Some(self.with_named_value(row, arguments, input, (named, context)))
            }
        }
    }

    /// The layer with a named value as one of its arguments, such as the `state` of a `GRU`, if it takes one and one fits.
    fn with_named_value(
        &mut self,
        row: &'static Row,
        arguments: Vec<Argument>,
        input: Shape,
        (named, context): (&Named, &Context<'_>),
    ) -> Construct {
        let places: Vec<usize> = (0..row.parameters.len())
            .filter(|place| row.parameters[*place].kind == Kind::Input)
            .collect();
        let tries = if places.is_empty() || named.is_empty() { 0 } else { TRIES };
        for _ in 0..tries {
            let (name, shape) = named[self.rng.below(named.len())].clone();
            if context.tokens.contains(&name) {
                continue;
            }
            // A single cell with as many units as the value has elements: others seldom fit.
            let is_cell = row.parameters[0].name == "units" && self.rng.percent(70);
            let mut drawn = match is_cell {
                true => self.arguments_with(row, Size::Literal(shape.last())),
                false => arguments.clone(),
            };
            let value = ArgumentValue::Named(name);
            drawn[self.rng.pick(&places)] = Argument { value, omitted: false, named: true };
            let construct = Construct::Layer(row, drawn);
            if self.output_of(construct.clone(), input, named, context).is_some() {
                return construct;
            }
        }
        Construct::Layer(row, arguments)
    }

    /// The output shape of a line, if the rules accept it.
    fn output_of(
        &self,
        construct: Construct,
        current: Shape,
        named: &Named,
        context: &Context<'_>,
    ) -> Option<Shape> {
        let line = Line { name: None, construct, arrow: None };
        evaluate_line(&self.file, &line, Some(current), named, context.environment)
    }

    fn residual(
        &mut self,
        input: Shape,
        named: &mut Named,
        context: &Context<'_>,
    ) -> Option<Construct> {
        let context = context.inside();
        let lines = self.rng.between(1, 3);
        let (mut body, output) = self.body(Some(input), lines, named, &context)?;
        if self.rng.percent(50) {
            body.extend(self.adapt(output, input));
            return Some(Construct::Residual { body, skip: None });
        }
        let lines = self.rng.between(0, 2);
        let (mut skip, shortcut) =
            self.body(Some(input), lines, named, &context).unwrap_or((Vec::new(), input));
        skip.extend(self.adapt(shortcut, output));
        (!skip.is_empty()).then_some(Construct::Residual { body, skip: Some(skip) })
    }

    /// Draws lines for one step, which read no values from outside.
    fn per_step(&mut self, input: Shape, context: &Context<'_>) -> Option<Construct> {
        let step = (per_step::BEGIN.rule)(&[input], &[]).ok()?;
        let lines = self.rng.between(1, 3);
        let (body, _) = self.body(Some(step), lines, &mut Vec::new(), &context.inside())?;
        Some(Construct::PerStep(body))
    }

    /// Draws two or three branches, and the layer or network that joins them.
    fn join(
        &mut self,
        current: Option<Shape>,
        named: &mut Named,
        context: &Context<'_>,
    ) -> Option<Construct> {
        // At the start of a network with several inputs each of them has a branch.
        let sources: Vec<Option<String>> = match current {
            None => named.iter().map(|(name, _)| Some(name.clone())).collect(),
            Some(_) => (0..self.rng.between(2, 3)).map(|_| self.source(named)).collect(),
        };
        if current.is_some() && sources.iter().all(Option::is_some) {
            // An unnamed value that no branch reads is an error.
            return None;
        }
        let context = context.inside();
        let mut branches = Vec::new();
        let mut shapes = Vec::new();
        for source in sources {
            let begin = match &source {
                None => current?,
                Some(source) => named.iter().rev().find(|(name, _)| name == source)?.1,
            };
            let outer = named.len();
            let mut body = Vec::new();
            let begin = match &source {
                Some(source) if context.tokens.contains(source) => {
                    self.embed(begin, Scope { body: &mut body, named, context: &context })?
                }
                _ => begin,
            };
            let lines = self.rng.between(0, 2);
            let drawn = self.body(Some(begin), lines, named, &context);
            let (rest, output) = drawn.unwrap_or((Vec::new(), begin));
            named.truncate(outer);
            body.extend(rest);
            branches.push(Branch { source, body });
            shapes.push(output);
        }
        if self.rng.percent(12) {
            let network = self.nested(shapes, &context)?;
            return Some(Construct::Join(JoinKind::Network(network), branches));
        }
        let row = self.row(|row| row.inputs == Inputs::Branches);
        for index in 1..branches.len() {
            if (row.rule)(&shapes[..=index], &[]).is_err() {
                let target = self.fitting_shape(shapes[0], |target| {
                    let together: Vec<Shape> =
                        shapes[..index].iter().copied().chain([target]).collect();
                    (row.rule)(&together, &[]).is_ok()
                });
                branches[index].body.extend(self.adapt(shapes[index], target));
                shapes[index] = target;
            }
        }
        Some(Construct::Join(JoinKind::Layer(row), branches))
    }

    /// Adds an `Embedding`, the only layer that reads token indices, and returns its output shape.
    pub(super) fn embed(&mut self, tokens: Shape, scope: Scope<'_>) -> Option<Shape> {
        let Scope { body, named, context } = scope;
        let row = find("Embedding").expect("a row of the registry");
        let mut current = tokens;
        if tokens.rank() > 1 && self.rng.percent(20) {
            current = Shape::new(&[tokens.len()]);
            body.push(Line { name: None, construct: self.plain("Flatten"), arrow: None });
        }
        (0..TRIES).find_map(|_| {
            let arguments = self.arguments(row, current, context);
            let scope = Scope { body: &mut *body, named: &mut *named, context };
            self.add(Construct::Layer(row, arguments), Some(current), scope)
        })
    }

    /// Draws what a branch begins with: the current value, or a named one.
    fn source(&mut self, named: &Named) -> Option<String> {
        if named.is_empty() || self.rng.percent(60) {
            return None;
        }
        let index = self.rng.below(named.len());
        Some(named[index].0.clone())
    }

    /// Draws a shape that can be joined with that of the first branch.
    fn fitting_shape(&mut self, first: Shape, agrees: impl Fn(Shape) -> bool) -> Shape {
        let last = self.rng.between(1, 4);
        let channels = Shape::new(&[first.last()]);
        let ones = Shape::new(&[1; 6][..first.rank()]).with_last(first.last());
        let target = self.rng.pick(&[first, first.with_last(last), channels, ones]);
        if agrees(target) { target } else { first }
    }

    /// Lines that map one shape to another.
    fn adapt(&mut self, from: Shape, to: Shape) -> Vec<Line> {
        if from.same(&to) {
            return Vec::new();
        }
        let mut constructs = Vec::new();
        if from.with_last(1).same(&to.with_last(1)) {
            constructs.push(self.dense(Size::Literal(to.last())));
        } else {
            if from.rank() > 1 {
                constructs.push(self.plain("Flatten"));
            }
            if from.len() != to.len() {
                constructs.push(self.dense(Size::Literal(to.len())));
            }
            if to.rank() > 1 {
                constructs.push(self.reshape(to));
            }
        }
        constructs
            .into_iter()
            .map(|construct| Line { name: None, construct, arrow: None })
            .collect()
    }

    fn plain(&mut self, name: &str) -> Construct {
        Construct::Layer(find(name).expect("a row of the registry"), Vec::new())
    }

    fn reshape(&mut self, to: Shape) -> Construct {
        let row = find("Reshape").expect("a row of the registry");
        let sizes = self.sizes(&to);
        let value = ArgumentValue::Shape(sizes);
        let argument = Argument { value, omitted: false, named: false };
        Construct::Layer(row, vec![argument])
    }

    fn repeat(
        &mut self,
        input: Shape,
        named: &mut Named,
        context: &Context<'_>,
    ) -> Option<Construct> {
        let count = self.rng.between(1, 3);
        let lines = self.rng.between(1, 2);
        let (mut body, output) = self.body(Some(input), lines, named, &context.repeated())?;
        // Without a random number of its own, so that other networks stay as they are. Three copies have weights of their own.
        let shared = count == 2;
        let construct = Construct::Repeat { count, shared, body: body.clone() };
        if self.output_of(construct.clone(), input, named, context).is_some() {
            return Some(construct);
        }
        body.extend(self.adapt(output, input));
        Some(Construct::Repeat { count, shared, body })
    }

    /// A call of an existing block, or of a new one.
    fn block(&mut self, input: Shape, context: &Context<'_>) -> Option<Construct> {
        let blocks = self.file.blocks.len();
        if blocks > 0 && self.rng.percent(60) {
            let block = self.rng.below(blocks);
            let construct = self.fitting_call(block, input, context);
            if construct.is_some() {
                return construct;
            }
        }
        let block = self.new_block(input, context)?;
        self.fitting_call(block, input, context)
    }

    /// A call of a block with arguments that the rules accept.
    fn fitting_call(
        &mut self,
        block: usize,
        input: Shape,
        context: &Context<'_>,
    ) -> Option<Construct> {
        for _ in 0..TRIES {
            let construct = self.block_call(block, context);
            if self.output_of(construct.clone(), input, &Vec::new(), context).is_some() {
                return Some(construct);
            }
        }
        None
    }

    fn block_call(&mut self, block: usize, context: &Context<'_>) -> Construct {
        let defaults: Vec<bool> =
            self.file.blocks[block].parameters.iter().map(Option::is_some).collect();
        let mut arguments = Vec::new();
        for has_default in defaults {
            if has_default && self.rng.percent(50) {
                break;
            }
            arguments.push(self.size(1, 4, context));
        }
        Construct::Block(block, arguments)
    }

    fn new_block(&mut self, input: Shape, context: &Context<'_>) -> Option<usize> {
        let values: Vec<usize> =
            (0..self.rng.between(0, 2)).map(|_| self.rng.between(1, 4)).collect();
        let first_default = self.rng.between(0, values.len());
        let mut parameters = Vec::new();
        for (index, &value) in values.iter().enumerate() {
            let default = match index {
                // A default can be the parameter before it.
                1 if self.rng.percent(40) => Size::Parameter(0),
                _ => Size::Literal(value),
            };
            parameters.push((index >= first_default).then_some(default));
        }
        let environment = Environment { parameters: &values, ..context.environment };
        let inner = Context { environment, ..context.repeated() };
        let lines = self.rng.between(1, 3);
        let (body, _) = self.body(Some(input), lines, &mut Vec::new(), &inner)?;
        self.file.blocks.push(Block { parameters, body });
        Some(self.file.blocks.len() - 1)
    }

    /// The index of a network with these inputs: an existing one, or a new one.
    fn nested(&mut self, inputs: Vec<Shape>, context: &Context<'_>) -> Option<usize> {
        let fits = |network: &Network| {
            let environment =
                Environment { parameters: &[], generic: network.generic.unwrap_or(0) };
            let shapes = network.inputs.iter().map(|(_, shape)| environment.shape(shape));
            shapes.eq(inputs.iter().copied())
        };
        if let Some(found) = self.file.networks.iter().position(fits)
            && self.rng.percent(60)
        {
            return Some(found);
        }
        let network = self.network(inputs, context.depth + 1)?;
        // The networks within it have been added meanwhile, so its name is decided here.
        let name = format!("Inner{}", self.file.networks.len());
        self.file.networks.push(Network { name, ..network });
        Some(self.file.networks.len() - 1)
    }
}
