//! A recording reverse proxy between the callers and the emulator, which can fail on demand.

mod call;
mod fault;
mod history;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use serde_json::Value;
use tokio::sync::{Notify, watch};

pub use self::call::{Call, Params};
use self::fault::Plan;
pub use self::fault::{Fault, When};
use crate::error::StageError;
use crate::http::{self, Body, Hangup, Server};

/// A reverse proxy on loopback. It ends when this is dropped.
///
/// Calls are handed to the emulator one at a time, so that the order they are recorded in is the
/// order they took effect in, and a conditional write is one step whatever moto's threads do (they
/// have no locks; 960 racing conditional writes without this did show no harm).
#[derive(Debug)]
pub struct Proxy {
    server: Server,
    endpoint: String,
    stage: Arc<Stage>,
}

#[derive(Debug)]
struct Stage {
    upstream: SocketAddr,
    turn: tokio::sync::Mutex<()>,
    calls: Mutex<Vec<Call>>,
    plan: Mutex<Plan>,
    /// CloudTrail records, for `LookupEvents`: the emulator has no event history.
    history: Mutex<Vec<Value>>,
    /// How many calls are held back.
    held: watch::Sender<usize>,
    healed: Notify,
}

impl Proxy {
    /// Listens on a free loopback port and forwards to `upstream`, see [`crate::Emulator::address`].
    pub async fn start(upstream: SocketAddr) -> Result<Self, StageError> {
        let stage = Arc::new(Stage {
            upstream,
            turn: tokio::sync::Mutex::default(),
            calls: Mutex::default(),
            plan: Mutex::default(),
            history: Mutex::default(),
            held: watch::Sender::default(),
            healed: Notify::new(),
        });
        let answering = Arc::clone(&stage);
        let server =
            Server::start(move |request| Arc::clone(&answering).answer(request)).await.map_err(StageError::Listen)?;
        Ok(Self { endpoint: format!("http://{}", server.address()), server, stage })
    }

    /// What to put into `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The calls since the start or the last [`clear`](Self::clear), in the order AWS saw them.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.stage.calls().clone()
    }

    /// Forgets the calls, and returns them.
    #[expect(clippy::must_use_candidate, reason = "called to forget as often as to take")]
    pub fn clear(&self) -> Vec<Call> {
        std::mem::take(&mut *self.stage.calls())
    }

    /// From now on, the next `times` calls that `when` describes meet `fault`. Of several faults
    /// for one call the first injected wins.
    pub fn inject(&self, fault: Fault, when: When, times: u32) {
        self.stage.plan().add(fault, when, times);
    }

    /// Adds a record to CloudTrail's event history, in which `LookupEvents` looks.
    pub fn remember(&self, record: Value) {
        self.stage.history.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// Resolves when a call is held back.
    pub async fn holds(&self) {
        // An error means that the sender is gone, and it is ours.
        self.stage.held.subscribe().wait_for(|held| *held > 0).await.ok();
    }

    /// Takes all faults back. What was held is lost.
    pub fn heal(&self) {
        *self.stage.plan() = Plan::default();
        self.stage.held.send_replace(0);
        self.stage.healed.notify_waiters();
    }
}

impl Stage {
    fn calls(&self) -> std::sync::MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Hangup> {
        let (head, body) = request.into_parts();
        let body = http::body_of(body).await.ok_or(Hangup)?;
        // In a task of its own: once AWS has a request, the caller's death does not take it back.
        tokio::spawn(self.play(head, body)).await.map_err(|_| Hangup)?
    }

    async fn play(self: Arc<Self>, head: Parts, body: Bytes) -> Result<Response<Body>, Hangup> {
        let Some(mut call) = Call::read(&head, &body) else {
            // Not signed, so not AWS's: the emulator's own `/moto-api`.
            return self.forward(head, body).await.map(respond);
        };
        let fault = self.plan().strike(&call);
        call.fault = fault;
        match fault {
            Some(Fault::Delay(pause)) => tokio::time::sleep(pause).await,
            Some(Fault::DropBefore) => {
                self.calls().push(call);
                return Err(Hangup);
            }
            Some(Fault::HoldBefore) => {
                self.calls().push(call);
                return Err(self.hold().await);
            }
            Some(Fault::Throttle | Fault::ServerError | Fault::Denied) => {
                if let Some(refusal) = fault.and_then(|fault| fault::refusal(fault, &call)) {
                    call.answered(refusal.status(), refusal.body());
                    let response = stamp(respond(refusal), &call.request_id);
                    self.calls().push(call);
                    return Ok(response);
                }
            }
            Some(Fault::DropAfter | Fault::HoldAfter) | None => {}
        }

        let turn = self.turn.lock().await;
        let answered = match self.looked_up(&call) {
            Some(answer) => Ok(answer),
            None => self.forward(head, body).await,
        };
        if let Ok(answer) = &answered {
            call.answered(answer.status(), answer.body());
        }
        let id = call.request_id.clone();
        self.calls().push(call);
        drop(turn);

        match fault {
            Some(Fault::DropAfter) => Err(Hangup),
            Some(Fault::HoldAfter) => Err(self.hold().await),
            _ => Ok(stamp(respond(answered?), &id)),
        }
    }

    async fn hold(&self) -> Hangup {
        let healed = self.healed.notified();
        self.held.send_modify(|held| *held += 1);
        healed.await;
        Hangup
    }

    fn looked_up(&self, call: &Call) -> Option<Response<Bytes>> {
        let asks = call.service == "cloudtrail" && call.operation == "LookupEvents";
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        asks.then(|| history::answer(call, &history))
    }

    async fn forward(&self, mut head: Parts, body: Bytes) -> Result<Response<Bytes>, Hangup> {
        strip_hop_by_hop(&mut head.headers);
        http::ask(self.upstream, Request::from_parts(head, Body::from(body))).await.map_err(|_| Hangup)
    }
}

fn respond(answer: Response<Bytes>) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    strip_hop_by_hop(&mut head.headers);
    Response::from_parts(head, Body::from(body))
}

/// The SDK reports the id in the header; the record made of this call carries the same one.
fn stamp(mut response: Response<Body>, request_id: &str) -> Response<Body> {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}

/// These speak of one connection; hyper writes them anew for the other.
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::EXPECT] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// An answer that AWS did not give, as an AWS service words it.
pub(crate) fn composed(status: StatusCode, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
