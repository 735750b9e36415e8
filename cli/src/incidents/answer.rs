//! `countermand incidents approve` and `reject`: what a person says about an incident that waits for one.

use chrono::{DateTime, Utc};
use cloudtrail::APPROVAL_TYPE;
use remedy::{Answer, AnswerError, Incident, State};
use serde_json::json;

use super::{NoIncident, Session};
use crate::args;
use crate::event_bus::{self, SendError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Tone};

/// Why an answer did not take effect.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    NoIncident(#[from] NoIncident),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error("the approval is stored, but the function was not told")]
    Untold(#[from] SendError),
}

impl Refusal {
    fn help(&self) -> String {
        match self {
            Self::NoIncident(none) => none.help().to_owned(),
            Self::Answer(AnswerError::Ledger(_)) => "look at it again with `countermand incidents show`".to_owned(),
            Self::Answer(_) => "`countermand incidents show` tells what became of it".to_owned(),
            Self::Untold(_) => {
                "run the same command again; your role needs events:PutEvents on the default event bus".to_owned()
            }
        }
    }
}

pub(super) async fn run(
    args: &args::Answer,
    approved: bool,
    now: DateTime<Utc>,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let session = Session::open(&args.connection).await?;
    let operator = session.operator().await?;
    let incident = match session.find(&args.id).await? {
        Ok(incident) => incident,
        Err(none) => return refuse(&none.into(), out),
    };
    let answer = Answer { approved, by: operator.arn, at: now, reason: args.reason.clone() };
    let told = match say(&session, incident, answer).await {
        Ok(incident) => incident,
        Err(refusal) => return refuse(&refusal, out),
    };
    tell(&told, approved, out)?;
    Ok(Exit::Done)
}

async fn say(session: &Session, incident: Incident, answer: Answer) -> Result<Incident, Refusal> {
    let approved = answer.approved;
    // An approval whose event was lost on the way is told again.
    let answered = if approved && incident.state == State::Approved {
        incident
    } else {
        remedy::answer(&session.ledger, incident, answer).await?
    };
    if approved {
        // Only which incident: what is approved, and by whom, the function reads in the ledger.
        let detail = json!({ "incident": answered.id, "responder": answered.responder });
        event_bus::send(&session.config, APPROVAL_TYPE, &detail).await?;
    }
    Ok(answered)
}

fn tell(incident: &Incident, approved: bool, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        out.object(&json!({ "incident": incident.id, "status": incident.state, "answer": incident.answer }))?;
        return Ok(());
    }
    let (tone, text, next) = if approved {
        (Tone::Good, "approved", "the function looks again and acts if it is still open; `incidents show` tells")
    } else {
        (Tone::Plain, "rejected", "it stays as it is")
    };
    out.line([Tone::Strong.of(format!("incident {}  ", incident.id)), tone.of(text)])?;
    out.field("next", [next.into()])?;
    Ok(())
}

fn refuse(refusal: &Refusal, out: &mut Output) -> Result<Exit, Failure> {
    out.error(refusal, Some(&refusal.help()))?;
    Ok(Exit::Failed)
}
