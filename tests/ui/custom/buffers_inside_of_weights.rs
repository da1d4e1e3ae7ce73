use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
struct Inner {
    weight: [f32; 3],
    #[weights(buffer)]
    mean: [f32; 3],
}

#[derive(Weights)]
#[repr(C)]
struct Outer {
    first: [Inner; 2],
    second: [f32; 3],
}

fn main() {}
