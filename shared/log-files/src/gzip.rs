//! gzip: small files in one go, others as a stream.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{Crc, Decompressor};
use memchr::memmem;

/// The first bytes of a gzip member: two of magic, and deflate, the only method there is (RFC 1952).
pub(crate) const MAGIC: &[u8] = b"\x1f\x8b\x08";

/// Logs inflate to some ten times their size, and deflate cannot do more than 1032.
pub(crate) const MAX_RATIO: u64 = 250;

/// What is inflated in one go has at most this size, and needs it in memory.
const MAX_WHOLE: usize = 32 << 20;

/// Inflates gzip data that are one whole member into `out` and gives the length, or `None` if they are not, or are too
/// large, or anything is wrong: [`Members`] will tell what.
pub(crate) fn inflate(gzip: &[u8], decompressor: &mut Decompressor, out: &mut Vec<u8>) -> Option<usize> {
    let (_, last) = gzip.split_last_chunk()?;
    let len = usize::try_from(u32::from_le_bytes(*last)).ok()?;
    if len > MAX_WHOLE || len as u64 > MAX_RATIO * gzip.len() as u64 || may_have_more_members(gzip, *last) {
        return None;
    }
    if out.len() < len {
        out.resize(len, 0);
    }
    // It does not tell whether there was more behind the member, but then the last bytes would not be its length, unless
    // those of another member are.
    decompressor.gzip_decompress(gzip, out.get_mut(..len)?).ok().filter(|inflated| *inflated == len)
}

/// Whether there may be another member of this length, too: its length, perhaps some padding, and the magic.
fn may_have_more_members(gzip: &[u8], len: [u8; 4]) -> bool {
    let rest = gzip.get(MAGIC.len()..).unwrap_or_default();
    memmem::find_iter(rest, MAGIC).any(|at| unpadded(rest.get(..at).unwrap_or_default()).ends_with(unpadded(&len)))
}

fn unpadded(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

/// Why gzip data cannot be read.
#[derive(Debug)]
pub(crate) enum GzipError {
    /// They end too early.
    Truncated,
    /// They cannot be inflated.
    Damaged,
    /// The length or the checksum of a member is wrong.
    Checksum,
    /// Something else follows.
    Trailing,
    /// The source cannot be read.
    Read(io::Error),
}

impl From<io::Error> for GzipError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Truncated } else { Self::Read(error) }
    }
}

/// The text of a gzip file, which may have several members (RFC 1952). What comes before a mistake is given.
pub(crate) struct Members<R> {
    source: R,
    inflate: Decompress,
    crc: Crc,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    FirstHeader,
    Header,
    Data,
    DamagedData,
    Trailer,
}

impl<R: BufRead> Members<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, inflate: Decompress::new(false), crc: Crc::new(), next: Next::FirstHeader }
    }

    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// The next bytes of text, as many as fit into `out` at most, which is not empty; none at the end.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize, GzipError> {
        loop {
            match self.next {
                Next::FirstHeader | Next::Header => {
                    if !self.header()? {
                        return Ok(0);
                    }
                }
                Next::Data => {
                    let inflated = self.data(out)?;
                    if inflated > 0 {
                        return Ok(inflated);
                    }
                }
                Next::DamagedData => return Err(GzipError::Damaged),
                Next::Trailer => self.trailer()?,
            }
        }
    }

    /// Whether there is another member.
    fn header(&mut self) -> Result<bool, GzipError> {
        // Tapes are padded with zeros, and gzip(1) passes over them.
        while let Some(0) = self.source.fill_buf()?.first() {
            self.source.consume(1);
        }
        let wrong = if self.next == Next::FirstHeader { GzipError::Damaged } else { GzipError::Trailing };
        match self.source.fill_buf()?.first() {
            None => return Ok(false),
            Some(byte) if !MAGIC.starts_with(&[*byte]) => return Err(wrong),
            Some(_) => {}
        }
        let mut header = [0; 10];
        self.source.read_exact(&mut header)?;
        let [a, b, method, flags, ..] = header;
        if [a, b, method] != MAGIC || flags & 0xe0 != 0 {
            return Err(wrong);
        }
        if flags & 0b100 != 0 {
            let mut len = [0; 2];
            self.source.read_exact(&mut len)?;
            self.skip(usize::from(u16::from_le_bytes(len)))?;
        }
        for name_or_comment in [0b1000, 0b1_0000] {
            if flags & name_or_comment != 0 {
                self.source.skip_until(0)?;
            }
        }
        if flags & 0b10 != 0 {
            self.skip(2)?;
        }
        self.inflate.reset(false);
        self.crc = Crc::new();
        self.next = Next::Data;
        Ok(true)
    }

    fn data(&mut self, out: &mut [u8]) -> Result<usize, GzipError> {
        let input = self.source.fill_buf()?;
        if input.is_empty() {
            return Err(GzipError::Truncated);
        }
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, out, FlushDecompress::None);
        let count = |before, after: u64| usize::try_from(after - before).unwrap_or_default();
        let taken = count(before_in, self.inflate.total_in());
        self.source.consume(taken);
        let inflated = count(before_out, self.inflate.total_out());
        self.crc.update(out.get(..inflated).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) => self.next = Next::Trailer,
            Ok(_) if taken + inflated > 0 => {}
            _ => self.next = Next::DamagedData,
        }
        Ok(inflated)
    }

    fn trailer(&mut self) -> Result<(), GzipError> {
        let mut trailer = [0; 8];
        self.source.read_exact(&mut trailer)?;
        self.next = Next::Header;
        // Both modulo 2^32.
        let expected = self.inflate.total_out() << 32 | u64::from(self.crc.sum());
        if u64::from_le_bytes(trailer) == expected { Ok(()) } else { Err(GzipError::Checksum) }
    }

    fn skip(&mut self, len: usize) -> Result<(), GzipError> {
        let skipped = io::copy(&mut (&mut self.source).take(len as u64), &mut io::sink())?;
        if skipped == len as u64 { Ok(()) } else { Err(GzipError::Truncated) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::*;

    const TEXT: &[u8] = b"a text that is long enough, a text that is long enough";

    /// With everything that a header may have.
    fn member() -> Vec<u8> {
        let header = GzBuilder::new().filename("a.json").comment("hello").extra(vec![7; 300]).mtime(1);
        let mut gzip = header.write(Vec::new(), Compression::best());
        gzip.write_all(TEXT).unwrap();
        gzip.finish().unwrap()
    }

    /// With a checksum of its header, which hardly anybody writes and nobody here compares.
    fn member_with_checked_header() -> Vec<u8> {
        let mut member = member();
        member[3] |= 0b10;
        let behind = 10 + 2 + 300 + "a.json\0hello\0".len();
        member.splice(behind..behind, [1, 2]);
        member
    }

    fn stream(gzip: &[u8]) -> (Vec<u8>, Result<usize, GzipError>) {
        let (mut members, mut text, mut out) = (Members::new(gzip), Vec::new(), [0; 7]);
        loop {
            match members.read(&mut out) {
                Ok(len) if len > 0 => text.extend(&out[..len]),
                end => return (text, end),
            }
        }
    }

    fn whole(gzip: &[u8]) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let len = inflate(gzip, &mut Decompressor::new(), &mut text)?;
        text.truncate(len);
        Some(text)
    }

    #[test]
    fn any_header_is_read() {
        for gzip in [member(), member_with_checked_header()] {
            assert_eq!(whole(&gzip).unwrap(), TEXT);
            let (text, end) = stream(&gzip);
            assert_eq!((text.as_slice(), end.unwrap()), (TEXT, 0));
        }
    }

    #[test]
    fn only_one_member_is_inflated_in_one_go() {
        let two = [member(), member()].concat();
        assert_eq!(whole(&two), None);
        assert_eq!(stream(&two).0, [TEXT, TEXT].concat());
        let far = [member(), vec![0; 512], member()].concat();
        assert_eq!(whole(&far), None);
        assert_eq!(stream(&far).0, [TEXT, TEXT].concat());
        let padded = [member(), vec![0; 3]].concat();
        assert_eq!(whole(&padded), None);
        assert_eq!(stream(&padded).0, TEXT);
    }

    #[test]
    fn what_looks_like_the_beginning_of_a_member_is_none() {
        let text = [MAGIC, &[0; 20], MAGIC, b"\0"].concat();
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::none());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(memmem::find_iter(&gzip, MAGIC).count(), 3);
        assert_eq!(whole(&gzip).unwrap(), text);
    }

    #[test]
    fn what_is_wrong_is_told_behind_what_can_be_read() {
        let member = member();
        let error = |gzip: &[u8]| {
            assert_eq!(whole(gzip), None);
            let (text, end) = stream(gzip);
            (text.len(), end.unwrap_err())
        };
        let changed = |from_end: usize| {
            let mut gzip = member.clone();
            let place = gzip.len() - from_end;
            gzip[place] ^= 1;
            gzip
        };
        for len in [11, 200, 320, member.len() - 9, member.len() - 1] {
            assert!(matches!(error(&member[..len]), (_, GzipError::Truncated)), "{len}");
        }
        assert!(matches!(error(&changed(1)), (54, GzipError::Checksum)));
        assert!(matches!(error(&changed(8)), (54, GzipError::Checksum)));
        assert!(matches!(error(&[&member, &b"x"[..]].concat()), (54, GzipError::Trailing)));
        let mut reserved = member.clone();
        reserved[3] |= 0x80;
        assert!(matches!(error(&reserved), (0, GzipError::Damaged)));
        let mut damaged = member.clone();
        // A kind of block that there is not.
        damaged[10 + 2 + 300 + "a.json\0hello\0".len()] = 0xff;
        assert!(matches!(error(&damaged), (0, GzipError::Damaged)));
    }
}
