//! The writing half of the path: claim, apply, verify, receipt.

use std::pin::pin;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::{Either, join, select};
use policy::Warrant;
use serde_json::Value;

use crate::call_error::{CallError, CallErrorKind};
use crate::change::Applied;
use crate::incident::{Incident, State};
use crate::ledger::{Charge, Claim, Ledger, LedgerError, MemoryKey};
use crate::outcome::{Outcome, Status};
use crate::path::{Case, Clock, Notifier, Path, entry, stored, to_value};
use crate::respond_error::{RespondError, in_full};
use crate::responder::Responder;

/// What is left of an invocation when no further change may begin: time to store the receipt.
const SETTLING_TIME: TimeDelta = TimeDelta::milliseconds(2_500);

/// The waits between looks at whether a change has shown: AWS's reads may lag behind its writes for some seconds.
/// Source: IAM User Guide, "Troubleshoot IAM: Changes that I make are not always immediately visible".
const LOOKS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// The waits between tries of a change that AWS throttled or did not answer.
const TRIES: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1_500)];

/// What is taken from the ledger together with a claim that leads to changes.
#[derive(Debug, Default)]
pub(crate) struct Price {
    /// A turn in the fight over the resource, if there is one.
    pub(crate) flip: Option<Charge>,
    /// A unit of each budget that policies set.
    pub(crate) budgets: Vec<Charge>,
}

enum Made {
    ByUs { presumed: bool },
    BySomebodyElse,
}

enum Stopped {
    Call(CallError),
    OutOfTime,
}

impl<L: Ledger, N: Notifier, C: Clock> Path<'_, L, N, C> {
    /// Claims the incident, makes the changes, looks whether they show and stores the receipt.
    pub(crate) async fn go_on<R: Responder>(
        &self,
        responder: &R,
        mut case: Case<'_, R>,
        changes: Vec<R::Change>,
        warrant: Option<Warrant>,
        price: Price,
    ) -> Result<Outcome, RespondError> {
        let charges: Vec<Charge> = price.flip.iter().chain(&price.budgets).cloned().collect();
        // What it takes to write is got while the ledger is asked whether we may.
        let acting = async {
            match &warrant {
                Some(_) if !changes.is_empty() => responder.for_incident(&case.incident.id).await,
                _ => Ok(None),
            }
        };
        let (claim, acting) = join(self.claim(&case, &charges), acting).await;
        match claim? {
            Claim::Granted => (),
            Claim::Taken if self.is_ours(&case.incident).await? => (),
            Claim::Taken => return Ok(Outcome::of(&case.incident, Status::Duplicate)),
            Claim::Spent(spent) => {
                case.incident.release_at = None;
                return if price.flip.as_ref() == Some(&spent) {
                    self.leave_contested(case, &spent).await
                } else {
                    self.leave_beyond_budget(case, &spent).await
                };
            }
        }
        let planned = changes.len();
        let applied = match (&warrant, acting) {
            (Some(warrant), Ok(acting)) => {
                let acting = acting.as_ref().unwrap_or(responder);
                self.apply(acting, &mut case.incident, changes, warrant).await
            }
            (Some(_), Err(error)) => Err(Stopped::Call(error)),
            (None, _) => Ok(()),
        };
        let done = case.incident.receipt.len();
        let id = case.incident.id.clone();
        let result = match applied {
            Ok(()) => self.verify(responder, &case).await.map(|seen| case.incident.after = seen),
            Err(Stopped::Call(source)) => Err(RespondError::Apply { incident: id, done, planned, source }),
            Err(Stopped::OutOfTime) => Err(RespondError::OutOfTime { incident: id, done, planned }),
        };
        let (state, status) = match &result {
            Err(_) => (State::Failed, Status::Failed),
            // Somebody made each change between our look and our write.
            Ok(()) if case.incident.receipt.is_empty() => (State::AlreadySafe, Status::AlreadySafe),
            Ok(()) => (State::Contained, Status::Contained),
        };
        case.incident.state = state;
        if state == State::Contained {
            case.incident.contained = case.incident.receipt.iter().map(|entry| entry.at).max();
        }
        case.incident.error = result.as_ref().err().map(|error| in_full(error));
        self.judge_in_shadow(&mut case);
        let key = MemoryKey::of(R::SPEC.name, &case.plan.resource);
        if let Err(source) = self.ledger.settle(&case.incident, &key).await
            && !self.is_settled(&case.incident).await
        {
            return Err(RespondError::Receipt { incident: case.incident.id, source });
        }
        self.tell(&case.incident).await;
        result.map(|()| Outcome::of(&case.incident, status))
    }

    /// Whether the claim that seems to be somebody else's is ours after all: granted, and the answer lost on its way.
    async fn is_ours(&self, incident: &Incident) -> Result<bool, LedgerError> {
        let found = self.ledger.find(&incident.id).await?;
        Ok(found.is_some_and(|found| found.state == State::Claimed && found.lease == incident.lease))
    }

    /// Whether the receipt that seems not to be stored is there after all, its answer lost on the way.
    async fn is_settled(&self, incident: &Incident) -> bool {
        self.ledger.find(&incident.id).await.ok().flatten().is_some_and(|found| {
            (found.state, &found.lease, &found.receipt) == (incident.state, &incident.lease, &incident.receipt)
        })
    }

    async fn apply<R: Responder>(
        &self,
        responder: &R,
        incident: &mut Incident,
        changes: Vec<R::Change>,
        warrant: &Warrant,
    ) -> Result<(), Stopped> {
        for change in changes {
            let made = self.make(responder, &change, warrant).await?;
            if let Made::ByUs { presumed } = made {
                incident.receipt.push(entry(&change, self.clock.now(), presumed));
            }
        }
        Ok(())
    }

    /// Makes one change, trying again where AWS throttles or does not answer. The tries are counted here and not by
    /// the SDK: a change that is found made after an attempt without an answer is ours, and belongs in the receipt.
    async fn make<R: Responder>(&self, responder: &R, change: &R::Change, warrant: &Warrant) -> Result<Made, Stopped> {
        let mut unanswered = false;
        let mut waits = TRIES.iter();
        loop {
            let left = self.deadline - SETTLING_TIME - self.clock.now();
            let left = left.to_std().map_err(|_| Stopped::OutOfTime)?;
            let result = match select(pin!(responder.apply(change, warrant)), pin!(self.clock.sleep(left))).await {
                Either::Left((result, _)) => result,
                Either::Right(_) => return Err(Stopped::OutOfTime),
            };
            match result {
                Ok(Applied::Changed) => return Ok(Made::ByUs { presumed: false }),
                Ok(Applied::AlreadySo) if unanswered => return Ok(Made::ByUs { presumed: true }),
                Ok(Applied::AlreadySo) => return Ok(Made::BySomebodyElse),
                Err(error) if !error.is_retryable() => return Err(Stopped::Call(error)),
                Err(error) => {
                    unanswered |= error.kind == CallErrorKind::Unanswered;
                    let Some(wait) = waits.next() else { return Err(Stopped::Call(error)) };
                    self.clock.sleep((*wait).min(left)).await;
                }
            }
        }
    }

    /// How the account looks when all changes show.
    async fn verify<R: Responder>(&self, responder: &R, case: &Case<'_, R>) -> Result<Option<Value>, RespondError> {
        let incident = case.incident.id.clone();
        let changes: Vec<R::Change> = case.incident.receipt.iter().filter_map(|entry| stored(&entry.change)).collect();
        let mut missing = None;
        for wait in LOOKS {
            if self.deadline - SETTLING_TIME < self.clock.now() + wait {
                break;
            }
            self.clock.sleep(wait).await;
            let observed = match responder.observe(&case.finding).await {
                Ok(observed) => observed,
                Err(source) => return Err(RespondError::Verify { incident, source }),
            };
            missing = changes.iter().find(|change| !R::holds(change, &observed)).map(ToString::to_string);
            if missing.is_none() {
                return Ok(Some(to_value(&observed)));
            }
        }
        let what = missing.unwrap_or_else(|| "there was no time to look".to_owned());
        Err(RespondError::NotSoYet { incident, what })
    }
}
