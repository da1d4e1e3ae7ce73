//! [`measure!`](crate::measure): firmware of one network with weights of zeros.

/// Defines `main` of a firmware that runs a network once and prints the stack that it used, its workspace included.
#[macro_export]
macro_rules! measure {
    ($Network:ident) => {
        #[cfg_attr(target_os = "none", cortex_m_rt::entry)]
        fn main() -> ! {
            use unrolled::prelude::*;

            static WEIGHTS: [f32; <$Network as Weights>::LEN] = [0.0; _];
            static INPUT: <$Network as Network>::Input = [[[0.0; _]; _]; _];
            let used = $crate::stack_used(|| {
                let net = <$Network as unrolled::WeightSlice>::from_floats(&WEIGHTS);
                let mut workspace = [0.0; <$Network as InferenceExt>::WORKSPACE_LEN];
                let y = net.forward_in(&mut workspace, core::hint::black_box(&INPUT));
                $crate::print_bits("output", &y);
            });
            $crate::print_number("stack", used);
            $crate::exit()
        }
    };
}
