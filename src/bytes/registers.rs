//! Loads of whole registers of AVX2.

use std::arch::x86_64::{__m128i, __m256i, _mm_loadu_si128, _mm256_loadu_si256};

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load(bytes: &[u8; 32]) -> __m256i {
    #[expect(unsafe_code, reason = "put together from words it becomes a load a byte")]
    // SAFETY: 32 bytes that may be read, of any alignment.
    unsafe {
        _mm256_loadu_si256(bytes.as_ptr().cast())
    }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load_half(bytes: &[u8; 16]) -> __m128i {
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: 16 bytes that may be read, of any alignment.
    unsafe {
        _mm_loadu_si128(bytes.as_ptr().cast())
    }
}
