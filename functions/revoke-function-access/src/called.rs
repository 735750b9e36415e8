//! What the calls that open a function or a layer asked for.

use std::collections::BTreeMap;

use cloudtrail::{AccountId, Arn, Call, Event, EventError, Field, Region};
use policy::{Resource, ResourceKind, Severity};
use policy_document::{Access, Document, Trust, exposure};
use remedy::{Certainty, Finding};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::permission::Permission;
use crate::target::{AuthType, Target};

/// What a call opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// Whose the function or layer is.
    pub account: AccountId,
    /// Where it is.
    pub region: Region,
    /// What was opened.
    pub target: Target,
    /// How.
    pub by: By,
}

/// How something was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// By a statement in its policy.
    Statement {
        /// The statement's id; `None` where the record does not tell, so that any statement may be meant.
        sid: Option<String>,
        /// The policy with this statement alone, as far as the record tells.
        presumed: Option<String>,
    },
    /// By a URL that asks nobody who they are.
    Url,
}

impl Opened {
    /// The function or layer version. An alias counts as its function.
    pub(crate) fn arn(&self) -> Arn {
        Arn::of(self.region.partition(), "lambda", self.region.as_str(), &self.account, &self.target.resource())
    }
}

/// The parameters of both calls that add a statement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    function_name: Option<String>,
    qualifier: Option<String>,
    layer_name: Option<String>,
    version_number: Option<Number>,
    statement_id: Option<String>,
    action: Option<String>,
    principal: Option<String>,
    source_arn: Option<String>,
    source_account: Option<String>,
    #[serde(rename = "principalOrgID", alias = "organizationId")]
    organization: Option<String>,
    function_url_auth_type: Option<String>,
    event_source_token: Option<String>,
    invoked_via_function_url: Option<bool>,
}

/// A number that stands in the path of the request, and so may be text in the record.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
struct Answer {
    statement: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionUrlConfig {
    function_name: Option<String>,
    function_arn: Option<String>,
    qualifier: Option<String>,
    auth_type: Option<String>,
}

/// The finding of an event, if it is one.
pub(crate) fn finding(event: &Event) -> Result<Option<Finding<Opened>>, EventError> {
    let Some(call) = event.call().filter(|call| call.source == "lambda.amazonaws.com") else { return Ok(None) };
    // Lambda's events carry the date of the API, and of some calls there are two. Source: AWS Lambda Developer Guide,
    // "Logging AWS Lambda API calls using AWS CloudTrail".
    match call.name.split_once("20").map_or(call.name.as_str(), |(name, _)| name) {
        "AddPermission" => added(event, call, "requestParameters.functionName", Added::function),
        "AddLayerVersionPermission" => added(event, call, "requestParameters.layerName", Added::layer),
        "CreateFunctionUrlConfig" | "UpdateFunctionUrlConfig" => url(event, call),
        _ => Ok(None),
    }
}

/// A target, and its account where that is said.
type Named = (Option<AccountId>, Target);

impl Added {
    fn function(&self) -> Option<Named> {
        function(self.function_name.as_deref()?, self.qualifier.as_deref())
    }

    fn layer(&self) -> Option<Named> {
        let named = self.layer_name.as_deref().filter(|name| !name.is_empty())?;
        let arn = Arn::parse(named).ok();
        let name = arn.as_ref().map_or(named, Arn::name).to_owned();
        let version = match self.version_number.as_ref()? {
            Number::Number(number) => *number,
            Number::Text(text) => text.parse().ok()?,
        };
        Some((arn.and_then(|arn| arn.account()), Target::Layer { name, version }))
    }

    /// The statement that Lambda makes of it; `None` where the record lacks a part of it.
    fn statement(self, resource: String) -> Option<Value> {
        let permission = Permission {
            sid: self.statement_id?,
            action: self.action?,
            principal: self.principal?,
            resource,
            source_arn: self.source_arn,
            source_account: self.source_account,
            organization: self.organization,
            url_auth_type: self.function_url_auth_type,
            event_source_token: self.event_source_token,
            via_url: self.invoked_via_function_url,
        };
        Some(permission.statement())
    }
}

fn added(
    event: &Event,
    call: &Call,
    field: &'static str,
    named: fn(&Added) -> Option<Named>,
) -> Result<Option<Finding<Opened>>, EventError> {
    let asked = call.request::<Added>()?.known().ok_or_else(|| no_resource(call, field))?;
    let (account, target) = named(&asked).ok_or_else(|| no_resource(call, field))?;
    let account = account.unwrap_or_else(|| event.account.clone());
    let partition = event.region.partition();
    let told = call.response::<Answer>()?.known().and_then(|answer| answer.statement);
    let told: Option<Value> = told.and_then(|text| serde_json::from_str(&text).ok());
    let asked_sid = asked.statement_id.clone().filter(|sid| !sid.is_empty());
    let resource = Arn::of(partition, "lambda", event.region.as_str(), &account, &target.policy_resource());
    let statement = told.or_else(|| asked.statement(resource.to_string()));
    let presumed = statement.map(|statement| json!({"Version": "2012-10-17", "Statement": [statement]}).to_string());

    let document = presumed.as_deref().and_then(|text| Document::parse(text).ok());
    let grant =
        document.and_then(|document| exposure(&document, &Trust::only(account.clone(), partition)).into_iter().next());
    let (sid, access) = grant.map_or((asked_sid, None), |grant| (grant.sid, Some(grant.access)));
    let is_layer = matches!(target, Target::Layer { .. });
    let (certainty, severity) = match access {
        Some(Access::Public) if is_layer => (Certainty::Event, Severity::HIGH),
        Some(Access::Public) => (Certainty::Event, Severity::CRITICAL),
        Some(access) if access.is_exposed() && is_layer => (Certainty::Event, Severity::MEDIUM),
        Some(access) if access.is_exposed() => (Certainty::Event, Severity::HIGH),
        Some(Access::Service { guarded: false, .. }) => (Certainty::Live, Severity::LOW),
        Some(Access::Unknown(_)) | None => (Certainty::Live, Severity::MEDIUM),
        Some(_) => return Ok(None),
    };
    let by = By::Statement { sid, presumed };
    Ok(Some(found(Opened { account, region: event.region.clone(), target, by }, severity, certainty)))
}

fn url(event: &Event, call: &Call) -> Result<Option<Finding<Opened>>, EventError> {
    let asked = call.request::<FunctionUrlConfig>()?;
    let answered = call.response::<FunctionUrlConfig>()?.known();
    let (is_told, asked) = (!matches!(asked, Field::Omitted), asked.known());
    let answered_type = answered.as_ref().and_then(|it| it.auth_type.clone()).filter(|_| !is_told);
    let auth_type = asked.as_ref().and_then(|it| it.auth_type.clone()).or(answered_type);
    // A call that leaves the authentication as it is opens nothing.
    if auth_type.as_deref() != Some(AuthType::None.as_str()) && (is_told || auth_type.is_some()) {
        return Ok(None);
    }
    let by_name = asked.and_then(|it| function(it.function_name.as_deref()?, it.qualifier.as_deref()));
    let by_arn = || answered.and_then(|it| function(it.function_arn.as_deref()?, None));
    let (account, target) =
        by_name.or_else(by_arn).ok_or_else(|| no_resource(call, "requestParameters.functionName"))?;
    let certainty = if auth_type.is_some() { Certainty::Event } else { Certainty::Live };
    let account = account.unwrap_or_else(|| event.account.clone());
    let opened = Opened { account, region: event.region.clone(), target, by: By::Url };
    Ok(Some(found(opened, Severity::HIGH, certainty)))
}

fn found(opened: Opened, severity: Severity, certainty: Certainty) -> Finding<Opened> {
    let (kind, tags) = match &opened.target {
        Target::Function { .. } => ("Function", None),
        Target::Layer { .. } => ("LayerVersion", Some(BTreeMap::new())),
    };
    let resource = Resource { kind: ResourceKind::new(kind), arn: opened.arn(), tags };
    Finding { resource, severity, certainty, subject: opened }
}

/// The account, if it is said, and the function of a name in any form: `name`, `name:alias`,
/// `123456789012:function:name` or an ARN. Source: AWS Lambda API Reference, "`AddPermission`", `FunctionName`.
fn function(named: &str, qualifier: Option<&str>) -> Option<Named> {
    let parts: Vec<&str> = named.split(':').collect();
    let (account, rest) = match parts.iter().skip(1).position(|part| *part == "function") {
        Some(before) => (parts.get(before), parts.get(before + 2..)?),
        None => (None, parts.as_slice()),
    };
    let name = (*rest.first().filter(|name| !name.is_empty())?).to_owned();
    let qualifier = qualifier.or(rest.get(1).copied()).filter(|qualifier| !qualifier.is_empty()).map(str::to_owned);
    let account = account.and_then(|account| AccountId::parse(account).ok());
    Some((account, Target::Function { name, qualifier }))
}

fn no_resource(call: &Call, field: &'static str) -> EventError {
    EventError::NoResource { call: call.name.clone(), field }
}
