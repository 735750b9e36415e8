//! How far the scan is, for a person who waits for it.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const EVERY: Duration = Duration::from_millis(100);

/// Bytes are those of the files as they lie there, which is what is known beforehand.
const FORM: &str = "{bar:30} {percent}%  {bytes} of {total_bytes}, {msg} files  {bytes_per_sec}  {eta} left";

/// How far it is. The totals may grow while a listing goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct HowFar {
    pub(super) bytes: u64,
    pub(super) total_bytes: u64,
    pub(super) files: u64,
    pub(super) total_files: u64,
}

/// Does the work, and shows on standard error how far it is if that is a terminal.
pub(super) fn shown<T>(how_far: impl Fn() -> HowFar + Send, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let style = ProgressStyle::with_template(FORM).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(how_far().total_bytes).with_style(style);
    let (done, is_done) = mpsc::channel::<()>();
    let bar_shown = bar.clone();
    let show = move || {
        let HowFar { bytes, total_bytes, files, total_files } = how_far();
        bar_shown.set_length(total_bytes);
        bar_shown.set_position(bytes);
        bar_shown.set_message(format!("{files} of {total_files}"));
    };
    let watch = move || {
        show();
        while is_done.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            show();
        }
    };
    let result = thread::scope(|scope| {
        let _watching = scope.spawn(watch);
        let result = work();
        drop(done);
        result
    });
    bar.finish_and_clear();
    result
}
