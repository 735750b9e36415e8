//! From `main` to the last event.

use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use aws_types::SdkConfig;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use remedy::in_full;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::json;

use crate::aws::function_config;
use crate::environment::Environment;
use crate::function::{Connect, Function, StartError};
use crate::logs;
use crate::settings::{Settings, required};

/// What `lambda_runtime` panics without.
const GIVEN_BY_LAMBDA: [&str; 4] =
    [RUNTIME_API, "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"];
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// For how long to try to say that we cannot start.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves a responder's events until Lambda ends the process. All that a function's `main` does.
#[must_use]
pub fn serve<R: Connect>() -> ExitCode {
    let environment = Environment::of_process();
    logs::begin(&environment);
    // One event at a time, and nothing to compute meanwhile: a second thread would only be one to start.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&environment, "Init.Runtime", &error),
    };
    runtime.block_on(async {
        let function = match check(&environment).and_then(|()| Function::<R>::prepare(&environment)) {
            Ok(function) => function,
            Err(error) => return failed(&environment, error.kind(), &error),
        };
        match Runtime::new(service_fn(|event| function.invoke(event))).run().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error = in_full(&*error), "the Lambda Runtime API is gone");
                ExitCode::FAILURE
            }
        }
    })
}

/// What a job is given.
#[derive(Debug)]
pub struct Job {
    /// The configuration of its clients.
    pub config: SdkConfig,
    /// The deployment's settings.
    pub settings: Settings,
}

/// A job that did not get done. It comes again when its time comes.
#[derive(Debug)]
struct NotDone(Box<dyn Error>);

impl From<NotDone> for Diagnostic {
    fn from(NotDone(error): NotDone) -> Self {
        Self { error_type: "Job".to_owned(), error_message: in_full(&*error) }
    }
}

/// Serves a job that a schedule asks for, until Lambda ends the process: what an operator would do, done by the clock.
#[must_use]
pub fn serve_job<T: Serialize, E: Error + 'static>(job: &impl AsyncFn(&Job) -> Result<T, E>) -> ExitCode {
    let prepare = |environment: &Environment| -> Result<Job, StartError> {
        check(environment)?;
        Ok(Job { config: function_config(environment)?, settings: Settings::read(environment)? })
    };
    run(prepare, &async |prepared: &Job, _: LambdaEvent<IgnoredAny>| {
        job(prepared).await.map_err(|error| {
            tracing::error!(error = in_full(&error), "the job did not get done");
            NotDone(error.into())
        })
    })
}

/// Prepares once, and then deals with one event after the other.
pub(crate) fn run<P, I, T, E>(
    prepare: impl FnOnce(&Environment) -> Result<P, StartError>,
    deal_with: &impl AsyncFn(&P, LambdaEvent<I>) -> Result<T, E>,
) -> ExitCode
where
    I: DeserializeOwned,
    T: Serialize,
    E: Into<Diagnostic> + fmt::Debug,
{
    let environment = Environment::of_process();
    logs::begin(&environment);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&environment, "Init.Runtime", &error),
    };
    runtime.block_on(async {
        let prepared = match prepare(&environment) {
            Ok(prepared) => prepared,
            Err(error) => return failed(&environment, error.kind(), &error),
        };
        match Runtime::new(service_fn(async |event| deal_with(&prepared, event).await)).run().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error = in_full(&*error), "the Lambda Runtime API is gone");
                ExitCode::FAILURE
            }
        }
    })
}

/// What Lambda is to run this program for, if it runs under Lambda: the `Handler` of its function.
#[must_use]
pub fn handler() -> Option<String> {
    let environment = Environment::of_process();
    environment.get(RUNTIME_API)?;
    environment.get("_HANDLER").map(str::to_owned)
}

pub(crate) fn check(environment: &Environment) -> Result<(), StartError> {
    for name in GIVEN_BY_LAMBDA {
        required(environment, name, "what Lambda sets; this program runs as a Lambda function")
            .map_err(StartError::from)?;
    }
    Ok(())
}

/// Says why the function cannot start, to whoever reads the log and to Lambda.
///
/// Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", Initialization error.
fn failed(environment: &Environment, kind: &'static str, error: &dyn Error) -> ExitCode {
    let message = in_full(error);
    tracing::error!(error_type = kind, error = message, "the function cannot start");
    if let Some(api) = environment.get(RUNTIME_API)
        && let Err(error) = post_init_error(api, kind, &message)
    {
        tracing::error!(error = &error as &dyn Error, "Lambda was not told why");
    }
    ExitCode::FAILURE
}

fn post_init_error(api: &str, kind: &str, message: &str) -> io::Result<()> {
    let body = json!({ "errorType": kind, "errorMessage": message, "stackTrace": [] }).to_string();
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {api}\r\nContent-Type: application/json\r\n\
         Lambda-Runtime-Function-Error-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(api)?;
    stream.set_read_timeout(Some(LAST_WORDS))?;
    stream.set_write_timeout(Some(LAST_WORDS))?;
    stream.write_all(request.as_bytes())?;
    // Were the connection closed before the answer is there, the request might be lost with it.
    stream.read(&mut [0; 64]).map(|_| ())
}
