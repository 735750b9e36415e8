//! `countermand incidents confirm`: what was done for a time only shall stay.

use chrono::{DateTime, Utc};
use remedy::{Answer, ConfirmError};
use serde_json::json;

use super::{NoIncident, Session};
use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Tone};

/// Why nothing was confirmed.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    NoIncident(#[from] NoIncident),
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
}

impl Refusal {
    fn help(&self) -> &'static str {
        match self {
            Self::NoIncident(none) => none.help(),
            Self::Confirm(_) => "`countermand incidents show` tells how it stands",
        }
    }
}

pub(super) async fn run(args: &args::Answer, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let session = Session::open(&args.connection).await?;
    let operator = session.operator().await?;
    let refusal: Refusal = match session.find(&args.id).await? {
        Err(none) => none.into(),
        Ok(incident) => {
            let answer = Answer { approved: true, by: operator.arn, at: now, reason: args.reason.clone() };
            match remedy::confirm(&session.ledger, incident, answer).await {
                Err(error) => error.into(),
                Ok(confirmed) if out.is_json() => {
                    let line = json!({
                        "incident": confirmed.id, "status": confirmed.state, "confirmed": confirmed.confirmed
                    });
                    out.object(&line)?;
                    return Ok(Exit::Done);
                }
                Ok(confirmed) => {
                    let id = Tone::Strong.of(format!("incident {}  ", confirmed.id));
                    out.line([
                        id,
                        Tone::Good.of("confirmed"),
                        ": what was done stays until somebody undoes it".into(),
                    ])?;
                    return Ok(Exit::Done);
                }
            }
        }
    };
    out.error(&refusal, Some(refusal.help()))?;
    Ok(Exit::Failed)
}
