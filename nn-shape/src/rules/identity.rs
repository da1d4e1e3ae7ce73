//! `Identity`: PyTorch's `nn.Identity`.

use crate::fusion::Fusion;
use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `x` itself.
    pub struct Identity {}
}

/// The row of `Identity`.
pub static ROW: Row = Row {
    name: "Identity",
    stem: "identity",
    summary: "x itself",
    storage: Storage::InPlace,
    needs: Needs::NOTHING,
    fusion: Fusion::Bounds,
    ..Row::ELEMENTWISE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::error::expect(Identity {}.output(&[INPUT]), "Identity", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
