//! Gradients layer by layer, for examples that compare networks by them.

use std::error::Error;
use unrolled::prelude::*;

/// The gradient of the loss of the first images.
pub(crate) fn first_gradient<N: Network<Output = [f32; 10]>>(
    net: &mut N,
    train: &Data<N::Input, u32>,
) -> Result<Box<N>, Box<dyn Error>> {
    const FIRST: usize = 64;
    let mut d_net = N::zeros();
    let (inputs, targets) = (&train.inputs[..FIRST], &train.targets[..FIRST]);
    net.loss_and_gradients(&CrossEntropy::new(), inputs, targets, &mut d_net, RngKey::new(1))?;
    Ok(d_net)
}

/// The norm of the gradient in each 3x3 convolution, in order. Convolutions in skip connections have no counterpart
/// in the plain network and are left out.
pub(crate) fn of_convolutions<N: Network>(d_net: &N) -> Vec<(String, f64)> {
    let norms = d_net.gradient_norms().into_iter();
    let counted = |name: &str| name == "stem" || name.contains("conv2d") && !name.contains("skip");
    norms.filter(|(name, _)| counted(name)).collect()
}

/// The ratio of the largest to the smallest norm.
pub(crate) fn spread(norms: &[(String, f64)]) -> f64 {
    let norms = || norms.iter().map(|(_, norm)| *norm);
    norms().fold(0.0, f64::max) / norms().fold(f64::INFINITY, f64::min)
}
