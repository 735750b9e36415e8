//! The ends of the path at which nothing is changed.

use std::error::Error;

use policy::Rate;

use crate::contest::Contest;
use crate::incident::{Incident, State};
use crate::ledger::{Charge, Claim, Ledger};
use crate::outcome::{Outcome, Status};
use crate::path::{Case, Clock, Notifier, Path, in_words};
use crate::respond_error::RespondError;
use crate::responder::Responder;

impl<L: Ledger, N: Notifier, C: Clock> Path<'_, L, N, C> {
    /// Leaves a finding to a person because its budget is spent. Only the first of them in a window is told.
    pub(crate) async fn leave_beyond_budget<R: Responder>(
        &self,
        mut case: Case<'_, R>,
        budget: &Charge,
    ) -> Result<Outcome, RespondError> {
        let Charge { budget: name, count, window } = budget;
        let window = in_words(*window);
        case.incident.because =
            format!("the budget `{name}` of {count} in {window} is spent, so this waits for a person");
        "approve".clone_into(&mut case.incident.verdict);
        let outcome = self.conclude_telling_once(case, Status::Pending, &page_of(budget)).await?;
        let spent = (outcome.status == Status::Pending).then(|| name.clone());
        Ok(Outcome { spent, ..outcome })
    }

    /// Leaves a resource that is being fought over to a person. Only the first turn in a window is told.
    pub(crate) async fn leave_contested<R: Responder>(
        &self,
        mut case: Case<'_, R>,
        flip: &Charge,
    ) -> Result<Outcome, RespondError> {
        let flips = Rate { count: flip.count, window: flip.window };
        let contest = Contest::over(&case.incident, flips, self.ledger).await?;
        let belongs_to = contest.belongs_to.as_ref().map(|it| format!("; it belongs to {it}")).unwrap_or_default();
        case.incident.because = format!(
            "somebody reversed this {} times in {} and {} did it again, so we stop fighting and this waits for a person{belongs_to}",
            flips.count,
            in_words(flips.window),
            case.incident.actor.principal,
        );
        case.incident.contest = Some(contest);
        "approve".clone_into(&mut case.incident.verdict);
        self.conclude_telling_once(case, Status::Contested, &page_of(flip)).await
    }

    /// Records a finding that we change nothing about, and tells people where they need to know.
    pub(crate) async fn conclude<R: Responder>(
        &self,
        mut case: Case<'_, R>,
        status: Status,
    ) -> Result<Outcome, RespondError> {
        end(&mut case.incident, status);
        self.judge_in_shadow(&mut case);
        let tell = matches!(status, Status::Pending | Status::Observed | Status::Uncontainable);
        if !tell {
            case.incident.lease = None;
        }
        let claim = self.claim(&case, &[]).await?;
        self.concluded(&case, status, claim, tell).await
    }

    /// The same, for findings that come in crowds. Who is told and who is not is settled together with the claim, so
    /// that of a crowd exactly one is told.
    async fn conclude_telling_once<R: Responder>(
        &self,
        mut case: Case<'_, R>,
        status: Status,
        page: &Charge,
    ) -> Result<Outcome, RespondError> {
        end(&mut case.incident, status);
        self.judge_in_shadow(&mut case);
        let silent = case.incident.because.clone();
        case.incident.because = format!("{silent}; more of its kind in the next {} is not told", in_words(page.window));
        match self.claim(&case, std::slice::from_ref(page)).await? {
            Claim::Spent(_) => {
                case.incident.because = silent;
                case.incident.lease = None;
                let claim = self.claim(&case, &[]).await?;
                self.concluded(&case, status, claim, false).await
            }
            claim => self.concluded(&case, status, claim, true).await,
        }
    }

    pub(crate) async fn claim<R: Responder>(
        &self,
        case: &Case<'_, R>,
        charges: &[Charge],
    ) -> Result<Claim, RespondError> {
        Ok(self.ledger.claim(&case.incident, case.seen.as_ref(), charges, self.clock.now()).await?)
    }

    async fn concluded<R: Responder>(
        &self,
        case: &Case<'_, R>,
        status: Status,
        claim: Claim,
        tell: bool,
    ) -> Result<Outcome, RespondError> {
        if claim != Claim::Granted && !self.is_recorded(&case.incident).await? {
            return Ok(Outcome::of(&case.incident, Status::Duplicate));
        }
        if tell {
            self.tell(&case.incident).await;
        }
        Ok(Outcome::of(&case.incident, status))
    }

    /// Whether the record that seems to be somebody else's is ours after all: stored, and the answer lost on its way.
    async fn is_recorded(&self, incident: &Incident) -> Result<bool, RespondError> {
        Ok(self.ledger.find(&incident.id).await?.is_some_and(|found| found == *incident))
    }

    /// A notification that fails must not undo what was achieved, nor bring the event back: the incident is stored.
    pub(crate) async fn tell(&self, incident: &Incident) {
        if let Err(error) = self.notifier.notify(incident).await {
            tracing::error!(incident = %incident.id, error = &error as &dyn Error, "nobody was told");
        }
    }
}

/// The incident as it stands at the end of a run that changes nothing. The lease stays where people are told, so that a
/// retry of this invocation knows that it may have died before it told them.
fn end(incident: &mut Incident, status: Status) {
    incident.state = match status {
        Status::AlreadySafe => State::AlreadySafe,
        Status::Pending => State::Pending,
        Status::Contested => State::Contested,
        Status::Exempt => State::Exempt,
        Status::Uncontainable => State::Uncontainable,
        Status::Observed | Status::Contained | Status::Duplicate | Status::Failed => State::Observed,
    };
}

/// What lets through one page in a window about findings that this has no room for.
fn page_of(spent: &Charge) -> Charge {
    Charge { budget: format!("page about {}", spent.budget), count: 1, window: spent.window }
}
