//! What can go wrong while the stage is set.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why there is no stage to play on. Each variant names the act that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// Neither `XDG_CACHE_HOME` nor `HOME` is set.
    #[error("no place to keep the emulator: neither `XDG_CACHE_HOME` nor `HOME` is set")]
    NoCacheFolder,
    /// A file or folder of the emulator's installation.
    #[error("could not prepare `{}`", path.display())]
    Prepare {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A program could not be started at all.
    #[error("could not start `{program}`")]
    Spawn {
        /// The program.
        program: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A step of the installation, or cargo, ended with a failure.
    #[error("{act} failed with {status}: {output}")]
    Step {
        /// What was being done.
        act: &'static str,
        /// How the program ended.
        status: ExitStatus,
        /// The end of what it said.
        output: String,
    },
    /// The emulator ended, or said nothing, before it could be used.
    #[error("the emulator did not come up: {output}")]
    NotUp {
        /// The end of what it said.
        output: String,
    },
    /// The emulator can be reached from outside this machine, so it was ended.
    #[error("the emulator listens on {0}, which is not loopback; it was ended")]
    Exposed(SocketAddr),
    /// The kernel's table of sockets could not be read.
    #[error("could not see what the emulator listens on")]
    Sockets(#[source] io::Error),
    /// A loopback port could not be opened.
    #[error("could not listen on loopback")]
    Listen(#[source] io::Error),
    /// A request to the emulator itself got no answer, or a refusal.
    #[error("the emulator did not answer `{path}`")]
    Ask {
        /// The path asked for.
        path: &'static str,
        /// Why there is no answer; `None` if the answer was a refusal.
        #[source]
        source: Option<HttpError>,
    },
    /// Cargo built, but named no program.
    #[error("cargo built no binary in `{}`", root.display())]
    NoBinaries {
        /// The workspace.
        root: PathBuf,
    },
}

/// Why a request over loopback got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// Nobody listens.
    #[error("could not connect")]
    Connect(#[source] io::Error),
    /// The request could not be written, or the answer not be read.
    #[error("the exchange broke off")]
    Exchange(#[source] hyper::Error),
    /// The request was not one.
    #[error("the request is malformed")]
    Request(#[source] hyper::http::Error),
}
