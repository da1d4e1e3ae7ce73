//! The files with which scripts/check_devices.sh compares other targets have what the baseline's kernels compute here.
//! `BLESS=1 cargo test --test devices` writes them.

#[expect(unreachable_pub, reason = "public in the library of the firmware")]
#[path = "../../examples/microcontroller/src/networks.rs"]
mod microcontroller;
#[path = "src/networks.rs"]
mod networks;
#[path = "src/report.rs"]
mod report;
#[path = "src/training.rs"]
mod training;

use std::path::Path;
use std::process::Command;

/// Names the file whose content this program prints.
const CHILD: &str = "UNROLLED_DEVICES_FILE";

fn main() {
    match std::env::var(CHILD).as_deref() {
        Ok("expected.txt") => print!("{}{}", networks::report(), training::report()),
        Ok(_) => print!("{}", firmware()),
        // Other processors may fuse multiply-adds.
        Err(_) if cfg!(target_arch = "x86_64") => {
            check("expected.txt");
            check("firmware.txt");
        }
        Err(_) => {}
    }
}

/// What the firmware of examples/microcontroller prints.
fn firmware() -> String {
    let mut text = String::new();
    microcontroller::classify(|right, scores| {
        text += &report::line(if right { "right" } else { "wrong" }, scores);
    });
    text + &report::line("filter", microcontroller::filter().as_flattened())
}

/// Compares a file with what a process with the baseline's kernels prints: each process chooses its instructions once.
fn check(name: &str) {
    let program = std::env::current_exe().expect("the path of this program");
    let child = Command::new(program).env(CHILD, name).env("UNROLLED_ISA", "baseline").output();
    let found = String::from_utf8(child.expect("runs").stdout).expect("text");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/devices").join(name);
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(path, found).expect("writes the file");
    }
    let expected = std::fs::read_to_string(path).expect("the file");
    assert!(
        found == expected,
        "{name} differs: `BLESS=1 cargo test --test devices` writes it\n{found}"
    );
}
