//! One file after the other.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::mem;
use std::sync::Arc;

use libdeflater::Decompressor;

use crate::blocks::{Block, Blocks};
use crate::gzip::{MAGIC, inflate};
use crate::inputs::Input;
use crate::problem::Problem;
use crate::queue::{Queue, Work};
use crate::reader::Reader;
use crate::report::{Report, Sink};
use crate::totals::{Progress, Totals};
use crate::walk::{BYTE_ORDER_MARK, Ending, Walker};

/// Up to this size a file is held in memory as it is stored.
const MAX_HELD: u64 = 8 << 20;

/// What is read of a larger file at once.
const PORTION: usize = 256 << 10;

/// Memory to use again for the next file.
#[derive(Default)]
pub struct Scratch {
    decompressor: Option<Decompressor>,
    compressed: Vec<u8>,
    text: Vec<u8>,
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// Reads files.
pub(crate) struct Worker<'a> {
    pub(crate) reader: Reader<'a>,
    /// Shared with other workers, if there are any.
    pub(crate) queue: Option<&'a Queue<'a>>,
    pub(crate) progress: &'a Progress,
    pub(crate) scratch: &'a mut Scratch,
    pub(crate) sink: &'a mut dyn Sink,
    pub(crate) totals: &'a mut Totals,
}

impl Worker<'_> {
    /// Does what there is to do, until all is done.
    pub(crate) fn run(&mut self) {
        let Some(queue) = self.queue else { return };
        while let Some(work) = queue.take() {
            match work {
                Work::Block(file, block) => {
                    self.block(&file, &block);
                    queue.give_back(block);
                }
                Work::File(input, _reading) => {
                    let before = self.totals.compressed;
                    self.file(input);
                    // Of what cannot be read to its end, the rest is done as well.
                    self.progress.add_bytes(input.bytes.saturating_sub(self.totals.compressed - before));
                    self.progress.add_file();
                }
            }
        }
    }

    fn file(&mut self, input: &Input) {
        let path = input.path();
        let file: Arc<str> = path.to_string_lossy().into();
        let opened = match File::open(&path) {
            Ok(opened) => opened,
            Err(source) => {
                self.totals.files += 1;
                self.report(&file).problem(Problem::Open { file, source });
                return;
            }
        };
        let mut held = mem::take(&mut self.scratch.compressed);
        held.clear();
        match (&opened).take(MAX_HELD + 1).read_to_end(&mut held) {
            Ok(_) if held.len() as u64 <= MAX_HELD => self.bytes(&file, &held),
            Ok(_) => {
                let gzip = held.starts_with(MAGIC);
                self.stream(&file, held.chain(BufReader::with_capacity(PORTION, opened)), gzip);
            }
            Err(source) => {
                self.totals.files += 1;
                self.report(&file).problem(Problem::Read { file, source });
            }
        }
        self.scratch.compressed = held;
    }

    /// Reads a file that is in memory.
    pub(crate) fn bytes(&mut self, file: &Arc<str>, bytes: &[u8]) {
        if bytes.starts_with(MAGIC) {
            let mut text = mem::take(&mut self.scratch.text);
            let decompressor = self.scratch.decompressor.get_or_insert_with(Decompressor::new);
            match inflate(bytes, decompressor, &mut text) {
                Some(len) => self.whole(file, bytes.len(), text.get(..len).unwrap_or_default()),
                None => self.stream(file, bytes, true),
            }
            self.scratch.text = text;
        } else if !bytes.is_empty() && file.ends_with(".gz") && !seems_json(bytes) {
            self.totals.files += 1;
            self.count(bytes.len() as u64, bytes.len() as u64);
            self.report(file).problem(Problem::NotGzip { file: Arc::clone(file) });
        } else {
            self.whole(file, bytes.len(), bytes);
        }
    }

    fn whole(&mut self, file: &Arc<str>, stored: usize, text: &[u8]) {
        self.totals.files += 1;
        self.count(stored as u64, text.len() as u64);
        let (reader, mut walker, mut report) = (self.reader, Walker::new(text), self.report(file));
        reader.read(text, &mut walker, Ending::Whole, &mut report);
        if !walker.met_any() {
            report.problem(Problem::Empty { file: Arc::clone(file) });
        }
    }

    fn stream(&mut self, file: &Arc<str>, source: impl BufRead, gzip: bool) {
        self.totals.files += 1;
        let mut blocks = Blocks::new(Arc::clone(file), source, gzip);
        let (mut taken, mut spare) = (0, None);
        while let Some(block) = blocks.next(|| spare.take().or_else(|| self.queue?.spare())) {
            self.count(blocks.taken() - taken, block.text().len() as u64);
            taken = blocks.taken();
            let left = match self.queue {
                Some(queue) => queue.offer(file, block),
                None => Some(block),
            };
            if let Some(block) = left {
                self.block(file, &block);
                spare = block.into_spare();
            }
        }
        if let Some(problem) = blocks.problem() {
            self.report(file).problem(problem);
        }
    }

    fn block(&mut self, file: &Arc<str>, block: &Block) {
        let (reader, mut report) = (self.reader, self.report(file));
        reader.read(block.text(), &mut block.walker.clone(), block.ending, &mut report);
    }

    fn report(&mut self, file: &Arc<str>) -> Report<'_> {
        Report::new(Arc::clone(file), self.sink, self.totals)
    }

    fn count(&mut self, stored: u64, raw: u64) {
        self.totals.compressed += stored;
        self.totals.raw += raw;
        self.progress.add_bytes(stored);
    }
}

/// Some tools inflate what they download and leave its name as it is.
fn seems_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start();
    text.is_empty() || text.starts_with(b"{") || text.starts_with(b"[")
}
