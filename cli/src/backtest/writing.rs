//! Formats that are streams of bytes, to a file or to standard output.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ::backtest::Summary;
use serde::Serialize;

use super::told::Told;
use super::{html, ocsf};
use crate::output::Output;
use hostile_text::visible_json;

/// The last line of JSON.
#[derive(Serialize)]
struct Last<'a> {
    summary: &'a Summary,
}

/// Standard output. Nothing in the formats is left that a terminal would obey: each has seen to it.
struct Screen<'a>(&'a mut Output);

impl Write for Screen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.script(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one format.
pub(super) type Writer = fn(&Told, &mut dyn Write) -> io::Result<()>;

pub(super) fn to_file(told: &Told, writer: Writer, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writer(told, &mut file)?;
    file.flush()
}

pub(super) fn to_screen(told: &Told, writer: Writer, out: &mut Output) -> io::Result<()> {
    let mut screen = BufWriter::new(Screen(out));
    writer(told, &mut screen)?;
    screen.flush()
}

pub(super) fn json(told: &Told, to: &mut dyn Write) -> io::Result<()> {
    told.findings().try_for_each(|finding| object(&finding, to))?;
    object(&Last { summary: &told.report.summary }, to)
}

pub(super) fn ocsf(told: &Told, to: &mut dyn Write) -> io::Result<()> {
    told.findings().try_for_each(|finding| object(&ocsf::detection_finding(&finding, told.made), to))
}

pub(super) fn html(told: &Told, to: &mut dyn Write) -> io::Result<()> {
    to.write_all(html::page(told).as_bytes())
}

/// One object, on a line of its own.
pub(super) fn object(object: &impl Serialize, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{}", visible_json(&serde_json::to_string(object)?))
}
