//! Questions about bytes that are asked so often that every instruction counts: are two names the same, and how far is
//! a text made of the bytes of a set? What escapes say is in `escapes.rs`, what a `str` is made of in `units.rs`.
//!
//! Of a set 32 bytes are asked at a time, where the processor can. A byte's upper half picks a bit and its lower half a row of bits; the byte is in the set if the row has the bit.
//! So any set of ASCII characters is two look-ups in tables of sixteen, which is what one shuffle of a register does
//! for all of its bytes at once (W. Muła and D. Lemire, "Faster Base64 encoding and decoding using AVX2", 2018).

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

pub(crate) mod escapes;
#[cfg(target_arch = "x86_64")]
pub(crate) mod registers;
#[cfg_attr(
    not(secval_cpython),
    allow(dead_code, reason = "only CPython's objects are made of them")
)]
pub(crate) mod units;

/// Whether the bytes are the same: for names and other short texts, of which a call would cost most.
#[inline]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (Some(one_end), Some(other_end)) = (one.last_chunk::<8>(), other.last_chunk::<8>()) else {
        // Two halves that overlap, or at most three bytes.
        return match (one.first_chunk::<4>(), other.first_chunk::<4>()) {
            (Some(one_start), Some(other_start)) => {
                one_start == other_start && one.last_chunk::<4>() == other.last_chunk::<4>()
            }
            _ => one.iter().zip(other).all(|(one, other)| one == other),
        };
    };
    let ((ones, _), (others, _)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    ones.iter().zip(others).all(|(one, other)| one == other) && one_end == other_end
}

/// Whether a short text is ASCII: of up to 32 bytes, as few looks as for a comparison. Of a longer one it is not told.
#[cfg(secval_cpython)]
#[inline]
pub(crate) fn is_short_ascii(bytes: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    if let (Some(start), Some(end)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        let both = u128::from_le_bytes(*start) | u128::from_le_bytes(*end);
        return both & (u128::from(HIGH) << 64 | u128::from(HIGH)) == 0 && bytes.len() <= 32;
    }
    if let (Some(start), Some(end)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (u64::from_le_bytes(*start) | u64::from_le_bytes(*end)) & HIGH == 0;
    }
    bytes.iter().fold(0, |all, byte| all | byte) < 0x80
}

/// A set of ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes {
    /// By the lower half of a byte: a bit for each upper half, of which ASCII has eight.
    rows: [u8; 16],
}

impl Bytes {
    /// The letters and digits, and these characters, which are ASCII.
    pub(crate) const fn alphanumeric_and(mut others: &[u8]) -> Self {
        let mut set = Self { rows: [0; 16] };
        let mut byte = 0_u8;
        while byte < 128 {
            if byte.is_ascii_alphanumeric() {
                set.add(byte);
            }
            byte = byte.wrapping_add(1);
        }
        while let [byte, rest @ ..] = others {
            set.add(*byte);
            others = rest;
        }
        set
    }

    #[expect(clippy::as_conversions, clippy::indexing_slicing, reason = "of 16, in a constant")]
    const fn add(&mut self, byte: u8) {
        self.rows[(byte & 15) as usize] |= 1_u8.wrapping_shl((byte >> 4) as u32);
    }

    #[inline]
    fn has(self, byte: u8) -> bool {
        let row = self.rows.get(usize::from(byte & 15)).copied().unwrap_or(0);
        byte.is_ascii() && (row >> (byte >> 4)) & 1 == 1
    }

    /// The bytes at the beginning that are in the set, up to the first that is not.
    #[inline]
    pub(crate) fn span(&self, text: &[u8]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if text.len() >= 8 && std::arch::is_x86_feature_detected!("avx2") {
            #[expect(unsafe_code, reason = "a quarter of the time of one byte after the other")]
            // SAFETY: the processor has AVX2, as has just been asked; the function has no other condition.
            return unsafe { avx2::span(*self, text) };
        }
        self.span_slowly(text)
    }

    fn span_slowly(self, text: &[u8]) -> usize {
        text.iter().position(|byte| !self.has(*byte)).unwrap_or(text.len())
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_and_si128, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x,
        _mm_set1_epi8, _mm_setzero_si128, _mm_shuffle_epi8, _mm_srli_epi16, _mm256_and_si256,
        _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set1_epi8,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
    };

    use super::Bytes;
    use super::registers::{load, load_half};

    /// The bit of each upper half; none of those beyond ASCII.
    const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];

    #[target_feature(enable = "avx2")]
    pub(super) fn span(set: Bytes, text: &[u8]) -> usize {
        let (rows, bits) = (load_half(&set.rows), load_half(&BITS));
        let Some(last) = text.last_chunk::<32>() else { return span_short(set, text) };
        let (rows, bits) = (_mm256_broadcastsi128_si256(rows), _mm256_broadcastsi128_si256(bits));
        let mut at = 0_usize;
        for block in text.as_chunks::<32>().0 {
            let others = others(load(block), rows, bits);
            if others != 0 {
                return at.wrapping_add(trailing_zeros(others));
            }
            at = at.wrapping_add(32);
        }
        // It overlaps the last block, all of whose bytes are in the set.
        let from = text.len().wrapping_sub(32);
        match others(load(last), rows, bits) {
            0 => text.len(),
            others => from.wrapping_add(trailing_zeros(others)),
        }
    }

    /// Of 8 to 31 bytes: the first of them and the last, which may overlap.
    #[target_feature(enable = "avx2")]
    fn span_short(set: Bytes, text: &[u8]) -> usize {
        let (rows, bits) = (load_half(&set.rows), load_half(&BITS));
        let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) else {
            let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>())
            else {
                return set.span_slowly(text);
            };
            let both = _mm_set_epi64x(i64::from_le_bytes(*last), i64::from_le_bytes(*first));
            return match trailing_zeros(half_others(both, rows, bits)) {
                first @ 0..8 => first,
                last @ 8..16 => text.len().wrapping_sub(16).wrapping_add(last),
                _ => text.len(),
            };
        };
        let other = half_others(load_half(first), rows, bits);
        if other != 0 {
            return trailing_zeros(other);
        }
        match half_others(load_half(last), rows, bits) {
            0 => text.len(),
            other => text.len().wrapping_sub(16).wrapping_add(trailing_zeros(other)),
        }
    }

    /// A bit for each byte that is not in the set.
    #[target_feature(enable = "avx2")]
    fn others(bytes: __m256i, rows: __m256i, bits: __m256i) -> u32 {
        let half = _mm256_set1_epi8(0x0f);
        let row = _mm256_shuffle_epi8(rows, _mm256_and_si256(bytes, half));
        let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half);
        let found = _mm256_and_si256(row, _mm256_shuffle_epi8(bits, upper));
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256())).cast_unsigned()
    }

    #[target_feature(enable = "avx2")]
    fn half_others(bytes: __m128i, rows: __m128i, bits: __m128i) -> u32 {
        let half = _mm_set1_epi8(0x0f);
        let row = _mm_shuffle_epi8(rows, _mm_and_si128(bytes, half));
        let upper = _mm_and_si128(_mm_srli_epi16::<4>(bytes), half);
        let found = _mm_and_si128(row, _mm_shuffle_epi8(bits, upper));
        _mm_movemask_epi8(_mm_cmpeq_epi8(found, _mm_setzero_si128())).cast_unsigned()
    }

    #[inline]
    fn trailing_zeros(bits: u32) -> usize {
        usize::try_from(bits.trailing_zeros()).unwrap_or(0)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SET: Bytes = Bytes::alphanumeric_and(b"-._~/?&= \x00\x7f");

    #[test]
    fn every_byte_is_known_in_every_place() {
        let listed =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/?&= \x00\x7f".contains(&byte);
        for byte in 0..=255 {
            assert_eq!(SET.has(byte), listed(byte), "{byte}");
            for length in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100] {
                for place in 0..length {
                    let mut text = vec![b'a'; length];
                    text[place] = byte;
                    let expected = if listed(byte) { length } else { place };
                    assert_eq!(SET.span(&text), expected, "{byte} at {place} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_same_are_the_same(one in "[ab]{0,20}", other in "[ab]{0,20}", place: prop::sample::Index) {
            prop_assert_eq!(same(one.as_bytes(), other.as_bytes()), one == other);
            prop_assert!(same(one.as_bytes(), one.clone().as_bytes()));
            let mut changed = one.clone().into_bytes();
            if !changed.is_empty() {
                changed[place.index(one.len())] ^= 1;
                prop_assert!(!same(one.as_bytes(), &changed));
            }
        }

        #[test]
        fn both_ways_span_the_same(text in prop::collection::vec(prop::sample::select(b"abcXYZ059-._~/?&=!#\x80\xff".to_vec()), 0..200)) {
            prop_assert_eq!(SET.span(&text), SET.span_slowly(&text));
        }
    }
}
