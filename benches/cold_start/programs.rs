//! The programs to measure: our release binaries, and boto3 in a Python environment of its own.

use std::env::var_os;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::{BenchError, file};
use crate::subject::{DISABLE_ACCESS_KEY, REVOKE_OPEN_INGRESS};

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The folder of the release binaries: that of `BINARIES`, or the one cargo builds them into, and which of the two.
pub(crate) fn binaries(root: &Path) -> Result<(PathBuf, &'static str), BenchError> {
    let (folder, origin) = match var_os("BINARIES").filter(|folder| !folder.is_empty()) {
        Some(folder) => (PathBuf::from(folder), "named by BINARIES"),
        None => (build(root)?, "built just now, as `cargo build --release` does"),
    };
    // Cargo runs us in our package's folder, not where the user stands.
    let folder = root.join(folder);
    for name in [REVOKE_OPEN_INGRESS, DISABLE_ACCESS_KEY] {
        if !folder.join(name).is_file() {
            return Err(BenchError::NoBinary { name, place: format!("in {}", folder.display()) });
        }
    }
    Ok((folder, origin))
}

/// Cargo says where it puts what it builds, so nothing has to be guessed about target folders.
fn build(root: &Path) -> Result<PathBuf, BenchError> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let mut cargo = Command::new(var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--workspace", "--features", "aws", "--bins"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(root)
        .stderr(Stdio::inherit());
    let messages = run("building the functions", &mut cargo)?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok()?.executable)
        .find(|executable| executable.file_name().is_some_and(|name| name == REVOKE_OPEN_INGRESS))
        .and_then(|executable| Some(executable.parent()?.to_owned()))
        .ok_or(BenchError::NoBinary { name: REVOKE_OPEN_INGRESS, place: "among what cargo built".to_owned() })
}

/// A Python that has boto3, made once for these versions.
#[derive(Debug)]
pub(crate) struct Python {
    pub(crate) program: PathBuf,
    /// Interpreter and boto3.
    pub(crate) version: String,
    /// The root certificates that come with botocore.
    pub(crate) roots: PathBuf,
}

pub(crate) fn python() -> Result<Python, BenchError> {
    let shelf = cache_folder().ok_or(BenchError::NoCacheFolder)?.join("countermand");
    fs::create_dir_all(&shelf).map_err(file(&shelf))?;
    let mut hasher = DefaultHasher::new();
    REQUIREMENTS.hash(&mut hasher);
    let environment = shelf.join(format!("bench-{:016x}", hasher.finish()));
    let program = environment.join("bin/python3");
    let complete = environment.join("complete");

    let lock = environment.with_extension("lock");
    let held = File::options().create(true).append(true).open(&lock).map_err(file(&lock))?;
    held.lock().map_err(file(&lock))?;
    if !complete.exists() {
        if environment.exists() {
            fs::remove_dir_all(&environment).map_err(file(&environment))?;
        }
        run("making a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let wanted = environment.join("requirements.txt");
        fs::write(&wanted, REQUIREMENTS).map_err(file(&wanted))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        run("installing boto3", Command::new(&program).args(install).arg(&wanted))?;
        fs::write(&complete, "").map_err(file(&complete))?;
    }
    let ask = "import platform, boto3, botocore; \
               print('Python', platform.python_version() + ', boto3', boto3.__version__); print(botocore.__path__[0])";
    let said = run("asking for boto3", Command::new(&program).args(["-c", ask]))?;
    let (version, package) = said.trim().split_once('\n').unwrap_or_default();
    Ok(Python { program, version: version.to_owned(), roots: Path::new(package).join("cacert.pem") })
}

/// As the XDG base directories have it.
fn cache_folder() -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    var_os("XDG_CACHE_HOME").and_then(absolute).or_else(|| Some(PathBuf::from(var_os("HOME")?).join(".cache")))
}

/// What the program printed.
fn run(act: &'static str, command: &mut Command) -> Result<String, BenchError> {
    let program = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().map_err(|source| BenchError::Spawn { program, source })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BenchError::Step { act, status: output.status, said });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
