//! Which incidents an undo is about.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use remedy::Incident;

use crate::args;
use crate::failure::Failure;
use crate::incidents::filter::Period;
use crate::incidents::{NoIncident, Session};

/// The incidents that are meant.
#[derive(Debug)]
pub(super) struct Selection {
    /// Those to be undone, newest first.
    pub(super) incidents: Vec<Incident>,
    /// Ids that lead to none.
    pub(super) unknown: Vec<(String, NoIncident)>,
    /// Those that a filter means and somebody has undone.
    pub(super) before: Vec<Incident>,
}

/// Reads what is meant, by ids or by filter.
pub(super) async fn select(session: &Session, args: &args::Undo, period: Period) -> Result<Selection, Failure> {
    let mut selection = Selection { incidents: Vec::new(), unknown: Vec::new(), before: Vec::new() };
    for id in &args.ids {
        match session.find(id).await? {
            Ok(incident) => selection.incidents.push(incident),
            Err(none) => selection.unknown.push((id.clone(), none)),
        }
    }
    if args.ids.is_empty() {
        let (listed, _) = args.filter.list(session, period, usize::MAX).await?;
        for incident in listed.into_iter().filter(|incident| incident.undone.is_some() || may_be_undone(incident)) {
            // The list is read from an index, which lags behind.
            match session.find(incident.id.as_str()).await? {
                Ok(incident) if incident.undone.is_some() => selection.before.push(incident),
                Ok(incident) => selection.incidents.push(incident),
                Err(none) => selection.unknown.push((incident.id.to_string(), none)),
            }
        }
    }
    let mut known = BTreeSet::new();
    selection.incidents.retain(|incident| known.insert(incident.id.clone()));
    selection.incidents.sort_by_key(|incident| Reverse(incident.opened));
    Ok(selection)
}

/// Whether something of ours is there to undo, or may be: of a run that died only its plan is known.
fn may_be_undone(incident: &Incident) -> bool {
    let is_open = !incident.state.is_settled() && !incident.plan.is_empty();
    is_open || incident.receipt.iter().any(|entry| entry.undone.is_none())
}

#[cfg(test)]
mod tests {
    use remedy::State;
    use serde_json::Value;

    use super::*;
    use crate::incidents::fixture::{self, entry, time};

    #[test]
    fn what_we_never_changed_or_have_taken_back_is_not_to_be_undone() {
        let mut incident = fixture::incident();
        assert!(!may_be_undone(&incident), "a run without a plan has changed nothing");
        incident.plan = vec![Value::Null];
        assert!(may_be_undone(&incident), "a run that died may have made what it planned");
        for state in [State::Pending, State::Observed, State::Exempt, State::Rejected] {
            incident.state = state;
            assert!(!may_be_undone(&incident), "{state}");
        }
        incident.state = State::Contained;
        incident.receipt = vec![entry("07:00:03"), entry("07:00:04")];
        assert!(may_be_undone(&incident));
        incident.receipt[1].undone = Some(time("2026-11-22T08:00:00Z"));
        assert!(may_be_undone(&incident), "one half is left");
        incident.receipt[0].undone = Some(time("2026-11-22T08:00:00Z"));
        assert!(!may_be_undone(&incident));
    }
}
