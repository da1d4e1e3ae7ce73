//! What is more than a chain.

use unrolled_shape::Shape;
use unrolled_shape::registry::{Inputs, find};

use super::{Artist, DEEPEST, Place, TRIES};
use crate::evaluate::{Named, evaluate_line};
use crate::network::{
    Argument, Block, Branch, Construct, Environment, Given, Joint, Line, Network, Size,
};

impl Artist {
    /// A line's construct, perhaps one that the rules do not agree to.
    pub(super) fn construct(
        &mut self,
        current: Option<Shape>,
        named: &mut Named,
        place: &Place<'_>,
    ) -> Option<Construct> {
        let Some(input) = current else { return self.join(None, named, place) };
        let form = if place.depth >= DEEPEST { 99 } else { self.dice.below(100) };
        match form {
            0..10 => self.residual(input, named, place),
            10..28 => self.join(current, named, place),
            28..34 => self.repeat(input, named, place),
            34..45 => self.block(input, place),
            45..50 => self.nested(vec![input], place).map(Construct::Network),
            _ => {
                let row = self.row(|row| row.inputs == Inputs::One);
                Some(Construct::Layer(row, self.arguments(row, input, place)))
            }
        }
    }

    /// What a line would give.
    fn outcome(
        &self,
        construct: Construct,
        current: Shape,
        named: &Named,
        place: &Place<'_>,
    ) -> Option<Shape> {
        let line = Line { name: None, construct, arrow: None };
        evaluate_line(&self.file, &line, Some(current), named, place.environment)
    }

    fn residual(
        &mut self,
        input: Shape,
        named: &mut Named,
        place: &Place<'_>,
    ) -> Option<Construct> {
        let place = place.inside();
        let lines = self.dice.between(1, 3);
        let (mut body, output) = self.body(Some(input), lines, named, &place)?;
        if self.dice.percent(50) {
            body.extend(self.bring(output, input));
            return Some(Construct::Residual { body, skip: None });
        }
        let lines = self.dice.between(0, 2);
        let (mut skip, shortcut) =
            self.body(Some(input), lines, named, &place).unwrap_or((Vec::new(), input));
        skip.extend(self.bring(shortcut, output));
        (!skip.is_empty()).then_some(Construct::Residual { body, skip: Some(skip) })
    }

    /// Two or three branches, and what joins them.
    fn join(
        &mut self,
        current: Option<Shape>,
        named: &mut Named,
        place: &Place<'_>,
    ) -> Option<Construct> {
        // Where nothing runs yet, each input of the network has a branch.
        let sources: Vec<Option<String>> = match current {
            None => named.iter().map(|(name, _)| Some(name.clone())).collect(),
            Some(_) => (0..self.dice.between(2, 3)).map(|_| self.source(named)).collect(),
        };
        if current.is_some() && sources.iter().all(Option::is_some) {
            // What runs would be lost, which is a mistake.
            return None;
        }
        let place = place.inside();
        let mut branches = Vec::new();
        let mut shapes = Vec::new();
        for source in sources {
            let begin = match &source {
                None => current?,
                Some(source) => named.iter().rev().find(|(name, _)| name == source)?.1,
            };
            let around = named.len();
            let mut body = Vec::new();
            let begin = match &source {
                Some(source) if place.tokens.contains(source) => {
                    self.embed(begin, &mut body, named, &place)?
                }
                _ => begin,
            };
            let lines = self.dice.between(0, 2);
            let drawn = self.body(Some(begin), lines, named, &place);
            let (rest, output) = drawn.unwrap_or((Vec::new(), begin));
            named.truncate(around);
            body.extend(rest);
            branches.push(Branch { source, body });
            shapes.push(output);
        }
        if self.dice.percent(12) {
            let network = self.nested(shapes, &place)?;
            return Some(Construct::Join(Joint::Network(network), branches));
        }
        let row = self.row(|row| row.inputs == Inputs::Branches);
        for nth in 1..branches.len() {
            if (row.rule)(&shapes[..=nth], &[]).is_err() {
                let target = self.fitting(shapes[0], |target| {
                    let together: Vec<Shape> =
                        shapes[..nth].iter().copied().chain([target]).collect();
                    (row.rule)(&together, &[]).is_ok()
                });
                branches[nth].body.extend(self.bring(shapes[nth], target));
                shapes[nth] = target;
            }
        }
        Some(Construct::Join(Joint::Layer(row), branches))
    }

    /// Lines from numbers of tokens, which no other layer reads, to features.
    pub(super) fn embed(
        &mut self,
        tokens: Shape,
        body: &mut Vec<Line>,
        named: &mut Named,
        place: &Place<'_>,
    ) -> Option<Shape> {
        let row = find("Embedding").expect("a row of the registry");
        let mut current = tokens;
        if tokens.rank() > 1 && self.dice.percent(20) {
            current = Shape::new(&[tokens.len()]);
            body.push(Line { name: None, construct: self.plain("Flatten"), arrow: None });
        }
        (0..TRIES).find_map(|_| {
            let arguments = self.arguments(row, current, place);
            self.add(Construct::Layer(row, arguments), Some(current), body, named, place)
        })
    }

    /// Where a branch begins: with what runs, or with something that has a name.
    fn source(&mut self, named: &Named) -> Option<String> {
        if named.is_empty() || self.dice.percent(60) {
            return None;
        }
        let nth = self.dice.below(named.len());
        Some(named[nth].0.clone())
    }

    /// A shape that suits the first branch.
    fn fitting(&mut self, first: Shape, agrees: impl Fn(Shape) -> bool) -> Shape {
        let last = self.dice.between(1, 4);
        let channels = Shape::new(&[first.last()]);
        let ones = Shape::new(&[1; 6][..first.rank()]).with_last(first.last());
        let target = self.dice.pick(&[first, first.with_last(last), channels, ones]);
        if agrees(target) { target } else { first }
    }

    /// Lines from one shape to another.
    fn bring(&mut self, from: Shape, to: Shape) -> Vec<Line> {
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
        let value = Given::Shape(sizes);
        let argument = Argument { value, left_out: false, named: false };
        Construct::Layer(row, vec![argument])
    }

    fn repeat(&mut self, input: Shape, named: &mut Named, place: &Place<'_>) -> Option<Construct> {
        let count = self.dice.between(1, 3);
        let lines = self.dice.between(1, 2);
        let (mut body, output) = self.body(Some(input), lines, named, &place.repeated())?;
        let construct = Construct::Repeat { count, body: body.clone() };
        if self.outcome(construct.clone(), input, named, place).is_some() {
            return Some(construct);
        }
        body.extend(self.bring(output, input));
        Some(Construct::Repeat { count, body })
    }

    /// A block that is there already, with other arguments, or a new one.
    fn block(&mut self, input: Shape, place: &Place<'_>) -> Option<Construct> {
        let blocks = self.file.blocks.len();
        if blocks > 0 && self.dice.percent(60) {
            let block = self.dice.below(blocks);
            let construct = self.fitting_use(block, input, place);
            if construct.is_some() {
                return construct;
            }
        }
        let block = self.new_block(input, place)?;
        self.fitting_use(block, input, place)
    }

    /// A block with arguments that the rules agree to.
    fn fitting_use(&mut self, block: usize, input: Shape, place: &Place<'_>) -> Option<Construct> {
        for _ in 0..TRIES {
            let construct = self.use_of_block(block, place);
            if self.outcome(construct.clone(), input, &Vec::new(), place).is_some() {
                return Some(construct);
            }
        }
        None
    }

    fn use_of_block(&mut self, block: usize, place: &Place<'_>) -> Construct {
        let defaults: Vec<bool> =
            self.file.blocks[block].parameters.iter().map(Option::is_some).collect();
        let mut arguments = Vec::new();
        for has_default in defaults {
            if has_default && self.dice.percent(50) {
                break;
            }
            arguments.push(self.size(1, 4, place));
        }
        Construct::Block(block, arguments)
    }

    fn new_block(&mut self, input: Shape, place: &Place<'_>) -> Option<usize> {
        let values: Vec<usize> =
            (0..self.dice.between(0, 2)).map(|_| self.dice.between(1, 4)).collect();
        let first_default = self.dice.between(0, values.len());
        let mut parameters = Vec::new();
        for (nth, &value) in values.iter().enumerate() {
            let default = match nth {
                // Perhaps the parameter before it.
                1 if self.dice.percent(40) => Size::Parameter(0),
                _ => Size::Literal(value),
            };
            parameters.push((nth >= first_default).then_some(default));
        }
        let environment = Environment { parameters: &values, ..place.environment };
        let inner = Place { environment, ..place.repeated() };
        let lines = self.dice.between(1, 3);
        let (body, _) = self.body(Some(input), lines, &mut Vec::new(), &inner)?;
        self.file.blocks.push(Block { parameters, body });
        Some(self.file.blocks.len() - 1)
    }

    /// A network that takes these shapes: one that is there already, or a new one.
    fn nested(&mut self, inputs: Vec<Shape>, place: &Place<'_>) -> Option<usize> {
        let fits = |network: &Network| {
            let environment =
                Environment { parameters: &[], generic: network.generic.unwrap_or(0) };
            let shapes = network.inputs.iter().map(|(_, shape)| environment.shape(shape));
            shapes.eq(inputs.iter().copied())
        };
        if let Some(found) = self.file.networks.iter().position(fits)
            && self.dice.percent(60)
        {
            return Some(found);
        }
        let network = self.network(inputs, place.depth + 1)?;
        // Networks within it are drawn before it.
        let name = format!("Inner{}", self.file.networks.len());
        self.file.networks.push(Network { name, ..network });
        Some(self.file.networks.len() - 1)
    }
}
