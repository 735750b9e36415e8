//! The Python environment an emulator runs in: made once, shared by every process of this user.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::software::Software;
use crate::error::StageError;
use crate::surroundings;

/// Holds the requirements an environment was made from. Written last, so that an installation
/// that broke off, or one for other versions, is made anew.
const MADE_FROM: &str = "made-from.txt";

/// The interpreter of an environment in which the software is installed.
pub(super) async fn python(software: &Software) -> Result<PathBuf, StageError> {
    let shelf = surroundings::cache_folder().ok_or(StageError::NoCacheFolder)?.join("countermand");
    let environment = shelf.join(name(software));
    let python = environment.join("bin").join("python3");

    fs::create_dir_all(&shelf).map_err(prepare(&shelf))?;
    let lock = environment.with_extension("lock");
    // Test processes start together; the first installs, the others wait for it here.
    let _held = hold(lock.clone()).await.map_err(prepare(&lock))?;
    if fs::read_to_string(environment.join(MADE_FROM)).is_ok_and(|made| made == software.requirements) {
        return Ok(python);
    }
    if environment.exists() {
        fs::remove_dir_all(&environment).map_err(prepare(&environment))?;
    }
    run("making a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&environment)).await?;
    let wanted = environment.join("requirements.txt");
    fs::write(&wanted, software.requirements).map_err(prepare(&wanted))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
    run("installing the emulator", Command::new(&python).args(install).arg(&wanted)).await?;
    let made = environment.join(MADE_FROM);
    fs::write(&made, software.requirements).map_err(prepare(&made))?;
    Ok(python)
}

/// One for each set of requirements: two checkouts that want different ones would take them from each other otherwise, in
/// the middle of their tests.
fn name(software: &Software) -> String {
    let mut hasher = DefaultHasher::new();
    software.requirements.hash(&mut hasher);
    format!("{}-{}-{:016x}", software.package, software.version(), hasher.finish())
}

/// Waits for the lock off the runtime's thread. The kernel releases it with the file, even if
/// this process is killed.
async fn hold(path: PathBuf) -> io::Result<File> {
    let waiting = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).append(true).open(path)?;
        file.lock()?;
        Ok(file)
    });
    waiting.await.unwrap_or_else(|cancelled| Err(io::Error::other(cancelled)))
}

async fn run(act: &'static str, command: &mut Command) -> Result<(), StageError> {
    let program = command.as_std().get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| StageError::Spawn { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(StageError::Step { act, status: output.status, output: String::from_utf8_lossy(&said).trim().to_owned() })
}

fn prepare(path: &Path) -> impl FnOnce(io::Error) -> StageError {
    let path = path.to_owned();
    |source| StageError::Prepare { path, source }
}
