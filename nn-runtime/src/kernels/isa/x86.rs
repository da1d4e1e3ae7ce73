//! Tokens and vectors of x86-64: its baseline SSE2, AVX2 with FMA, and AVX-512.
//!
//! Loads and stores are the unaligned ones, because values may begin anywhere: networks have no alignment attribute
//! (docs/decisions/0010). At addresses that happen to be aligned they take no longer.

use super::intrinsics::{memory, values};
use super::lanes::{Kernel, Lanes, load_rows, store_rows};
use core::arch::x86_64::*;

/// The token of SSE2, which every x86-64 processor has: four lanes.
///
/// With intrinsics, as the others: finding vectors in whole tiles of arrays took the compiler most of the time that the
/// crate took to compile.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Baseline(());

impl Lanes for Baseline {
    const COUNT: usize = 4;
    // SSE2 has no masked loads: a branch for each count.
    const CHEAP_TAIL: bool = false;
    // SSE2 has no fused multiply-add: two instructions, two roundings.
    const FUSED: bool = false;
    type Vector = __m128;
    type Tail = usize;

    #[inline(always)]
    unsafe fn assume() -> Self {
        Self(())
    }
    #[inline(always)]
    fn tail(self, count: usize) -> usize {
        count
    }
    values! {
        fn zero(self) -> __m128 {
            _mm_setzero_ps()
        }
        fn splat(self, x: f32) -> __m128 {
            _mm_set1_ps(x)
        }
        fn mul_add(self, a: __m128, b: __m128, c: __m128) -> __m128 {
            _mm_add_ps(_mm_mul_ps(a, b), c)
        }
        fn add(self, a: __m128, b: __m128) -> __m128 {
            _mm_add_ps(a, b)
        }
        fn sub(self, a: __m128, b: __m128) -> __m128 {
            _mm_sub_ps(a, b)
        }
        fn mul(self, a: __m128, b: __m128) -> __m128 {
            _mm_mul_ps(a, b)
        }
        fn clamp(self, x: __m128, low: __m128, high: __m128) -> __m128 {
            // Both instructions return their second operand if one is NaN, and if both are equal.
            _mm_min_ps(high, _mm_max_ps(low, x))
        }
        fn largest(self, a: __m128, b: __m128) -> __m128 {
            // The instruction returns its second operand if one is NaN, and if both are equal: the first of equals, as
            // pools need it, and `a` where `b` is NaN, which is corrected below.
            let largest = _mm_max_ps(b, a);
            let b_is_nan = _mm_cmpunord_ps(b, b);
            _mm_or_ps(_mm_and_ps(b_is_nan, b), _mm_andnot_ps(b_is_nan, largest))
        }
        fn sums(self, v: [__m128; 4]) -> [f32; 4] {
            // Transposed, the sums over lanes are sums of vectors: three additions for all four.
            let [mut a, mut b, mut c, mut d] = v;
            let mut out = [0.0; 4];
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            let sums = _mm_add_ps(_mm_add_ps(a, c), _mm_add_ps(b, d));
            _mm_storeu_ps(out.as_mut_ptr(), sums);
            out
        }
    }
    memory! {
        unsafe fn load(self, from: *const f32) -> __m128 {
            _mm_loadu_ps(from)
        }
        unsafe fn load_tail(self, from: *const f32, tail: usize) -> __m128 {
            // Not a whole vector: it could cross into a page that is not mapped.
            match tail {
                0 => _mm_setzero_ps(),
                1 => _mm_load_ss(from),
                2 => load_pair(from),
                3 => _mm_movelh_ps(load_pair(from), _mm_load_ss(from.add(2))),
                _ => _mm_loadu_ps(from),
            }
        }
        unsafe fn store(self, to: *mut f32, v: __m128) -> () {
            _mm_storeu_ps(to, v)
        }
        unsafe fn store_tail(self, to: *mut f32, v: __m128, tail: usize) -> () {
            match tail {
                0 => {}
                1 => _mm_store_ss(to, v),
                2 => store_pair(to, v),
                3 => {
                    store_pair(to, v);
                    _mm_store_ss(to.add(2), _mm_movehl_ps(v, v));
                }
                _ => _mm_storeu_ps(to, v),
            }
        }
        unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32, to_stride: usize) -> () {
            let [mut a, mut b, mut c, mut d] = load_rows::<Self, 4>(self, from, stride);
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            store_rows::<Self, 4>(self, to, to_stride, [a, b, c, d]);
        }
    }
    // Not inlined, as the functions with `#[target_feature]` of the others are not.
    #[inline(never)]
    fn run(self, kernel: impl Kernel) {
        kernel.run(self);
    }
}

/// The first two lanes; the others are zero.
///
/// # Safety
/// Two elements must be readable.
#[inline(always)]
unsafe fn load_pair(from: *const f32) -> __m128 {
    // SAFETY: two elements are readable, and the instruction needs no alignment.
    unsafe { _mm_castpd_ps(_mm_load_sd(from.cast())) }
}

/// Stores the first two lanes.
///
/// # Safety
/// Two elements must be writable.
#[inline(always)]
unsafe fn store_pair(to: *mut f32, v: __m128) {
    // SAFETY: two elements are writable, and the instruction needs no alignment.
    unsafe { _mm_store_sd(to.cast(), _mm_castps_pd(v)) }
}

/// The token of AVX2 and FMA: eight lanes.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// Eight elements from `8 - count` on are the mask of `count` lanes: `-1` for each used lane, then 0. A load from
/// memory instead of a comparison, because the count is not known to the compiler.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

impl Lanes for Avx2 {
    const COUNT: usize = 8;
    // The mask takes one of 16 registers, and some processors execute masked stores slowly.
    const CHEAP_TAIL: bool = false;
    const FUSED: bool = true;
    type Vector = __m256;
    type Tail = __m256i;

    #[inline(always)]
    unsafe fn assume() -> Self {
        Self(())
    }
    values! {
        fn tail(self, count: usize) -> __m256i {
            // It keeps the load below inside of `MASKS`.
            assert!(count <= 8, "lanes of a last vector");
            _mm256_loadu_si256(MASKS.as_ptr().add(8 - count).cast())
        }
        fn zero(self) -> __m256 {
            _mm256_setzero_ps()
        }
        fn splat(self, x: f32) -> __m256 {
            _mm256_set1_ps(x)
        }
        fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
            _mm256_fmadd_ps(a, b, c)
        }
        fn add(self, a: __m256, b: __m256) -> __m256 {
            _mm256_add_ps(a, b)
        }
        fn sub(self, a: __m256, b: __m256) -> __m256 {
            _mm256_sub_ps(a, b)
        }
        fn mul(self, a: __m256, b: __m256) -> __m256 {
            _mm256_mul_ps(a, b)
        }
        fn clamp(self, x: __m256, low: __m256, high: __m256) -> __m256 {
            // Both instructions return their second operand if one is NaN, and if both are equal.
            _mm256_min_ps(high, _mm256_max_ps(low, x))
        }
        fn largest(self, a: __m256, b: __m256) -> __m256 {
            // As in the baseline: the second operand where one is NaN or both are equal.
            let largest = _mm256_max_ps(b, a);
            _mm256_blendv_ps(largest, b, _mm256_cmp_ps::<_CMP_UNORD_Q>(b, b))
        }
        fn sums(self, v: [__m256; 4]) -> [f32; 4] {
            // Two vectors are interleaved and added, which halves their number, until one is left; then its halves are
            // added. In each half of a vector the order is that of the baseline: (0 + 2) + (1 + 3).
            let ab = _mm256_add_ps(_mm256_unpacklo_ps(v[0], v[1]), _mm256_unpackhi_ps(v[0], v[1]));
            let cd = _mm256_add_ps(_mm256_unpacklo_ps(v[2], v[3]), _mm256_unpackhi_ps(v[2], v[3]));
            let (ab, cd) = (_mm256_castps_pd(ab), _mm256_castps_pd(cd));
            let low = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
            let high = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
            let lanes = _mm256_add_ps(low, high);
            let sums = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sums);
            out
        }
    }
    memory! {
        unsafe fn load(self, from: *const f32) -> __m256 {
            _mm256_loadu_ps(from)
        }
        unsafe fn load_tail(self, from: *const f32, tail: __m256i) -> __m256 {
            _mm256_maskload_ps(from, tail)
        }
        unsafe fn store(self, to: *mut f32, v: __m256) -> () {
            _mm256_storeu_ps(to, v)
        }
        unsafe fn store_tail(self, to: *mut f32, v: __m256, tail: __m256i) -> () {
            _mm256_maskstore_ps(to, tail, v)
        }
        unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32, to_stride: usize) -> () {
            let mut rows = load_rows::<Self, 8>(self, from, stride);
            // Squares of 4 by 4 inside of each half first, as unpacking does not cross halves; then halves are
            // exchanged.
            for four in rows.as_chunks_mut::<4>().0 {
                let [a, b, c, d] = *four;
                let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
                let (ab, cd) = (_mm256_castps_pd(ab), _mm256_castps_pd(cd));
                four[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
                four[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
                let (ab, cd) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
                let (ab, cd) = (_mm256_castps_pd(ab), _mm256_castps_pd(cd));
                four[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
                four[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
            }
            let mut columns = rows;
            for i in 0..4 {
                columns[i] = _mm256_permute2f128_ps::<0x20>(rows[i], rows[i + 4]);
                columns[i + 4] = _mm256_permute2f128_ps::<0x31>(rows[i], rows[i + 4]);
            }
            store_rows::<Self, 8>(self, to, to_stride, columns);
        }
    }
    #[inline(always)]
    fn run(self, kernel: impl Kernel) {
        // Its attribute differs from the caller's, so that it is a function of its own, into which the kernel is
        #[target_feature(enable = "avx2,fma")]
        // inlined.
        fn run(lanes: Avx2, kernel: impl Kernel) {
            kernel.run(lanes);
        }
        // SAFETY: `self` exists, so the processor has these instructions.
        unsafe { run(self, kernel) }
    }
}

/// The token of AVX-512 (F, BW, DQ, VL): sixteen lanes.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Lanes for Avx512 {
    const COUNT: usize = 16;
    // Masks have registers of their own, and a masked load or store is one instruction.
    const CHEAP_TAIL: bool = true;
    const FUSED: bool = true;
    type Vector = __m512;
    type Tail = __mmask16;

    #[inline(always)]
    unsafe fn assume() -> Self {
        Self(())
    }
    #[inline(always)]
    fn tail(self, count: usize) -> __mmask16 {
        // In 32 bits: for a whole vector, `1 << 16` would overflow 16.
        ((1_u32 << count) - 1) as __mmask16
    }
    values! {
        fn zero(self) -> __m512 {
            _mm512_setzero_ps()
        }
        fn splat(self, x: f32) -> __m512 {
            _mm512_set1_ps(x)
        }
        fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            _mm512_fmadd_ps(a, b, c)
        }
        fn add(self, a: __m512, b: __m512) -> __m512 {
            _mm512_add_ps(a, b)
        }
        fn sub(self, a: __m512, b: __m512) -> __m512 {
            _mm512_sub_ps(a, b)
        }
        fn mul(self, a: __m512, b: __m512) -> __m512 {
            _mm512_mul_ps(a, b)
        }
        fn clamp(self, x: __m512, low: __m512, high: __m512) -> __m512 {
            // Both instructions return their second operand if one is NaN, and if both are equal.
            _mm512_min_ps(high, _mm512_max_ps(low, x))
        }
        fn largest(self, a: __m512, b: __m512) -> __m512 {
            // As in the baseline: the second operand where one is NaN or both are equal.
            let largest = _mm512_max_ps(b, a);
            _mm512_mask_mov_ps(largest, _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(b, b), b)
        }
        fn sums(self, v: [__m512; 4]) -> [f32; 4] {
            // As for AVX2, with quarters in place of halves.
            let ab = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
            let cd = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
            let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
            let low = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
            let high = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
            // In each quarter: the sums of that quarter of the four vectors.
            let lanes = _mm512_add_ps(low, high);
            // Exchanges quarters 0 and 1, and 2 and 3; then brings quarter 2 to quarter 0. So the quarters are added as
            // (0 + 1) + (2 + 3).
            let odd = _mm512_shuffle_f32x4::<0b10_11_00_01>(lanes, lanes);
            let pairs = _mm512_add_ps(lanes, odd);
            let other = _mm512_shuffle_f32x4::<0b00_00_00_10>(pairs, pairs);
            let sums = _mm512_castps512_ps128(_mm512_add_ps(pairs, other));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sums);
            out
        }
    }
    memory! {
        unsafe fn load(self, from: *const f32) -> __m512 {
            _mm512_loadu_ps(from)
        }
        unsafe fn load_tail(self, from: *const f32, tail: __mmask16) -> __m512 {
            _mm512_maskz_loadu_ps(tail, from)
        }
        unsafe fn store(self, to: *mut f32, v: __m512) -> () {
            _mm512_storeu_ps(to, v)
        }
        unsafe fn store_tail(self, to: *mut f32, v: __m512, tail: __mmask16) -> () {
            _mm512_mask_storeu_ps(to, tail, v)
        }
        unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32, to_stride: usize) -> () {
            let mut rows = load_rows::<Self, 16>(self, from, stride);
            // Squares of 4 by 4 inside of each quarter first, as unpacking does not cross quarters.
            for four in rows.as_chunks_mut::<4>().0 {
                let [a, b, c, d] = *four;
                let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
                let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
                four[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
                four[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
                let (ab, cd) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
                let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
                four[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
                four[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
            }
            // Exchanges quarters of vectors as the elements of a quarter were exchanged above: `0x44` and `0xee` select
            // the lower and the upper two quarters of both operands, `0x88` and `0xdd` the even and the odd ones.
            let mut columns = rows;
            for i in 0..4 {
                let [a, b, c, d] = [rows[i], rows[i + 4], rows[i + 8], rows[i + 12]];
                let low = [_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0x44>(c, d)];
                let high = [_mm512_shuffle_f32x4::<0xee>(a, b), _mm512_shuffle_f32x4::<0xee>(c, d)];
                columns[i] = _mm512_shuffle_f32x4::<0x88>(low[0], low[1]);
                columns[i + 4] = _mm512_shuffle_f32x4::<0xdd>(low[0], low[1]);
                columns[i + 8] = _mm512_shuffle_f32x4::<0x88>(high[0], high[1]);
                columns[i + 12] = _mm512_shuffle_f32x4::<0xdd>(high[0], high[1]);
            }
            store_rows::<Self, 16>(self, to, to_stride, columns);
        }
    }
    #[inline(always)]
    fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn run(lanes: Avx512, kernel: impl Kernel) {
            kernel.run(lanes);
        }
        // SAFETY: `self` exists, so the processor has these instructions.
        unsafe { run(self, kernel) }
    }
}
