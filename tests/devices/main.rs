//! The file `expected.txt`, with which scripts/check_devices.sh compares other targets, has what the baseline's kernels
//! compute here. `BLESS=1 cargo test --test devices` writes it.

#[path = "src/networks.rs"]
mod networks;
#[path = "src/report.rs"]
mod report;
#[path = "src/training.rs"]
mod training;

use std::path::Path;
use std::process::Command;

const IS_CHILD: &str = "UNROLLED_DEVICES_CHILD";

/// A process of its own computes the outputs, because each process chooses its instructions once.
fn main() {
    if std::env::var_os(IS_CHILD).is_some() {
        return print!("{}{}", networks::report(), training::report());
    }
    // Other processors may fuse multiply-adds.
    if !cfg!(target_arch = "x86_64") {
        println!("skipped: expected.txt has the bits of the baseline of x86-64");
        return;
    }
    let program = std::env::current_exe().expect("the path of this program");
    let child = Command::new(program).env(IS_CHILD, "1").env("UNROLLED_ISA", "baseline").output();
    let child = child.expect("runs");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let found = String::from_utf8(child.stdout).expect("text");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/devices/expected.txt");
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(path, found).expect("writes the file");
    }
    let expected = std::fs::read_to_string(path).expect("the file");
    assert!(
        found == expected,
        "outputs changed: `BLESS=1 cargo test --test devices` writes them\n{found}"
    );
}
