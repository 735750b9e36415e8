//! The canary's latest round: one item, in which each function that is asked says that it is alive.
//!
//! Anybody who may put events on the bus may ask a function for a sign of life. That proves nothing by itself: a sign is
//! written only into a round that the canary has begun, by its nonce, and only the function can write it. The nonce need
//! not be secret, since whoever knows it can make the function do no more than say that it is alive, which is then true.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use remedy::LedgerError;

use super::item::{EXPIRES, Item, KEY, Terms, heartbeat_key, number, text};
use super::record::RecordError;
use super::{DynamoLedger, because};
use crate::calls::cause;

const BEGIN: &str = "begin a round of heartbeats";
const READ: &str = "read the round of heartbeats";
const BEAT: &str = "write a heartbeat";

const NONCE: &str = "nonce";
const BEGUN: &str = "begun";
const ASKED: &str = "asked";
const CALLED: &str = "called";
const ARRIVED: &str = "arrived";

/// Before a responder's name, in the name of the attribute that says when it answered. An attribute each, and not a map, so
/// that those who answer at once need not wait for each other.
const ANSWER: &str = "beat#";

/// The canary asks every hour: what is older than this tells nobody anything.
const KEPT: TimeDelta = TimeDelta::days(7);

/// How far AWS's clocks and Lambda's may be apart. CloudTrail's times are whole seconds besides.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// No nonce of ours is longer.
const LONGEST_NONCE: usize = 64;

/// A round of heartbeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// What tells it from all others.
    pub nonce: String,
    /// When it was begun.
    pub begun: DateTime<Utc>,
    /// The responders that were asked.
    pub asked: BTreeSet<String>,
    /// When each of them answered.
    pub answers: BTreeMap<String, DateTime<Utc>>,
    /// How the record of the canary's own call came, if it did.
    pub delivery: Option<Delivery>,
}

/// How CloudTrail's record of a call came to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// When the call was made, in whole seconds.
    pub called: DateTime<Utc>,
    /// When the function had the record.
    pub arrived: DateTime<Utc>,
}

impl Round {
    /// A new round, in which these responders are to answer.
    pub fn new(asked: impl IntoIterator<Item = String>, now: DateTime<Utc>) -> Self {
        Self {
            nonce: format!("{:032x}", fastrand::u128(..)),
            begun: now,
            asked: asked.into_iter().collect(),
            answers: BTreeMap::new(),
            delivery: None,
        }
    }

    /// Who was asked and has not answered.
    pub fn silent(&self) -> impl Iterator<Item = &str> {
        self.asked.iter().map(String::as_str).filter(|name| !self.answers.contains_key(*name))
    }
}

impl DynamoLedger {
    /// The latest round.
    pub async fn round(&self) -> Result<Option<Round>, LedgerError> {
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, heartbeat_key())
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| because(READ)(cause(error)))?;
        read.item.map(|item| round(&item).map_err(because(READ))).transpose()
    }

    /// Begins a round, in place of the one before.
    pub async fn begin(&self, round: &Round) -> Result<(), LedgerError> {
        let asked = round.asked.iter().cloned().collect();
        self.client
            .put_item()
            .table_name(&self.table)
            .item(KEY, heartbeat_key())
            .item(NONCE, text(&round.nonce))
            .item(BEGUN, number(round.begun.timestamp_millis()))
            .item(ASKED, AttributeValue::Ss(asked))
            .item(EXPIRES, number((round.begun + KEPT).timestamp()))
            .send()
            .await
            .map_err(|error| because(BEGIN)(cause(error)))?;
        Ok(())
    }

    /// Says that the responder is alive; whether the round of this nonce is the one that runs.
    pub(crate) async fn answer(&self, responder: &str, nonce: &str, now: DateTime<Utc>) -> Result<bool, LedgerError> {
        if nonce.len() > LONGEST_NONCE {
            return Ok(false);
        }
        let mut terms = Terms::default();
        let (answer, at) = (terms.name(format!("{ANSWER}{responder}")), terms.value(number(now.timestamp_millis())));
        let condition = format!("{} = {}", terms.name(NONCE), terms.value(text(nonce)));
        self.add(format!("SET {answer} = {at}"), condition, terms).await
    }

    /// Says that the record of a call of the canary came; whether it is the first of the round that runs.
    pub(crate) async fn delivered(&self, delivery: Delivery) -> Result<bool, LedgerError> {
        let Delivery { called, arrived } = delivery;
        let mut terms = Terms::default();
        let at = terms.value(number(called.timestamp_millis()));
        let set = format!(
            "SET {} = {at}, {} = {}",
            terms.name(CALLED),
            terms.name(ARRIVED),
            terms.value(number(arrived.timestamp_millis()))
        );
        let latest = terms.value(number((called + SKEW).timestamp_millis()));
        let condition = format!("{} <= {latest} AND attribute_not_exists({})", terms.name(BEGUN), terms.name(CALLED));
        self.add(set, condition, terms).await
    }

    /// Adds to the round, if the condition holds.
    async fn add(&self, expression: String, condition: String, terms: Terms) -> Result<bool, LedgerError> {
        let (names, values) = terms.into_parts();
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(KEY, heartbeat_key())
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(because(BEAT)(cause(error))),
            },
        }
    }
}

fn round(item: &Item) -> Result<Round, RecordError> {
    let attribute = |name: &'static str| item.get(name).ok_or(RecordError::Attribute(name));
    let mut answers = BTreeMap::new();
    for (name, value) in item {
        if let Some(responder) = name.strip_prefix(ANSWER) {
            answers.insert(responder.to_owned(), instant(value, ANSWER)?);
        }
    }
    let delivery = match (item.get(CALLED), item.get(ARRIVED)) {
        (Some(called), Some(arrived)) => {
            Some(Delivery { called: instant(called, CALLED)?, arrived: instant(arrived, ARRIVED)? })
        }
        _ => None,
    };
    Ok(Round {
        nonce: attribute(NONCE)?.as_s().map_err(|_| RecordError::Attribute(NONCE))?.clone(),
        begun: instant(attribute(BEGUN)?, BEGUN)?,
        asked: attribute(ASKED)?.as_ss().map_err(|_| RecordError::Attribute(ASKED))?.iter().cloned().collect(),
        answers,
        delivery,
    })
}

fn instant(value: &AttributeValue, name: &'static str) -> Result<DateTime<Utc>, RecordError> {
    let millis = value.as_n().ok().and_then(|millis| millis.parse().ok());
    millis.and_then(DateTime::from_timestamp_millis).ok_or(RecordError::Attribute(name))
}
