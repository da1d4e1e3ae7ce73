//! Draws networks. Each line is drawn until the rules of nn-shape agree to it, so that new layers
//! of the registry are drawn as soon as they are there.

mod arguments;
mod structure;

use unrolled_shape::Kind;
use unrolled_shape::Shape;
use unrolled_shape::registry::{Flows, Inputs, ROWS, Row};

use crate::dice::Dice;
use crate::evaluate::{Named, evaluate, evaluate_line};
use crate::network::{Construct, Environment, File, Line, Network, Size};

/// Most weights of a network.
const MOST_WEIGHTS: usize = 500;

/// How often a line is tried.
const TRIES: usize = 12;

/// The deepest nesting.
const DEEPEST: usize = 2;

/// The `network!` block of a seed. The last of its networks is called `Net`.
pub(crate) fn draw(seed: u64) -> File {
    let mut artist =
        Artist { dice: Dice::new(seed), file: File::default(), constants: false, names: 0 };
    artist.constants = artist.dice.percent(25);
    loop {
        artist.file = File::default();
        let input = artist.inputs();
        let Some(mut network) = artist.network(input, 0) else { continue };
        let nodes = evaluate(&artist.file, &network).expect("a network that was drawn");
        let weights = nodes.iter().map(|it| it.params).sum::<usize>();
        if (1..=MOST_WEIGHTS).contains(&weights) {
            network.name = "Net".into();
            artist.file.networks.push(network);
            return artist.file;
        }
    }
}

struct Artist {
    dice: Dice,
    file: File,
    /// Whether sizes are written as constants here and there.
    constants: bool,
    names: usize,
}

/// Where a line stands.
struct Place<'a> {
    environment: Environment<'a>,
    depth: usize,
    /// Whether arrows may stand here: not where a line is written out several times.
    arrows: bool,
    /// The inputs that are numbers of tokens.
    tokens: &'a [String],
}

impl Place<'_> {
    fn inside(&self) -> Self {
        Self { depth: self.depth + 1, ..*self }
    }

    fn repeated(&self) -> Self {
        Self { arrows: false, ..self.inside() }
    }
}

impl Artist {
    /// The shapes of a network's inputs.
    fn inputs(&mut self) -> Vec<Shape> {
        let count = self.dice.pick(&[1, 1, 1, 1, 1, 2, 2, 3]);
        (0..count).map(|_| self.shape()).collect()
    }

    fn shape(&mut self) -> Shape {
        let rank = self.dice.pick(&[1, 1, 2, 2, 2, 2, 3, 3, 3, 4]);
        let most = if rank == 4 { 3 } else { 6 };
        let mut axes: Vec<usize> = (0..rank).map(|_| self.dice.between(1, most)).collect();
        let channels = axes.last_mut().expect("an axis");
        *channels = (*channels).min(4);
        Shape::new(&axes)
    }

    /// A network with these inputs.
    fn network(&mut self, inputs: Vec<Shape>, depth: usize) -> Option<Network> {
        // Networks inside of others take what runs: numbers.
        let mut holds_tokens =
            |shape: &Shape| depth == 0 && shape.rank() <= 2 && self.dice.percent(25);
        let are_tokens: Vec<bool> = inputs.iter().map(&mut holds_tokens).collect();
        let begins_with_tokens = are_tokens == [true];
        let may_be_generic = inputs.len() == 1 && inputs[0].rank() == 1 && !begins_with_tokens;
        let generic = (may_be_generic && self.dice.percent(40)).then(|| self.dice.between(1, 4));
        let named_input = inputs.len() > 1 || self.dice.percent(20);
        let name = |nth: usize| named_input.then(|| format!("in{nth}"));
        let names = (0..inputs.len()).map(name);
        let mut named: Named =
            names.clone().zip(&inputs).filter_map(|(name, &shape)| Some((name?, shape))).collect();
        let tokens: Vec<String> =
            names.clone().zip(&are_tokens).filter_map(|(name, it)| name.filter(|_| *it)).collect();
        let environment = Environment { parameters: &[], generic: generic.unwrap_or(0) };
        let place = Place { environment, depth, arrows: true, tokens: &tokens };
        let lines = if depth == 0 { self.dice.between(2, 6) } else { self.dice.between(1, 3) };
        let mut body = Vec::new();
        let mut begin = if inputs.len() == 1 { Some(inputs[0]) } else { None };
        if begins_with_tokens {
            begin = Some(self.embed(inputs[0], &mut body, &mut named, &place)?);
        }
        let (rest, output) = match generic {
            Some(_) => self.generic_body(inputs[0], lines, &mut named, &place)?,
            None => self.body(begin, lines, &mut named, &place)?,
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

    /// Lines whose sizes depend on the const generic, from a `Dense` to the next, then others.
    fn generic_body(
        &mut self,
        input: Shape,
        lines: usize,
        named: &mut Named,
        place: &Place<'_>,
    ) -> Option<(Vec<Line>, Shape)> {
        let around = named.len();
        let mut body = Vec::new();
        let first = self.dense(Size::Generic);
        let mut current = self.add(first, Some(input), &mut body, named, place)?;
        for _ in 0..self.dice.below(3) {
            let row = self.row(|row| {
                // Sizes of weights cannot be computed from const generics.
                row.flows == Flows::SAME && row.inputs == Inputs::One && row.computed.is_empty()
            });
            let arguments = self.arguments(row, current, place);
            if let Some(output) =
                self.add(Construct::Layer(row, arguments), Some(current), &mut body, named, place)
            {
                current = output;
            }
        }
        let units = self.dice.between(1, 4);
        // The next layers' weights could not have sizes of the lines above.
        named.truncate(around);
        let last = self.dense(Size::Literal(units));
        current = self.add(last, Some(current), &mut body, named, place)?;
        if lines > 1 {
            let (rest, output) = self.body(Some(current), lines - 1, named, place)?;
            body.extend(rest);
            current = output;
        }
        named.truncate(around);
        Some((body, current))
    }

    /// As many lines, and what the last gives.
    fn body(
        &mut self,
        begin: Option<Shape>,
        lines: usize,
        named: &mut Named,
        place: &Place<'_>,
    ) -> Option<(Vec<Line>, Shape)> {
        let around = named.len();
        let mut body = Vec::new();
        let mut current = begin;
        for _ in 0..lines * TRIES {
            if body.len() == lines {
                break;
            }
            if let Some(construct) = self.construct(current, named, place) {
                current = self.add(construct, current, &mut body, named, place).or(current);
            }
        }
        named.truncate(around);
        if body.is_empty() { None } else { Some((body, current?)) }
    }

    /// Adds a line to a body, if the rules agree.
    fn add(
        &mut self,
        construct: Construct,
        current: Option<Shape>,
        body: &mut Vec<Line>,
        named: &mut Named,
        place: &Place<'_>,
    ) -> Option<Shape> {
        if body.last().is_some_and(|before| is_nothing(&before.construct, &construct)) {
            return None;
        }
        let mut line = Line { name: None, construct, arrow: None };
        let output = evaluate_line(&self.file, &line, current, named, place.environment)?;
        if self.dice.percent(40) {
            self.names += 1;
            let name = format!("line{}", self.names);
            named.push((name.clone(), output));
            line.name = Some(name);
        }
        let generic = place.environment.generic;
        if place.arrows && self.dice.percent(30) && (generic == 0 || output.last() != generic) {
            line.arrow = Some(self.sizes(&output));
        }
        body.push(line);
        Some(output)
    }

    fn dense(&mut self, units: Size) -> Construct {
        let row = unrolled_shape::registry::find("Dense").expect("a row of the registry");
        Construct::Layer(row, self.arguments_with(row, units))
    }

    /// A row, the more often the more arguments it has.
    fn row(&mut self, allowed: impl Fn(&Row) -> bool) -> &'static Row {
        let names_values = |row: &Row| {
            row.parameters.iter().any(|it| it.kind == Kind::Input && it.default.is_none())
        };
        let rows = ROWS.iter().filter(|row| allowed(row) && !names_values(row));
        let drawn = |row: &Row| row.parameters.iter().filter(|it| it.kind != Kind::Weight).count();
        let weighted: Vec<&'static Row> =
            rows.flat_map(|&row| std::iter::repeat_n(row, 2 + drawn(row))).collect();
        self.dice.pick(&weighted)
    }

    /// Sizes of a shape as they are written.
    fn sizes(&mut self, shape: &Shape) -> Vec<Size> {
        let constants = self.constants && self.dice.percent(30);
        let size = |&size: &usize| match constants && self.dice.percent(60) {
            true => self.constant(size),
            false => Size::Literal(size),
        };
        shape.dims().iter().map(size).collect()
    }

    /// A number, as a constant where there is one.
    fn constant(&mut self, number: usize) -> Size {
        match number {
            2..=6 if self.dice.percent(25) => Size::Computed(number),
            1..=6 => Size::Constant(number),
            _ => Size::Literal(number),
        }
    }
}

/// Whether no gradient may pass through both: of a picture that was one pixel, `InstanceNorm` leaves
/// nothing but rounding.
fn is_nothing(before: &Construct, after: &Construct) -> bool {
    let is = |construct: &Construct, name| matches!(construct, Construct::Layer(row, _) if row.name == name);
    is(before, "Upsample") && is(after, "InstanceNorm")
}
