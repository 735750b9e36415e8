//! One call to an AWS API, as it went over the wire.

use chrono::{DateTime, Utc};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderMap, USER_AGENT};
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::fault::Fault;
use crate::clock;

/// One call to an AWS API and what came of it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// The service it was signed for: `ec2`, `iam`, `dynamodb`.
    pub service: String,
    /// The region it was signed for.
    pub region: String,
    /// The API's name for it: `AuthorizeSecurityGroupIngress`. `PUT /path` for services without.
    pub operation: String,
    /// What was asked.
    pub params: Params,
    /// The key it was signed with.
    pub access_key_id: String,
    /// What AWS answered; `None` if the call never got there.
    pub status: Option<u16>,
    /// The answer's body: XML or JSON. Kept even where the caller never saw it.
    pub response_body: String,
    /// What the caller says it is.
    pub user_agent: String,
    /// The id this call has in its answer's header and in CloudTrail.
    pub request_id: String,
    /// The fault it met, if one was injected.
    pub fault: Option<Fault>,
}

/// What a call asked, in its protocol's form.
#[derive(Debug, Clone, PartialEq)]
pub enum Params {
    /// The query protocol's parameters in their order, without `Action` and `Version`.
    Form(Vec<(String, String)>),
    /// A JSON protocol's body.
    Json(Value),
    /// Neither: a REST call without a query. One with a query has a form.
    None,
}

impl Call {
    /// The value of a query parameter: `param("IpPermissions.1.FromPort")`.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let Params::Form(pairs) = &self.params else { return None };
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether AWS did what was asked, whatever the caller got to see.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// `None` for a request that is not signed, and so is not for AWS.
    pub(super) fn read(head: &Parts, body: &Bytes) -> Option<Self> {
        let Scope { access_key_id, region, service } = Scope::of(&head.headers)?;
        let (operation, params) = target(&head.headers)
            .map(|operation| (operation, serde_json::from_slice(body).map_or(Params::None, Params::Json)))
            .or_else(|| action(head, body))
            .unwrap_or_else(|| (format!("{} {}", head.method, head.uri.path()), query(head)));
        Some(Self {
            at: clock::now(),
            service,
            region,
            operation,
            params,
            access_key_id,
            status: None,
            response_body: String::new(),
            user_agent: text(&head.headers, USER_AGENT.as_str()).unwrap_or_default().to_owned(),
            request_id: clock::fresh_id(),
            fault: None,
        })
    }

    pub(super) fn answered(&mut self, status: StatusCode, body: &Bytes) {
        self.status = Some(status.as_u16());
        self.response_body = String::from_utf8_lossy(body).into_owned();
    }
}

struct Scope {
    access_key_id: String,
    region: String,
    service: String,
}

impl Scope {
    /// `AWS4-HMAC-SHA256 Credential=AKIA…/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=…`
    fn of(headers: &HeaderMap) -> Option<Self> {
        let (_, credential) = text(headers, AUTHORIZATION.as_str())?.split_once("Credential=")?;
        let mut parts = credential.split([',', ' ']).next()?.split('/');
        let access_key_id = parts.next()?.to_owned();
        let region = parts.nth(1)?.to_owned();
        let service = parts.next()?.to_owned();
        Some(Self { access_key_id, region, service })
    }
}

/// `X-Amz-Target: DynamoDB_20120810.PutItem`
fn target(headers: &HeaderMap) -> Option<String> {
    Some(text(headers, "x-amz-target")?.rsplit('.').next()?.to_owned())
}

fn action(head: &Parts, body: &Bytes) -> Option<(String, Params)> {
    let sent = std::str::from_utf8(body).ok()?;
    let sent = if sent.is_empty() { head.uri.query().unwrap_or_default() } else { sent };
    let pairs = pairs(sent);
    let operation = pairs.iter().find(|(key, _)| key == "Action")?.1.clone();
    let asked = pairs.into_iter().filter(|(key, _)| key != "Action" && key != "Version").collect();
    Some((operation, Params::Form(asked)))
}

/// What a REST call asks behind its path.
fn query(head: &Parts) -> Params {
    head.uri.query().map_or(Params::None, |query| Params::Form(pairs(query)))
}

/// S3 says what is meant by a name without a value: `?policy`.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(key, value)| (decode(key), decode(value))).collect()
}

fn decode(part: &str) -> String {
    percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use hyper::Request;
    use serde_json::json;

    use super::*;

    fn read(request: hyper::http::request::Builder, body: &'static str) -> Option<Call> {
        let (head, ()) = request.body(()).unwrap().into_parts();
        Call::read(&head, &Bytes::from_static(body.as_bytes()))
    }

    fn signed(service: &str) -> hyper::http::request::Builder {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        Request::post("/").header("authorization", scope).header("user-agent", "test/1")
    }

    #[test]
    fn a_query_call_keeps_the_order_and_the_text_of_its_parameters() {
        let body = "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&B.1=0.0.0.0%2F0&A=x+y%2B&Empty=";
        let call = read(signed("ec2"), body).unwrap();
        assert_eq!(
            (call.service.as_str(), call.region.as_str(), call.access_key_id.as_str()),
            ("ec2", "eu-west-1", "AKIATEST")
        );
        assert_eq!(call.operation, "AuthorizeSecurityGroupIngress");
        let pairs = [("B.1", "0.0.0.0/0"), ("A", "x y+"), ("Empty", "")];
        assert_eq!(call.params, Params::Form(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()));
        assert_eq!(call.param("A"), Some("x y+"));
        assert_eq!(call.user_agent, "test/1");
    }

    #[test]
    fn a_json_call_is_named_by_its_target() {
        let request = signed("dynamodb").header("x-amz-target", "DynamoDB_20120810.PutItem");
        let call = read(request, r#"{"TableName":"t"}"#).unwrap();
        assert_eq!(call.operation, "PutItem");
        assert_eq!(call.params, Params::Json(json!({"TableName": "t"})));
    }

    #[test]
    fn an_unsigned_request_is_no_call() {
        assert_eq!(read(Request::post("/moto-api/reset"), ""), None);
    }

    #[test]
    fn a_rest_call_is_named_by_method_and_path() {
        let call = read(signed("lambda"), "").unwrap();
        assert_eq!((call.operation.as_str(), call.params), ("POST /", Params::None));
        let call = read(signed("s3").uri("/logs?list-type=2&prefix=AWSLogs%2F"), "").unwrap();
        assert_eq!((call.operation.as_str(), call.param("prefix")), ("POST /logs", Some("AWSLogs/")));
    }
}
