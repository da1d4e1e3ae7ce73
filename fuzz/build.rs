//! Declares the modules of unrolled-macros for the target `network_macro`: a procedural-macro crate exports nothing
//! else, so that its sources are compiled into the target.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    let source =
        Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../nn-macros/src");
    let root = fs::read_to_string(source.join("lib.rs")).expect("nn-macros/src/lib.rs");
    let mut modules = String::new();
    let mut before = "";
    for line in root.lines() {
        let name = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
        if let Some(name) = name.filter(|_| before != "#[cfg(test)]") {
            let file = [source.join(format!("{name}.rs")), source.join(name).join("mod.rs")];
            let file = file.iter().find(|file| file.exists()).expect("a file per module");
            writeln!(modules, "#[path = {file:?}]\nmod {name};").expect("a string");
        }
        before = line;
    }
    let out = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("modules.rs");
    fs::write(out, modules).expect("OUT_DIR is writable");
    println!("cargo::rerun-if-changed={}", source.join("lib.rs").display());
}
