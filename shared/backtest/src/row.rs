//! A finding in little room.
//!
//! Findings are alike: the same few actors make the same few calls in the same accounts, and the same policies say the
//! same to them. What they share stands once in a table, and a row has its number.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexSet;
use policy::Severity;
use remedy::Certainty;
use string_interner::StringInterner;
use string_interner::backend::StringBackend;
use string_interner::symbol::SymbolU32;
use uuid::Uuid;

use crate::finding::{ActorKind, Expected, Finding, FindingId, Opinion, Verdict};
use crate::held::Held;

/// A text, by its number.
pub(crate) type Text = SymbolU32;

/// What findings share.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    texts: StringInterner<StringBackend<Text>>,
    whats: IndexSet<What>,
    whos: IndexSet<Who>,
}

/// What a finding shares with no other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Milliseconds; where the time is not known, later than any that is.
    pub(crate) time: i64,
    pub(crate) incident: FindingId,
    pub(crate) event: EventKey,
    what: u32,
    who: u32,
    /// The resource up to its last `/` or `:`, and after it: resources differ in their names.
    resource: (Text, Text),
}

/// What happened, where, and what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct What {
    pub(crate) responder: Text,
    event_name: Text,
    pub(crate) account: Text,
    region: Text,
    pub(crate) said: Said,
    pub(crate) before: Option<Said>,
    severity: Severity,
    /// [`Certainty::Event`], and not [`Certainty::Live`].
    certain: bool,
    pub(crate) live: bool,
    pub(crate) plan: Expected,
}

/// An [`Opinion`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Said {
    pub(crate) verdict: Verdict,
    /// Their ids, with spaces between.
    pub(crate) policies: Text,
    because: Text,
}

/// An actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    pub(crate) actor: Text,
    pub(crate) kind: ActorKind,
    session: Option<Text>,
}

/// The id of an event. Almost all are UUIDs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EventKey {
    Uuid([u8; 16]),
    Text(Text),
}

const UNTIMED: i64 = i64::MAX;

impl Row {
    pub(crate) fn is_timed(&self) -> bool {
        self.time != UNTIMED
    }

    /// When it happened, if that is known.
    pub(crate) fn time(&self) -> Option<DateTime<Utc>> {
        self.is_timed().then(|| DateTime::from_timestamp_millis(self.time)).flatten()
    }

    /// The day in UTC.
    pub(crate) fn day(&self) -> Option<NaiveDate> {
        self.time().map(|time| time.date_naive())
    }
}

/// A row with what it shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) row: &'a Row,
    pub(crate) what: &'a What,
    pub(crate) who: &'a Who,
}

impl Tables {
    pub(crate) fn row(&mut self, finding: &Finding<'_>) -> Row {
        let (stem, name) = split_name(&finding.resource);
        let what = What {
            responder: self.number(&finding.responder),
            event_name: self.number(&finding.event_name),
            account: self.number(&finding.account),
            region: self.number(&finding.region),
            said: self.said(finding.verdict, &finding.policies, &finding.because),
            before: finding.before.as_ref().map(|it| self.said(it.verdict, &it.policies, &it.because)),
            severity: finding.severity,
            certain: finding.certainty == Certainty::Event,
            live: finding.live,
            plan: finding.plan,
        };
        let who = Who {
            actor: self.number(&finding.actor),
            kind: finding.actor_kind,
            session: finding.session.as_ref().map(|session| self.number(session)),
        };
        Row {
            time: finding.event_time.map_or(UNTIMED, |time| time.timestamp_millis()),
            incident: finding.incident,
            event: self.event(&finding.event_id),
            what: short(self.whats.insert_full(what).0),
            who: short(self.whos.insert_full(who).0),
            resource: (self.number(stem), self.number(name)),
        }
    }

    /// What only the ledger could tell is so: the finding is one.
    pub(crate) fn confirm(&mut self, row: &mut Row, tags: bool) {
        let Some(what) = self.seen(row).map(|seen| *seen.what) else { return };
        let what = What { certain: true, live: tags, plan: Expected::Changes, ..what };
        row.what = short(self.whats.insert_full(what).0);
    }

    /// Always `Some` for a row that this table made.
    pub(crate) fn seen<'a>(&'a self, row: &'a Row) -> Option<Seen<'a>> {
        let (what, who) = (usize::try_from(row.what).ok()?, usize::try_from(row.who).ok()?);
        Some(Seen { row, what: self.whats.get_index(what)?, who: self.whos.get_index(who)? })
    }

    pub(crate) fn finding<'a>(&'a self, Seen { row, what, who }: Seen<'a>) -> Finding<'a> {
        let text = |text| Cow::Borrowed(self.text(text));
        let opinion = |said: &Said| Opinion {
            verdict: said.verdict,
            policies: self.policies(said.policies).map(Cow::Borrowed).collect(),
            because: text(said.because),
        };
        let Opinion { verdict, policies, because } = opinion(&what.said);
        let (stem, name) = row.resource;
        Finding {
            event_id: self.event_id(row.event),
            event_time: row.time(),
            event_name: text(what.event_name),
            account: text(what.account),
            region: text(what.region),
            actor: text(who.actor),
            responder: text(what.responder),
            resource: format!("{}{}", self.text(stem), self.text(name)).into(),
            certainty: if what.certain { Certainty::Event } else { Certainty::Live },
            verdict,
            policies,
            severity: what.severity,
            because,
            live: what.live,
            plan: what.plan,
            actor_kind: who.kind,
            session: who.session.map(text),
            incident: row.incident,
            before: what.before.as_ref().map(opinion),
            held: Held::default(),
        }
    }

    pub(crate) fn text(&self, text: Text) -> &str {
        // Each number was made by this table.
        self.texts.resolve(text).unwrap_or_default()
    }

    /// The ids in [`Said::policies`]. No id of a policy has a space in it.
    pub(crate) fn policies(&self, policies: Text) -> impl Iterator<Item = &str> {
        self.text(policies).split(' ').filter(|id| !id.is_empty())
    }

    pub(crate) fn event_id(&self, event: EventKey) -> Cow<'_, str> {
        match event {
            EventKey::Uuid(bytes) => Uuid::from_bytes(bytes).hyphenated().to_string().into(),
            EventKey::Text(text) => self.text(text).into(),
        }
    }

    fn event(&mut self, id: &str) -> EventKey {
        match Uuid::try_parse(id) {
            // Only what comes out again as it went in.
            Ok(uuid) if uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == id => {
                EventKey::Uuid(uuid.into_bytes())
            }
            _ => EventKey::Text(self.number(id)),
        }
    }

    fn said(&mut self, verdict: Verdict, policies: &[Cow<'_, str>], because: &str) -> Said {
        Said { verdict, policies: self.number(&policies.join(" ")), because: self.number(because) }
    }

    fn number(&mut self, text: &str) -> Text {
        self.texts.get_or_intern(text)
    }
}

/// Four thousand million rows fit into no memory.
fn short(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A resource in two parts that make it again.
fn split_name(resource: &str) -> (&str, &str) {
    let end = resource.rfind(['/', ':']).map_or(0, |at| at + 1);
    resource.split_at_checked(end).unwrap_or((resource, ""))
}
