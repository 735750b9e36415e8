//! What people ask of the ledger.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Days, NaiveDate, Utc};
use cloudtrail::AccountId;
use remedy::{Incident, IncidentId, LedgerError, Shadow, State};

use super::claim::key_beginning;
use super::item::{ACCOUNT, AT, DAY, Item, KEY, LEASED, RELEASE, RESPONDER, STATE, Terms, incident_key, text};
use super::record::{self, KEPT_FOR};
use super::table::{BY_DAY, BY_RELEASE};
use super::{DynamoLedger, because};
use crate::calls::cause;

const GET: &str = "read an incident";
const FIND: &str = "search for an incident";
const LIST: &str = "list incidents";
const DUE: &str = "look for leases that have ended";

/// An id that begins like several is shown with so many of them.
const LIKE: usize = 5;

/// What an id, or the beginning of one, leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// One incident.
    Found(Box<Incident>),
    /// No incident's id begins so.
    Absent,
    /// Several do; these are some of them.
    Ambiguous(Vec<IncidentId>),
}

/// Which incidents to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Opened at this time or later. What is older than [`KEPT_FOR`] is gone.
    pub since: DateTime<Utc>,
    /// Opened at this time or earlier.
    pub until: DateTime<Utc>,
    /// Only of this responder.
    pub responder: Option<String>,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only where the incident stands so.
    pub state: Option<State>,
    /// Only where the shadow policies said otherwise than those in force.
    pub shadow_differs: bool,
    /// The newest so many.
    pub limit: usize,
}

impl Listing {
    /// Everything opened from `since` until `until`.
    #[must_use]
    pub fn between(since: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self { since, until, responder: None, account: None, state: None, shadow_differs: false, limit: usize::MAX }
    }

    /// The days to look at, newest first.
    fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let (first, last) = (self.since.max(self.until - KEPT_FOR).date_naive(), self.until.date_naive());
        std::iter::successors(Some(last), |day| day.checked_sub_days(Days::new(1))).take_while(move |day| *day >= first)
    }

    fn filter(&self, terms: &mut Terms) -> Option<String> {
        let mut conditions = Vec::new();
        let mut equal = |terms: &mut Terms, name: &str, value: &str| {
            conditions.push(format!("{} = {}", terms.name(name), terms.value(text(value))));
        };
        if let Some(responder) = &self.responder {
            equal(terms, RESPONDER, responder);
        }
        if let Some(account) = &self.account {
            equal(terms, ACCOUNT, account.as_str());
        }
        if let Some(state) = self.state {
            equal(terms, STATE, &state.to_string());
        }
        (!conditions.is_empty()).then(|| conditions.join(" AND "))
    }
}

impl DynamoLedger {
    /// The incident of this id.
    pub async fn get(&self, id: &IncidentId) -> Result<Option<Incident>, LedgerError> {
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, incident_key(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| because(GET)(cause(error)))?;
        read.item.as_ref().map(record::incident).transpose().map_err(because(GET))
    }

    /// The incident whose id is or begins with what a person typed. The beginning of an id is searched for in the whole
    /// table: that is one call for each megabyte.
    pub async fn find(&self, id: &str) -> Result<Lookup, LedgerError> {
        if id.is_empty() {
            return Ok(Lookup::Absent);
        }
        if let Some(incident) = self.get(&IncidentId::new(id)).await? {
            return Ok(Lookup::Found(Box::new(incident)));
        }
        let mut like = BTreeSet::new();
        let mut from = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .projection_expression("#pk")
                .filter_expression("begins_with(#pk, :beginning)")
                .expression_attribute_names("#pk", KEY)
                .expression_attribute_values(":beginning", text(key_beginning(id)))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| because(FIND)(cause(error)))?;
            like.extend(page.items.unwrap_or_default().iter().filter_map(id_of));
            from = page.last_evaluated_key;
            if from.is_none() || like.len() >= LIKE {
                break;
            }
        }
        let mut like = like.into_iter();
        Ok(match (like.next(), like.next()) {
            (None, _) => Lookup::Absent,
            (Some(id), None) => self.get(&id).await?.map_or(Lookup::Absent, |found| Lookup::Found(Box::new(found))),
            (Some(first), Some(second)) => {
                Lookup::Ambiguous([first, second].into_iter().chain(like).take(LIKE).collect())
            }
        })
    }

    /// The incidents of the listing, newest first. What was opened a moment ago may be missing: indexes lag behind.
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Incident>, LedgerError> {
        let mut incidents = Vec::new();
        for day in listing.days() {
            let mut from = None;
            loop {
                let (items, next) = self.page(listing, day, from).await?;
                for item in &items {
                    if incidents.len() == listing.limit {
                        return Ok(incidents);
                    }
                    let incident = record::incident(item).map_err(because(LIST))?;
                    if !listing.shadow_differs || incident.shadow.as_ref().is_some_and(Shadow::differs) {
                        incidents.push(incident);
                    }
                }
                from = next;
                if from.is_none() {
                    break;
                }
            }
            if incidents.len() == listing.limit {
                break;
            }
        }
        Ok(incidents)
    }

    /// The incidents whose lease has ended at `now`, the earliest first. Read each again before acting on it: indexes lag
    /// behind.
    pub async fn due(&self, now: DateTime<Utc>) -> Result<Vec<IncidentId>, LedgerError> {
        let mut due = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(BY_RELEASE)
                .key_condition_expression("#leased = :leased AND #release <= :now")
                .expression_attribute_names("#leased", LEASED)
                .expression_attribute_names("#release", RELEASE)
                .expression_attribute_values(":leased", text(LEASED))
                .expression_attribute_values(":now", text(record::instant(now)))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| because(DUE)(cause(error)))?;
            due.extend(page.items.unwrap_or_default().iter().filter_map(id_of));
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(due);
            }
        }
    }

    async fn page(
        &self,
        listing: &Listing,
        day: NaiveDate,
        from: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), LedgerError> {
        let mut terms = Terms::default();
        let (name, value) = (terms.name(DAY), terms.value(text(day.format("%Y-%m-%d").to_string())));
        let at = terms.name(AT);
        let since = terms.value(text(record::instant(listing.since)));
        let until = terms.value(text(format!("{}~", record::instant(listing.until)))); // `~` is after the `#` and the id
        let filter = listing.filter(&mut terms);
        let (names, values) = terms.into_parts();
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_DAY)
            .scan_index_forward(false)
            .key_condition_expression(format!("{name} = {value} AND {at} BETWEEN {since} AND {until}"))
            .set_filter_expression(filter)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|error| because(LIST)(cause(error)))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }
}

fn id_of(item: &Item) -> Option<IncidentId> {
    let AttributeValue::S(key) = item.get(KEY)? else { return None };
    key.strip_prefix(super::item::INCIDENT_KEY).map(IncidentId::new)
}
