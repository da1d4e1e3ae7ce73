//! Draws networks. Each line is drawn until the rules of nn-shape accept it, so a new row of the registry is drawn
//! without a change here.

mod arguments;
mod structure;

use unrolled_shape::Kind;
use unrolled_shape::Shape;
use unrolled_shape::registry::{Flows, Inputs, ROWS, Row};

use crate::evaluate::{Named, evaluate, evaluate_line};
use crate::network::{Construct, Environment, File, Line, Network, Size};
use crate::rng::Rng;

/// The largest number of weights of a network: finite differences run the network twice per weight.
const MAX_WEIGHTS: usize = 500;

/// Layers that finite differences cannot check at any input: they have no value or no finite slope at some, or grow so
/// fast that differences lose all digits; the equal steps of `RepeatSteps` and `Gather` leave only rounding errors after a
/// norm. Gradients of spectral normalisation take `u` and `v` as constants, and random ones are no singular vectors.
pub(crate) const NOT_DRAWN: [&str; 10] = [
    "Div",
    "Exp",
    "Gather",
    "Log",
    "Pow",
    "RepeatSteps",
    "SNConv1d",
    "SNConv2d",
    "SNDense",
    "Sqrt",
];

/// How many times a line is drawn before it is given up.
const TRIES: usize = 12;

/// The deepest nesting of constructs.
const MAX_DEPTH: usize = 2;

/// The `network!` block of a seed. The name of its last network is `Net`.
pub(crate) fn draw(seed: u64) -> File {
    let mut generator =
        Generator { rng: Rng::new(seed), file: File::default(), constants: false, names: 0 };
    generator.constants = generator.rng.percent(25);
    loop {
        generator.file = File::default();
        let input = generator.inputs();
        let Some(mut network) = generator.network(input, 0) else { continue };
        let nodes = evaluate(&generator.file, &network).expect("a network that was drawn");
        let weights = nodes.iter().map(|it| it.params).sum::<usize>();
        if (1..=MAX_WEIGHTS).contains(&weights) {
            network.name = "Net".into();
            generator.file.networks.push(network);
            return generator.file;
        }
    }
}

struct Generator {
    rng: Rng,
    file: File,
    /// Whether some sizes are written as constants.
    constants: bool,
    names: usize,
}

/// Where a line is.
struct Context<'a> {
    environment: Environment<'a>,
    depth: usize,
    /// Whether lines can have arrows. A line that is expanded several times can have several output shapes.
    arrows: bool,
    /// The names of the inputs that hold token indices.
    tokens: &'a [String],
}

/// The body that a line is added to, and the names that the line can refer to.
struct Scope<'a> {
    body: &'a mut Vec<Line>,
    named: &'a mut Named,
    context: &'a Context<'a>,
}

impl Context<'_> {
    fn inside(&self) -> Self {
        Self { depth: self.depth + 1, ..*self }
    }

    fn repeated(&self) -> Self {
        Self { arrows: false, ..self.inside() }
    }
}

impl Generator {
    /// Draws the shapes of a network's inputs.
    fn inputs(&mut self) -> Vec<Shape> {
        let count = self.rng.pick(&[1, 1, 1, 1, 1, 2, 2, 3]);
        (0..count).map(|_| self.shape()).collect()
    }

    fn shape(&mut self) -> Shape {
        let rank = self.rng.pick(&[1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
        let most = if rank == 4 { 3 } else { 6 };
        let mut axes: Vec<usize> = (0..rank).map(|_| self.rng.between(1, most)).collect();
        let channels = axes.last_mut().expect("an axis");
        *channels = (*channels).min(4);
        Shape::new(&axes)
    }

    /// Draws a network with these inputs.
    fn network(&mut self, inputs: Vec<Shape>, depth: usize) -> Option<Network> {
        // A nested network reads the value of the line before it, which is real.
        let mut holds_tokens =
            |shape: &Shape| depth == 0 && shape.rank() <= 2 && self.rng.percent(25);
        let are_tokens: Vec<bool> = inputs.iter().map(&mut holds_tokens).collect();
        let begins_with_tokens = are_tokens == [true];
        let may_be_generic = inputs.len() == 1 && inputs[0].rank() == 1 && !begins_with_tokens;
        let generic = (may_be_generic && self.rng.percent(40)).then(|| self.rng.between(1, 4));
        let named_input = inputs.len() > 1 || self.rng.percent(20);
        let name = |index: usize| named_input.then(|| format!("in{index}"));
        let names = (0..inputs.len()).map(name);
        let mut named: Named =
            names.clone().zip(&inputs).filter_map(|(name, &shape)| Some((name?, shape))).collect();
        let tokens: Vec<String> =
            names.clone().zip(&are_tokens).filter_map(|(name, it)| name.filter(|_| *it)).collect();
        let environment = Environment { parameters: &[], generic: generic.unwrap_or(0) };
        let context = Context { environment, depth, arrows: true, tokens: &tokens };
        let lines = if depth == 0 { self.rng.between(2, 6) } else { self.rng.between(1, 3) };
        let mut body = Vec::new();
        let mut begin = if inputs.len() == 1 { Some(inputs[0]) } else { None };
        if begins_with_tokens {
            begin = Some(self.embed(
                inputs[0],
                Scope { body: &mut body, named: &mut named, context: &context },
            )?);
        }
        let (rest, output) = match generic {
            Some(_) => self.generic_body(inputs[0], lines, &mut named, &context)?,
            None => self.body(begin, lines, &mut named, &context)?,
        };
        body.extend(rest);
        let inputs = names.zip(&inputs).map(|(name, shape)| (name, self.sizes(shape))).collect();
        let output = self.sizes(&output);
        Some(Network {
            name: format!("Inner{}", self.file.networks.len()),
            generic,
            inputs,
            output,
            body,
        })
    }

    /// Draws lines whose sizes depend on the const generic, between two `Dense`, then others.
    fn generic_body(
        &mut self,
        input: Shape,
        lines: usize,
        named: &mut Named,
        context: &Context<'_>,
    ) -> Option<(Vec<Line>, Shape)> {
        let outer = named.len();
        let mut body = Vec::new();
        let first = self.dense(Size::Generic);
        let mut current =
            self.add(first, Some(input), Scope { body: &mut body, named, context })?;
        for _ in 0..self.rng.below(3) {
            let row = self.row(|row| {
                // Stable Rust cannot compute the size of a weight from a const generic.
                row.flows == Flows::SAME && row.inputs == Inputs::One && row.computed.is_empty()
            });
            let arguments = self.arguments(row, current, context);
            let scope = Scope { body: &mut body, named, context };
            if let Some(output) = self.add(Construct::Layer(row, arguments), Some(current), scope) {
                current = output;
            }
        }
        let units = self.rng.between(1, 4);
        // For the same reason no later line can read the lines above.
        named.truncate(outer);
        let last = self.dense(Size::Literal(units));
        current = self.add(last, Some(current), Scope { body: &mut body, named, context })?;
        if lines > 1 {
            let (rest, output) = self.body(Some(current), lines - 1, named, context)?;
            body.extend(rest);
            current = output;
        }
        named.truncate(outer);
        Some((body, current))
    }

    /// Draws up to `lines` lines, and returns the output shape of the last.
    fn body(
        &mut self,
        begin: Option<Shape>,
        lines: usize,
        named: &mut Named,
        context: &Context<'_>,
    ) -> Option<(Vec<Line>, Shape)> {
        let outer = named.len();
        let mut body = Vec::new();
        let mut current = begin;
        for _ in 0..lines * TRIES {
            if body.len() == lines {
                break;
            }
            if let Some(construct) = self.construct(current, named, context) {
                let scope = Scope { body: &mut body, named, context };
                current = self.add(construct, current, scope).or(current);
            }
        }
        named.truncate(outer);
        if body.is_empty() { None } else { Some((body, current?)) }
    }

    /// Adds a line to a body and returns its output shape, if the rules accept it.
    fn add(
        &mut self,
        construct: Construct,
        current: Option<Shape>,
        scope: Scope<'_>,
    ) -> Option<Shape> {
        let Scope { body, named, context } = scope;
        if body.last().is_some_and(|before| cancels_gradient(&before.construct, &construct)) {
            return None;
        }
        let mut line = Line { name: None, construct, arrow: None };
        let output = evaluate_line(&self.file, &line, current, named, context.environment)?;
        if self.rng.percent(40) {
            self.names += 1;
            let name = format!("line{}", self.names);
            named.push((name.clone(), output));
            line.name = Some(name);
        }
        let generic = context.environment.generic;
        if context.arrows && self.rng.percent(30) && (generic == 0 || output.last() != generic) {
            line.arrow = Some(self.sizes(&output));
        }
        body.push(line);
        Some(output)
    }

    fn dense(&mut self, units: Size) -> Construct {
        let row = unrolled_shape::registry::find("Dense").expect("a row of the registry");
        Construct::Layer(row, self.arguments_with(row, units))
    }

    /// Draws a row. Rows with many arguments are drawn more often.
    fn row(&mut self, allowed: impl Fn(&Row) -> bool) -> &'static Row {
        let names_values = |row: &Row| {
            row.parameters.iter().any(|it| it.kind == Kind::Input && it.default.is_none())
        };
        let rows = ROWS
            .iter()
            .filter(|row| allowed(row) && !names_values(row) && !NOT_DRAWN.contains(&row.name));
        let drawn = |row: &Row| row.parameters.iter().filter(|it| it.kind != Kind::Weight).count();
        let weighted: Vec<&'static Row> =
            rows.flat_map(|&row| std::iter::repeat_n(row, 2 + drawn(row))).collect();
        self.rng.pick(&weighted)
    }

    /// Draws how the sizes of a shape are written.
    fn sizes(&mut self, shape: &Shape) -> Vec<Size> {
        let constants = self.constants && self.rng.percent(30);
        let size = |&size: &usize| match constants && self.rng.percent(60) {
            true => self.constant(size),
            false => Size::Literal(size),
        };
        shape.dims().iter().map(size).collect()
    }

    /// A number as a constant, if there is one with this value.
    fn constant(&mut self, number: usize) -> Size {
        match number {
            2..=6 if self.rng.percent(25) => Size::Computed(number),
            1..=6 => Size::Constant(number),
            _ => Size::Literal(number),
        }
    }
}

/// Whether no gradient passes through both layers: `Upsample` can repeat a single pixel, of which `InstanceNorm`
/// leaves only rounding errors.
fn cancels_gradient(before: &Construct, after: &Construct) -> bool {
    let is = |construct: &Construct, name| matches!(construct, Construct::Layer(row, _) if row.name == name);
    is(before, "Upsample") && is(after, "InstanceNorm")
}
