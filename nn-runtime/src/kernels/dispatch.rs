//! [`dispatch`]: plain loops, compiled for several instruction sets; the best that the processor has is
//! taken at run time.

/// Defines functions whose bodies are compiled for AVX-512, for AVX2 and for the target's baseline.
/// The width of vectors is all that differs: without fused multiply-adds results are the same bits.
///
/// `fn name as name_inlined(..)` also gives the body itself, to be inlined where instructions were chosen.
macro_rules! dispatch {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(as $inlined:ident)? ($($arg:ident : $type:ty),* $(,)?) $body:block
    )*) => { $(
        dispatch! {
            @one [$(#[$meta])*] $vis $name [$($inlined)?] ($($arg: $type),*) $body
        }
    )* };
    (@one $metas:tt $vis:vis $name:ident [$inlined:ident] ($($arg:ident : $type:ty),*) $body:block) => {
        #[inline(always)]
        $vis fn $inlined($($arg: $type),*) $body

        dispatch! { @one $metas $vis $name [] ($($arg: $type),*) { $inlined($($arg),*); } }
    };
    (
        @one [$(#[$meta:meta])*] $vis:vis $name:ident [] ($($arg:ident : $type:ty),*) $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name($($arg: $type),*) {
            #[inline(always)]
            fn body($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $type),*) {
                    body($($arg),*);
                }
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $type),*) {
                    body($($arg),*);
                }
                match $crate::kernels::Isa::best() {
                    // SAFETY: the machine has the instructions.
                    $crate::kernels::Isa::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::kernels::Isa::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::kernels::Isa::Baseline => {}
                }
            }
            body($($arg),*);
        }
    };
}

pub(crate) use dispatch;
