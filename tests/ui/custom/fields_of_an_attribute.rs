use unrolled::Weights;

// Each of these structs is changed after the derive has read its fields.

#[derive(Weights)]
#[random_networks::fields(weight: [f32; 4], trained: bool)]
#[repr(C)]
struct Another {
    weight: [f32; 4],
}

#[derive(Weights)]
#[random_networks::fields(weight: [u32; 4])]
#[repr(C)]
struct Integers {
    weight: [f32; 4],
}

#[derive(Weights)]
#[random_networks::fields(weight: [f32; N], proof: Proof)]
#[repr(C)]
struct Generic<const N: usize> {
    weight: [f32; N],
}

struct Proof(());

fn main() {}
