//! What a cold start costs: the release binaries beside a boto3 handler that does less.
//!
//! ```sh
//! cargo bench -p benches --bench cold_start                          # builds the functions first, which takes minutes
//! BINARIES=path/to/folder cargo bench -p benches --bench cold_start  # measures binaries that are there
//! STARTS=50 cargo bench -p benches --bench cold_start                # more than the twenty processes of each row
//! ```
//!
//! Real processes, the Lambda Runtime API, and an AWS that answers at once: what is left is what the function costs. Four
//! tables: over HTTP and over TLS, on a whole core and on seven hundredths of one. In each, the programs take turns, some
//! processes one after the other, so that whatever else the machine does falls on all of them alike. A process of each
//! that is not counted goes before, so that what is measured comes from the page cache. Every event is a new incident and
//! must be answered with `contained`, and the account must show it.

mod account;
mod error;
mod figures;
mod http;
mod limit;
mod process;
mod programs;
mod runtime_api;
mod subject;
mod tls;

use std::env::var_os;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::account::Account;
use crate::error::{BenchError, file};
use crate::figures::Figures;
use crate::http::Server;
use crate::limit::Limiter;
use crate::process::{Conditions, measure};
use crate::subject::{Bundles, Subject, subjects};

/// So many processes make a row, unless `STARTS` says otherwise.
const STARTS: usize = 20;
const FURTHER_EVENTS: usize = 10;

/// What runs after boto3 finds the processor's caches full of it, which costs it a millisecond: that is to be the odd
/// process, and not each one of the program that happens to come next.
const IN_A_ROW: usize = 5;

fn main() -> ExitCode {
    let measured = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BenchError::Listen)
        .and_then(|runtime| runtime.block_on(run(&mut std::io::stdout().lock())));
    let Err(error) = measured else { return ExitCode::SUCCESS };
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    // Whoever cannot be told sees the exit code.
    writeln!(std::io::stderr(), "{text}").ok();
    ExitCode::FAILURE
}

async fn run(out: &mut impl Write) -> Result<(), BenchError> {
    let starts = starts()?;
    let root = root();
    let (binaries, origin) = programs::binaries(&root)?;
    let python = programs::python()?;
    let scratch = Scratch::new(&root)?;
    let (acceptor, authority) = tls::set_up()?;
    let bundles = Bundles { functions: scratch.0.join("functions.pem"), boto3: scratch.0.join("boto3.pem") };
    tls::bundle_of_functions(&bundles.functions, &authority)?;
    tls::bundle_of_boto3(&bundles.boto3, &python.roots, &authority)?;
    let subjects = subjects(&root, &binaries, &python.program, &bundles)?;

    let account = Account::default();
    let plain = serve(&account, None).await?;
    let secure = serve(&account, Some(acceptor)).await?;
    let limiter = Limiter::of_this_machine(&python.program).map_err(BenchError::Limit)?;

    let mut print = |text: String| writeln!(out, "{text}").and_then(|()| out.flush()).map_err(BenchError::Print);
    print(format!("machine    {}", machine()))?;
    print(format!("binaries   {}, {origin}", binaries.display()))?;
    for subject in &subjects {
        let size = fs::metadata(&subject.program).map_err(file(&subject.program))?.len();
        if subject.arguments.is_empty() {
            let tenths = (size + 50_000) / 100_000;
            print(format!("           {}: {}.{} MB", subject.name, tenths / 10, tenths % 10))?;
        }
    }
    print(format!("boto3      {}, {}", python.version, python.program.display()))?;
    print(format!("limited    {}", limiter.describe()))?;
    print(format!(
        "times      median / 95th percentile of {starts} processes with {FURTHER_EVENTS} further events each"
    ))?;

    let cores = [("a whole core", None), ("0.07 of a core", Some(&limiter))];
    for (core, limiter) in cores {
        for (wire, endpoint) in
            [("HTTP", format!("http://{}", plain.address)), ("TLS", format!("https://{}", secure.address))]
        {
            let load = load();
            let given = Conditions {
                account: &account,
                endpoint: &endpoint,
                limiter,
                scratch: &scratch.0,
                further_events: FURTHER_EVENTS,
            };
            let rows = table(&subjects, &given, starts).await?;
            print(format!("\nover {wire}, {core} (load before {load}, after {})", self::load()))?;
            for row in rows {
                let [name, poll, event, further, memory, calls] = row;
                print(format!("  {name:<20} {poll:>20} {event:>26} {further:>20} {memory:>12} {calls:>10}"))?;
            }
        }
    }
    Ok(())
}

/// A row for each program, below a head.
async fn table(subjects: &[Subject; 3], given: &Conditions<'_>, starts: usize) -> Result<Vec<[String; 6]>, BenchError> {
    let mut figures: [Figures; 3] = Default::default();
    for subject in subjects {
        measure(subject, given).await?;
    }
    for done in (0..starts).step_by(IN_A_ROW) {
        for (subject, figures) in subjects.iter().zip(&mut figures) {
            for _ in done..starts.min(done + IN_A_ROW) {
                figures.add(measure(subject, given).await?);
            }
        }
    }
    let rows = subjects.iter().zip(figures).map(|(subject, figures)| row(subject.name, figures.cells()));
    Ok(std::iter::once(row("", Figures::HEAD.map(str::to_owned))).chain(rows).collect())
}

fn row(name: &str, [poll, event, further, memory, calls]: [String; 5]) -> [String; 6] {
    [name.to_owned(), poll, event, further, memory, calls]
}

async fn serve(account: &Account, tls: Option<tokio_rustls::TlsAcceptor>) -> Result<Server, BenchError> {
    let account = account.clone();
    Server::start(tls, move |request| account.clone().answer(request)).await.map_err(BenchError::Listen)
}

fn starts() -> Result<usize, BenchError> {
    let name = "STARTS";
    let Some(given) = var_os(name) else { return Ok(STARTS) };
    let number = given.to_str().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    number.ok_or(BenchError::Setting { name, given })
}

/// The workspace.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

fn machine() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| {
        let line = info.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {}", model.as_deref().unwrap_or("an unknown make"))
}

/// The load average of the last minute: what else ran here, and we ourselves.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

/// A folder with the policies that permit acting, gone with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new(root: &Path) -> Result<Self, BenchError> {
        let scratch = Self(std::env::temp_dir().join(format!("countermand-bench-{}", std::process::id())));
        let policies = scratch.0.join("policies");
        fs::create_dir_all(&policies).map_err(file(&policies))?;
        for name in ["exempt.cedar", "examples/contain.cedar"] {
            let from = root.join("policies").join(name);
            let to = policies.join(name.rsplit('/').next().unwrap_or(name));
            fs::copy(&from, to).map_err(file(&from))?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is in the system's folder for such.
        fs::remove_dir_all(&self.0).ok();
    }
}
