//! `countermand policy shadow`: what the shadow policies would have done otherwise, in live findings.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use policy::Cause;
use remedy::{Incident, IncidentId, Shadow};
use serde::Serialize;

use super::{Filter, Session};
use crate::args::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Tone};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    connection: Connection,
}

/// Findings of which both sets of policies said the same thing. Other programs rely on this form.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    responder: String,
    in_force: Said,
    shadow: Said,
    differs: bool,
    findings: usize,
    newest: IncidentId,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Said {
    verdict: String,
    policies: Vec<String>,
}

impl Said {
    fn new(verdict: &str, policies: &[Cause]) -> Self {
        Self { verdict: verdict.to_owned(), policies: policies.iter().map(|cause| cause.id.to_string()).collect() }
    }

    fn text(&self) -> String {
        if self.policies.is_empty() {
            return self.verdict.clone();
        }
        format!("{} by {}", self.verdict, self.policies.join(", "))
    }
}

pub(super) async fn run(
    Args { filter, connection }: &Args,
    now: DateTime<Utc>,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let period = filter.period(now)?;
    let session = Session::open(connection).await?;
    let (incidents, _) = filter.list(&session, period, usize::MAX).await?;
    let rows = compare(&incidents);
    if out.is_json() {
        rows.iter().try_for_each(|row| out.object(row))?;
        return Ok(Exit::Done);
    }
    let judged: usize = rows.iter().map(|row| row.findings).sum();
    let differing: usize = rows.iter().filter(|row| row.differs).map(|row| row.findings).sum();
    if judged > 0 {
        let cells = rows.into_iter().map(|row| {
            let tone = if row.differs { Tone::Warning } else { Tone::Plain };
            [
                row.responder.into(),
                row.in_force.text().into(),
                tone.of(row.shadow.text()),
                row.findings.to_string().into(),
                Tone::Strong.of(row.newest.to_string()),
            ]
        });
        out.table(["RESPONDER", "IN FORCE", "SHADOW", "FINDINGS", "NEWEST"], cells.collect())?;
        out.gap()?;
    }
    let [since, until] = [period.0, period.1].map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
    let without = incidents.len() - judged;
    let plural = if judged == 1 { "finding was" } else { "findings were" };
    out.line([
        format!("{judged} {plural} judged by both from {since} to {until}; the shadow differs in {differing}").into()
    ])?;
    if without > 0 {
        out.line([Tone::Warning.of(format!("{without} more had no shadow policies to be judged by"))])?;
    }
    Ok(Exit::Done)
}

/// What differs comes first, then what there is more of.
fn compare(newest_first: &[Incident]) -> Vec<Row> {
    let mut rows: BTreeMap<(String, Said, Said), Row> = BTreeMap::new();
    for incident in newest_first {
        let Some(shadow) = &incident.shadow else { continue };
        let Shadow { verdict, policies, in_force, .. } = shadow;
        let (responder, newest) = (incident.responder.clone(), incident.id.clone());
        let (in_force, said) = (Said::new(in_force, &incident.policies), Said::new(verdict, policies));
        let row = rows.entry((responder.clone(), in_force.clone(), said.clone())).or_insert_with(|| Row {
            responder,
            in_force,
            shadow: said,
            differs: shadow.differs(),
            findings: 0,
            newest,
        });
        row.findings += 1;
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    rows.sort_by_key(|row| (!row.differs, usize::MAX - row.findings));
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::incidents::fixture;

    fn judged(id: &str, shadow: Option<(&str, &str)>) -> Incident {
        let mut incident = fixture::incident();
        incident.id = IncidentId::new(id);
        incident.shadow = shadow.map(|(verdict, policy)| {
            let policies: Vec<_> =
                (!policy.is_empty()).then(|| json!({"id": policy, "reason": null})).into_iter().collect();
            serde_json::from_value(json!({
                "verdict": verdict, "policies": policies, "because": "", "inForce": "enforce"
            }))
            .unwrap()
        });
        incident
    }

    #[test]
    fn differences_come_first_and_the_newest_stands_for_its_like() {
        let incidents = [
            judged("e", Some(("enforce", "new"))),
            judged("d", Some(("observe", ""))),
            judged("c", None),
            judged("b", Some(("enforce", "new"))),
            judged("a", Some(("observe", ""))),
            judged("9", Some(("exempt", "office"))),
        ];
        let rows = compare(&incidents);
        let told: Vec<_> =
            rows.iter().map(|row| (row.newest.as_str(), row.findings, row.differs, row.shadow.text())).collect();
        assert_eq!(
            told,
            [
                ("d", 2, true, "observe".to_owned()),
                ("9", 1, true, "exempt by office".to_owned()),
                ("e", 2, false, "enforce by new".to_owned()),
            ]
        );
        assert_eq!(rows[0].in_force.text(), "enforce by ports");
    }
}
