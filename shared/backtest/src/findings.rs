//! Many findings, each once.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::{fmt, mem};

use remedy::Certainty;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::finding::{Finding, FindingId};
use crate::held::{Held, Ledger, Made, Needs, made};
use crate::row::{EventKey, Row, Seen, Tables, Text};

/// A set of findings. One that is given twice is in it once, from [`Self::settle`] on.
///
/// A finding takes a row, and some 40 bytes and its name for a resource that no other has: a million findings on a
/// million resources take about 100 MB, and half as much again while each is given twice.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    tables: Tables,
    rows: Vec<Row>,
    /// What they have to do with the ledger, where that is anything, until it is settled.
    held: BTreeMap<FindingId, Held>,
    /// At so many rows it is worth to look for those given twice.
    crowded: usize,
}

/// Fewer rows than these are not worth a look.
const FEW: usize = 1 << 14;

impl Findings {
    /// Adds a finding.
    pub(crate) fn add(&mut self, finding: &Finding<'_>) {
        if self.rows.len() >= self.crowded.max(FEW) {
            self.throw_out_duplicates();
            self.crowded = self.rows.len() + self.rows.len() / 2;
        }
        let row = self.tables.row(finding);
        self.rows.push(row);
        if !finding.held.is_nothing() {
            // Of several deliveries, whatever their order, the same stays.
            let kept = self.held.entry(finding.incident).or_default();
            if *kept < finding.held {
                kept.clone_from(&finding.held);
            }
        }
    }

    /// Adds all of `other`.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for finding in other.unsettled() {
            self.add(&finding);
        }
    }

    /// Throws out those given twice, then those that the ledger would have known to be none, and brings the others into the
    /// order of time. How many were in it once.
    pub(crate) fn settle(&mut self) -> usize {
        self.throw_out_duplicates();
        let distinct = self.rows.len();
        self.sort();
        self.ask_the_ledger();
        distinct
    }

    fn sort(&mut self) {
        let Self { tables, rows, .. } = self;
        rows.sort_unstable_by(|one, other| {
            let by_event = || match (one.event, other.event) {
                (EventKey::Uuid(one), EventKey::Uuid(other)) => one.cmp(&other),
                (one, other) => tables.event_id(one).cmp(&tables.event_id(other)),
            };
            one.time.cmp(&other.time).then_with(by_event).then_with(|| one.incident.cmp(&other.incident))
        });
    }

    /// The ledger is empty at the beginning, and what is found fills it.
    fn ask_the_ledger(&mut self) {
        let held = mem::take(&mut self.held);
        let Self { tables, rows, .. } = self;
        let mut ledger = Ledger::default();
        for held in rows.iter().filter(|row| !row.is_timed()).filter_map(|row| held.get(&row.incident)) {
            ledger.keep(held, Made::Perhaps);
        }
        rows.retain_mut(|row| {
            let Some(held) = held.get(&row.incident).filter(|_| row.is_timed()) else { return true };
            if let Some(Needs { mark, tags }) = held.needs() {
                match ledger.holds(mark) {
                    None => return false,
                    Some(Made::Perhaps) => {}
                    Some(Made::Surely) => tables.confirm(row, tags),
                }
            }
            if let Some(seen) = tables.seen(row) {
                ledger.keep(held, made(&tables.finding(seen)));
            }
            true
        });
    }

    /// Of several deliveries of one finding, whatever their order, the same one stays.
    fn throw_out_duplicates(&mut self) {
        let Self { tables, rows, .. } = self;
        rows.sort_unstable_by(|one, other| {
            one.incident.cmp(&other.incident).then_with(|| by_content(tables, one, other))
        });
        rows.dedup_by_key(|row| row.incident);
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Finding<'_>> {
        self.seen().map(|seen| self.tables.finding(seen))
    }

    /// All of them, with what they have to do with the ledger.
    fn unsettled(&self) -> impl Iterator<Item = Finding<'_>> {
        let held = |id: FindingId| self.held.get(&id).cloned().unwrap_or_default();
        self.iter().map(move |finding| Finding { held: held(finding.incident), ..finding })
    }

    /// All of them, as they are kept.
    pub(crate) fn seen(&self) -> impl DoubleEndedIterator<Item = Seen<'_>> {
        self.rows.iter().filter_map(|row| self.tables.seen(row))
    }

    pub(crate) fn text(&self, text: Text) -> &str {
        self.tables.text(text)
    }

    /// The ids of the policies that said it.
    pub(crate) fn policies(&self, policies: Text) -> impl Iterator<Item = &str> {
        self.tables.policies(policies)
    }
}

/// An order that does not depend on when a text was first seen.
fn by_content(tables: &Tables, one: &Row, other: &Row) -> Ordering {
    fn key<'a>(finding: &'a Finding<'_>) -> impl Ord + use<'a> {
        let Finding { event_name, account, region, actor, resource, because, session, severity, .. } = finding;
        let before = finding.before.as_ref().map(|before| (before.verdict, &before.policies, &before.because));
        (
            (&finding.event_id, finding.event_time, event_name, &finding.responder, account, region, resource),
            (actor, finding.actor_kind, session, severity),
            (finding.verdict, &finding.policies, because, before),
            (finding.live, finding.plan, finding.certainty == Certainty::Live),
        )
    }
    let finding = |row| tables.seen(row).map(|seen| tables.finding(seen));
    let (one, other) = (finding(one), finding(other));
    one.as_ref().map(key).cmp(&other.as_ref().map(key))
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.unsettled())
    }
}

impl<'de> Deserialize<'de> for Findings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Lines)
    }
}

/// Takes findings one by one, so that there is never a second copy of all.
struct Lines;

impl<'de> Visitor<'de> for Lines {
    type Value = Findings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of findings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Findings, A::Error> {
        let mut findings = Findings::default();
        while let Some(finding) = list.next_element::<Finding<'_>>()? {
            findings.add(&finding);
        }
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    use policy::Severity;

    use super::*;
    use crate::finding::{ActorKind, Expected, Verdict};

    #[test]
    fn what_comes_again_and_again_takes_no_more_room() {
        let mut findings = Findings::default();
        for number in (0..5_u32).flat_map(|_| 0..10_000) {
            findings.add(&Finding {
                event_id: number.to_string().into(),
                event_time: None,
                event_name: "OpenDoor".into(),
                account: "111122223333".into(),
                region: "eu-west-1".into(),
                actor: "arn:aws:iam::111122223333:user/alice".into(),
                responder: "close-doors".into(),
                resource: "arn:aws:doors:eu-west-1:111122223333:door/front".into(),
                certainty: Certainty::Event,
                verdict: Verdict::Observe,
                policies: Vec::new(),
                severity: Severity::HIGH,
                because: "no policy permits it".into(),
                live: false,
                plan: Expected::Changes,
                actor_kind: ActorKind::User,
                session: None,
                incident: format!("{number:020}").try_into().unwrap(),
                before: None,
                held: Held::default(),
            });
            assert!(findings.rows.len() <= FEW, "{}", findings.rows.len());
        }
        findings.settle();
        assert_eq!(findings.rows.len(), 10_000);
    }
}
