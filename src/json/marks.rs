//! The first look at a text: one bit a byte, set where a string may end or be at fault.
//!
//! A quote, a backslash and a control character (below 0x20) are marked, wherever they are; whether a quote
//! opens or closes is the parser's business. A string then ends, or stops being plain, at the next mark after
//! its opening quote: one shift and a count of zeros, however long it is. On the way it is learned whether the
//! text is all ASCII, so that it need not be looked at again to know that it is UTF-8.
//!
//! Costs: an eighth of the text in memory, and a third of an instruction a byte where the processor has AVX2;
//! elsewhere eight bytes at a time in ordinary registers do the same, bit for bit, for some three a byte.

use smallvec::SmallVec;

use super::tape::{narrow, widen};

/// Bytes that one word of marks stands for.
const BLOCK: usize = 64;

/// A block's marks, and its bytes that are no ASCII.
type Sight = (u64, u64);

/// The marks of a text, a word a block; those of a kilobyte are where the list is.
pub(super) type Marks = SmallVec<[u64; 16]>;

/// Marks the text, and says whether all of it is ASCII.
pub(super) fn mark(text: &[u8], marks: &mut Marks) -> bool {
    marks.clear();
    marks.resize(text.len().div_ceil(BLOCK), 0);
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    // Of a last block that is not full: the block that ends where the text does, or, if that is too short, the text filled up
    // with what is never marked.
    let mut filled = [b' '; BLOCK];
    let (last, before) = match text.last_chunk() {
        _ if rest.is_empty() => (None, 0),
        Some(last) => (Some(last), BLOCK - rest.len()),
        None => {
            for (byte, text) in filled.iter_mut().zip(rest) {
                *byte = *text;
            }
            (Some(&filled), 0)
        }
    };
    let (mut words, mut high) = (marks.iter_mut(), 0);
    let mut see = |(mark, ascii): Sight| {
        if let Some(word) = words.next() {
            *word = mark;
        }
        high |= ascii;
    };
    sweep(blocks.iter().chain(last), &mut see);
    if let Some(word) = marks.last_mut() {
        *word >>= before;
    }
    high == 0
}

/// Looks at the blocks in the fastest way that this processor has.
fn sweep<'b>(blocks: impl Iterator<Item = &'b [u8; BLOCK]>, see: &mut impl FnMut(Sight)) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "a quarter of the instructions of the portable way")]
        // SAFETY: the processor has AVX2, as has just been asked; the function has no other condition.
        return unsafe { avx2::sweep(blocks, see) };
    }
    for block in blocks {
        see(look(block));
    }
}

/// The first mark at `at` or after it; the end of the text, or beyond, when there is none.
#[inline]
pub(super) fn next(marks: &[u64], at: u32) -> u32 {
    let mut block = widen(at) / BLOCK;
    let ahead = marks.get(block).map_or(0, |marks| marks >> (at % 64));
    if ahead != 0 {
        return at.wrapping_add(ahead.trailing_zeros());
    }
    loop {
        block = block.wrapping_add(1);
        match marks.get(block) {
            Some(0) => {}
            Some(marks) => {
                return narrow(block.wrapping_mul(BLOCK)).wrapping_add(marks.trailing_zeros());
            }
            None => return u32::MAX,
        }
    }
}

/// Looks at a block, eight bytes at a time.
///
/// Exact for each byte: a sum of seven bits and a constant never carries into the next byte, and its eighth bit
/// says whether the byte, without its own eighth bit, was at least so much.
fn look(block: &[u8; BLOCK]) -> Sight {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = ONES << 7;
    // Eighth bits set where the byte is not zero.
    let filled = |word: u64| ((word & !TOPS) + !TOPS) | word;
    let (mut marks, mut high) = (0, 0);
    let (words, _) = block.as_chunks::<8>();
    for word in words.iter().rev() {
        let word = u64::from_le_bytes(*word);
        let not_control = ((word & !TOPS) + ONES * 0x60) | word;
        let not_quote = filled(word ^ (ONES * 0x22));
        let not_backslash = filled(word ^ (ONES * 0x5c));
        marks = (marks << 8) | gather(!(not_control & not_quote & not_backslash) & TOPS);
        high = (high << 8) | gather(word & TOPS);
    }
    (marks, high)
}

/// The eighth bits of the bytes, side by side: each is moved to its own place in the upper byte of the product.
fn gather(tops: u64) -> u64 {
    (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8,
    };

    use super::{BLOCK, Sight};
    use crate::bytes::registers::load;

    #[target_feature(enable = "avx2")]
    pub(super) fn sweep<'b>(
        blocks: impl Iterator<Item = &'b [u8; BLOCK]>,
        see: &mut impl FnMut(Sight),
    ) {
        for block in blocks {
            let (halves, _) = block.as_chunks::<32>();
            let (mut marks, mut high) = (0, 0);
            for half in halves {
                let (half_marks, half_high) = look(load(half));
                marks = (marks >> 32) | (half_marks << 32);
                high = (high >> 32) | (half_high << 32);
            }
            see((marks, high));
        }
    }

    #[target_feature(enable = "avx2")]
    fn look(bytes: __m256i) -> Sight {
        let quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x22));
        let backslash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x5c));
        // At most 0x1f, without a sign: the smaller of the two is the byte itself.
        let control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
        let marked = _mm256_or_si256(_mm256_or_si256(quote, backslash), control);
        let bits = |mask: i32| u64::from(mask.cast_unsigned());
        (bits(_mm256_movemask_epi8(marked)), bits(_mm256_movemask_epi8(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One byte after the other.
    fn look_slowly(block: &[u8; BLOCK]) -> Sight {
        let (mut marks, mut high) = (0, 0);
        for byte in block.iter().rev() {
            let marked = *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            marks = (marks << 1) | u64::from(marked);
            high = (high << 1) | u64::from(*byte >= 0x80);
        }
        (marks, high)
    }

    fn look_fast(block: &[u8; BLOCK]) -> Sight {
        let mut seen = None;
        sweep([block].into_iter(), &mut |sight| seen = Some(sight));
        seen.unwrap()
    }

    proptest! {
        #[test]
        fn both_ways_to_look_see_the_same(block: [u8; 32], plain: [u8; 32]) {
            let mut text = [0; BLOCK];
            for (byte, given) in text.iter_mut().zip(block.iter().chain(&plain.map(|b| b | 0x20))) {
                *byte = *given;
            }
            prop_assert_eq!(look(&text), look_slowly(&text));
            prop_assert_eq!(look_fast(&text), look_slowly(&text));
        }

        #[test]
        fn marks_are_where_the_text_has_them(text in prop::collection::vec(prop::sample::select(b"abcdefgh\"\\\n\x7f\xc3\xa9 []".to_vec()), 0..300), from: prop::sample::Index) {
            let mut marks = SmallVec::from_slice(&[7]);
            let ascii = mark(&text, &mut marks);
            prop_assert_eq!(ascii, text.is_ascii());
            let from = from.index(text.len() + 1);
            let marked = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            let expected = text[from..].iter().position(marked).map(|found| from + found);
            let found = widen(next(&marks, narrow(from)));
            prop_assert_eq!((found < text.len()).then_some(found), expected);
        }
    }

    #[test]
    fn every_byte_is_looked_at_in_every_place() {
        for byte in 0..=255 {
            for place in 0..BLOCK {
                let mut text = [b'a'; BLOCK];
                text[place] = byte;
                assert_eq!(look(&text), look_slowly(&text), "{byte} at {place}");
                assert_eq!(look_fast(&text), look_slowly(&text), "{byte} at {place}");
            }
        }
    }
}
