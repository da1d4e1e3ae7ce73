//! The instructions of x86-64: what all of them have, and two extensions.

use super::{Kernel, Lanes};
use core::arch::x86_64::*;

/// Four lanes. Intrinsics say in few words what the compiler would have to find in arrays: whole tiles of
/// those made up most of the time that the crate took to compile.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Baseline;

// SAFETY of all blocks: SSE2 is there on every x86-64; the pointers are the caller's promise.
#[allow(clippy::undocumented_unsafe_blocks, reason = "said once for all of them, above")]
impl Lanes for Baseline {
    const COUNT: usize = 4;
    const CHEAP_TAIL: bool = false;
    const FUSED: bool = false;
    type Vector = __m128;
    type Tail = usize;

    #[inline(always)]
    unsafe fn tail(count: usize) -> usize {
        count
    }
    #[inline(always)]
    unsafe fn zero() -> __m128 {
        unsafe { _mm_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> __m128 {
        unsafe { _mm_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m128 {
        unsafe { _mm_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn load_tail(from: *const f32, tail: usize) -> __m128 {
        unsafe {
            match tail {
                0 => _mm_setzero_ps(),
                1 => _mm_load_ss(from),
                2 => load_pair(from),
                3 => _mm_movelh_ps(load_pair(from), _mm_load_ss(from.add(2))),
                _ => _mm_loadu_ps(from),
            }
        }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: __m128) {
        unsafe { _mm_storeu_ps(to, v) }
    }
    #[inline(always)]
    unsafe fn store_tail(to: *mut f32, v: __m128, tail: usize) {
        unsafe {
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
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m128, b: __m128, c: __m128) -> __m128 {
        unsafe { _mm_add_ps(_mm_mul_ps(a, b), c) }
    }
    #[inline(always)]
    unsafe fn largest(a: __m128, b: __m128) -> __m128 {
        unsafe {
            // `a` where one of them is NaN: right, unless that is `b`.
            let largest = _mm_max_ps(b, a);
            let b_is_nan = _mm_cmpunord_ps(b, b);
            _mm_or_ps(_mm_and_ps(b_is_nan, b), _mm_andnot_ps(b_is_nan, largest))
        }
    }
    #[inline(always)]
    unsafe fn sums(v: [__m128; 4]) -> [f32; 4] {
        let [mut a, mut b, mut c, mut d] = v;
        let mut out = [0.0; 4];
        unsafe {
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            let sums = _mm_add_ps(_mm_add_ps(a, c), _mm_add_ps(b, d));
            _mm_storeu_ps(out.as_mut_ptr(), sums);
        }
        out
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        unsafe {
            let [mut a, mut b, mut c, mut d] = load_rows::<Self, 4>(from, stride);
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            store_rows::<Self, 4>(to, to_stride, [a, b, c, d]);
        }
    }
    #[inline(never)]
    unsafe fn run(kernel: &impl Kernel) {
        unsafe { kernel.run::<Self>() }
    }
}

/// # Safety
/// The instructions of `L` must be there, and a vector in each of `N` rows, which lie `stride` apart.
#[inline(always)]
unsafe fn load_rows<L: Lanes, const N: usize>(from: *const f32, stride: usize) -> [L::Vector; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut rows = [L::zero(); N];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = L::load(from.add(i * stride));
        }
        rows
    }
}

/// # Safety
/// As for [`load_rows`].
#[inline(always)]
unsafe fn store_rows<L: Lanes, const N: usize>(to: *mut f32, stride: usize, rows: [L::Vector; N]) {
    for (i, row) in rows.into_iter().enumerate() {
        // SAFETY: the caller's.
        unsafe { L::store(to.add(i * stride), row) };
    }
}

/// The first two lanes; the others are zero.
///
/// # Safety
/// Two numbers must be readable.
#[inline(always)]
unsafe fn load_pair(from: *const f32) -> __m128 {
    // SAFETY: the caller's; the instruction does not ask for alignment.
    unsafe { _mm_castpd_ps(_mm_load_sd(from.cast())) }
}

/// Stores the first two lanes.
///
/// # Safety
/// Two numbers must be writable.
#[inline(always)]
unsafe fn store_pair(to: *mut f32, v: __m128) {
    // SAFETY: the caller's; the instruction does not ask for alignment.
    unsafe { _mm_store_sd(to.cast(), _mm_castps_pd(v)) }
}

/// Eight lanes.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

/// `-1` for each used lane, from `8 - count` on.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

// SAFETY of all blocks: the instructions and the pointers are the caller's promise.
#[allow(clippy::undocumented_unsafe_blocks, reason = "said once for all of them, above")]
impl Lanes for Avx2 {
    const COUNT: usize = 8;
    const CHEAP_TAIL: bool = false;
    const FUSED: bool = true;
    type Vector = __m256;
    type Tail = __m256i;

    #[inline(always)]
    unsafe fn tail(count: usize) -> __m256i {
        assert!(count <= 8, "lanes of a last vector");
        unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - count).cast()) }
    }
    #[inline(always)]
    unsafe fn zero() -> __m256 {
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> __m256 {
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn load_tail(from: *const f32, tail: __m256i) -> __m256 {
        unsafe { _mm256_maskload_ps(from, tail) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: __m256) {
        unsafe { _mm256_storeu_ps(to, v) }
    }
    #[inline(always)]
    unsafe fn store_tail(to: *mut f32, v: __m256, tail: __m256i) {
        unsafe { _mm256_maskstore_ps(to, tail, v) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn largest(a: __m256, b: __m256) -> __m256 {
        unsafe {
            let largest = _mm256_max_ps(b, a);
            _mm256_blendv_ps(largest, b, _mm256_cmp_ps::<_CMP_UNORD_Q>(b, b))
        }
    }
    #[inline(always)]
    unsafe fn sums(v: [__m256; 4]) -> [f32; 4] {
        unsafe {
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
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        unsafe {
            let mut rows = load_rows::<Self, 8>(from, stride);
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
            store_rows::<Self, 8>(to, to_stride, columns);
        }
    }
    #[inline(always)]
    unsafe fn run(kernel: &impl Kernel) {
        #[target_feature(enable = "avx2,fma")]
        unsafe fn run(kernel: &impl Kernel) {
            unsafe { kernel.run::<Avx2>() }
        }
        unsafe { run(kernel) }
    }
}

/// Sixteen lanes.
#[derive(Clone, Copy)]
pub(crate) struct Avx512;

// SAFETY of all blocks: as above.
#[allow(clippy::undocumented_unsafe_blocks, reason = "said once for all of them, above")]
impl Lanes for Avx512 {
    const COUNT: usize = 16;
    const CHEAP_TAIL: bool = true;
    const FUSED: bool = true;
    type Vector = __m512;
    type Tail = __mmask16;

    #[inline(always)]
    unsafe fn tail(count: usize) -> __mmask16 {
        ((1_u32 << count) - 1) as __mmask16
    }
    #[inline(always)]
    unsafe fn zero() -> __m512 {
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> __m512 {
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn load_tail(from: *const f32, tail: __mmask16) -> __m512 {
        unsafe { _mm512_maskz_loadu_ps(tail, from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: __m512) {
        unsafe { _mm512_storeu_ps(to, v) }
    }
    #[inline(always)]
    unsafe fn store_tail(to: *mut f32, v: __m512, tail: __mmask16) {
        unsafe { _mm512_mask_storeu_ps(to, tail, v) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn largest(a: __m512, b: __m512) -> __m512 {
        unsafe {
            let largest = _mm512_max_ps(b, a);
            _mm512_mask_mov_ps(largest, _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(b, b), b)
        }
    }
    #[inline(always)]
    unsafe fn sums(v: [__m512; 4]) -> [f32; 4] {
        unsafe {
            let ab = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
            let cd = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
            let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
            let low = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
            let high = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
            // In each quarter: the sums of that quarter of the four vectors.
            let lanes = _mm512_add_ps(low, high);
            let odd = _mm512_shuffle_f32x4::<0b10_11_00_01>(lanes, lanes);
            let pairs = _mm512_add_ps(lanes, odd);
            let other = _mm512_shuffle_f32x4::<0b00_00_00_10>(pairs, pairs);
            let sums = _mm512_castps512_ps128(_mm512_add_ps(pairs, other));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sums);
            out
        }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        unsafe {
            let mut rows = load_rows::<Self, 16>(from, stride);
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
            // Quarters of vectors, which are exchanged as the numbers of a quarter were.
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
            store_rows::<Self, 16>(to, to_stride, columns);
        }
    }
    #[inline(always)]
    unsafe fn run(kernel: &impl Kernel) {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        unsafe fn run(kernel: &impl Kernel) {
            unsafe { kernel.run::<Avx512>() }
        }
        unsafe { run(kernel) }
    }
}
