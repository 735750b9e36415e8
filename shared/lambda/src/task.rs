//! A task that somebody hands over with its input, such as AWS Step Functions.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use aws_types::SdkConfig;
use chrono::{DateTime, Utc};
use cloudtrail::{Arn, EventError};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use remedy::in_full;
use serde::Serialize;
use serde_json::Value;

use crate::aws::function_config;
use crate::environment::Environment;
use crate::function::{StartError, deadline};
use crate::payload::Payload;
use crate::serve::{check, run};
use crate::settings::{own_roles, policies};

/// What a function that does tasks has at hand. It needs no ledger.
#[derive(Debug)]
pub struct Workplace {
    /// The configuration of its clients.
    pub config: SdkConfig,
    /// `COUNTERMAND_POLICIES`: the folder with the Cedar policies; `/opt/policies` if not set.
    pub policies: PathBuf,
    /// `COUNTERMAND_OWN_ROLES`: the roles of our own functions, whose calls are never findings.
    pub own_roles: Vec<Arn>,
}

/// One task.
#[derive(Debug)]
pub struct Task {
    /// What is to be done, as it was handed over.
    pub input: Value,
    /// When Lambda ends the process, done or not.
    pub deadline: DateTime<Utc>,
}

/// A task that was not done, as Lambda is told of it.
#[derive(Debug)]
struct NotDone {
    kind: &'static str,
    message: String,
}

impl From<NotDone> for Diagnostic {
    fn from(NotDone { kind, message }: NotDone) -> Self {
        Self { error_type: kind.to_owned(), error_message: message }
    }
}

/// The `errorType` of an input that is not JSON.
const NO_JSON: &str = "Input";

/// Serves tasks until Lambda ends the process. `kind` gives an error's `errorType`, by which a state machine tells whether
/// to try again (AWS Step Functions Developer Guide, "Handling errors in Step Functions workflows").
#[must_use]
pub fn serve_task<T: Serialize, E: Error + 'static>(
    task: &impl AsyncFn(&Workplace, Task) -> Result<T, E>,
    kind: fn(&E) -> &'static str,
) -> ExitCode {
    let prepare = |environment: &Environment| -> Result<Workplace, StartError> {
        check(environment)?;
        Ok(Workplace {
            config: function_config(environment)?,
            policies: policies(environment),
            own_roles: own_roles(environment)?,
        })
    };
    run(prepare, &async |workplace: &Workplace, event: LambdaEvent<Payload>| {
        let LambdaEvent { payload, context } = event;
        let (kind, error): (_, Box<dyn Error>) = match given(payload, &context) {
            Ok(given) => match task(workplace, given).await {
                Ok(done) => return Ok(done),
                Err(error) => (kind(&error), error.into()),
            },
            Err(error) => (NO_JSON, error.into()),
        };
        let message = in_full(&*error);
        tracing::error!(error_type = kind, error = message, "the task was not done");
        Err(NotDone { kind, message })
    })
}

fn given(payload: Payload, context: &Context) -> Result<Task, EventError> {
    Ok(Task { input: payload.into_json()?, deadline: deadline(context) })
}
