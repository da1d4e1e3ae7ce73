//! Inference from C: the functions and the header of `c_api!`.

use super::inference_ext::InferenceExt;
use crate::contract::{Network, Node, Root};
use crate::types::{Inputs, Values};
use core::ffi::c_int;
use unrolled_shape::Text;

/// What a function returns to C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
enum Status {
    Done = 0,
    /// A pointer is null or not aligned.
    Pointer = 1,
    /// The network refuses the input: a token is not in the vocabulary.
    Input = 2,
    /// A panic, which is caught.
    #[cfg(feature = "std")]
    Panic = 3,
}

/// `NAME_forward`: inference on one sample.
///
/// # Safety
/// Where they are not null, `x` points to an input and `y` to memory for an output, which do not overlap.
#[cfg(feature = "std")]
pub unsafe fn c_forward<N: Network>(net: &N, x: *const N::Input, y: *mut N::Output) -> c_int {
    let infer = || {
        // SAFETY: the contract of this function.
        unsafe { infer_into::<N>(x, y, |x, y| net.forward_into(x, y)) }
    };
    // A panic must not unwind into C. The network is not mutable, so that none leaves it inconsistent.
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(infer));
    caught.unwrap_or(Status::Panic) as c_int
}

/// `NAME_forward_in`: inference on one sample in memory of the caller.
///
/// # Safety
/// As [`c_forward`], and `workspace` points to `WORKSPACE_LEN` floats, which overlap neither.
pub unsafe fn c_forward_in<N: Network>(
    net: &N,
    workspace: *mut f32,
    x: *const N::Input,
    y: *mut N::Output,
) -> c_int {
    if workspace.is_null() || !workspace.is_aligned() {
        return Status::Pointer as c_int;
    }
    // SAFETY: not null and aligned; floats of any bits, which nothing else uses, by the contract of this function. They
    // are written first, since memory from C may be uninitialised.
    let workspace = unsafe {
        workspace.write_bytes(0, N::WORKSPACE_LEN);
        core::slice::from_raw_parts_mut(workspace, N::WORKSPACE_LEN)
    };
    // SAFETY: the contract of this function.
    let status = unsafe { infer_into::<N>(x, y, |x, y| *y = net.forward_in(workspace, x)) };
    status as c_int
}

/// Calls `infer` with the input at `x` and the output at `y`.
///
/// # Safety
/// As [`c_forward`].
unsafe fn infer_into<N: Network>(
    x: *const N::Input,
    y: *mut N::Output,
    infer: impl FnOnce(&N::Input, &mut N::Output),
) -> Status {
    const { assert!(N::Input::LENS.len() == 1 && !N::Input::RAGGED, "{}", ONE_INPUT) };
    if x.is_null() || y.is_null() || !x.is_aligned() || !y.is_aligned() {
        return Status::Pointer;
    }
    // SAFETY: not null and aligned, and by the contract a value of this type.
    let x = unsafe { &*x };
    if <N as Node<Root>>::check(&[x.input(0)]).is_err() {
        return Status::Input;
    }
    // SAFETY: as above; nothing else uses the memory. Zeros are written first, since it may be uninitialised; any bits are a
    // value, by the contract of `Values`.
    let y = unsafe {
        y.write_bytes(0, 1);
        &mut *y
    };
    infer(x, y);
    Status::Done
}

const ONE_INPUT: &str = "`c_api!` takes networks with one input, whose sequences have one length";

/// The text of a C header, which constants can build.
#[derive(Clone, Copy, Debug)]
pub struct CHeader {
    bytes: [u8; CAPACITY],
    len: usize,
}

/// The bytes of the longest header: names of 200 letters have room.
const CAPACITY: usize = 8192;

impl CHeader {
    /// The header of the network called `network`, whose functions begin with `prefix` and whose constants with
    /// `constants`.
    #[must_use]
    // The error points to `c_api!`, not into this crate.
    #[track_caller]
    pub const fn new<N: Network>(network: &str, prefix: &str, constants: &str) -> Self {
        assert!(N::Input::LENS.len() == 1 && !N::Input::RAGGED, "{}", ONE_INPUT);
        let element = if N::Input::REAL[0] { "float" } else { "uint32_t" };
        let header = Self { bytes: [0; CAPACITY], len: 0 }.text("/* ").text(network).text(": ");
        let shapes = Text::new().shape(N::INPUTS[0]).text(" -> ").shape(N::OUTPUT);
        let header = header.text(shapes.as_str());
        let header = header.text(". Made by `c_api!` of the Rust crate unrolled. */\n\n#ifndef ");
        let header = header.text(constants).text("_H\n#define ").text(constants).text("_H\n\n");
        let header = header.text("#include <stdint.h>\n\n");
        let header = header
            .text("/* Elements of the input, of the output and of the workspace. */\n")
            .constant(constants, "INPUT", N::Input::LENS[0])
            .constant(constants, "OUTPUT", N::Output::LEN)
            .constant(constants, "WORKSPACE", N::WORKSPACE_LEN);
        let header = header.text("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n").text(ABOUT);
        let header = if cfg!(feature = "std") {
            header.text("int ").text(prefix).text("_forward(").parameters(element)
        } else {
            header
        };
        let header = header.text("int ").text(prefix).text("_forward_in(float *workspace, ");
        header.parameters(element).text("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n")
    }

    /// Its text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => panic!("whole strings were added"),
        }
    }

    const fn text(mut self, text: &str) -> Self {
        let (mut i, bytes) = (0, text.as_bytes());
        while i < bytes.len() {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    const fn constant(self, constants: &str, what: &str, len: usize) -> Self {
        let header = self.text("#define ").text(constants).text("_").text(what).text("_LEN ");
        header.text(Text::new().number(len).as_str()).text("\n")
    }

    const fn parameters(self, element: &str) -> Self {
        self.text("const ").text(element).text(" *x, float *y);\n")
    }
}

/// The comment before the functions.
const ABOUT: &str = "\
/* Inference on one sample, with the weights in the library. x has the elements of the input, channels last; y
   receives those of the output. Several threads may call at once; each needs a workspace of its own.
   Returns 0; 1 if a pointer is null or not aligned; 2 if the network refuses the input, such as a token that is not
   in its vocabulary; 3 after an error in the library. */
";
