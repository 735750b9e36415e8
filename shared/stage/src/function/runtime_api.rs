//! The Lambda Runtime API, version 2018-06-01, for one function.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::FunctionError;
use crate::clock;
use crate::http::{self, Body, Hangup, Server};

const PREFIX: &str = "/2018-06-01/runtime/";

/// Serves the Runtime API to one process.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    server: Server,
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<Invocation>,
    polled: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Shared {
    arn: String,
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    handed_over: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    init_failure: Mutex<Option<(String, String)>>,
    polled: watch::Sender<bool>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    payload: Bytes,
    deadline: Duration,
    outcome: oneshot::Sender<Outcome>,
    handed_over: Arc<Notify>,
}

/// An invocation on its way.
#[derive(Debug)]
pub(super) struct Invoked {
    pub(super) id: String,
    pub(super) outcome: oneshot::Receiver<Outcome>,
    pub(super) handed_over: Arc<Notify>,
}

/// What the function posted.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(Bytes),
    Failed { error_type: String, error_message: String },
}

impl Outcome {
    pub(super) fn into_body(self) -> Result<Value, FunctionError> {
        match self {
            Self::Answered(body) => serde_json::from_slice(&body).map_err(FunctionError::Answer),
            Self::Failed { error_type, error_message } => Err(FunctionError::Failed { error_type, error_message }),
        }
    }
}

/// The body of an `error` post. Lambda takes what is missing for empty, and so do we.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Diagnostic {
    error_type: String,
    error_message: String,
}

impl RuntimeApi {
    pub(super) async fn start(arn: String) -> io::Result<Self> {
        let (queue, waiting) = mpsc::unbounded_channel();
        let (report, polled) = watch::channel(false);
        let shared = Arc::new(Shared {
            arn,
            waiting: tokio::sync::Mutex::new(waiting),
            handed_over: Mutex::default(),
            init_failure: Mutex::default(),
            polled: report,
        });
        let answering = Arc::clone(&shared);
        let server = Server::start(move |request| Arc::clone(&answering).answer(request)).await?;
        Ok(Self { server, shared, queue, polled })
    }

    /// `AWS_LAMBDA_RUNTIME_API`: host and port, no scheme.
    pub(super) fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// Resolves once the function has polled for an event.
    pub(super) async fn polled(&self) {
        // The sender lives in `shared`, which we hold.
        self.polled.clone().wait_for(|polled| *polled).await.ok();
    }

    pub(super) fn init_failure(&self) -> Option<(String, String)> {
        self.shared.init_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn enqueue(&self, id: String, payload: Bytes, deadline: Duration) -> Invoked {
        let (outcome, outcome_of) = oneshot::channel();
        let handed_over = Arc::new(Notify::new());
        let invoked = Invoked { id: id.clone(), outcome: outcome_of, handed_over: Arc::clone(&handed_over) };
        // The receiver lives in `shared`, which we hold.
        self.queue.send(Invocation { id, payload, deadline, outcome, handed_over }).ok();
        invoked
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Hangup> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let steps: Vec<&str> = path.split('/').collect();
        match (&head.method, steps.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => {
                let posted = http::body_of(body).await.ok_or(Hangup)?;
                Ok(self.settle(id, Outcome::Answered(posted)))
            }
            (&Method::POST, ["invocation", id, "error"]) => {
                let Diagnostic { error_type, error_message } = diagnostic(body).await?;
                Ok(self.settle(id, Outcome::Failed { error_type, error_message }))
            }
            (&Method::POST, ["init", "error"]) => {
                let Diagnostic { error_type, error_message } = diagnostic(body).await?;
                *self.init_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some((error_type, error_message));
                Ok(accepted())
            }
            _ => Ok(said(StatusCode::NOT_FOUND, r#"{"errorType":"NotFound","errorMessage":"no such path"}"#)),
        }
    }

    /// Waits, as Lambda does, until there is an event.
    async fn next(&self) -> Result<Response<Body>, Hangup> {
        self.polled.send_replace(true);
        let invocation = self.waiting.lock().await.recv().await.ok_or(Hangup)?;
        let deadline = clock::now() + invocation.deadline;
        let trace = clock::fresh_id().replace('-', "");
        let (epoch, unique) = trace.split_at_checked(8).unwrap_or_default();
        let unique = unique.get(..24).unwrap_or_default();
        self.handed_over().insert(invocation.id.clone(), invocation.outcome);
        invocation.handed_over.notify_one();
        Response::builder()
            .header("content-type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", invocation.id)
            .header("Lambda-Runtime-Deadline-Ms", deadline.timestamp_millis())
            .header("Lambda-Runtime-Invoked-Function-Arn", self.arn.as_str())
            .header("Lambda-Runtime-Trace-Id", format!("Root=1-{epoch}-{unique};Sampled=0"))
            .body(Body::from(invocation.payload))
            .map_err(|_| Hangup)
    }

    fn settle(&self, id: &str, outcome: Outcome) -> Response<Body> {
        let Some(waiting) = self.handed_over().remove(id) else {
            return said(
                StatusCode::BAD_REQUEST,
                r#"{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}"#,
            );
        };
        // Nobody may be waiting any more: the invocation was abandoned.
        waiting.send(outcome).ok();
        accepted()
    }

    fn handed_over(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Outcome>>> {
        self.handed_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn diagnostic(body: Incoming) -> Result<Diagnostic, Hangup> {
    let posted = http::body_of(body).await.ok_or(Hangup)?;
    Ok(serde_json::from_slice(&posted).unwrap_or_default())
}

fn accepted() -> Response<Body> {
    said(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

fn said(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}
