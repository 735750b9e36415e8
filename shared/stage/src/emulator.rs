//! The AWS API emulators, each in a Python environment of its own, on a loopback port.
//!
//! moto knows what AWS's services do, and asks nobody for permission. ministack knows less of that, but checks
//! signatures, trust policies and every permission: it is for proving what a role may do.

mod environment;
mod sockets;
mod software;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use hyper::Request;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use self::software::{MINISTACK, MOTO, Software};
use crate::error::StageError;
use crate::http;

/// Importing moto takes two seconds on an idle machine; a build beside it can make that many more.
const PATIENCE: Duration = Duration::from_mins(1);

/// So many of the server's last lines are kept, for when it does not come up.
const LAST_WORDS: usize = 40;

/// A running emulator with an empty account. The process ends when this is dropped.
#[derive(Debug)]
pub struct Emulator {
    software: &'static Software,
    endpoint: String,
    address: SocketAddr,
    server: Child,
    /// The server ends when this closes: the second of two ways, for when we are killed.
    _alive: Option<ChildStdin>,
    said: LastWords,
}

impl Emulator {
    /// Starts moto, after installing it if it never was on this machine.
    ///
    /// The installation lives in `$XDG_CACHE_HOME/countermand` (or `~/.cache/countermand`), needs
    /// `python3` (3.11 or later) and `PyPI` once, and is shared by all processes of this user.
    pub async fn start() -> Result<Self, StageError> {
        let emulator = Self::run(&MOTO).await?;
        emulator
            .post(
                "/moto-api/config",
                r#"{"stepfunctions":{"execute_state_machine":true},"lambda":{"use_docker":false}}"#,
            )
            .await?;
        Ok(emulator)
    }

    /// Starts ministack, installed as moto is: whoever is not root may do only what IAM policies allow him.
    pub async fn start_enforcing() -> Result<Self, StageError> {
        Self::run(&MINISTACK).await
    }

    /// What the account's root signs with. moto takes any other key for root's as well.
    #[must_use]
    pub fn root() -> Credentials {
        Credentials::new(software::ROOT_KEY, software::ROOT_SECRET, None, None, "stage")
    }

    async fn run(software: &'static Software) -> Result<Self, StageError> {
        let python = environment::python(software).await?;
        let mut server = Command::new(&python)
            .args(["-c", software.server])
            .envs(software.environment.iter().copied())
            // boto3 looks for credentials and an instance role otherwise, even inside moto.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ACCESS_KEY_ID", software::ROOT_KEY)
            .env("AWS_SECRET_ACCESS_KEY", software::ROOT_SECRET)
            .env_remove("AWS_SESSION_TOKEN")
            .env_remove("AWS_ENDPOINT_URL")
            .env_remove("AWS_PROFILE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| StageError::Spawn { program: python.display().to_string(), source })?;

        let said = LastWords::default();
        if let Some(stderr) = server.stderr.take() {
            tokio::spawn(said.clone().follow(stderr));
        }
        let port = match server.stdout.take() {
            Some(stdout) => announced_port(stdout).await,
            None => None,
        };
        let Some(port) = port else {
            return Err(StageError::NotUp { output: said.text() });
        };
        sockets::only_loopback(port)?;

        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let alive = server.stdin.take();
        Ok(Self { software, endpoint: format!("http://{address}"), address, server, _alive: alive, said })
    }

    /// What to put into `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where it listens, for a [`crate::Proxy`] in front of it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process, as long as it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.id()
    }

    /// The last lines it wrote to its standard error: its tracebacks.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.text()
    }

    /// Empties the account.
    pub async fn reset(&self) -> Result<(), StageError> {
        self.post(self.software.reset, "").await
    }

    /// Puts an event on the default event bus of its account and region, as AWS's own services do: `PutEvents` takes no
    /// source that begins with `aws.`. EventBridge gives it an id and a time. Only the emulator that enforces IAM has such
    /// a door; moto's rules reach no function.
    pub async fn put_on_bus(&self, event: &Value) -> Result<(), StageError> {
        self.post("/_stage/events", event.to_string()).await
    }

    async fn post(&self, path: &'static str, body: impl Into<http::Body>) -> Result<(), StageError> {
        let request = Request::post(path)
            .header("host", self.address.to_string())
            .header("content-type", "application/json")
            .body(body.into())
            .map_err(|source| StageError::Ask { path, source: Some(crate::HttpError::Request(source)) })?;
        let asked = tokio::time::timeout(PATIENCE, http::ask(self.address, request)).await;
        match asked {
            Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
            Ok(Ok(_)) | Err(_) => Err(StageError::Ask { path, source: None }),
            Ok(Err(source)) => Err(StageError::Ask { path, source: Some(source) }),
        }
    }
}

/// The server writes its port as soon as it listens, and nothing else.
async fn announced_port(stdout: impl AsyncRead + Unpin) -> Option<u16> {
    let mut lines = BufReader::new(stdout).lines();
    tokio::time::timeout(PATIENCE, lines.next_line()).await.ok()?.ok()??.trim().parse().ok()
}

#[derive(Debug, Clone, Default)]
struct LastWords(Arc<Mutex<Vec<String>>>);

impl LastWords {
    async fn follow(self, from: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(line);
            let surplus = kept.len().saturating_sub(LAST_WORDS);
            kept.drain(..surplus);
        }
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}
