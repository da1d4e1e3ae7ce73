//! Tokens -> [`ast`](crate::ast). Grammar only. A bad line is reported and replaced by a placeholder, so that
//! the lines after it are parsed too.

mod attributes;
mod item;
mod line;
mod list;
mod parser;
mod shape;

pub(crate) use item::parse;
