//! What the escapes of a JSON string stand for, fast: as far as nothing is wrong.
//!
//! It goes from the beginning of a string, or from behind an escape, to the first place that it does not know, and leaves
//! that to who reads exactly: the string's end, whatever is at fault, and what is too near to the end of the text. Where
//! escapes are it knows from the marks of the whole text, so that no escape waits for the one before it to be read; plain
//! text is copied 32 bytes at a time, the last of which do not count.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::mem::MaybeUninit;

/// Bytes that are copied at once.
const PIECE: usize = 32;

/// Appends to `unescaped` what a string says from `from` on, which is between two characters: gives the place that it got
/// to, which is between two characters again.
///
/// `marks` has a bit for each byte of the text: set for quotes, backslashes and controls.
#[inline]
pub(crate) fn unescape(text: &str, marks: &[u64], from: usize, unescaped: &mut String) -> usize {
    if !text.is_char_boundary(from) {
        return from;
    }
    // What is unescaped is not longer than what it was, but a piece that is copied may be.
    unescaped.reserve(text.len().saturating_sub(from).saturating_add(PIECE));
    #[expect(unsafe_code, reason = "half the time of a `String` that grows")]
    // SAFETY: a reader writes as many bytes as it says, and they are UTF-8.
    unsafe {
        let unescaped = unescaped.as_mut_vec();
        let room = unescaped.spare_capacity_mut();
        let mut reader = Reader { text: text.as_bytes(), marks, at: from, room, written: 0 };
        reader.read();
        let Reader { at, written, .. } = reader;
        unescaped.set_len(unescaped.len().saturating_add(written));
        at
    }
}

/// At each step it goes from one place between two characters to another, and writes whole characters.
struct Reader<'r> {
    text: &'r [u8],
    marks: &'r [u64],
    /// Where it is in the text.
    at: usize,
    room: &'r mut [MaybeUninit<u8>],
    /// So many bytes of the room, which are UTF-8.
    written: usize,
}

impl Reader<'_> {
    /// Goes as far as it can.
    #[inline]
    fn read(&mut self) {
        let (mut block, mut left) = self.marks_from(self.at);
        loop {
            while left == 0 {
                block = block.wrapping_add(1);
                let Some(marks) = self.marks.get(block) else { return };
                left = *marks;
            }
            let bit = left.trailing_zeros();
            let mark = block.wrapping_mul(64).wrapping_add(usize::try_from(bit).unwrap_or(0));
            let Some(Some([byte, kind])) = self.text.get(mark..).map(<[_]>::first_chunk) else {
                return;
            };
            // All that is marked is ASCII, so it is between two characters.
            if !byte.is_ascii() || self.plain(mark).is_none() || *byte != b'\\' {
                return;
            }
            if *kind == b'u' {
                if self.unicode().is_none() {
                    return;
                }
                // Among the digits of one there is no mark.
                if self.at == mark.wrapping_add(6) {
                    left &= left.wrapping_sub(1);
                } else {
                    (block, left) = self.marks_from(self.at);
                }
                continue;
            }
            let Some(meant) = simple(*kind) else { return };
            if self.write([meant], 1, 2).is_none() {
                return;
            }
            // What is escaped may be marked too.
            if bit == 63 {
                (block, left) = self.marks_from(self.at);
            } else {
                left &= !(0b11 << bit);
            }
        }
    }

    /// The block of marks that a place lies in, and its marks from there on.
    #[inline]
    fn marks_from(&self, at: usize) -> (usize, u64) {
        let marks = self.marks.get(at / 64).copied().unwrap_or(0);
        (at / 64, marks & (u64::MAX << (at % 64)))
    }

    /// Copies plain text.
    #[inline]
    fn plain(&mut self, to: usize) -> Option<()> {
        let length = to.wrapping_sub(self.at);
        if length <= PIECE {
            let piece: [u8; PIECE] = *self.ahead(0)?;
            return self.write(piece, length, length);
        }
        let plain = self.text.get(self.at..to)?;
        let end = self.written.wrapping_add(length);
        self.room.get_mut(self.written..end)?.write_copy_of_slice(plain);
        (self.at, self.written) = (to, end);
        Some(())
    }

    /// `\uXXXX`, one after the other, and what is between words of them; nothing if the first is not as it should be.
    #[inline]
    fn unicode(&mut self) -> Option<()> {
        // One by itself.
        if self.text.get(self.at.wrapping_add(6)).is_some_and(|next| *next != b'\\') {
            let (character, _) = unicode(self.ahead::<6>(0)?)?;
            let (bytes, length) = utf8(character);
            return self.write(bytes, length, 6);
        }
        let text = self.text.get(self.at..)?;
        let room = self.room.get_mut(self.written..)?;
        let (mut rest, mut free) = (text, &mut *room);
        loop {
            #[cfg(target_arch = "x86_64")]
            if may_be_four(rest) && is_x86_feature_detected!("avx2") {
                #[expect(unsafe_code, reason = "a third of the time")]
                // SAFETY: the processor has AVX2, as has just been asked; the function has no other condition.
                let (read, written) = unsafe { avx2::fours(rest, free) };
                (rest, free) = (rest.get(read..)?, free.get_mut(written..)?);
            }
            while let Some((character, after)) = unicode(rest)
                && let Some(places) = free.first_chunk_mut::<4>()
            {
                let (bytes, length) = utf8(character);
                places.write_copy_of_slice(&bytes);
                (rest, free) = (after, free.get_mut(length..)?);
            }
            // The next word of a language that is all escapes.
            let [space @ (b' ' | b'-'), b'\\', b'u', ..] = rest else { break };
            let [place, others @ ..] = free else { break };
            place.write(*space);
            (rest, free) = (rest.get(1..)?, others);
        }
        let read = text.len().wrapping_sub(rest.len());
        let left = free.len();
        self.written = self.written.wrapping_add(room.len().wrapping_sub(left));
        self.at = self.at.wrapping_add(read);
        (read > 0).then_some(())
    }

    /// Writes a piece, of which so many bytes count, for so many that were read.
    #[inline]
    fn write<const N: usize>(&mut self, piece: [u8; N], length: usize, read: usize) -> Option<()> {
        let room = self.room.get_mut(self.written..)?.first_chunk_mut::<N>()?;
        room.write_copy_of_slice(&piece);
        self.written = self.written.wrapping_add(length);
        self.at = self.at.wrapping_add(read);
        Some(())
    }

    /// Bytes of the text, so far from here.
    #[inline]
    fn ahead<const N: usize>(&self, from: usize) -> Option<&[u8; N]> {
        self.text.get(self.at.wrapping_add(from)..)?.first_chunk()
    }
}

/// `\uXXXX`, or two of them for a character outside the basic plane, and what follows.
#[inline]
fn unicode(text: &[u8]) -> Option<(char, &[u8])> {
    let (high, rest) = unit(text)?;
    if let Some(character) = char::from_u32(high) {
        return Some((character, rest));
    }
    let (low, rest) = unit(rest)?;
    if high >= 0xDC00 || !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    let code = ((high & 0x3FF).wrapping_add(0x40) << 10) | (low & 0x3FF);
    Some((char::from_u32(code)?, rest))
}

/// Whether there may be four of them, of which the first is no half of a pair: a guess.
#[inline]
fn may_be_four(text: &[u8]) -> bool {
    text.get(18..20) == Some(br"\u") && !matches!(text, [_, _, b'd' | b'D', 0x38..=0x7F, ..])
}

/// What `\uXXXX` says, and what follows.
#[inline]
fn unit(text: &[u8]) -> Option<(u32, &[u8])> {
    match text.split_first_chunk::<6>() {
        Some(([b'\\', b'u', digits @ ..], rest)) => Some((hexadecimal(*digits)?, rest)),
        Some(_) | None => None,
    }
}

/// A character as UTF-8: as many of the bytes as are said.
#[inline]
fn utf8(character: char) -> ([u8; 4], usize) {
    let code = u32::from(character);
    let [third, second] = [code & 0x3F, (code >> 6) & 0x3F];
    match code {
        0..0x80 => (code.to_le_bytes(), 1),
        0x80..0x800 => ((0x80C0 | (code >> 6) | (third << 8)).to_le_bytes(), 2),
        0x800..0x1_0000 => {
            ((0x80_80E0 | (code >> 12) | (second << 8) | (third << 16)).to_le_bytes(), 3)
        }
        _ => {
            let (last, first) = (third << 24, code >> 18);
            let first = 0x8080_80F0 | first | (((code >> 12) & 0x3F) << 8);
            ((first | (second << 16) | last).to_le_bytes(), 4)
        }
    }
}

/// What four hexadecimal digits say.
#[inline]
pub(crate) fn hexadecimal(digits: [u8; 4]) -> Option<u32> {
    let [first, second, third, fourth] = digits.map(|digit| u32::from(value(digit)));
    if (first | second | third | fourth) > 15 {
        return None;
    }
    Some((first << 12) | (second << 8) | (third << 4) | fourth)
}

/// What a byte is worth as a hexadecimal digit; 16 if it is none.
#[inline]
fn value(byte: u8) -> u8 {
    static VALUES: [u8; 256] = {
        let (mut values, mut byte) = ([16; 256], 0_u8);
        let mut rest = values.as_mut_slice();
        while let [value, others @ ..] = rest {
            *value = match byte {
                b'0'..=b'9' => byte.wrapping_sub(b'0'),
                b'a'..=b'f' => byte.wrapping_sub(b'a').wrapping_add(10),
                b'A'..=b'F' => byte.wrapping_sub(b'A').wrapping_add(10),
                _ => 16,
            };
            byte = byte.wrapping_add(1);
            rest = others;
        }
        values
    };
    VALUES.get(usize::from(byte)).copied().unwrap_or(16)
}

/// What `\` and this byte stand for, if that is one ASCII character.
#[inline]
pub(crate) fn simple(byte: u8) -> Option<u8> {
    static MEANT: [u8; 256] = {
        let (mut meant, mut byte) = ([0; 256], 0_u8);
        let mut rest = meant.as_mut_slice();
        while let [value, others @ ..] = rest {
            *value = match byte {
                b'"' | b'\\' | b'/' => byte,
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                _ => 0,
            };
            byte = byte.wrapping_add(1);
            rest = others;
        }
        meant
    };
    let meant = MEANT.get(usize::from(byte)).copied().unwrap_or(0);
    (meant != 0).then_some(meant)
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi32, _mm_cmpgt_epi32,
        _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi32, _mm_setr_epi8, _mm_shuffle_epi8,
        _mm_slli_epi32, _mm_srli_epi32, _mm_test_all_ones, _mm256_add_epi8, _mm256_adds_epu8,
        _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_castsi256_si128, _mm256_cmpeq_epi16,
        _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_permute4x64_epi64, _mm256_set_m128i, _mm256_set1_epi8, _mm256_set1_epi16,
        _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_sub_epi8, _mm256_subs_epu8,
    };
    use std::mem::MaybeUninit;

    use super::super::registers::{load_half, store_half};

    /// `\uXXXX`, four by four, as long as each four are equally long in UTF-8, of two bytes or of three: how many bytes
    /// were read, and how many were written, as UTF-8.
    #[target_feature(enable = "avx2")]
    pub(super) fn fours(text: &[u8], room: &mut [MaybeUninit<u8>]) -> (usize, usize) {
        let (mut rest, mut written) = (text, 0_usize);
        while let Some(four) = rest.first_chunk::<28>()
            && let Some(places) = room.get_mut(written..).and_then(<[_]>::first_chunk_mut::<16>)
            && matches!(
                four,
                [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, b'\\', b'u', ..]
            )
        {
            let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _] = four;
            let [_, _, _, _, _, _, _, _, _, _, _, _, second @ ..] = four;
            let bytes = _mm256_set_m128i(load_half(second), load_half(first));
            let values = values(bytes);
            if !sound(bytes, values) {
                break;
            }
            let codes = codes(values);
            let below = |end: i32| _mm_cmpgt_epi32(_mm_set1_epi32(end), codes);
            let two = _mm_andnot_si128(below(0x80), below(0x800));
            if all(two) {
                store_half(places, two_bytes(codes));
                written = written.wrapping_add(8);
            } else {
                let range = _mm_and_si128(codes, _mm_set1_epi32(0xF800));
                let surrogate = _mm_cmpeq_epi32(range, _mm_set1_epi32(0xD800));
                if _mm_movemask_epi8(_mm_or_si128(below(0x800), surrogate)) != 0 {
                    break;
                }
                store_half(places, three_bytes(codes));
                written = written.wrapping_add(12);
            }
            rest = rest.get(24..).unwrap_or_default();
        }
        (text.len().wrapping_sub(rest.len()), written)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn all(lanes: __m128i) -> bool {
        _mm_test_all_ones(lanes) != 0
    }

    /// What each byte is worth as a hexadecimal digit; more than 15 for what is none.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn values(bytes: __m256i) -> __m256i {
        let all = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
        // The digits are moved to the upper end, where nothing else is left when six less is at least 0.
        let upper = _mm256_subs_epu8(_mm256_add_epi8(bytes, all(0xFF - b'9')), all(6));
        let digits = _mm256_sub_epi8(upper, all(0xF0));
        let capitals = _mm256_and_si256(bytes, all(0xDF));
        let letters = _mm256_adds_epu8(_mm256_sub_epi8(capitals, all(b'A')), all(10));
        _mm256_min_epu8(digits, letters)
    }

    /// Whether all four are `\u` and four digits.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn sound(bytes: __m256i, values: __m256i) -> bool {
        // Places of `\u`, and of digits, in each half.
        const HEADS: u32 = 0b1100_0011 * 0x1_0001;
        const DIGITS: u32 = 0b1111_0011_1100 * 0x1_0001;
        let heads = _mm256_cmpeq_epi16(bytes, _mm256_set1_epi16(i16::from_le_bytes(*br"\u")));
        let heads = _mm256_movemask_epi8(heads).cast_unsigned();
        let others = _mm256_adds_epu8(values, _mm256_set1_epi8(0x7F - 15));
        let others = _mm256_movemask_epi8(others).cast_unsigned();
        (!heads & HEADS) | (others & DIGITS) == 0
    }

    /// What the four say.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn codes(values: __m256i) -> __m128i {
        let digits = _mm256_broadcastsi128_si256(_mm_setr_epi8(
            2, 3, 4, 5, 8, 9, 10, 11, -1, -1, -1, -1, -1, -1, -1, -1,
        ));
        let digits = _mm256_shuffle_epi8(values, digits);
        let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x01_10));
        let codes = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x1_0100));
        // The first halves of both halves.
        _mm256_castsi256_si128(_mm256_permute4x64_epi64::<0b10_00>(codes))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn two_bytes(codes: __m128i) -> __m128i {
        let first = _mm_srli_epi32::<6>(codes);
        let second = _mm_slli_epi32::<8>(_mm_and_si128(codes, _mm_set1_epi32(0x3F)));
        let both = _mm_or_si128(_mm_or_si128(first, second), _mm_set1_epi32(0x80C0));
        let side_by_side = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
        _mm_shuffle_epi8(both, side_by_side)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn three_bytes(codes: __m128i) -> __m128i {
        let first = _mm_srli_epi32::<12>(codes);
        let second = _mm_and_si128(_mm_slli_epi32::<2>(codes), _mm_set1_epi32(0x3F00));
        let third = _mm_slli_epi32::<16>(_mm_and_si128(codes, _mm_set1_epi32(0x3F)));
        let rest = _mm_or_si128(_mm_or_si128(second, third), _mm_set1_epi32(0x80_80E0));
        let side_by_side = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
        _mm_shuffle_epi8(_mm_or_si128(first, rest), side_by_side)
    }
}
