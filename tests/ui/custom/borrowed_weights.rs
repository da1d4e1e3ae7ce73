use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
struct Scale<'a> {
    weight: [f32; 3],
    name: std::marker::PhantomData<&'a f32>,
}

fn main() {}
