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

        /// Another network in the same module.
        pub(crate) struct Second(3) -> 2 { Dense(2) }

        struct Third(3) -> 2 { Dense(2) }

        /// Nested networks.
        pub struct Nested<const N: usize>(2) -> 2 { own: Generic::<N>, third: Second2 }

        /// A const generic as the size.
        pub struct Generic<const N: usize>(2) -> 3 { Dense(N), BatchNorm, Dense(3) }

        /// A public network with a private one.
        pub struct Second2(3) -> 2 { Generic2::<7> }

        /// A generic network in a generic network.
        pub struct Generic2<const N: usize>(3) -> 2 { Dense(2), Generic::<N> -> 3, Dense(N), Dense(2) }
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

/// Sizes that are constants and const generics.
mod sizes {
    use crate::hygiene::anything::prelude::*;

    const N: usize = 4;

    network! {
        /// Both in one network.
        #[derive(Clone)]
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
    assert!(sizes::inside()[0].is_finite());
    assert!(user::first()[0].is_finite());
    assert!(Made::new(1).forward(&[0.5; 3])[0].is_finite());
}
