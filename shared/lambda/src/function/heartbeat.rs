//! Signs of life, for the canary.

use cloudtrail::{Body, Event, Principal};
use remedy::{Clock, LedgerError};

use super::{Connect, Function};
use crate::clock::SystemClock;
use crate::ledger::Delivery;

impl<R: Connect> Function<R> {
    /// Answers the canary, if the event is its question or the record of its own call; `None` for all other events. It is
    /// no finding either way.
    pub(super) async fn sign_of_life(&self, event: &Event) -> Option<Result<(), LedgerError>> {
        let arrived = SystemClock.now();
        let (counted, of) = match (&event.body, event.time) {
            (Body::Heartbeat { nonce }, _) => (self.ledger.answer(R::SPEC.name, nonce, arrived).await, "the function"),
            (Body::Call(_), Some(called)) if self.is_of_canary(event) => {
                (self.ledger.delivered(Delivery { called, arrived }).await, "CloudTrail")
            }
            _ => return None,
        };
        Some(counted.map(|counted| tracing::info!(of, counted, "a sign of life")))
    }

    /// The canary's call is always refused. What its role really did is looked at like anybody's.
    fn is_of_canary(&self, event: &Event) -> bool {
        event.call().is_none()
            && matches!(&event.actor.principal, Principal::Role(role) if Some(role) == self.settings.canary_role.as_ref())
    }
}
