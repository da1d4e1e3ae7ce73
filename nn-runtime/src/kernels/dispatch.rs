//! One body, compiled for several instruction sets; the best that the processor has is taken at run time.

/// Defines functions whose bodies are compiled for AVX-512, for AVX2 and for the target's baseline.
/// The vector width is all that differs: without fused multiply-adds the results are the same bits.
macro_rules! dispatch {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident($($arg:ident : $type:ty),* $(,)?) $body:block
    )*) => { $(
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
                if $crate::kernels::dispatch::has_avx512() {
                    // SAFETY: the processor has these features.
                    return unsafe { avx512($($arg),*) };
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: as above.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body($($arg),*);
        }
    )* };
}

pub(crate) use dispatch;

/// Whether the processor has the parts of AVX-512 that all its servers since 2017 have.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    use std::arch::is_x86_feature_detected;
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}
