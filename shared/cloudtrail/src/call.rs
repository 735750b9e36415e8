//! One API call, sign-in or service event as CloudTrail recorded it.

use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::event::EventError;
use crate::fields::text_at;

/// Whether the call changed anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// AWS did it. (A null `responseElements` is no sign of failure.)
    Yes,
    /// `Client.DryRunOperation`: it would have been allowed, and nothing was done.
    DryRun,
    /// AWS refused, or the sign-in failed.
    Refused,
}

/// A part of a record that may be missing for two very different reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field<T> {
    /// It is there.
    Known(T),
    /// The record has none.
    Absent,
    /// CloudTrail left it out for its size (`omitted: true`): unknown, to be looked up, never taken for empty.
    Omitted,
}

impl<T> Field<T> {
    /// The value, where it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Omitted => None,
        }
    }
}

/// One call. Source of the fields: CloudTrail User Guide, "CloudTrail record contents".
#[derive(Debug, Clone)]
pub struct Call {
    /// The service, for example `iam.amazonaws.com`.
    pub source: String,
    /// The operation, for example `CreateAccessKey`. Not unique without [`Self::source`].
    pub name: String,
    /// Whether it took effect.
    pub happened: Happened,
    /// Where it came from; `None` where AWS itself called or the address is hidden.
    pub source_ip: Option<IpAddr>,
    /// The client's own description of itself: evidence, and never to be trusted.
    pub user_agent: Option<String>,
    parts: Box<Parts>,
}

/// What differs from operation to operation.
#[derive(Debug, Clone, Default)]
struct Parts {
    request: Value,
    response: Value,
    service_details: Value,
    additional: Value,
}

impl Call {
    /// A call as the ledger remembers it: its parameters are not kept.
    #[must_use]
    pub fn remembered(name: String, source_ip: Option<IpAddr>, user_agent: Option<String>) -> Self {
        let (source, happened) = (String::new(), Happened::Yes);
        Self { source, name, happened, source_ip, user_agent, parts: Box::default() }
    }

    /// Whether it is this operation of this service.
    #[must_use]
    pub fn is(&self, source: &str, name: &str) -> bool {
        self.source == source && self.name == name
    }

    /// `requestParameters`, in the shape the caller relies on.
    pub fn request<T: DeserializeOwned>(&self) -> Result<Field<T>, EventError> {
        self.part("requestParameters", &self.parts.request)
    }

    /// `responseElements`, in the shape the caller relies on.
    pub fn response<T: DeserializeOwned>(&self) -> Result<Field<T>, EventError> {
        self.part("responseElements", &self.parts.response)
    }

    /// `serviceEventDetails`, which an event has that AWS itself caused, in the shape the caller relies on.
    pub fn service_details<T: DeserializeOwned>(&self) -> Result<Field<T>, EventError> {
        self.part("serviceEventDetails", &self.parts.service_details)
    }

    /// `additionalEventData`, which is of neither request nor answer, in the shape the caller relies on.
    pub fn additional<T: DeserializeOwned>(&self) -> Result<Field<T>, EventError> {
        self.part("additionalEventData", &self.parts.additional)
    }

    fn part<T: DeserializeOwned>(&self, field: &'static str, value: &Value) -> Result<Field<T>, EventError> {
        if value.is_null() {
            return Ok(Field::Absent);
        }
        if value.get("omitted").and_then(Value::as_bool) == Some(true) {
            return Ok(Field::Omitted);
        }
        T::deserialize(value).map(Field::Known).map_err(|source| EventError::Shape {
            call: self.name.clone(),
            field,
            source,
        })
    }

    /// Takes the call's own parts out of the record; the others stay.
    pub(crate) fn take_from(record: &mut Value) -> Result<Self, EventError> {
        let text = |name: &'static str| record.get(name).and_then(Value::as_str);
        let required = |field: &'static str| {
            text(field).filter(|text| !text.is_empty()).map(str::to_owned).ok_or(EventError::Missing { field })
        };
        let sign_in_failed = text_at(record, &["responseElements", "ConsoleLogin"]) == Some("Failure");
        // Both are there only "if the request returns an error", and a failed sign-in has the message alone. Source:
        // CloudTrail User Guide, "CloudTrail record contents".
        let failed = ["errorCode", "errorMessage"].iter().any(|name| record.get(name).is_some_and(|it| !it.is_null()));
        let happened = match text("errorCode") {
            Some(code) if code.ends_with("DryRunOperation") => Happened::DryRun,
            _ if failed || sign_in_failed => Happened::Refused,
            _ => Happened::Yes,
        };
        let (source, name) = (required("eventSource")?, required("eventName")?);
        let source_ip = text("sourceIPAddress").and_then(|address| address.parse().ok());
        let user_agent = text("userAgent").map(str::to_owned);
        let mut part = |name: &str| record.get_mut(name).map(Value::take).unwrap_or_default();
        let parts = Box::new(Parts {
            request: part("requestParameters"),
            response: part("responseElements"),
            service_details: part("serviceEventDetails"),
            additional: part("additionalEventData"),
        });
        Ok(Self { source, name, happened, source_ip, user_agent, parts })
    }
}
