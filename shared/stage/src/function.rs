//! A Lambda function as AWS runs it: its real binary, fed through the Lambda Runtime API.

mod process;
mod runtime_api;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::Value;

use self::process::Process;
use self::runtime_api::RuntimeApi;
use crate::clock;

/// Lambda's own default is three seconds, which is short for a debug build beside other builds.
const DEADLINE: Duration = Duration::from_secs(30);

/// Lambda allows ten seconds; an unoptimised binary on a busy machine may honestly need more.
const INIT_DEADLINE: Duration = Duration::from_secs(30);

/// A running function: one process, as one execution environment of Lambda is. For concurrency
/// start several. The process ends when this is dropped.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    process: Process,
    ready_after: Duration,
}

/// A function still to be started.
#[derive(Debug, Clone)]
pub struct FunctionBuilder {
    binary: PathBuf,
    name: String,
    region: String,
    init_deadline: Duration,
    given: BTreeMap<OsString, OsString>,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The body it posted.
    pub body: Value,
    /// The invocation's id, as in the function's logs.
    pub request_id: String,
    /// From asking to the answer, waiting for other events included.
    pub took: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// The binary could not be started.
    #[error("could not start `{}`", binary.display())]
    Start {
        /// The binary.
        binary: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The Runtime API could not be served.
    #[error("could not serve the Lambda Runtime API on loopback")]
    Serve(#[source] io::Error),
    /// The event could not be written as JSON.
    #[error("could not write the event")]
    Event(#[source] serde_json::Error),
    /// The function said itself that it cannot start.
    #[error("the function failed to start: {error_type}: {error_message}")]
    Init {
        /// `errorType`, exactly as posted.
        error_type: String,
        /// `errorMessage`, exactly as posted.
        error_message: String,
    },
    /// The function said itself that it failed on this event. Lambda would retry.
    #[error("the function failed: {error_type}: {error_message}")]
    Failed {
        /// `errorType`, exactly as posted.
        error_type: String,
        /// `errorMessage`, exactly as posted.
        error_message: String,
    },
    /// The process ended: it crashed, left, or was killed.
    #[error("the function's process ended ({status}): {last_words}")]
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// The last lines it wrote to standard error, or to standard output if there are none.
        last_words: String,
    },
    /// Nothing was heard before the deadline, and the process was ended, as Lambda does.
    #[error("the function was not done after {}", humane(*after))]
    TimedOut {
        /// The deadline.
        after: Duration,
    },
    /// The function posted an answer that is no JSON.
    #[error("the function's answer is not JSON")]
    Answer(#[source] serde_json::Error),
}

impl Function {
    /// A function still to be given its name and environment.
    #[must_use]
    pub fn of(binary: &Path) -> FunctionBuilder {
        let name = binary.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        FunctionBuilder {
            binary: binary.to_owned(),
            name,
            region: "us-east-1".to_owned(),
            init_deadline: INIT_DEADLINE,
            given: BTreeMap::new(),
        }
    }

    /// Starts a binary under its own name, with this environment and what Lambda adds.
    pub async fn start<K, V>(
        binary: &Path,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, FunctionError>
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        Self::of(binary).environment(environment).start().await
    }

    /// Hands over an event and waits for the answer, thirty seconds at most.
    pub async fn invoke(&self, event: &Value) -> Result<Answer, FunctionError> {
        self.invoke_within(event, DEADLINE).await
    }

    /// Hands over an event that has to be done with before the deadline.
    pub async fn invoke_within(&self, event: &Value, deadline: Duration) -> Result<Answer, FunctionError> {
        let payload = serde_json::to_vec(event).map_err(FunctionError::Event)?;
        self.invoke_raw(payload, deadline).await
    }

    /// Hands over bytes as they are, JSON or not.
    ///
    /// One process does one event at a time: a second invocation waits for the first, and its
    /// deadline runs from when it is handed over. Dropping the future abandons the answer only.
    pub async fn invoke_raw(&self, payload: impl Into<Bytes>, deadline: Duration) -> Result<Answer, FunctionError> {
        self.run(clock::fresh_id(), payload.into(), deadline).await
    }

    /// Hands over an event under this request id: Lambda's retries of an asynchronous invocation carry the id of the
    /// first attempt.
    pub async fn invoke_as(
        &self,
        request_id: &str,
        event: &Value,
        deadline: Duration,
    ) -> Result<Answer, FunctionError> {
        let payload = serde_json::to_vec(event).map_err(FunctionError::Event)?;
        self.run(request_id.to_owned(), payload.into(), deadline).await
    }

    async fn run(&self, request_id: String, payload: Bytes, deadline: Duration) -> Result<Answer, FunctionError> {
        let began = clock::now();
        let mut invoked = self.api.enqueue(request_id, payload, deadline);
        let timed_out = async {
            invoked.handed_over.notified().await;
            tokio::time::sleep(deadline).await;
        };
        let outcome = tokio::select! {
            biased;
            Ok(outcome) = &mut invoked.outcome => outcome,
            // An answer that came just before the end counts.
            () = self.process.ended() => invoked.outcome.try_recv().map_err(|_| self.process.exited())?,
            () = timed_out => {
                self.process.kill().await;
                return Err(FunctionError::TimedOut { after: deadline });
            }
        };
        let body = outcome.into_body()?;
        let took = (clock::now() - began).to_std().unwrap_or_default();
        Ok(Answer { body, request_id: invoked.id, took })
    }

    /// Ends the process as a crash would (`SIGKILL`), in whatever it is doing, and waits until it is gone.
    pub async fn kill(&self) {
        self.process.kill().await;
    }

    /// From starting the process to its first poll for an event: what a cold start costs here.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The process, as long as it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// The lines it has written to its standard output: its logs.
    #[must_use]
    pub fn stdout(&self) -> Vec<String> {
        self.process.stdout()
    }

    /// The lines it has written to its standard error.
    #[must_use]
    pub fn stderr(&self) -> Vec<String> {
        self.process.stderr()
    }
}

impl FunctionBuilder {
    /// `AWS_LAMBDA_FUNCTION_NAME`; the binary's name unless given.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// `AWS_REGION`; `us-east-1` unless given.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    /// Adds to the environment, and wins over what Lambda sets.
    #[must_use]
    pub fn environment<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let owned = variables.into_iter().map(|(key, value)| (key.as_ref().to_owned(), value.as_ref().to_owned()));
        self.given.extend(owned);
        self
    }

    /// How long it may take until its first poll; thirty seconds unless given.
    #[must_use]
    pub fn init_deadline(mut self, deadline: Duration) -> Self {
        self.init_deadline = deadline;
        self
    }

    /// Starts the process and waits until it polls for its first event, which is when Lambda
    /// calls it initialised.
    pub async fn start(self) -> Result<Function, FunctionError> {
        let arn = format!("arn:aws:lambda:{}:{}:function:{}", self.region, crate::ACCOUNT, self.name);
        let api = RuntimeApi::start(arn).await.map_err(FunctionError::Serve)?;
        let mut environment = lambda_environment(&self.name, &self.region, &api.address());
        environment.extend(self.given);

        let began = clock::now();
        let process = Process::start(&self.binary, environment)
            .map_err(|source| FunctionError::Start { binary: self.binary, source })?;
        tokio::select! {
            biased;
            () = api.polled() => {}
            () = process.ended() => {
                return Err(match api.init_failure() {
                    Some((error_type, error_message)) => FunctionError::Init { error_type, error_message },
                    None => process.exited(),
                });
            }
            () = tokio::time::sleep(self.init_deadline) => {
                process.kill().await;
                return Err(FunctionError::TimedOut { after: self.init_deadline });
            }
        }
        let ready_after = (clock::now() - began).to_std().unwrap_or_default();
        Ok(Function { api, process, ready_after })
    }
}

/// The variables the Lambda documentation lists as defined for an OS-only runtime. Credentials are
/// the caller's to give.
fn lambda_environment(name: &str, region: &str, api: &str) -> BTreeMap<OsString, OsString> {
    let log_group = format!("/aws/lambda/{name}");
    let variables = [
        ("_HANDLER", "bootstrap"),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stage"),
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("AWS_REGION", region),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
        ("TZ", ":UTC"),
    ];
    variables.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

fn humane(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
