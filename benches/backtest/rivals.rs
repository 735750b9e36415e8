//! The programs that are measured: what each is, and how it counts the same.

use std::env::current_exe;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{BenchError, file};
use crate::measure::measure;
use crate::records::risky_names;

const REQUIREMENTS: &str = include_str!("requirements.txt");
const PYTHON: &str = include_str!("count.py");
const DUCKDB: &str = include_str!("count_duckdb.py");

pub(crate) const ENGINE: &str = "log-files";
pub(crate) const COMMAND: &str = "countermand backtest";
pub(crate) const FLOOR: &str = "libdeflate, inflate only";

/// A program.
#[derive(Debug)]
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    pub(crate) says: Says,
}

/// What a program prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// How often each name occurs.
    Names,
    /// The findings and a summary, as JSON.
    Findings,
    Nothing,
}

impl Rival {
    /// The command that works on `folder`.
    pub(crate) fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(folder);
        command
    }
}

/// All there are on this machine, the engine first, and the names of those that are not. `command` is a release build of
/// `countermand`; it judges what it finds, too, by the policies that ship.
pub(crate) fn rivals(command: Option<&Path>) -> Result<(Vec<Rival>, Vec<&'static str>), BenchError> {
    let own = current_exe().map_err(file("the benchmark"))?;
    let python = python()?;
    let names: Vec<&str> = risky_names().collect();
    let (quoted, alternatives) = (format!("\"{}\"", names.join("\",\"")), names.join("|"));
    let files = |each: &str| format!("find \"$0\" -name '*.json.gz' -print0 | xargs -0 -P2 -n 10 {each}");
    let shell = |script: String| vec!["-euc".to_owned(), script];
    let counted = "sort | uniq -c | awk '{print $2, $1}'";
    let rival = |name, program: &Path, arguments: Vec<String>, counts| Rival {
        name,
        program: program.to_owned(),
        arguments,
        says: if counts { Says::Names } else { Says::Nothing },
    };
    let sh = Path::new("sh");
    let all = [
        (rival(ENGINE, &own, vec!["count".into()], true), None),
        (rival(FLOOR, &own, vec!["inflate".into()], false), None),
        (rival("gzip -dc, 2 processes", sh, shell(files("gzip -dc") + " > /dev/null"), false), Some("gzip")),
        (
            rival("Python gzip + json, 2 processes", &python, vec!["-c".into(), PYTHON.into(), names.join(",")], true),
            None,
        ),
        (
            rival(
                "jq, 2 processes",
                sh,
                shell(
                    files(&format!(
                        "sh -c 'gzip -dc \"$@\" | jq -r \".Records[].eventName | select(IN({}))\" | sort' sh",
                        quoted.replace('"', "\\\"")
                    )) + " | "
                        + counted,
                ),
                true,
            ),
            Some("jq"),
        ),
        (rival("DuckDB read_json, 2 threads", &python, vec!["-c".into(), DUCKDB.into(), names.join(",")], true), None),
        (
            rival(
                "ripgrep -z, 2 threads",
                sh,
                shell(format!(
                    "rg -z -j2 --no-filename --only-matching --replace '$1' '\"eventName\":\"({alternatives})\"' \"$0\" | {counted}"
                )),
                true,
            ),
            Some("rg"),
        ),
    ];
    let (there, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, needs)| needs.is_none_or(is_there));
    let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");
    let whole = command.map(|program| Rival {
        name: COMMAND,
        program: program.to_owned(),
        arguments: ["--format", "json", "backtest", "--policies", policies].map(str::to_owned).to_vec(),
        says: Says::Findings,
    });
    let mut there: Vec<Rival> = there.into_iter().map(|(rival, _)| rival).collect();
    if let Some(whole) = whole {
        there.insert(1, whole);
    }
    Ok((there, missing.into_iter().map(|(rival, _)| rival.name).collect()))
}

fn is_there(program: &str) -> bool {
    let found = |folder: PathBuf| folder.join(program).is_file();
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(found))
}

/// A Python that has `duckdb`, made once for this version.
fn python() -> Result<PathBuf, BenchError> {
    let shelf = cache_folder().ok_or(BenchError::NoCacheFolder)?.join("countermand");
    fs::create_dir_all(&shelf).map_err(file(&shelf))?;
    let mut hasher = DefaultHasher::new();
    REQUIREMENTS.hash(&mut hasher);
    let environment = shelf.join(format!("bench-{:016x}", hasher.finish()));
    let (program, complete) = (environment.join("bin/python3"), environment.join("complete"));
    let lock = environment.with_extension("lock");
    let held = File::options().create(true).append(true).open(&lock).map_err(file(&lock))?;
    held.lock().map_err(file(&lock))?;
    if !complete.exists() {
        if environment.exists() {
            fs::remove_dir_all(&environment).map_err(file(&environment))?;
        }
        measure("making a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let wanted = environment.join("requirements.txt");
        fs::write(&wanted, REQUIREMENTS).map_err(file(&wanted))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        measure("installing DuckDB", Command::new(&program).args(install).arg(&wanted))?;
        fs::write(&complete, "").map_err(file(&complete))?;
    }
    Ok(program)
}

/// As the XDG base directories have it.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))
}
