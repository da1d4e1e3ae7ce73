use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
union Scale {
    one: f32,
    other: f32,
}

fn main() {}
