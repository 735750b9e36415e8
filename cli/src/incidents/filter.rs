//! Which incidents of the ledger are meant.

use chrono::{DateTime, TimeDelta, Utc};
use clap::builder::PossibleValuesParser;
use cloudtrail::AccountId;
use lambda::Listing;
use remedy::{Incident, State};
use serde::Deserialize;
use serde::de::IntoDeserializer;

use super::{Session, Since};
use crate::failure::Failure;
use crate::responders::ENTRIES;

/// How far back a filter looks that does not say.
const PERIOD: TimeDelta = TimeDelta::days(7);

/// Since a time, until another.
pub(super) type Period = (DateTime<Utc>, DateTime<Utc>);

/// Which incidents are meant: those to which all of it applies.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Filter {
    /// Opened since: an age such as 30m, 24h or 7d, or a time such as 2026-11-22T07:00:00Z [default: 7d before --until]
    #[arg(long, value_name = "WHEN", value_parser = Since::parse)]
    since: Option<Since>,
    /// Opened until [default: now]
    #[arg(long, value_name = "WHEN", value_parser = Since::parse)]
    until: Option<Since>,
    /// Only of this responder
    #[arg(long, value_parser = PossibleValuesParser::new(ENTRIES.iter().map(|entry| entry.spec.name)))]
    responder: Option<String>,
    /// Only where the actor's ARN, or the name of the role session, contains this
    #[arg(long, value_name = "TEXT")]
    actor: Option<String>,
    /// Only where the incident stands so: contained, pending, undone, …
    #[arg(long, value_parser = state)]
    state: Option<State>,
    /// Only of this account
    #[arg(long, value_parser = AccountId::parse)]
    account: Option<AccountId>,
    /// Only where the shadow policies said otherwise than those in force
    #[arg(long)]
    shadow_differs: bool,
}

impl Filter {
    /// The incidents that are meant, newest first, and whether there are more than the newest `limit` of them.
    pub(super) async fn list(
        &self,
        session: &Session,
        (since, until): Period,
        limit: usize,
    ) -> Result<(Vec<Incident>, bool), Failure> {
        let listing = Listing {
            responder: self.responder.clone(),
            account: self.account.clone(),
            state: self.state,
            shadow_differs: self.shadow_differs,
            // One more than is wanted, to know whether there are more. The ledger keeps no sessions to be filtered by,
            // so with an actor it cannot know when there are enough.
            limit: if self.actor.is_some() { usize::MAX } else { limit.saturating_add(1) },
            ..Listing::between(since, until)
        };
        let mut incidents = session.list(&listing).await?;
        incidents.retain(|incident| self.is_of_the_actor(incident));
        let more = incidents.len() > limit;
        incidents.truncate(limit);
        Ok((incidents, more))
    }

    /// From when until when they were opened.
    pub(super) fn period(&self, now: DateTime<Utc>) -> Result<Period, Failure> {
        let until = self.until.map_or(now, |until| until.before(now));
        let since = self.since.map_or_else(|| Since::Ago(PERIOD).before(until), |since| since.before(now));
        if since < until { Ok((since, until)) } else { Err(Failure::Period { since, until }) }
    }

    fn is_of_the_actor(&self, incident: &Incident) -> bool {
        let Some(text) = &self.actor else { return true };
        let session = incident.actor.session.as_deref();
        incident.actor.principal.to_string().contains(text) || session.is_some_and(|session| session.contains(text))
    }
}

/// A state by its name.
fn state(text: &str) -> Result<State, serde::de::value::Error> {
    State::deserialize(text.into_deserializer())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::fixture;

    fn filter() -> Filter {
        let shadow_differs = false;
        Filter { since: None, until: None, responder: None, actor: None, state: None, account: None, shadow_differs }
    }

    #[test]
    fn a_state_goes_by_its_name() {
        assert_eq!(state("already_safe").unwrap(), State::AlreadySafe);
        assert!(state("open").unwrap_err().to_string().starts_with("unknown variant `open`, expected one of"));
    }

    #[test]
    fn a_period_that_is_not_told_is_the_week_before_its_end() {
        let now = fixture::time("2026-11-22T08:00:00Z");
        let period = |since: Option<&str>, until: Option<&str>| {
            let when = |text: Option<&str>| text.map(|text| Since::parse(text).unwrap());
            let period = Filter { since: when(since), until: when(until), ..filter() }.period(now);
            period.map(|(since, until)| [since, until].map(|time| time.format("%d. %H:%M").to_string()))
        };
        assert_eq!(period(None, None).unwrap(), ["15. 08:00", "22. 08:00"]);
        assert_eq!(period(Some("2h"), None).unwrap(), ["22. 06:00", "22. 08:00"]);
        assert_eq!(period(None, Some("2026-11-20T00:00:00Z")).unwrap(), ["13. 00:00", "20. 00:00"]);
        assert_eq!(period(Some("3d"), Some("1d")).unwrap(), ["19. 08:00", "21. 08:00"]);
        let wrong = period(Some("1d"), Some("3d")).unwrap_err();
        assert!(wrong.to_string().starts_with("the period ends before it begins: since 2026-11-21"), "{wrong}");
    }

    #[test]
    fn an_actor_is_found_by_arn_and_by_session() {
        let incident = fixture::incident();
        for (text, is_found) in [("role/deploy", true), ("123456789012", true), ("alice", true), ("bob", false)] {
            let filter = Filter { actor: Some(text.to_owned()), ..filter() };
            assert_eq!(filter.is_of_the_actor(&incident), is_found, "{text}");
        }
    }
}
