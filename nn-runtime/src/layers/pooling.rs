//! What the pools share: from the sizes of a pool to a station.

/// Makes `$Name` a station that takes the largest under the window of `$pool`, an expression of the
/// spec `$S`.
macro_rules! max_station {
    ($Name:ident, $Arguments:ty, $S:ident => $pool:expr) => {
        // SAFETY: of size zero.
        unsafe impl $crate::Weights for $Name {}

        impl<$S: $crate::Spec<Arguments = $Arguments>> $crate::Station<$S> for $Name {
            /// Which element of the kernel won.
            const SAVED: usize = $crate::kernels::pool::winners_len($pool.area(), S::OUT);

            fn infer(
                &self,
                _n: usize,
                x: &[&[f32]],
                y: &mut [f32],
                _memory: $crate::WorkMemory<'_>,
            ) {
                $crate::kernels::pool::max(const { &$pool }, x[0], y);
            }

            fn forward(
                &self,
                _pass: &$crate::Pass,
                _phase: usize,
                x: &[&[f32]],
                y: &mut [f32],
                memory: $crate::Memory<'_>,
            ) {
                $crate::kernels::pool::max_and_winners(const { &$pool }, x[0], y, memory.saved);
            }

            fn backward(
                &self,
                _pass: &$crate::Pass,
                _phase: usize,
                _x: &[&[f32]],
                _y: &[f32],
                d_y: &mut [f32],
                d_x: &mut [Option<&mut [f32]>],
                memory: $crate::Memory<'_>,
            ) {
                if let Some(d_x) = &mut d_x[0] {
                    $crate::kernels::pool::max_backward(const { &$pool }, memory.saved, d_y, d_x);
                }
            }
        }
    };
}

/// Makes `$Name` a station that averages under the window of `$pool`, an expression of the spec `$S`.
macro_rules! average_station {
    ($Name:ident, $Arguments:ty, $S:ident => $pool:expr, $include_padding:expr) => {
        // SAFETY: of size zero.
        unsafe impl $crate::Weights for $Name {}

        impl<$S: $crate::Spec<Arguments = $Arguments>> $crate::Station<$S> for $Name {
            fn infer(
                &self,
                _n: usize,
                x: &[&[f32]],
                y: &mut [f32],
                _memory: $crate::WorkMemory<'_>,
            ) {
                $crate::kernels::pool::average(const { &$pool }, $include_padding, x[0], y);
            }

            fn forward(
                &self,
                _pass: &$crate::Pass,
                _phase: usize,
                x: &[&[f32]],
                y: &mut [f32],
                _memory: $crate::Memory<'_>,
            ) {
                $crate::kernels::pool::average(const { &$pool }, $include_padding, x[0], y);
            }

            fn backward(
                &self,
                _pass: &$crate::Pass,
                _phase: usize,
                _x: &[&[f32]],
                _y: &[f32],
                d_y: &mut [f32],
                d_x: &mut [Option<&mut [f32]>],
                _memory: $crate::Memory<'_>,
            ) {
                if let Some(d_x) = &mut d_x[0] {
                    $crate::kernels::pool::average_backward(
                        const { &$pool },
                        $include_padding,
                        d_y,
                        d_x,
                    );
                }
            }
        }
    };
}

pub(super) use {average_station, max_station};
