//! Where a JSON object ends and what event it names, 64 bytes at a time.
//!
//! Only quotes, backslashes and braces are looked at, as in the first stage of simdjson (Langdale and Lemire, "Parsing
//! Gigabytes of JSON per Second"). On valid JSON this is exact. Whether it is valid JSON is not examined.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};

/// The extent of an object, and what was seen in it. The three flags may be due to bytes behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object {
    /// How many bytes, from `{` to `}`.
    pub(crate) len: usize,
    /// Where [`KEY`] is a key of the object itself, not of one within it.
    pub(crate) name: Name,
    /// There may be bytes that are not ASCII.
    pub(crate) wide: bool,
    /// There may be a `\u`: a letter spelled by its number.
    pub(crate) spells: bool,
    /// There may be line feeds.
    pub(crate) lines: bool,
}

/// Where [`KEY`] stands, spelled without escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Nowhere,
    /// Once, and this is behind it.
    Before(usize),
    Often,
}

/// The key of a record's operation, with its quotes.
const KEY: &[u8; 11] = br#""eventName""#;
/// The capital letter in it, which is rare elsewhere.
const CAPITAL: (usize, u8) = (6, b'N');

/// So many bytes are looked at in one go,
const BLOCK: usize = 64;
/// and a letter of a key that begins in them may be so many bytes behind.
const WINDOW: usize = BLOCK + CAPITAL.0;

/// The object that `text` begins with; `None` if it does not end in `text`.
pub(crate) fn object(text: &[u8]) -> Option<Object> {
    find_end(Level::new(), text, 0)
}

/// What is left of an object in which `text` begins, outside its keys and values.
pub(crate) fn rest_of_object(text: &[u8]) -> Option<Object> {
    find_end(Level::new(), text, 1)
}

/// The end of an object of which so many braces are open. `level` is what the processor can do.
fn find_end(level: Level, text: &[u8], open: u32) -> Option<Object> {
    dispatch!(level, simd => go_through(simd, text, open))
}

#[expect(clippy::inline_always, reason = "to be compiled for the processor's instructions, as `dispatch!` asks")]
#[inline(always)]
fn go_through<S: Simd>(simd: S, text: &[u8], depth: u32) -> Option<Object> {
    let mut state = State {
        text,
        passed: 0,
        depth,
        in_string: 0,
        escaping: 0,
        name: Name::Nowhere,
        spells: false,
        all: u8x64::splat(simd, 0),
        least: u8x64::splat(simd, u8::MAX),
    };
    while let Some(window) = text.get(state.passed..).and_then(<[u8]>::first_chunk) {
        if let Some(len) = state.end_in(simd, window) {
            return Some(state.object(simd, len));
        }
    }
    // What is left is less than a window, but it may be more than a block.
    let mut padded = [b' '; 2 * WINDOW];
    let left = text.get(state.passed..)?;
    padded.get_mut(..left.len())?.copy_from_slice(left);
    let (blocks, mut window) = (left.len().div_ceil(BLOCK), &padded[..]);
    for _ in 0..blocks {
        if let Some(len) = state.end_in(simd, window.first_chunk()?) {
            return Some(state.object(simd, len));
        }
        window = window.get(BLOCK..)?;
    }
    None
}

struct State<'t, S: Simd> {
    text: &'t [u8],
    /// How many bytes of the text are behind us.
    passed: usize,
    /// How many braces are open.
    depth: u32,
    /// All ones if the block before ended in a string.
    in_string: u64,
    /// 1 if the first byte of the next block is escaped.
    escaping: u64,
    name: Name,
    spells: bool,
    /// All bytes, or-ed.
    all: u8x64<S>,
    /// The least bytes.
    least: u8x64<S>,
}

impl<S: Simd> State<'_, S> {
    /// The length of the object, if it ends in the block that the window begins with.
    #[expect(clippy::needless_bitwise_bool, reason = "two branches would be two guesses")]
    #[expect(clippy::inline_always, reason = "to be compiled for the processor's instructions, as `dispatch!` asks")]
    #[inline(always)]
    fn end_in(&mut self, simd: S, window: &[u8; WINDOW]) -> Option<usize> {
        let bytes = u8x64::from_slice(simd, window.first_chunk::<BLOCK>()?);
        let capitals = u8x64::from_slice(simd, window.last_chunk::<BLOCK>()?).simd_eq(u8x64::splat(simd, CAPITAL.1));
        let places = |byte: u8| bytes.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        self.all |= bytes;
        self.least = self.least.min(bytes);
        let quotes = self.unescaped(places(b'"'), places(b'\\'), || places(b'u'));
        let in_string = parity(simd, quotes) ^ self.in_string;
        self.in_string = 0_u64.wrapping_sub(in_string >> 63);
        let (opened, closed) = (places(b'{') & !in_string, places(b'}') & !in_string);
        let may_be_key = quotes & capitals.to_bitmask();
        let may_end = self.depth <= closed.count_ones();
        // Most blocks have neither, and a wrong guess of the processor's costs as much as all the rest.
        if may_end | (may_be_key != 0) {
            let end = self.end(opened, closed);
            let begin = may_be_key & in_string & end.map_or(u64::MAX, below);
            if begin != 0 {
                self.name = self.name.and(keys(self.text, self.passed, begin, self.depth, opened, closed));
            }
            if let Some(end) = end {
                return Some(self.passed + end as usize + 1);
            }
        }
        self.depth = self.depth + opened.count_ones() - closed.count_ones();
        self.passed += BLOCK;
        None
    }

    /// The place of the brace that closes the last open one.
    #[expect(clippy::inline_always, reason = "to be compiled for the processor's instructions, as `dispatch!` asks")]
    #[inline(always)]
    fn end(&self, opened: u64, closed: u64) -> Option<u32> {
        let (mut left, mut closings) = (closed, 0);
        while left != 0 {
            let place = left.trailing_zeros();
            closings += 1;
            if self.depth + (opened & below(place)).count_ones() <= closings {
                return Some(place);
            }
            left &= left - 1;
        }
        None
    }

    /// The quotes that begin or end a string.
    #[inline(always)]
    fn unescaped(&mut self, quotes: u64, backslashes: u64, spelling: impl FnOnce() -> u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes | self.escaping == 0 {
            return quotes;
        }
        // What follows an odd number of backslashes is escaped. Adding the beginning of a run to it carries to its end, and
        // whether the end is at an even place tells, with the beginning's, whether the run's length is.
        let backslashes = backslashes & !self.escaping;
        let follows = (backslashes << 1) | self.escaping;
        self.spells |= follows & spelling() != 0;
        let odd_beginnings = backslashes & !EVEN & !follows;
        let (ends, carried) = odd_beginnings.overflowing_add(backslashes);
        self.escaping = u64::from(carried);
        quotes & !((EVEN ^ (ends << 1)) & follows)
    }

    fn object(&self, simd: S, len: usize) -> Object {
        Object {
            len,
            name: self.name,
            wide: self.all.simd_ge(u8x64::splat(simd, 0x80)).any_true(),
            spells: self.spells,
            lines: self.least.simd_le(u8x64::splat(simd, b'\n')).any_true(),
        }
    }
}

impl Name {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nowhere, one) | (one, Self::Nowhere) => one,
            _ => Self::Often,
        }
    }
}

/// The object's own among the strings that begin at these places.
#[inline(never)]
fn keys(text: &[u8], passed: usize, mut begin: u64, depth: u32, opened: u64, closed: u64) -> Name {
    let mut found = Name::Nowhere;
    while begin != 0 {
        let place = begin.trailing_zeros();
        begin &= begin - 1;
        let before = below(place);
        let mut depth = depth;
        // Most keys have no brace before them in their block.
        if (opened | closed) & before != 0 {
            depth = depth + (opened & before).count_ones() - (closed & before).count_ones();
        }
        let key = text.get(passed + place as usize..).filter(|_| depth == 1).and_then(|text| text.strip_prefix(KEY));
        if key.is_some_and(|rest| rest.trim_ascii_start().starts_with(b":")) {
            found = found.and(Name::Before(passed + place as usize + KEY.len()));
        }
    }
    found
}

/// The places before this one.
fn below(place: u32) -> u64 {
    (1 << place) - 1
}

/// Each bit is whether the number of ones up to and with it is odd.
#[expect(clippy::inline_always, reason = "to be compiled for the processor's instructions, as `dispatch!` asks")]
#[inline(always)]
fn parity<S: Simd>(simd: S, bits: u64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if let Level::Avx512(avx512) = simd.level() {
        return times_ones(avx512, bits);
    }
    sum_up(bits)
}

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    /// Without carries, to multiply by ones is to add each bit to all above it.
    #[inline]
    fn times_ones(avx512: Avx512, bits: u64) -> u64 {
        use std::arch::x86_64::{_mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8};
        let product = _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(bits.cast_signed()), _mm_set1_epi8(-1));
        _mm_cvtsi128_si64(product).cast_unsigned()
    }
);

fn sum_up(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte.
    fn slowly(text: &[u8], mut depth: u32) -> Option<(usize, Name, bool)> {
        let (mut string, mut backslash, mut name, mut spells) = (None, false, Name::Nowhere, false);
        for (at, byte) in text.iter().enumerate() {
            let escaped = std::mem::take(&mut backslash);
            spells |= escaped && *byte == b'u';
            match (byte, string) {
                // Outside strings, where there should be no backslashes, they are taken to do the same to what they can.
                (b'"' | b'\\', _) if escaped => {}
                (b'\\', _) => backslash = true,
                (b'"', None) => string = Some(at),
                (b'"', Some(begin)) => {
                    string = None;
                    let is_key = text[at + 1..].trim_ascii_start().starts_with(b":");
                    if depth == 1 && is_key && &text[begin..=at] == KEY {
                        name = name.and(Name::Before(at + 1));
                    }
                }
                (b'{', None) => depth += 1,
                (b'}', None) if depth <= 1 => return Some((at + 1, name, spells)),
                (b'}', None) => depth -= 1,
                _ => {}
            }
        }
        None
    }

    fn levels() -> Vec<Level> {
        let mut levels = vec![Level::new(), Level::baseline()];
        #[cfg(target_arch = "x86_64")]
        levels.extend(Level::new().as_avx2().map(Level::Avx2));
        levels
    }

    fn text() -> impl Strategy<Value = String> {
        let token = prop::sample::select(vec![
            "{",
            "}",
            "\"",
            "\\",
            ":",
            ",",
            " ",
            "\n",
            "N",
            "é",
            "\"eventName\"",
            "\"eventName\" :",
            "\"a\":{\"b\":",
            "\\\"",
            "\\u",
            "{\"eventName\":\"X\"",
            "\"a string of some length, with \\\\ and } in it\"",
        ]);
        prop::collection::vec(token, 0..120).prop_map(|tokens| "{".to_owned() + &tokens.concat())
    }

    proptest! {
        #[test]
        fn whatever_follows_a_brace_ends_where_byte_by_byte_it_does(text in text(), open in 0_u32..2) {
            for level in levels() {
                let text = text.as_bytes();
                let (found, slowly) = (find_end(level, text, open), slowly(text, open));
                prop_assert_eq!(found.map(|object| (object.len, object.name)), slowly.map(|(len, name, _)| (len, name)));
                let (Some(object), Some((_, _, spells))) = (found, slowly) else { continue };
                let own = &text[..object.len];
                prop_assert!(object.wide || own.is_ascii());
                prop_assert!(object.spells || !spells);
                prop_assert!(object.lines || !own.contains(&b'\n'));
            }
        }
    }

    #[test]
    fn plain_text_is_seen_to_be_plain() {
        let text = format!(r#"{{"a":"{}\""}}"#, "u".repeat(200));
        for level in levels() {
            let object = find_end(level, text.as_bytes(), 0).unwrap();
            assert_eq!((object.wide, object.spells, object.lines), (false, false, false));
        }
    }
}
