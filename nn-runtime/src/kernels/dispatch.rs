//! [`dispatch`]: plain loops, compiled for several instruction sets. The widest that the processor has is chosen at run
//! time.

/// Defines functions whose bodies are compiled for AVX-512, for AVX2 and for the target's baseline.
///
/// In the body of `fn name<L>(..)`, `L` are the vectors of these instructions ([`Lanes`](super::isa::Lanes)), for what
/// depends on them: whether multiply-adds are fused. Without `L` only the width of vectors differs, and results have
/// the same bits.
///
/// `fn name as name_inlined(..)` also defines `name_inlined::<L>(..)`, the body itself, to be inlined where the
/// instructions are already chosen.
macro_rules! dispatch {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(as $inlined:ident)? $(<$lanes:ident>)? (
            $($arg:ident : $type:ty),* $(,)?
        ) $body:block
    )*) => { $(
        dispatch! {
            @one [$(#[$meta])*] $vis $name [$($inlined)?] [$($lanes)? AnyLanes] ($($arg: $type),*) $body
        }
    )* };
    (
        @one $metas:tt $vis:vis $name:ident [$inlined:ident] [$lanes:ident $($any:ident)?]
        ($($arg:ident : $type:ty),*) $body:block
    ) => {
        #[inline(always)]
        $vis fn $inlined<$lanes: $crate::kernels::isa::Lanes>($($arg: $type),*) $body

        dispatch! { @one $metas $vis $name [] [$lanes] ($($arg: $type),*) { $inlined::<$lanes>($($arg),*); } }
    };
    (
        @one [$(#[$meta:meta])*] $vis:vis $name:ident [] [$lanes:ident $($any:ident)?]
        ($($arg:ident : $type:ty),*) $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name($($arg: $type),*) {
            #[inline(always)]
            fn body<$lanes: $crate::kernels::isa::Lanes>($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                use $crate::kernels::isa::{Avx2, Avx512};

                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $type),*) {
                    body::<Avx512>($($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) {
                    body::<Avx2>($($arg),*);
                }
                // Not an argument: the result is cached, and callers of plain loops need not pass it on.
                match $crate::kernels::isa::Isa::best() {
                    // SAFETY: `Isa::best` returns instructions that the machine has.
                    $crate::kernels::isa::Isa::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: `Isa::best` returns instructions that the machine has.
                    $crate::kernels::isa::Isa::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::kernels::isa::Isa::Baseline => {}
                }
            }
            // The baseline needs no function with an attribute.
            body::<$crate::kernels::isa::Baseline>($($arg),*);
        }
    };
}

pub(crate) use dispatch;
