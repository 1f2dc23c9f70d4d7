//! UTF-8 as code units of one width: what a Python `str` is made of.
//!
//! Sixteen bytes at a time, where the processor can: a character is worked out at each of them as if one began there, with
//! the bytes that follow it, and those that do not begin at one are left out. Nothing depends on which characters they are,
//! so that words of several scripts cost no more than others.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::mem::MaybeUninit;
use std::ops::Range;

/// The narrowest units that hold all characters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// Up to U+007F.
    Ascii,
    /// Up to U+00FF: a byte.
    Byte,
    /// Up to U+FFFF: two bytes.
    Half,
    /// All: four bytes.
    Word,
}

/// A part of a text. What follows it is known, so that registers may be filled beyond its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'t> {
    text: &'t str,
    /// From its beginning to the end of the whole text.
    ahead: &'t [u8],
}

impl<'t> Part<'t> {
    /// Of a range between two characters; nothing of any other.
    #[inline]
    pub(crate) fn of(whole: &'t str, range: Range<usize>) -> Self {
        let ahead = whole.as_bytes().get(range.start..).unwrap_or_default();
        Self { text: whole.get(range).unwrap_or_default(), ahead }
    }

    /// Its characters, and the units that hold them.
    #[inline]
    pub(crate) fn measure(self) -> (usize, Width) {
        #[cfg(target_arch = "x86_64")]
        if avx2::is_there() {
            #[expect(unsafe_code, reason = "a tenth of the time")]
            // SAFETY: the processor has what it needs, as has just been asked; the function has no other condition.
            return unsafe { avx2::measure(self) };
        }
        self.measure_slowly()
    }

    #[inline(never)]
    fn measure_slowly(self) -> (usize, Width) {
        // The largest byte tells how wide the widest character is: 0xC3 leads U+00FF, 0xEF leads U+FFFF.
        let width = match self.text.bytes().fold(0, u8::max) {
            0..=0x7F => Width::Ascii,
            0x80..=0xC3 => Width::Byte,
            0xC4..=0xEF => Width::Half,
            0xF0.. => Width::Word,
        };
        (self.text.chars().count(), width)
    }

    /// Writes its characters, all of which a byte holds: how many there are, if there is room for them.
    #[inline]
    pub(crate) fn write_bytes(self, units: &mut [MaybeUninit<u8>]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if avx2::is_there() {
            #[expect(unsafe_code, reason = "a quarter of the time")]
            // SAFETY: the processor has what it needs, as has just been asked; the function has no other condition.
            return unsafe { avx2::write_bytes(self, units) };
        }
        self.write_slowly(units, |character| u8::try_from(character).unwrap_or(0))
    }

    /// The same where two bytes hold them all.
    #[inline]
    pub(crate) fn write_halves(self, units: &mut [MaybeUninit<u16>]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if avx2::is_there() {
            #[expect(unsafe_code, reason = "a quarter of the time")]
            // SAFETY: the processor has what it needs, as has just been asked; the function has no other condition.
            return unsafe { avx2::write_halves(self, units) };
        }
        self.write_slowly(units, |character| u16::try_from(character).unwrap_or(0))
    }

    /// The same for any characters.
    #[inline]
    pub(crate) fn write_words(self, units: &mut [MaybeUninit<u32>]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if avx2::is_there() {
            #[expect(unsafe_code, reason = "a quarter of the time")]
            // SAFETY: the processor has what it needs, as has just been asked; the function has no other condition.
            return unsafe { avx2::write_words(self, units) };
        }
        self.write_slowly(units, |character| character)
    }

    /// One character after the other.
    #[inline(never)]
    fn write_slowly<U>(self, units: &mut [MaybeUninit<U>], narrow: impl Fn(u32) -> U) -> usize {
        let mut written = 0_usize;
        for (unit, character) in units.iter_mut().zip(self.text.chars()) {
            unit.write(narrow(u32::from(character)));
            written = written.wrapping_add(1);
        }
        written
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_add_epi8, _mm_and_si128, _mm_blendv_epi8, _mm_cmpeq_epi8,
        _mm_cmpgt_epi8, _mm_cvtsi64_si128, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8, _mm_set1_epi16, _mm_shuffle_epi8, _mm_slli_epi16, _mm_unpacklo_epi8,
        _mm256_and_si256, _mm256_blendv_epi8, _mm256_castsi256_si128, _mm256_cmpeq_epi8,
        _mm256_cmpgt_epi8, _mm256_cmpgt_epi16, _mm256_cmpgt_epi32, _mm256_cvtepu8_epi16,
        _mm256_cvtepu8_epi32, _mm256_cvtepu16_epi32, _mm256_extracti128_si256, _mm256_max_epu8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_permutevar8x32_epi32, _mm256_set1_epi8,
        _mm256_set1_epi16, _mm256_set1_epi32, _mm256_slli_epi16, _mm256_slli_epi32,
    };
    use std::mem::MaybeUninit;

    use super::super::registers::{load, load_half, store, store_half};
    use super::{Part, Width};

    /// The largest byte that continues a character, with a sign: what is more begins one.
    const CONTINUES: i8 = -65;

    #[inline]
    pub(super) fn is_there() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn measure(part: Part<'_>) -> (usize, Width) {
        let mut seen = Seen { characters: 0, high: 0, beyond_byte: 0, beyond_half: 0 };
        let (mut ahead, mut left) = (part.ahead, part.text.len());
        while left > 0 {
            let mut spare = [0; 32];
            let block: &[u8; 32] = begin(ahead, &mut spare);
            seen.look(block, first(left));
            (ahead, left) = (behind(ahead, 32), left.saturating_sub(32));
        }
        seen.all()
    }

    /// What has been seen of a text.
    struct Seen {
        characters: usize,
        /// Not zero if there was a byte from 0x80 on, from 0xC4 on, from 0xF0 on.
        high: u32,
        beyond_byte: u32,
        beyond_half: u32,
    }

    impl Seen {
        /// Looks at some bytes of a block.
        #[inline]
        #[target_feature(enable = "avx2,popcnt")]
        fn look(&mut self, block: &[u8; 32], at: u32) {
            let bytes = load(block);
            let bits = |mask: __m256i| _mm256_movemask_epi8(mask).cast_unsigned() & at;
            // At least so much, without a sign: the larger of the two is the byte itself.
            let from = |least: u8| {
                let least = _mm256_set1_epi8(least.cast_signed());
                _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, least), bytes)
            };
            let begins = bits(_mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(CONTINUES)));
            self.characters = self.characters.wrapping_add(count(begins));
            self.high |= bits(bytes);
            self.beyond_byte |= bits(from(0xC4));
            self.beyond_half |= bits(from(0xF0));
        }

        fn all(&self) -> (usize, Width) {
            let width = match (self.high, self.beyond_byte, self.beyond_half) {
                (0, _, _) => Width::Ascii,
                (_, 0, _) => Width::Byte,
                (_, _, 0) => Width::Half,
                _ => Width::Word,
            };
            (self.characters, width)
        }
    }

    /// Characters of at most two bytes, the first of which is at most 0xC3.
    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn write_bytes(part: Part<'_>, units: &mut [MaybeUninit<u8>]) -> usize {
        let mut room = Room { units, written: 0 };
        let (mut ahead, mut left) = (part.ahead, part.text.len());
        while left > 0 {
            let mut spare = [0; 17];
            let block: &[u8; 17] = begin(ahead, &mut spare);
            let [one @ .., _] = block;
            let [_, two @ ..] = block;
            let (one, two) = (load_half(one), load_half(two));
            let begins = begins(one) & first(left);
            let both = _mm_or_si128(
                _mm_slli_epi16::<6>(_mm_and_si128(one, _mm_set1_epi8(0x03))),
                _mm_and_si128(two, _mm_set1_epi8(0x3F)),
            );
            // ASCII has no sign.
            let characters = _mm_blendv_epi8(one, both, one);
            let (lower, upper) = (begins & 0xFF, begins >> 8);
            let placed = _mm_shuffle_epi8(characters, places(lower));
            room.put::<16>(count(lower), |to| store_half(to, placed));
            let upper_half = _mm_add_epi8(places(upper), _mm_set1_epi8(8));
            let placed = _mm_shuffle_epi8(characters, upper_half);
            room.put::<16>(count(upper), |to| store_half(to, placed));
            (ahead, left) = (behind(ahead, 16), left.saturating_sub(16));
        }
        room.written
    }

    /// Characters of at most three bytes.
    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn write_halves(part: Part<'_>, units: &mut [MaybeUninit<u16>]) -> usize {
        let mut room = Room { units, written: 0 };
        let (mut ahead, mut left) = (part.ahead, part.text.len());
        while left > 0 {
            let mut spare = [0; 18];
            let block: &[u8; 18] = begin(ahead, &mut spare);
            let (lower, upper) = halves(block, left);
            room.put::<8>(lower.1, |to| store_half(to, lower.0));
            room.put::<8>(upper.1, |to| store_half(to, upper.0));
            (ahead, left) = (behind(ahead, 16), left.saturating_sub(16));
        }
        room.written
    }

    /// The characters that begin at sixteen bytes, or at so many of them, two bytes each: at the first eight, and at the
    /// others, and how many there are.
    #[inline]
    #[target_feature(enable = "avx2,popcnt")]
    fn halves(block: &[u8; 18], left: usize) -> ((__m128i, usize), (__m128i, usize)) {
        let [first_bytes @ .., _, _] = block;
        let [_, second_bytes @ .., _] = block;
        let [_, _, third_bytes @ ..] = block;
        let first_bytes = load_half(first_bytes);
        let begins = begins(first_bytes) & first(left);
        let low = _mm256_set1_epi16(0x3F);
        let one = _mm256_cvtepu8_epi16(first_bytes);
        let two = _mm256_and_si256(_mm256_cvtepu8_epi16(load_half(second_bytes)), low);
        let three = _mm256_and_si256(_mm256_cvtepu8_epi16(load_half(third_bytes)), low);
        let next = |before, bits| _mm256_or_si256(_mm256_slli_epi16::<6>(before), bits);
        // Of two bytes the first is 110xxxxx; of three it is 1110xxxx, of which the rest is shifted out.
        let of_two = next(_mm256_and_si256(one, _mm256_set1_epi16(0x1F)), two);
        let of_three = next(next(one, two), three);
        let above = |most| _mm256_cmpgt_epi16(one, _mm256_set1_epi16(most));
        let characters = _mm256_blendv_epi8(one, of_two, above(0x7F));
        let characters = _mm256_blendv_epi8(characters, of_three, above(0xDF));
        let place = |half, begins| (_mm_shuffle_epi8(half, places_of_two(begins)), count(begins));
        let lower = place(_mm256_castsi256_si128(characters), begins & 0xFF);
        (lower, place(_mm256_extracti128_si256::<1>(characters), begins >> 8))
    }

    /// Any characters.
    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn write_words(part: Part<'_>, units: &mut [MaybeUninit<u32>]) -> usize {
        let mut room = Room { units, written: 0 };
        let (mut ahead, mut left) = (part.ahead, part.text.len());
        while left > 0 {
            let mut spare = [0; 19];
            let block: &[u8; 19] = begin(ahead, &mut spare);
            let [short @ .., _] = block;
            let [sixteen @ .., _, _, _] = block;
            let sixteen = load_half(sixteen);
            let of_four = _mm_set1_epi8(0xF0_u8.cast_signed());
            if _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(sixteen, of_four), sixteen)) == 0 {
                let (lower, upper) = halves(short, left);
                room.put::<8>(lower.1, |to| store(to, _mm256_cvtepu16_epi32(lower.0)));
                room.put::<8>(upper.1, |to| store(to, _mm256_cvtepu16_epi32(upper.0)));
                (ahead, left) = (behind(ahead, 16), left.saturating_sub(16));
            } else {
                let (characters, count) = words(block, left.min(8));
                room.put::<8>(count, |to| store(to, characters));
                (ahead, left) = (behind(ahead, 8), left.saturating_sub(8));
            }
        }
        room.written
    }

    /// The characters that begin at eight bytes, or at so many of them, four bytes each.
    #[inline]
    #[target_feature(enable = "avx2,popcnt")]
    fn words(block: &[u8; 19], left: usize) -> (__m256i, usize) {
        let [first_bytes @ .., _, _, _] = block;
        let [_, second_bytes @ .., _, _] = block;
        let [_, _, third_bytes @ .., _] = block;
        let [_, _, _, fourth_bytes @ ..] = block;
        let first_bytes = load_half(first_bytes);
        let begins = begins(first_bytes) & first(left);
        let low = _mm256_set1_epi32(0x3F);
        let one = _mm256_cvtepu8_epi32(first_bytes);
        let two = _mm256_and_si256(_mm256_cvtepu8_epi32(load_half(second_bytes)), low);
        let three = _mm256_and_si256(_mm256_cvtepu8_epi32(load_half(third_bytes)), low);
        let four = _mm256_and_si256(_mm256_cvtepu8_epi32(load_half(fourth_bytes)), low);
        let lead = |bits| _mm256_and_si256(one, _mm256_set1_epi32(bits));
        let next = |before, bits| _mm256_or_si256(_mm256_slli_epi32::<6>(before), bits);
        let of_two = next(lead(0x1F), two);
        let of_three = next(next(lead(0x0F), two), three);
        let of_four = next(next(next(lead(0x07), two), three), four);
        let above = |most| _mm256_cmpgt_epi32(one, _mm256_set1_epi32(most));
        let characters = _mm256_blendv_epi8(one, of_two, above(0x7F));
        let characters = _mm256_blendv_epi8(characters, of_three, above(0xDF));
        let characters = _mm256_blendv_epi8(characters, of_four, above(0xEF));
        let places = _mm256_cvtepu8_epi32(places(begins));
        (_mm256_permutevar8x32_epi32(characters, places), count(begins))
    }

    /// The first bytes of a text: in their place, as registers that overlap are loaded from there, or all of them and zeros.
    #[inline]
    fn begin<'b, const N: usize>(ahead: &'b [u8], spare: &'b mut [u8; N]) -> &'b [u8; N] {
        ahead.first_chunk().unwrap_or_else(|| {
            for (byte, found) in spare.iter_mut().zip(ahead) {
                *byte = *found;
            }
            spare
        })
    }

    /// What follows so many bytes.
    #[inline]
    fn behind(ahead: &[u8], bytes: usize) -> &[u8] {
        ahead.get(bytes..).unwrap_or_default()
    }

    /// A bit for each byte that begins a character.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn begins(bytes: __m128i) -> u32 {
        _mm_movemask_epi8(_mm_cmpgt_epi8(bytes, _mm_set1_epi8(CONTINUES))).cast_unsigned()
    }

    /// So many bits, of 32.
    #[inline]
    fn first(bits: usize) -> u32 {
        let missing = u32::try_from(32_usize.saturating_sub(bits)).unwrap_or(32);
        u32::MAX.checked_shr(missing).unwrap_or(0)
    }

    #[inline]
    fn count(bits: u32) -> usize {
        usize::try_from(bits.count_ones()).unwrap_or(0)
    }

    /// Which of eight places have their bits set: the first bytes say, in order; what follows is any of the eight.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn places(bits: u32) -> __m128i {
        let index = usize::try_from(bits & 0xFF).unwrap_or(0);
        let places = PLACES.get(index).copied().unwrap_or_default();
        _mm_cvtsi64_si128(i64::from_le_bytes(places))
    }

    /// The same where a place is two bytes wide.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn places_of_two(bits: u32) -> __m128i {
        let places = places(bits);
        let twice = _mm_add_epi8(places, places);
        // The second byte of each is the one after its first.
        _mm_add_epi8(_mm_unpacklo_epi8(twice, twice), _mm_set1_epi16(0x0100))
    }

    static PLACES: [[u8; 8]; 256] = {
        let (mut all, mut bits) = ([[0; 8]; 256], 0_u8);
        let mut rest = all.as_mut_slice();
        while let [places, others @ ..] = rest {
            let (mut left, mut unset) = (bits, places.as_mut_slice());
            while let [place, others @ ..] = unset {
                if left == 0 {
                    break;
                }
                [*place, ..] = left.trailing_zeros().to_le_bytes();
                left &= left.wrapping_sub(1);
                unset = others;
            }
            bits = bits.wrapping_add(1);
            rest = others;
        }
        all
    };

    /// Units, of which so many are written.
    struct Room<'u, U> {
        units: &'u mut [MaybeUninit<U>],
        written: usize,
    }

    impl<U: Copy> Room<'_, U> {
        /// Writes `count` units, where more may be written, or only those that there is room for.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn put<const N: usize>(&mut self, count: usize, store: impl Fn(&mut [MaybeUninit<U>; N])) {
            let free = self.units.get_mut(self.written..).unwrap_or_default();
            let fit = if let Some(places) = free.first_chunk_mut::<N>() {
                store(places);
                count
            } else {
                let mut places = [MaybeUninit::uninit(); N];
                store(&mut places);
                let fit = count.min(free.len());
                for (place, unit) in free.iter_mut().zip(places).take(fit) {
                    *place = unit;
                }
                fit
            };
            self.written = self.written.wrapping_add(fit);
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written<U: Copy>(room: usize, write: impl FnOnce(&mut [MaybeUninit<U>]) -> usize) -> Vec<U> {
        let mut units = vec![MaybeUninit::uninit(); room];
        let written = write(&mut units);
        // SAFETY: so many have been written.
        #[expect(unsafe_code, reason = "a test")]
        units.into_iter().take(written).map(|unit| unsafe { unit.assume_init() }).collect()
    }

    fn judge(whole: &str, range: Range<usize>) -> Result<(), TestCaseError> {
        let text = &whole[range.clone()];
        let part = Part::of(whole, range);
        let (count, width) = part.measure();
        prop_assert_eq!((count, width), part.measure_slowly());
        prop_assert_eq!(count, text.chars().count());
        let characters: Vec<u32> = text.chars().map(u32::from).collect();
        let most = characters.iter().copied().max().unwrap_or(0);
        prop_assert_eq!(width == Width::Ascii, most < 0x80);
        prop_assert_eq!(width == Width::Byte, (0x80..0x100).contains(&most));
        prop_assert_eq!(width == Width::Half, (0x100..0x1_0000).contains(&most));
        // With room to spare, as a `str` has it, and with too little.
        for room in [count + 40, count, count / 2] {
            let expected = &characters[..count.min(room)];
            prop_assert_eq!(&written(room, |units| part.write_words(units)), expected);
            prop_assert_eq!(&written(room, |units| part.write_slowly(units, |c| c)), expected);
            if most < 0x1_0000 {
                let halves = written(room, |units| part.write_halves(units));
                prop_assert_eq!(halves.into_iter().map(u32::from).collect::<Vec<_>>(), expected);
            }
            if most < 0x100 {
                let bytes = written(room, |units| part.write_bytes(units));
                prop_assert_eq!(bytes.into_iter().map(u32::from).collect::<Vec<_>>(), expected);
            }
        }
        Ok(())
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ -~]{0,100}",
            "[a-z\u{80}-\u{ff}]{0,100}",
            "[ a-cа-яЁ\u{7ff}]{0,100}",
            "[ é日本\u{800}\u{d7ff}\u{e000}\u{ffff}]{0,80}",
            "[ aé日😀\u{10000}\u{10ffff}]{0,80}",
            "\\PC{0,50}",
        ]
    }

    proptest! {
        #[test]
        fn units_are_characters(text in texts(), before in texts(), after in texts()) {
            let range = before.len()..before.len() + text.len();
            judge(&format!("{before}{text}{after}"), range.clone())?;
            judge(&format!("{before}{text}"), range)?;
        }
    }

    #[test]
    fn every_character_is_written() {
        for character in '\u{80}'..=char::MAX {
            let mut bytes = [0; 4];
            let text = character.encode_utf8(&mut bytes);
            let part = Part::of(text, 0..text.len());
            let code = u32::from(character);
            assert_eq!(part.measure().0, 1);
            assert_eq!(written(1, |units| part.write_words(units)), [code]);
            if let Ok(half) = u16::try_from(code) {
                assert_eq!(written(1, |units| part.write_halves(units)), [half]);
            }
            if let Ok(byte) = u8::try_from(code) {
                assert_eq!(written(1, |units| part.write_bytes(units)), [byte]);
            }
        }
    }
}
