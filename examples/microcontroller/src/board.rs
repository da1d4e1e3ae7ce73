//! Text output: by semihosting, through the debugger or QEMU, or to standard output. `core::fmt` is not used, so that the
//! size of the firmware is that of the networks.

/// Prints text.
#[cfg(target_os = "none")]
pub fn print(text: &str) {
    if let Ok(mut out) = cortex_m_semihosting::hio::hstdout() {
        let _ = out.write_all(text.as_bytes());
    }
}

/// Prints text.
#[cfg(not(target_os = "none"))]
pub fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints a line: a name and the bits of values in hexadecimal.
pub fn print_bits(name: &str, values: &[f32]) {
    print(name);
    for value in values {
        let mut text = [b' '; 9];
        for (i, digit) in text[1..].iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(value.to_bits() >> (28 - 4 * i)) as usize & 15];
        }
        print(str::from_utf8(&text).unwrap_or_default());
    }
    print("\n");
}

/// Prints a line: a name and a number.
pub fn print_number(name: &str, number: u32) {
    print(name);
    let (mut text, mut rest, mut at) = ([b' '; 11], number, 11);
    while at == 11 || rest > 0 {
        at -= 1;
        text[at] = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
    }
    print(" ");
    print(str::from_utf8(&text[at..]).unwrap_or_default());
    print("\n");
}

/// Calls `f`, and returns how many bytes of stack it used: memory below the stack is filled with a pattern before, and
/// searched for its end afterwards.
#[cfg(target_os = "none")]
pub fn stack_used(f: impl FnOnce()) -> u32 {
    const PATTERN: u32 = 0xa5a5_a5a5;
    let end = cortex_m::register::msp::read() & !3;
    // What this function itself still pushes is at most this far below.
    let begin = cortex_m_rt::heap_start() as u32;
    for address in (begin..end - 256).step_by(4) {
        // SAFETY: between the end of static variables and the stack, memory that nothing else uses.
        unsafe {
            core::ptr::with_exposed_provenance_mut::<u32>(address as usize).write_volatile(PATTERN)
        };
    }
    call(f);
    let unused = |address: &u32| {
        // SAFETY: as above; every bit pattern is a number.
        unsafe {
            core::ptr::with_exposed_provenance::<u32>(*address as usize).read_volatile() == PATTERN
        }
    };
    end - (begin..end - 256).step_by(4).find(|address| !unused(address)).unwrap_or(end - 256)
}

/// Calls `f`. Not inlined, so that its variables are not in the frame of the caller.
#[cfg(target_os = "none")]
#[inline(never)]
fn call(f: impl FnOnce()) {
    f();
}

/// Calls `f`. The stack is measured on the microcontroller only.
#[cfg(not(target_os = "none"))]
pub fn stack_used(f: impl FnOnce()) -> u32 {
    f();
    0
}

/// Ends QEMU.
#[cfg(target_os = "none")]
pub fn exit() -> ! {
    loop {
        cortex_m_semihosting::debug::exit(cortex_m_semihosting::debug::EXIT_SUCCESS);
    }
}

/// Ends the program.
#[cfg(not(target_os = "none"))]
pub fn exit() -> ! {
    std::process::exit(0)
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        cortex_m_semihosting::debug::exit(cortex_m_semihosting::debug::EXIT_FAILURE);
    }
}
