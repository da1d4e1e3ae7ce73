//! [`OptimizerState`]: what an optimiser remembers from one step to the next.

use thiserror::Error;

/// What an optimiser remembers from one step to the next: with the weights, all that is needed to continue a run.
///
/// ```
/// use unrolled_runtime::optim::{Adam, Optimizer};
///
/// let (mut weights, gradient) = ([0.5, -1.0], [0.1, 0.2]);
/// let trained = [(0..2).into()];
/// let mut adam = Adam::new(1e-3);
/// adam.step(&mut weights, &gradient, &trained);
///
/// let mut resumed = Adam::new(1e-3);
/// resumed.set_state(adam.state())?;
/// assert_eq!(resumed.state().steps, 1);
/// assert_eq!(resumed.state().values[0].0, "exp_avg");
/// # Ok::<(), unrolled_runtime::optim::StateError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState {
    /// The name of the optimiser: `Adam`.
    pub optimizer: String,
    /// The number of steps; 0 if the update rule does not depend on it.
    pub steps: u64,
    /// Values under PyTorch's names, such as `exp_avg`, with one element for each element of the network. There are
    /// none before the first step.
    pub values: Vec<(String, Vec<f32>)>,
}

/// A state that does not fit an optimiser.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The state of another optimiser.
    #[error("expected the state of the optimiser `{expected}`, found that of `{found}`")]
    Optimizer {
        /// The name of the optimiser.
        expected: String,
        /// The name in the state.
        found: String,
    },
    /// The state of an optimiser with other settings, such as momentum.
    #[error(
        "expected a state of `{optimizer}` with the values {}, found {}: is the optimiser made with the same settings?",
        listed(expected),
        listed(found)
    )]
    Values {
        /// The name of the optimiser.
        optimizer: String,
        /// The names of the values that it needs.
        expected: Vec<String>,
        /// The names of the values in the state.
        found: Vec<String>,
    },
    /// The state for a network of another length.
    #[error("expected {expected} elements of `{name}`, as many as the network has, found {found}")]
    Len {
        /// The name of the values.
        name: String,
        /// The number of elements of the network.
        expected: usize,
        /// The number of elements in the state.
        found: usize,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { format!("`{}`", names.join("`, `")) }
}

impl OptimizerState {
    /// The state of an optimiser that remembers no values.
    #[must_use]
    pub fn new(optimizer: impl Into<String>, steps: u64) -> Self {
        Self { optimizer: optimizer.into(), steps, values: Vec::new() }
    }

    /// The same with further values, unless they are empty: before the first step there are none.
    #[must_use]
    pub fn with(mut self, name: &str, values: &[f32]) -> Self {
        if !values.is_empty() {
            self.values.push((name.to_owned(), values.to_vec()));
        }
        self
    }

    /// Returns itself if it is the state of `optimizer` with the values called `names`, or with none of them.
    ///
    /// # Errors
    /// If it is not, or its values differ in length.
    pub fn check(self, optimizer: &str, names: &[&str]) -> Result<Self, StateError> {
        if self.optimizer != optimizer {
            return Err(StateError::Optimizer {
                expected: optimizer.to_owned(),
                found: self.optimizer,
            });
        }
        let found = self.values.iter().map(|(name, _)| name.as_str());
        if !self.values.is_empty() && !found.eq(names.iter().copied()) {
            return Err(StateError::Values {
                optimizer: optimizer.to_owned(),
                expected: names.iter().map(|name| (*name).to_owned()).collect(),
                found: self.values.into_iter().map(|(name, _)| name).collect(),
            });
        }
        match self.values.first().map(|(_, first)| first.len()) {
            Some(expected) => self.of_len(expected),
            None => Ok(self),
        }
    }

    /// Returns itself if its values have `expected` elements each.
    ///
    /// # Errors
    /// If some have another number of elements.
    pub fn of_len(self, expected: usize) -> Result<Self, StateError> {
        match self.values.iter().find(|(_, values)| values.len() != expected) {
            None => Ok(self),
            Some((name, values)) => {
                Err(StateError::Len { name: name.clone(), expected, found: values.len() })
            }
        }
    }

    /// Moves its values to `targets`, called `names`, after the checks of [`check`](Self::check), and returns the
    /// number of steps. Targets that are in use must have as many elements. Without values, targets become empty.
    pub(super) fn restore<const K: usize>(
        self,
        optimizer: &str,
        names: [&str; K],
        targets: [&mut Vec<f32>; K],
    ) -> Result<u64, StateError> {
        let mut state = self.check(optimizer, &names)?;
        if let Some(used) = targets.iter().find(|target| !target.is_empty()) {
            state = state.of_len(used.len())?;
        }
        let mut values = state.values.into_iter().map(|(_, values)| values);
        for target in targets {
            *target = values.next().unwrap_or_default();
        }
        Ok(state.steps)
    }
}
