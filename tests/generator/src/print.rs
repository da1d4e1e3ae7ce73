//! Networks as source text of `network!`.

use std::fmt::Write;
use unrolled_shape::registry::Row;
use unrolled_shape::{Padding, StepPadding, Value, VolumePadding};

use crate::network::{
    Argument, ArgumentValue, Block, Branch, Construct, File, JoinKind, Line, Network, Size,
};

/// The contents of one `network!`.
pub(crate) fn print(file: &File) -> String {
    let mut printer = Printer { file, text: String::new(), depth: 0 };
    for (number, block) in file.blocks.iter().enumerate() {
        printer.block(number, block);
    }
    for network in &file.networks {
        printer.network(network);
    }
    printer.text
}

/// The type of a network, as expressions write it.
pub(crate) fn network_type(network: &Network) -> String {
    match network.generic {
        Some(value) => format!("{}::<{value}>", network.name),
        None => network.name.clone(),
    }
}

struct Printer<'a> {
    file: &'a File,
    text: String,
    depth: usize,
}

impl Printer<'_> {
    fn block(&mut self, number: usize, block: &Block) {
        let parameter = |(index, default): (usize, &Option<Size>)| match default {
            Some(size) => format!("p{index} = {}", print_size(*size)),
            None => format!("p{index}"),
        };
        let parameters: Vec<String> = block.parameters.iter().enumerate().map(parameter).collect();
        let _ = write!(self.text, "block Block{number}({}) ", parameters.join(", "));
        self.body(&block.body);
        self.text.push('\n');
    }

    fn network(&mut self, network: &Network) {
        let generics = if network.generic.is_some() { "<const SIZE: usize>" } else { "" };
        let input = |(name, shape): &(Option<String>, Vec<Size>)| match name {
            Some(name) => format!("{name}: {}", print_shape(shape)),
            None => print_shape(shape),
        };
        let inputs: Vec<String> = network.inputs.iter().map(input).collect();
        let (name, output) = (&network.name, print_shape(&network.output));
        let _ = write!(self.text, "struct {name}{generics}({}) -> {output} ", inputs.join(", "));
        self.body(&network.body);
        self.text.push('\n');
    }

    fn body(&mut self, lines: &[Line]) {
        self.text.push_str("{\n");
        self.depth += 1;
        for line in lines {
            self.indent();
            self.line(line);
        }
        self.depth -= 1;
        self.indent();
        self.text.push('}');
    }

    fn indent(&mut self) {
        self.text.push_str(&"    ".repeat(self.depth));
    }

    fn line(&mut self, line: &Line) {
        if let Some(name) = &line.name {
            let _ = write!(self.text, "{name}: ");
        }
        match &line.construct {
            Construct::Layer(row, arguments) => {
                self.text.push_str(row.name);
                self.text.push_str(&print_arguments(row, arguments));
            }
            Construct::Join(kind, branches) => self.join(*kind, branches),
            Construct::Residual { body, skip } => {
                self.text.push_str("Residual ");
                self.body(body);
                if let Some(skip) = skip {
                    self.text.push_str(" skip ");
                    self.body(skip);
                }
            }
            Construct::Repeat { count, shared, body } => {
                let shared = if *shared { ", shared = true" } else { "" };
                let _ = write!(self.text, "Repeat({count}{shared}) ");
                self.body(body);
            }
            Construct::PerStep(body) => {
                self.text.push_str("PerStep ");
                self.body(body);
            }
            Construct::Block(block, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(|&it| print_size(it)).collect();
                let _ = write!(self.text, "Block{block}({})", arguments.join(", "));
            }
            Construct::Network(network) => {
                self.text.push_str(&network_type(&self.file.networks[*network]));
            }
        }
        if let Some(arrow) = &line.arrow {
            let _ = write!(self.text, " -> {}", print_shape(arrow));
        }
        self.text.push_str(",\n");
    }

    fn join(&mut self, kind: JoinKind, branches: &[Branch]) {
        match kind {
            JoinKind::Layer(row) => self.text.push_str(row.name),
            JoinKind::Network(network) => {
                self.text.push_str(&network_type(&self.file.networks[network]));
            }
        }
        self.text.push_str(" {\n");
        self.depth += 1;
        for branch in branches {
            self.indent();
            if let Some(source) = &branch.source {
                let _ = write!(self.text, "{source} => ");
            }
            self.body(&branch.body);
            self.text.push_str(",\n");
        }
        self.depth -= 1;
        self.indent();
        self.text.push('}');
    }
}

/// `(32, kernel = 3)`
fn print_arguments(row: &Row, arguments: &[Argument]) -> String {
    let mut shown = Vec::new();
    let mut positional = true;
    for (index, (parameter, argument)) in row.parameters.iter().zip(arguments).enumerate() {
        if argument.omitted {
            positional = false;
            continue;
        }
        positional &= index < row.positional && !argument.named;
        let value = print_value(&argument.value);
        shown.push(if positional { value } else { format!("{} = {value}", parameter.name) });
    }
    if shown.is_empty() { String::new() } else { format!("({})", shown.join(", ")) }
}

fn print_value(value: &ArgumentValue) -> String {
    match value {
        ArgumentValue::Plain(Value::Number(number)) => number.to_string(),
        ArgumentValue::Plain(Value::Pair(pair) | Value::Padding(Padding::Explicit(pair))) => {
            print_per_axis(&pair.map(Size::Literal))
        }
        ArgumentValue::Plain(
            Value::Triple(triple) | Value::VolumePadding(VolumePadding::Explicit(triple)),
        ) => print_per_axis(&triple.map(Size::Literal)),
        ArgumentValue::Plain(Value::Padding(Padding::Sides(sides))) => print_tuple(sides),
        ArgumentValue::Plain(Value::VolumePadding(VolumePadding::Sides(sides))) => {
            print_tuple(sides)
        }
        ArgumentValue::Plain(Value::StepPadding(StepPadding::Sides(sides))) => print_tuple(sides),
        ArgumentValue::Plain(Value::Padding(Padding::Same)) => "same".into(),
        ArgumentValue::Plain(Value::VolumePadding(VolumePadding::Same)) => "same".into(),
        ArgumentValue::Plain(Value::StepPadding(StepPadding::Same)) => "same".into(),
        ArgumentValue::Plain(Value::StepPadding(StepPadding::Causal)) => "causal".into(),
        ArgumentValue::Plain(Value::StepPadding(StepPadding::Explicit(both))) => both.to_string(),
        ArgumentValue::Plain(Value::Flag(flag)) => flag.to_string(),
        ArgumentValue::Plain(Value::Real(real)) => format!("{real:?}"),
        ArgumentValue::Plain(Value::Word(word)) => word.text.into(),
        ArgumentValue::Plain(Value::Shape(shape)) => {
            let sizes: Vec<Size> = shape.dims().iter().map(|&size| Size::Literal(size)).collect();
            print_shape(&sizes)
        }
        ArgumentValue::Plain(Value::Absent | Value::Input(_) | Value::Weight(_)) => {
            unreachable!("it is left out")
        }
        ArgumentValue::Number(size) => print_size(*size),
        ArgumentValue::Pair(sizes) | ArgumentValue::Padding(sizes) => print_per_axis(sizes),
        ArgumentValue::Triple(sizes) | ArgumentValue::VolumePadding(sizes) => print_per_axis(sizes),
        ArgumentValue::Shape(sizes) => print_shape(sizes),
        ArgumentValue::Named(name) => name.clone(),
    }
}

/// One number where all are the same.
fn print_per_axis(sizes: &[Size]) -> String {
    if sizes.iter().all(|size| *size == sizes[0]) {
        return print_size(sizes[0]);
    }
    let sizes: Vec<String> = sizes.iter().map(|size| print_size(*size)).collect();
    format!("({})", sizes.join(", "))
}

fn print_tuple(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("({})", numbers.join(", "))
}

fn print_shape(sizes: &[Size]) -> String {
    let literal = |size: &Size| matches!(size, Size::Literal(_));
    let all: Vec<String> = sizes.iter().map(|&size| print_size(size)).collect();
    if sizes.iter().all(literal) { all.join("x") } else { format!("[{}]", all.join(", ")) }
}

fn print_size(size: Size) -> String {
    match size {
        Size::Literal(number) => number.to_string(),
        Size::Constant(number) => format!("N{number}"),
        Size::Computed(number) => format!("{{ N{} + 1 }}", number - 1),
        Size::Parameter(index) => format!("p{index}"),
        Size::ParameterPlus(index, offset) => format!("p{index} + {offset}"),
        Size::Generic => "SIZE".into(),
    }
}
