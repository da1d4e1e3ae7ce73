//! Networks in a crate with strict lints, whose names are all that expanded code might use itself.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]
#![deny(unreachable_pub, unused_qualifications, single_use_lifetimes)]
#![deny(clippy::all, clippy::pedantic)]

use unrolled as anything;

/// Names of the prelude of Rust that mean something else here.
pub mod shadowed {
    /// Not that one.
    pub struct Option;
    /// Not that one.
    pub struct Result;
    /// Not that one.
    pub struct Some;
    /// Not that one.
    pub struct None;
    /// Not that one.
    pub struct Ok;
    /// Not that one.
    pub struct Box;
    /// Not that one.
    pub struct String;
    /// Not that one.
    pub trait Default {}
    /// Not that one.
    pub trait From {}
    /// Not that one.
    pub fn drop() {}
    /// Not that one.
    pub struct Vec;
    /// Not that one.
    pub struct Shape;
    /// Not that one.
    pub struct Spec;
    /// Not that one.
    pub struct Node;
    /// Not that one.
    pub struct Network;
    /// Not that one.
    pub struct Weights;
    /// Not that one.
    pub struct Values;
    /// Not that one.
    pub struct TrainCtx;
    /// Not that one.
    pub struct Part;
    /// Not that one.
    pub struct Plan;
    /// Not that one.
    pub struct Dense;
    /// Not that one.
    pub struct ReLU;
    /// Not that one.
    pub mod core {}
    /// Not that one.
    pub mod std {}

    use crate::anything;

    anything::network! {
        /// Uses none of them.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(non_snake_case, reason = "names of the user's are the user's")]
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

        /// Networks inside.
        pub struct Nested<const N: usize>(2) -> 2 { own: Generic::<N>, third: Second2 }

        /// Of any size inside.
        pub struct Generic<const N: usize>(2) -> 3 { Dense(N), BatchNorm, Dense(3) }

        /// Public.
        pub struct Second2(3) -> 2 { Generic2::<7> }

        /// Generic around generic.
        pub struct Generic2<const N: usize>(3) -> 2 { Dense(2), Generic::<N> -> 3, Dense(N), Dense(2) }
    }

    /// Uses the others.
    #[must_use]
    pub fn use_them() -> f32 {
        let second = <Second as anything::TrainingExt>::new(1).forward(&[0.5; 3]);
        let third = <Third as anything::TrainingExt>::new(1).forward(&[0.5; 3]);
        let nested = <Nested<4> as anything::TrainingExt>::new(1).forward(&[0.5; 2]);
        second[0] + third[0] + nested[0]
    }
}

mod renamed {
    pub(crate) use crate::anything as something_else;
}

mod user {
    use super::renamed::something_else;
    use super::renamed::something_else::prelude::*;

    something_else::network! {
        /// The crate is called something else here.
        pub(crate) struct Renamed(3) -> 2 { Dense(2) }
    }

    pub(crate) fn first() -> [f32; 2] {
        Renamed::new(1).forward(&[0.5; 3])
    }
}

/// Sizes that are constants and const generics of the user's.
mod sizes {
    use crate::anything::prelude::*;

    const N: usize = 4;

    network! {
        /// Of both.
        #[derive(Clone)]
        pub(crate) struct Generic<const H: usize>([9, 9, N]) -> { 2 * N } {
            Conv2d(N, kernel = 3), BatchNorm, GlobalAvgPool -> N, Dense(H), Residual { Dense(H) },
            ReLU, Dense({ 2 * N }) -> { 2 * N },
        }

        /// With the other one inside.
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
            /// Made by a macro of the user's.
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
