//! Networks in code with strict lints, whose names are those that expanded code uses itself.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]
#![deny(unreachable_pub, unused_qualifications, single_use_lifetimes)]
#![deny(clippy::all, clippy::pedantic)]

pub(crate) use unrolled as anything;

/// Names of the prelude of Rust and of the library with another meaning.
#[allow(missing_debug_implementations, reason = "only the names matter")]
pub mod shadowed {
    /// Another item of this name.
    pub struct Option;
    /// Another item of this name.
    pub struct Result;
    /// Another item of this name.
    pub struct Some;
    /// Another item of this name.
    pub struct None;
    /// Another item of this name.
    pub struct Ok;
    /// Another item of this name.
    pub struct Box;
    /// Another item of this name.
    pub struct String;
    /// Another item of this name.
    pub trait Default {}
    /// Another item of this name.
    pub trait From {}
    /// Another item of this name.
    pub fn drop() {}
    /// Another item of this name.
    pub struct Vec;
    /// Another item of this name.
    pub struct Shape;
    /// Another item of this name.
    pub struct Spec;
    /// Another item of this name.
    pub struct Node;
    /// Another item of this name.
    pub struct Network;
    /// Another item of this name.
    pub struct Weights;
    /// Another item of this name.
    pub struct Values;
    /// Another item of this name.
    pub struct TrainCtx;
    /// Another item of this name.
    pub struct Part;
    /// Another item of this name.
    pub struct Plan;
    /// Another item of this name.
    pub struct Dense;
    /// Another item of this name.
    pub struct ReLU;
    /// Another item of this name.
    pub mod core {}
    /// Another item of this name.
    pub mod std {}

    use crate::hygiene::anything;

    anything::network! {
        /// Expanded code must not use any of these names.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(non_snake_case, reason = "field names are up to the user")]
        #[allow(bias_before_batch_norm, dense_after_dense)]
        pub struct Names(step: 3, values: 3) -> 2 {
            Add { step => { n: Dense(3) }, values => { x: Dense(3), Tanh } },
            y: Dense(3), ReLU,
            d_y: Dense(3), ReLU,
            memory: Dense(3),
            self_: BatchNorm,
            phase: Dense(3),
            pass: Dense(3),
            P1: Dense(3),
            SCRATCH: Dense(3),
            scratch: Dense(3),
            a_b: Dense(3),
            aB: Dense(3),
            r#type: Dense(2),
        }

        /// A network that runs step by step, with lines named like what expanded code defines for all nodes.
        #[expect(non_snake_case, reason = "field names are up to the user")]
        #[allow(deep_without_skip, dense_after_dense)]
        pub struct Series(state: 6x3, type: 6x3) -> 6x3 {
            Add { state, r#type },
            infer: Dense(3), step: Dense(3), train: Dense(3), slots: Dense(3), train_slots: Dense(3),
            phases: Dense(3), steps: Dense(3), steps_of: Dense(3), step_by_step: Dense(3),
            s: Dense(3), S: Dense(3), i: Dense(3), I: Dense(3), rt: Dense(3), _rt: Dense(3),
            all: Dense(3), layouts: Dense(3), values: Dense(3), plan: Dense(3), new: Dense(3),
            input: Dense(3), output: Dense(3), self: Dense(3), self_: Dense(3), Self: Dense(3), spec0: Dense(3),
            d_infer: Dense(3), expect: Dense(3), found: Dense(3), isa: Dense(3), ctx: Dense(3), n: Dense(3),
        }

        /// The same names in a network that needs whole sequences, with outputs named by keywords.
        #[expect(non_snake_case, reason = "field names are up to the user")]
        #[allow(bias_before_batch_norm, dense_after_dense)]
        pub struct Whole(type: 6x3, self: 6x3) -> (fn: 6x3, crate: 6x3, crate_: 6x3) {
            Add { r#type, self },
            step: Dense(3), step_by_step: Dense(3), StepByStep: Dense(3), Step: Dense(3), phases: BatchNorm,
            steps: Conv1d(3, kernel = 3, padding = 1), S: Dense(3), I: Dense(3), infer: Dense(3),
            GroupNorm(1), fn: Dense(3), crate: r#fn => Dense(3), crate_: Dense(3),
        }

        /// Another network in the same module.
        pub(crate) struct Second(3) -> 2 { Dense(2) }

        struct Third(3) -> 2 { Dense(2) }

        /// Nested networks.
        pub struct Nested<const N: usize>(2) -> 2 { own: Generic::<N>, third: Second2 }

        /// A const generic as the size.
        #[allow(bias_before_batch_norm)]
        pub struct Generic<const N: usize>(2) -> 3 { Dense(N), BatchNorm, Dense(3) }

        /// A public network with a private one.
        pub struct Second2(3) -> 2 { Generic2::<7> }

        /// A generic network in a generic network.
        pub struct Generic2<const N: usize>(3) -> 2 { Dense(2), Generic::<N> -> 3, Dense(N), Dense(2) }
    }

    /// Uses the networks of sequences: a number, and the first step from `forward` and from `step`. Fields with the names
    /// of keywords are raw, or end in an underscore.
    #[must_use]
    pub fn use_sequences() -> (f32, [[f32; 3]; 2]) {
        let net = <Series as anything::TrainingExt>::new(1);
        let whole = net.forward((&[[0.5; 3]; 6], &[[0.5; 3]; 6]));
        let mut state = anything::State::new();
        let step = net.step(&mut state, (&[0.5; 3], &[0.5; 3]));
        let first = [whole[0], step];
        let whole = <Whole as anything::TrainingExt>::new(1);
        let outputs = whole.forward((&[[0.5; 3]; 6], &[[0.5; 3]; 6]));
        let sum = net.self_.bias[0]
            + net.self__.bias[0]
            + outputs.r#fn[0][0]
            + outputs.crate_[0][0]
            + outputs.crate__[0][0];
        (sum, first)
    }

    /// Uses the private networks.
    #[must_use]
    pub fn use_them() -> f32 {
        let second = <Second as anything::TrainingExt>::new(1).forward(&[0.5; 3]);
        let third = <Third as anything::TrainingExt>::new(1).forward(&[0.5; 3]);
        let nested = <Nested<4> as anything::TrainingExt>::new(1).forward(&[0.5; 2]);
        second[0] + third[0] + nested[0]
    }
}

mod renamed {
    pub(crate) use crate::hygiene::anything as something_else;
}

mod user {
    use super::renamed::something_else;
    use super::renamed::something_else::prelude::*;

    something_else::network! {
        /// The crate has another name here.
        pub(crate) struct Renamed(3) -> 2 { Dense(2) }
    }

    pub(crate) fn first() -> [f32; 2] {
        Renamed::new(1).forward(&[0.5; 3])
    }
}

/// Expressions of parameters, without warnings about parentheses.
mod parameters {
    use crate::hygiene::anything::prelude::*;

    const N: usize = 4;

    const fn twice(n: usize) -> usize {
        2 * n
    }

    network! {
        block Wide(n, m = { twice(n) }) { Dense(n), Dense({ 2 * n }), Dense(m), Dense({ twice(n) }) }

        pub(crate) struct Net(3) -> 10 { Wide({ N + 1 }) }
    }

    pub(crate) fn sizes() -> [usize; 4] {
        let net = Net::new(1);
        [
            net.wide_dense.bias.len(),
            net.wide_dense_2.bias.len(),
            net.wide_dense_3.bias.len(),
            net.forward(&[0.5; 3]).len(),
        ]
    }
}

/// Sizes that are constants and const generics.
mod sizes {
    use crate::hygiene::anything::prelude::*;

    const N: usize = 4;

    network! {
        /// Both in one network.
        #[derive(Clone)]
        #[allow(bias_before_batch_norm)]
        pub(crate) struct Generic<const H: usize>([9, 9, N]) -> { 2 * N } {
            Conv2d(N, kernel = 3), BatchNorm, GlobalAvgPool -> N, Dense(H), Residual { Dense(H) },
            ReLU, Dense({ 2 * N }) -> { 2 * N },
        }

        /// A network with a nested one.
        pub(crate) struct Outer([9, 9, N]) -> 3 { inner: Generic::<5>, r#fn: Dense(3) }
    }

    /// A network in the body of a function.
    pub(crate) fn inside() -> [f32; 2] {
        network! { struct Local({ N - 1 }) -> 2 { Dense(2) } }
        Local::new(1).forward(&Outer::new(1).forward(&[[[0.5; N]; 9]; 9]))
    }
}

macro_rules! make {
    ($name:ident, $units:literal) => {
        anything::network! {
            /// A network from a macro by example.
            pub(crate) struct $name(3) -> $units { fc: Dense($units) }
        }
    };
}

make!(Made, 2);

#[test]
fn all_of_them_work() {
    use anything::TrainingExt;
    let names = shadowed::Names::new(1);
    assert_eq!(names.r#type.bias.len(), 2);
    assert_eq!(names.clone(), names);
    assert!(names.forward((&[0.5; 3], &[0.5; 3]))[0].is_finite());
    assert!(shadowed::use_them().is_finite());
    let (sum, [whole, step]) = shadowed::use_sequences();
    assert!(sum.is_finite());
    assert!(whole.iter().zip(&step).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert_eq!(parameters::sizes(), [5, 10, 10, 10]);
    assert!(sizes::inside()[0].is_finite());
    assert!(user::first()[0].is_finite());
    assert!(Made::new(1).forward(&[0.5; 3])[0].is_finite());
}
