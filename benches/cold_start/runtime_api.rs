//! The Lambda Runtime API for one process, with a clock at its door.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::http::{Body, Server};

/// For how long the process may work at an event. Ample, also with seven hundredths of a core.
const DEADLINE: Duration = Duration::from_mins(2);

const PREFIX: &str = "/2018-06-01/runtime/";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:benchmark";

/// What the process did, and when.
#[derive(Debug)]
pub(crate) enum Mark {
    /// It asked for an event.
    Polled(Instant),
    /// It was through with one: what it answered, or why it failed.
    Answered(Instant, Bytes),
}

/// The Runtime API of one process.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    server: Server,
    events: UnboundedSender<Bytes>,
    marks: UnboundedReceiver<Mark>,
}

#[derive(Debug)]
struct Door {
    events: Mutex<UnboundedReceiver<Bytes>>,
    marks: UnboundedSender<Mark>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> io::Result<Self> {
        let (events, waiting) = unbounded_channel();
        let (report, marks) = unbounded_channel();
        let door = Arc::new(Door { events: Mutex::new(waiting), marks: report });
        let server = Server::start(None, move |request| Arc::clone(&door).answer(request)).await?;
        Ok(Self { server, events, marks })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Has an event for the process as soon as it asks, or asks again.
    pub(crate) fn hand_over(&self, event: Bytes) {
        // The receiver lives as long as the server, which we hold.
        self.events.send(event).ok();
    }

    /// What the process does next.
    pub(crate) async fn next(&mut self) -> Option<Mark> {
        self.marks.recv().await
    }
}

impl Door {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        match (head.method, path) {
            (Method::GET, "invocation/next") => {
                // Nobody listens any more once the measurement is over.
                self.marks.send(Mark::Polled(Instant::now())).ok();
                match self.events.lock().await.recv().await {
                    Some(event) => invocation(event),
                    None => with_status(StatusCode::INTERNAL_SERVER_ERROR),
                }
            }
            (Method::POST, _) => {
                let Ok(body) = body.collect().await else { return with_status(StatusCode::BAD_REQUEST) };
                self.marks.send(Mark::Answered(Instant::now(), body.to_bytes())).ok();
                with_status(StatusCode::ACCEPTED)
            }
            _ => with_status(StatusCode::NOT_FOUND),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it plays Lambda, whose clock this is")]
fn invocation(event: Bytes) -> Response<Body> {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + DEADLINE;
    Response::builder()
        .header("content-type", "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .header("Lambda-Runtime-Deadline-Ms", deadline.as_millis().to_string())
        .header("Lambda-Runtime-Invoked-Function-Arn", FUNCTION)
        .header("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0")
        .body(Body::from(event))
        .unwrap_or_else(|_| with_status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn with_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::from("{}"));
    *response.status_mut() = status;
    response
}
