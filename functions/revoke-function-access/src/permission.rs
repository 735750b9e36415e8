//! A statement as `AddPermission` and `AddLayerVersionPermission` can write it.
//!
//! What they cannot write could not be put back, so a statement that is not read here is never removed. Source of the
//! parameters and what becomes of them: AWS Lambda API Reference, "`AddPermission`" and "`AddLayerVersionPermission`";
//! AWS Lambda Developer Guide, "Granting Lambda function access to AWS services".

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const SOURCE_ARN: (&str, &str) = ("ArnLike", "AWS:SourceArn");
const SOURCE_ACCOUNT: (&str, &str) = ("StringEquals", "AWS:SourceAccount");
const ORGANIZATION: (&str, &str) = ("StringEquals", "aws:PrincipalOrgID");
const URL_AUTH_TYPE: (&str, &str) = ("StringEquals", "lambda:FunctionUrlAuthType");
const EVENT_SOURCE_TOKEN: (&str, &str) = ("StringEquals", "lambda:EventSourceToken");
const VIA_URL: (&str, &str) = ("Bool", "lambda:InvokedViaFunctionUrl");

/// The parameters that make a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// The statement's id.
    pub sid: String,
    /// For example `lambda:InvokeFunction`.
    pub action: String,
    /// `*`, an account's id, an ARN or a service.
    pub principal: String,
    /// The ARN of the function, alias or layer version: Lambda writes it.
    pub resource: String,
    /// `SourceArn`
    pub source_arn: Option<String>,
    /// `SourceAccount`
    pub source_account: Option<String>,
    /// `PrincipalOrgID`; a layer's `OrganizationId`.
    pub organization: Option<String>,
    /// `FunctionUrlAuthType`
    pub url_auth_type: Option<String>,
    /// `EventSourceToken`
    pub event_source_token: Option<String>,
    /// `InvokedViaFunctionUrl`
    pub via_url: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Written {
    sid: String,
    #[serde(rename = "Effect")]
    _effect: Allow,
    principal: Principal,
    action: String,
    resource: String,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
enum Allow {
    Allow,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Principal {
    Bare(String),
    ByKind(ByKind),
}

#[derive(Deserialize)]
enum ByKind {
    #[serde(rename = "AWS")]
    Aws(String),
    Service(String),
}

impl Permission {
    /// The parameters that make this statement; `None` if none do.
    #[must_use]
    pub fn read(statement: &str) -> Option<Self> {
        let Written { sid, principal, action, resource, condition, .. } = serde_json::from_str(statement).ok()?;
        let principal = match principal {
            Principal::Bare(text) | Principal::ByKind(ByKind::Aws(text)) => account_of_root(&text).unwrap_or(text),
            Principal::ByKind(ByKind::Service(service)) => service,
        };
        let mut conditions: BTreeMap<(String, String), Value> = BTreeMap::new();
        for (operator, keys) in condition {
            for (key, value) in keys {
                // Of two keys that differ by case alone, which counts is not ours to guess.
                if conditions.insert((operator.clone(), key.to_ascii_lowercase()), value).is_some() {
                    return None;
                }
            }
        }
        let mut text =
            |(operator, key): (&str, &str)| match conditions.remove(&(operator.to_owned(), key.to_ascii_lowercase())) {
                None => Some(None),
                Some(Value::String(text)) => Some(Some(text)),
                Some(_) => None,
            };
        let permission = Self {
            sid,
            action,
            principal,
            resource,
            source_arn: text(SOURCE_ARN)?,
            source_account: text(SOURCE_ACCOUNT)?,
            organization: text(ORGANIZATION)?,
            url_auth_type: text(URL_AUTH_TYPE)?,
            event_source_token: text(EVENT_SOURCE_TOKEN)?,
            via_url: text(VIA_URL)?.map(|text| text.parse()).transpose().ok()?,
        };
        conditions.is_empty().then_some(permission)
    }

    /// The statement that Lambda makes of the parameters.
    #[must_use]
    pub fn statement(&self) -> Value {
        let is_service = !self.principal.starts_with("arn:") && self.principal.contains('.');
        let is_account = cloudtrail::AccountId::parse(&self.principal).is_ok();
        let principal = match self.principal.as_str() {
            "*" => json!("*"),
            service if is_service => json!({ "Service": service }),
            account if is_account => {
                let partition = self.resource.split(':').nth(1).unwrap_or("aws");
                json!({ "AWS": format!("arn:{partition}:iam::{account}:root") })
            }
            other => json!({ "AWS": other }),
        };
        let mut statement = json!({
            "Sid": self.sid, "Effect": "Allow", "Principal": principal, "Action": self.action, "Resource": self.resource,
        });
        let mut conditions: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
        for ((operator, key), value) in self.conditions() {
            conditions.entry(operator).or_default().insert(key, value);
        }
        if let (false, Some(members)) = (conditions.is_empty(), statement.as_object_mut()) {
            members.insert("Condition".to_owned(), json!(conditions));
        }
        statement
    }

    fn conditions(&self) -> impl Iterator<Item = ((&'static str, &'static str), String)> {
        [
            (SOURCE_ARN, self.source_arn.clone()),
            (SOURCE_ACCOUNT, self.source_account.clone()),
            (ORGANIZATION, self.organization.clone()),
            (URL_AUTH_TYPE, self.url_auth_type.clone()),
            (EVENT_SOURCE_TOKEN, self.event_source_token.clone()),
            (VIA_URL, self.via_url.map(|truth| truth.to_string())),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
    }
}

/// Without the statement's id, which whoever adds it chooses.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.action, self.principal)?;
        for (index, ((_, key), value)) in self.conditions().enumerate() {
            write!(f, "{} {key} {value}", if index == 0 { " if" } else { "," })?;
        }
        Ok(())
    }
}

/// `123456789012` of `arn:aws:iam::123456789012:root`: the only form of an account that a layer's permission takes.
fn account_of_root(principal: &str) -> Option<String> {
    let account = cloudtrail::Arn::parse(principal).ok().filter(|arn| arn.resource() == "root")?.account()?;
    Some(account.to_string())
}
