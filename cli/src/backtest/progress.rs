//! How far the scan is, for a person who waits for it.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use log_files::{Inputs, Progress};

const EVERY: Duration = Duration::from_millis(100);

/// Bytes are those of the files as they lie there, which is what the inputs know beforehand.
const FORM: &str = "{bar:30} {percent}%  {bytes} of {total_bytes}, {msg} files  {bytes_per_sec}  {eta} left";

/// Does the work, and shows on standard error how far it is if that is a terminal.
pub(super) fn shown<T>(inputs: &Inputs, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::default();
    if !io::stderr().is_terminal() {
        return work(&progress);
    }
    let style = ProgressStyle::with_template(FORM).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(inputs.bytes()).with_style(style);
    let (done, is_done) = mpsc::channel::<()>();
    let show = || {
        bar.set_position(progress.bytes());
        bar.set_message(format!("{} of {}", progress.files(), inputs.files()));
    };
    let watch = move || {
        show();
        while is_done.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            show();
        }
    };
    let result = thread::scope(|scope| {
        let _watching = scope.spawn(watch);
        let result = work(&progress);
        drop(done);
        result
    });
    bar.finish_and_clear();
    result
}
