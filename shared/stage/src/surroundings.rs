//! What the stage takes from the environment it runs in: the one place that reads it.
//!
//! `std::env::var` is for `lambda::Settings` alone, because a setting must be typed and named. These
//! are no settings of ours: they say where the user's caches and toolchain are.

use std::env::var_os;
use std::ffi::OsString;
use std::path::PathBuf;

/// The user's cache folder, as the XDG base directories have it.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    var_os("XDG_CACHE_HOME").and_then(absolute).or_else(|| Some(PathBuf::from(var_os("HOME")?).join(".cache")))
}

/// Cargo itself says in `CARGO` which cargo runs us; otherwise the one in `PATH` is meant.
pub(crate) fn cargo() -> OsString {
    var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
