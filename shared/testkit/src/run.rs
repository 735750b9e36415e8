//! Taking events through the path without AWS.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::Event;
use policy::{Policies, Source};
use remedy::{Clock, FLIPS, Incident, Notifier, NotifyError, Path, Responded, Responder, Undo, UndoError, UndoReport};

use crate::ledger::MemoryLedger;

/// The time at which every test begins: shortly after the events in the fixtures.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_330_800, 0).unwrap_or_default()
}

/// Runs a future that never waits for anything outside.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// A clock that stands still until somebody sleeps.
#[derive(Debug)]
struct StandingClock(Cell<DateTime<Utc>>);

impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.set(self.0.get() + duration);
    }
}

#[derive(Debug, Default)]
struct Told(RefCell<Vec<Incident>>);

impl Notifier for Told {
    async fn notify(&self, incident: &Incident) -> Result<(), NotifyError> {
        self.0.borrow_mut().push(incident.clone());
        Ok(())
    }
}

/// Everything around a responder: policies, a ledger in memory, a clock and a list of what was told.
#[derive(Debug)]
pub struct Bench {
    /// The user's policies.
    pub policies: Policies,
    /// The ledger.
    pub ledger: MemoryLedger,
    clock: StandingClock,
    told: Told,
}

impl Bench {
    /// A bench with these policies.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "test support: a broken policy fails the test")]
    pub fn new(policies: &str) -> Self {
        let source = Source { name: "test.cedar".into(), text: policies.into() };
        Self {
            policies: Policies::parse(vec![source]).expect("the policies of a test are sound"),
            ledger: MemoryLedger::default(),
            clock: StandingClock(Cell::new(now())),
            told: Told::default(),
        }
    }

    /// A bench that permits everything.
    #[must_use]
    pub fn enforcing() -> Self {
        Self::new(r#"@id("all") permit (principal, action, resource);"#)
    }

    /// Lets time pass.
    pub fn wait(&self, time: TimeDelta) {
        self.clock.0.set(self.clock.0.get() + time);
    }

    /// What people were told so far.
    #[must_use]
    pub fn told(&self) -> Vec<Incident> {
        self.told.0.borrow().clone()
    }

    /// Delivers the event, as the invocation `owner`.
    pub fn deliver<R: Responder>(&self, responder: &R, event: &Event, owner: &str) -> Responded {
        let path = Path {
            policies: &self.policies,
            shadow: None,
            ledger: &self.ledger,
            notifier: &self.told,
            clock: &self.clock,
            region: &event.region,
            own_roles: &[],
            flips: Some(FLIPS),
            leases: true,
            owner,
            deadline: self.clock.now() + TimeDelta::seconds(30),
        };
        block_on(path.respond(responder, event))
    }

    /// Undoes the incident.
    pub fn undo<R: Responder>(&self, responder: &R, incident: Incident) -> Result<UndoReport, UndoError> {
        let undo = Undo {
            ledger: &self.ledger,
            by: "arn:aws:iam::123456789012:user/operator",
            now: self.clock.now(),
            force: false,
            dry_run: false,
            lease_ended: false,
        };
        block_on(undo.run(responder, incident))
    }
}
