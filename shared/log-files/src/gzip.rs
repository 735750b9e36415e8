//! gzip: small files in one go, others as a stream.

use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;
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
    let (_, last) = gzip.split_last_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*last)).ok()?;
    if len > MAX_WHOLE || len as u64 > MAX_RATIO * gzip.len() as u64 || may_have_more_members(gzip) {
        return None;
    }
    if out.len() < len {
        out.resize(len, 0);
    }
    // It does not tell whether there was more behind the member, but then these would not be its length.
    decompressor.gzip_decompress(gzip, out.get_mut(..len)?).ok().filter(|inflated| *inflated == len)
}

/// Whether another member may begin somewhere. One begins with the magic, and three bits of the next byte are zero, which
/// happens by chance once in 128 MiB.
fn may_have_more_members(gzip: &[u8]) -> bool {
    let rest = gzip.get(MAGIC.len()..).unwrap_or_default();
    memmem::find_iter(rest, MAGIC).any(|at| rest.get(at + MAGIC.len()).is_none_or(|flags| flags & 0xe0 == 0))
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
#[derive(Debug)]
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
        self.crc.reset();
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
        let expected = u64::from(self.crc.sum()) | u64::from(self.crc.amount()) << 32;
        if u64::from_le_bytes(trailer) == expected { Ok(()) } else { Err(GzipError::Checksum) }
    }

    fn skip(&mut self, len: usize) -> Result<(), GzipError> {
        let skipped = io::copy(&mut (&mut self.source).take(len as u64), &mut io::sink())?;
        if skipped == len as u64 { Ok(()) } else { Err(GzipError::Truncated) }
    }
}
