//! Loads and stores of whole registers of AVX2.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_storeu_si128, _mm256_loadu_si256, _mm256_storeu_si256,
};
use std::mem::MaybeUninit;

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

/// Writes as many places as fill a register: 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn store<T, const N: usize>(places: &mut [MaybeUninit<T>; N], register: __m256i) {
    const { assert!(size_of::<[T; N]>() == 32) };
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: 32 bytes that may be written, of any alignment; what is uninitialised may hold any bits.
    unsafe {
        _mm256_storeu_si256(places.as_mut_ptr().cast(), register);
    }
}

/// The same for 16 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn store_half<T, const N: usize>(places: &mut [MaybeUninit<T>; N], register: __m128i) {
    const { assert!(size_of::<[T; N]>() == 16) };
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: 16 bytes that may be written, of any alignment; what is uninitialised may hold any bits.
    unsafe {
        _mm_storeu_si128(places.as_mut_ptr().cast(), register);
    }
}
