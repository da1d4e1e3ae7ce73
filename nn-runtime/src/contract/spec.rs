//! [`Spec`]: what the compiler knows of one node of one network.

use crate::system::RngKey;
use crate::types::{Lengths, Steps};
use unrolled_shape::{Shape, StepsOf};

/// For each input of a node, the input of the network whose steps its first axis counts, if any.
pub type StepsOfInputs = &'static [Option<StepsOf>];

/// Of a node with one input, whose steps are those of the network's first input.
pub const OF_FIRST_INPUT: StepsOfInputs = &[Some(StepsOf::input(0))];

/// The sizes and arguments of one node: a type without values that expanded code defines, so that a layer's code is
/// compiled with all sizes constant.
pub trait Spec: Sized + Send + Sync + 'static {
    /// The struct of the layer's arguments, from unrolled-shape.
    type Arguments: Sized + 'static;
    /// The arguments.
    const ARGUMENTS: Self::Arguments;
    /// The shapes of all inputs.
    const INPUTS: &'static [Shape];
    /// The shape of the output.
    const OUTPUT: Shape;
    /// The path of the layer within its network, such as `stage1.0.conv2d`. Random keys and files use it.
    const NAME: &'static str;
    /// Where the sequences of the network's input are shorter than its shape, these are too. See [`Lengths`].
    const STEPS: StepsOfInputs = &[];
    /// Whether this is a network that is not part of another one.
    const OUTERMOST: bool = false;

    /// The shape of the first input.
    const INPUT: Shape = Self::INPUTS[0];
    /// Elements in one sample of the first input.
    const IN: usize = Self::INPUT.len();
    /// Elements in one sample of the output.
    const OUT: usize = Self::OUTPUT.len();
    /// What its random key is derived with.
    const KEY_ID: u64 = RngKey::hash(Self::NAME);
}

/// The spec of a network that is not part of another one. Networks do not read the constants of their spec.
#[derive(Debug)]
pub enum Root {}

impl Spec for Root {
    type Arguments = ();
    const ARGUMENTS: () = ();
    const INPUTS: &'static [Shape] = &[];
    const OUTPUT: Shape = Shape::new(&[]);
    const NAME: &'static str = "";
    const OUTERMOST: bool = true;
    // The default reads the first of `INPUTS`, of which there is none.
    const INPUT: Shape = Shape::new(&[]);
}

// Not beside the types: `system` and `types` do not know specs.
impl RngKey {
    /// The key of one node.
    #[must_use]
    pub fn of<S: Spec>(self) -> Self {
        self.fold_in(S::KEY_ID)
    }
}

impl<'a> Lengths<'a> {
    /// The lengths inside of a network that is the node `S`.
    #[inline]
    #[must_use]
    pub fn inside<S: Spec>(&'a self) -> Self {
        match self {
            Self::Full => Self::Full,
            // A network that is applied to each step of a sequence sees no others.
            Self::PerStep { .. } => *self,
            // Nothing surrounds the outermost network.
            _ if S::OUTERMOST => *self,
            _ => Self::Inside { outer: self, steps: S::STEPS },
        }
    }

    /// The lengths of input `input` of node `S`.
    #[must_use]
    pub fn of<S: Spec>(&'a self, input: usize) -> Steps<'a> {
        match (self, S::STEPS.get(input)) {
            (Self::PerStep { .. }, _) => Steps::OfSample { lengths: self },
            (_, Some(Some(of))) => self.through(of),
            _ => Steps::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Spec;
    use crate::types::PerStep;
    use unrolled_shape::StepMap;

    struct Pooled;
    impl Spec for Pooled {
        type Arguments = ();
        const ARGUMENTS: () = ();
        const INPUTS: &'static [Shape] = &[Shape::new(&[4, 3]), Shape::new(&[5])];
        const OUTPUT: Shape = Shape::new(&[4]);
        const NAME: &'static str = "pooled";
        const STEPS: &'static [Option<StepsOf>] =
            &[Some(StepsOf { input: 1, map: StepMap::kernel(2, 2, 0) }), None];
    }
    struct First;
    impl Spec for First {
        type Arguments = ();
        const ARGUMENTS: () = ();
        const INPUTS: &'static [Shape] = &[Shape::new(&[4, 3])];
        const OUTPUT: Shape = Shape::new(&[4]);
        const NAME: &'static str = "first";
        const STEPS: &'static [Option<StepsOf>] = &[Some(StepsOf::input(0))];
    }

    #[test]
    fn lengths_are_found_through_layers_and_networks() {
        let inputs = [Steps::Full, Steps::Given(&[8, 5, 1])];
        let outer = Lengths::Given(&inputs);
        let valid = |steps: Steps<'_>| [0, 1, 2].map(|sample| steps.valid(sample, 4));
        assert_eq!(valid(outer.of::<Pooled>(0)), [4, 2, 0]);
        assert_eq!(valid(outer.of::<Pooled>(1)), [4; 3]);
        assert_eq!(valid(outer.of::<First>(0)), [4; 3]);
        // A network at `Pooled`: its first input has two steps from two.
        let inner = outer.inside::<Pooled>();
        assert_eq!(valid(inner.of::<First>(0)), [4, 2, 0]);
        assert!(matches!(Lengths::Full.inside::<Pooled>().of::<First>(0), Steps::Full));
    }

    #[test]
    fn steps_after_the_end_are_samples_without_valid_steps() {
        let inputs = [Steps::Full, Steps::Given(&[2, 0, 3])];
        let outer = Lengths::Given(&inputs);
        // 3 steps of 2 steps each, of which the first ones are those of the second input.
        let per_step = PerStep { steps: 3, each: 2, of: Some(StepsOf::input(1)) };
        let each = outer.of_each_step(&per_step);
        let valid = |lengths: &Lengths<'_>| {
            let steps = lengths.of::<Pooled>(1);
            (0..18).map(|sample| steps.valid(sample, 5)).collect::<Vec<_>>()
        };
        let expected = [5, 5, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5];
        assert_eq!(valid(&each), expected);
        // A network that is applied to each step, whatever its own values count.
        assert_eq!(valid(&each.inside::<First>()), expected);
        // A `PerStep` in it.
        let inner = PerStep { steps: 1, each: 1, of: Some(StepsOf::input(0)) };
        assert_eq!(valid(&each.inside::<First>().of_each_step(&inner)), expected);
        assert!(matches!(Lengths::Full.of_each_step(&per_step), Lengths::Full));
    }
}
