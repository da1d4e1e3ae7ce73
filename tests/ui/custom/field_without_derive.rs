use unrolled::Weights;

#[repr(C)]
struct Inner {
    weight: [f32; 3],
}

#[derive(Weights)]
#[repr(C)]
struct Outer {
    first: Inner,
    second: [Inner; 2],
}

fn main() {}
