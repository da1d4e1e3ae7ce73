//! A line search whose result meets the strong Wolfe conditions: PyTorch's `_strong_wolfe` of `optim.LBFGS`.

use std::mem;

/// By how much of what the slope at the start promises the loss must fall.
const DECREASE: f64 = 1e-4;

/// The largest slope at the result, relative to that at the start.
const CURVATURE: f64 = 0.9;

/// A point on the line.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// Its distance from the start, in lengths of the direction.
    pub(super) at: f64,
    pub(super) loss: f64,
    /// The derivative of the loss along the line.
    pub(super) slope: f64,
    pub(super) gradient: Vec<f32>,
}

/// A line and the bounds of the search.
#[derive(Debug)]
pub(super) struct Line {
    /// The point at 0, whose slope is negative.
    pub(super) start: Trial,
    /// The first distance.
    pub(super) first: f64,
    /// The largest magnitude of an element of the direction.
    pub(super) largest: f64,
    /// The search ends when no weight changes more than by this.
    pub(super) tolerance: f64,
    /// The largest number of points after the first one.
    pub(super) max_moves: usize,
}

/// What the first phase finds.
enum Found {
    /// A point that meets the conditions.
    Point(Trial),
    /// Two points with such a point between them.
    Bracket(Trial, Trial),
    /// The point after all moves.
    Last(Trial),
}

impl Line {
    /// The result. `evaluate` returns the point at a distance.
    pub(super) fn search<E>(
        &self,
        evaluate: &mut dyn FnMut(f64) -> Result<Trial, E>,
    ) -> Result<Trial, E> {
        let (found, moves) = self.bracket(evaluate)?;
        match found {
            Found::Point(point) => Ok(point),
            Found::Last(last) if self.start.loss <= last.loss => Ok(self.start.clone()),
            Found::Last(last) => Ok(last),
            Found::Bracket(a, b) => self.zoom([a, b], self.max_moves - moves, evaluate),
        }
    }

    /// Whether the loss of a point has not fallen far enough (Armijo's condition).
    fn is_too_high(&self, trial: &Trial) -> bool {
        trial.loss > self.start.loss + DECREASE * trial.at * self.start.slope
    }

    fn is_flat(&self, trial: &Trial) -> bool {
        trial.slope.abs() <= -CURVATURE * self.start.slope
    }

    /// Moves away from the start until the conditions are met or lie behind, and returns the number of moves.
    fn bracket<E>(
        &self,
        evaluate: &mut dyn FnMut(f64) -> Result<Trial, E>,
    ) -> Result<(Found, usize), E> {
        let mut previous = self.start.clone();
        let mut trial = evaluate(self.first)?;
        for moves in 0..self.max_moves {
            if self.is_too_high(&trial) || moves > 1 && trial.loss >= previous.loss {
                return Ok((Found::Bracket(previous, trial), moves));
            }
            if self.is_flat(&trial) {
                return Ok((Found::Point(trial), moves));
            }
            if trial.slope >= 0.0 {
                return Ok((Found::Bracket(previous, trial), moves));
            }
            let bounds = [trial.at + 0.01 * (trial.at - previous.at), trial.at * 10.0];
            let at = cubic_minimum(&previous, &trial, bounds);
            previous = mem::replace(&mut trial, evaluate(at)?);
        }
        Ok((Found::Last(trial), self.max_moves))
    }

    /// Makes the bracket smaller until a point meets the conditions, in at most `max_moves` moves.
    fn zoom<E>(
        &self,
        bracket: [Trial; 2],
        max_moves: usize,
        evaluate: &mut dyn FnMut(f64) -> Result<Trial, E>,
    ) -> Result<Trial, E> {
        // The point of lower loss comes first.
        let ordered = |[a, b]: [Trial; 2]| if a.loss <= b.loss { [a, b] } else { [b, a] };
        let [mut low, mut high] = ordered(bracket);
        let mut was_near_end = false;
        for _ in 0..max_moves {
            let [begin, end] = [low.at.min(high.at), low.at.max(high.at)];
            // With a tolerance of 0, until there is nothing between both.
            if end <= begin || (end - begin) * self.largest < self.tolerance {
                break;
            }
            let mut at = cubic_minimum(&low, &high, [begin, end]);
            // Near one of the ends twice in a row, or at it: a tenth of the bracket from that end.
            let margin = 0.1 * (end - begin);
            let is_near_end = (end - at).min(at - begin) < margin;
            let moves_inside = is_near_end && (was_near_end || at >= end || at <= begin);
            if moves_inside {
                at = if (at - end).abs() < (at - begin).abs() {
                    end - margin
                } else {
                    begin + margin
                };
            }
            was_near_end = is_near_end && !moves_inside;
            let trial = evaluate(at)?;
            if self.is_too_high(&trial) || trial.loss >= low.loss {
                [low, high] = ordered([low, trial]);
            } else {
                if self.is_flat(&trial) {
                    return Ok(trial);
                }
                if trial.slope * (high.at - low.at) >= 0.0 {
                    high = low;
                }
                low = trial;
            }
        }
        Ok(low)
    }
}

/// The distance at which the cubic through two points, with their slopes, is least, inside of `bounds`. Their middle, if it
/// has no minimum.
fn cubic_minimum(a: &Trial, b: &Trial, bounds: [f64; 2]) -> f64 {
    let [a, b] = if a.at <= b.at { [a, b] } else { [b, a] };
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.at - b.at);
    let square = d1 * d1 - a.slope * b.slope;
    // Not so for NaN, where a loss is infinite.
    if square >= 0.0 {
        let d2 = square.sqrt();
        let share = (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
        (b.at - (b.at - a.at) * share).max(bounds[0]).min(bounds[1])
    } else {
        f64::midpoint(bounds[0], bounds[1])
    }
}
