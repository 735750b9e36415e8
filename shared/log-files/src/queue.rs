//! The work of a scan, shared out.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::blocks::Block;
use crate::inputs::Input;

/// Files of this size and more come first, the largest before the others: at the end they would keep one worker busy and
/// the others waiting.
const LARGE: u64 = 8 << 20;

/// What a worker can do next.
pub(crate) enum Work<'a> {
    /// Read a file. Until [`Reading`] is dropped, it may offer blocks.
    File(&'a Input, Reading<'a>),
    /// Look through a block of a file that another worker reads.
    Block(Arc<str>, Block),
}

/// Files to read, and blocks of those being read.
pub(crate) struct Queue<'a> {
    files: Vec<&'a Input>,
    /// So many blocks may wait. Whoever has more does them himself, which bounds the memory.
    capacity: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next_file: usize,
    being_read: usize,
    blocks: VecDeque<(Arc<str>, Block)>,
    spare: Vec<Vec<u8>>,
}

impl<'a> Queue<'a> {
    pub(crate) fn new(files: &'a [Input], workers: usize) -> Self {
        let mut files: Vec<&Input> = files.iter().collect();
        // Stable: the others keep their order.
        files.sort_by_key(|file| std::cmp::Reverse(if file.bytes >= LARGE { file.bytes } else { 0 }));
        let capacity = if workers > 1 { 2 * workers } else { 0 };
        Self { files, capacity, state: Mutex::default(), changed: Condvar::new() }
    }

    /// What to do next; waits while there may be more. `None` if all is done.
    pub(crate) fn take(&self) -> Option<Work<'_>> {
        let mut state = self.lock();
        loop {
            if let Some((file, block)) = state.blocks.pop_front() {
                return Some(Work::Block(file, block));
            }
            if let Some(file) = self.files.get(state.next_file) {
                state.next_file += 1;
                state.being_read += 1;
                return Some(Work::File(file, Reading(self)));
            }
            if state.being_read == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Leaves a block to whoever is free next, or gives it back if too many wait.
    pub(crate) fn offer(&self, file: &Arc<str>, block: Block) -> Option<Block> {
        let mut state = self.lock();
        if state.blocks.len() >= self.capacity {
            return Some(block);
        }
        state.blocks.push_back((Arc::clone(file), block));
        drop(state);
        self.changed.notify_one();
        None
    }

    /// Memory that [`Self::give_back`] got.
    pub(crate) fn spare(&self) -> Option<Vec<u8>> {
        self.lock().spare.pop()
    }

    /// Keeps a block's memory for another.
    pub(crate) fn give_back(&self, block: Block) {
        self.lock().spare.extend(block.into_spare());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file is being read: whoever is idle waits for its blocks.
pub(crate) struct Reading<'a>(&'a Queue<'a>);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.lock().being_read -= 1;
        self.0.changed.notify_all();
    }
}
