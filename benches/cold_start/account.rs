//! An AWS account that answers at once: only as much of it as the measured events touch.
//!
//! The formats are those that AWS documents: Amazon EC2 API Reference and IAM API Reference (the query protocol, answers
//! in XML), Amazon DynamoDB API Reference (JSON 1.0). The ledger is empty for ever, so that each event is a new incident;
//! EC2 and IAM keep what is done to them, so that the look back sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};

use crate::http::Body;

pub(crate) const TABLE: &str = "countermand";
const RULE: &str = "sgr-001f1e2d3c4b5a697";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const CREATED: &str = "2026-11-20T10:15:04Z";

/// The account, shared by its endpoints.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: usize,
    revoked: bool,
    disabled: bool,
    /// As it came: IAM gives policies encoded as it takes them.
    policy: Option<String>,
}

/// What an event exposed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Exposure {
    /// A security group's port.
    Port,
    /// A user, by a key.
    User,
}

impl Account {
    /// Makes the account as open as the next event says.
    pub(crate) fn expose(&self) {
        *self.state() = State::default();
    }

    /// Whether the account is safe again, and how many calls that took.
    pub(crate) fn closed(&self, exposure: Exposure) -> Option<usize> {
        let state = self.state();
        let closed = match exposure {
            Exposure::Port => state.revoked,
            Exposure::User => state.disabled && state.policy.is_some(),
        };
        closed.then_some(state.calls)
    }

    pub(crate) async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return said(StatusCode::BAD_REQUEST, "text/plain", String::new()) };
        let body = body.to_bytes();
        self.state().calls += 1;
        if let Some(target) = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
            return dynamodb(target);
        }
        let form = String::from_utf8_lossy(&body);
        self.query(&form)
    }

    fn query(&self, form: &str) -> Response<Body> {
        let mut state = self.state();
        match field(form, "Action").unwrap_or_default() {
            "DescribeSecurityGroups" => ec2("DescribeSecurityGroups", GROUPS),
            "DescribeSecurityGroupRules" => {
                let open = if state.revoked { String::new() } else { rule(RULE, 22, "just for today") };
                let rules = format!("{open}{}{EGRESS}", rule("sgr-0ffffe2d3c4b5a697", 443, "customers"));
                ec2("DescribeSecurityGroupRules", &format!("<securityGroupRuleSet>{rules}</securityGroupRuleSet>"))
            }
            "RevokeSecurityGroupIngress" if field(form, "SecurityGroupRuleId.1") == Some(RULE) => {
                state.revoked = true;
                ec2("RevokeSecurityGroupIngress", "<return>true</return><revokedSecurityGroupRuleSet/>")
            }
            "GetUser" => iam("GetUser", USER),
            "ListAccessKeys" => {
                let status = if state.disabled { "Inactive" } else { "Active" };
                iam(
                    "ListAccessKeys",
                    &format!(
                        "<UserName>alice</UserName><AccessKeyMetadata><member><UserName>alice</UserName>\
                         <AccessKeyId>{KEY}</AccessKeyId><Status>{status}</Status><CreateDate>{CREATED}</CreateDate>\
                         </member></AccessKeyMetadata><IsTruncated>false</IsTruncated>"
                    ),
                )
            }
            "GetUserPolicy" => match &state.policy {
                None => no_such_entity(),
                Some(policy) => iam(
                    "GetUserPolicy",
                    &format!(
                        "<UserName>alice</UserName><PolicyName>{}</PolicyName><PolicyDocument>{policy}</PolicyDocument>",
                        field(form, "PolicyName").unwrap_or_default()
                    ),
                ),
            },
            "UpdateAccessKey"
                if field(form, "AccessKeyId") == Some(KEY) && field(form, "Status") == Some("Inactive") =>
            {
                state.disabled = true;
                iam("UpdateAccessKey", "")
            }
            "PutUserPolicy" => {
                state.policy = field(form, "PolicyDocument").map(str::to_owned);
                iam("PutUserPolicy", "")
            }
            _ => said(StatusCode::BAD_REQUEST, "text/plain", format!("the stub does not know this call: {form}")),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A field of a form, still encoded: nothing that is looked at here needs encoding.
fn field<'a>(form: &'a str, name: &str) -> Option<&'a str> {
    form.split('&').filter_map(|field| field.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn dynamodb(target: &str) -> Response<Body> {
    let answer = match target {
        "DynamoDB_20120810.BatchGetItem" => format!(r#"{{"Responses":{{"{TABLE}":[]}},"UnprocessedKeys":{{}}}}"#),
        "DynamoDB_20120810.TransactWriteItems" => "{}".to_owned(),
        _ => {
            let error = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
            return said(StatusCode::BAD_REQUEST, JSON, error.to_owned());
        }
    };
    said(StatusCode::OK, JSON, answer)
}

const JSON: &str = "application/x-amz-json-1.0";
const XML: &str = "text/xml;charset=UTF-8";
const REQUEST: &str = "4ce1ed1d-d5f7-4e69-a970-97e0c2b569b9";

const GROUPS: &str = "<securityGroupInfo><item><ownerId>123456789012</ownerId><groupId>sg-0a1b2c3d4e5f67890</groupId>\
    <groupName>web</groupName><groupDescription>web</groupDescription><vpcId>vpc-0a1b2c3d4e5f67890</vpcId>\
    <securityGroupArn>arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0a1b2c3d4e5f67890</securityGroupArn>\
    <ipPermissions/><ipPermissionsEgress/><tagSet><item><key>team</key><value>shop</value></item></tagSet></item>\
    </securityGroupInfo>";

const EGRESS: &str = "<item><securityGroupRuleId>sgr-0eeeee2d3c4b5a697</securityGroupRuleId>\
    <groupId>sg-0a1b2c3d4e5f67890</groupId><groupOwnerId>123456789012</groupOwnerId><isEgress>true</isEgress>\
    <ipProtocol>-1</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4><tagSet/></item>";

const USER: &str = "<User><Path>/</Path><UserName>alice</UserName><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>\
    <Arn>arn:aws:iam::123456789012:user/alice</Arn><CreateDate>2024-01-01T00:00:00Z</CreateDate></User>";

fn rule(id: &str, port: u16, description: &str) -> String {
    format!(
        "<item><securityGroupRuleId>{id}</securityGroupRuleId><groupId>sg-0a1b2c3d4e5f67890</groupId>\
         <groupOwnerId>123456789012</groupOwnerId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>\
         <fromPort>{port}</fromPort><toPort>{port}</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4>\
         <description>{description}</description><tagSet/></item>"
    )
}

fn ec2(action: &str, answer: &str) -> Response<Body> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{action}Response \
         xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{REQUEST}</requestId>{answer}</{action}Response>"
    );
    said(StatusCode::OK, XML, xml)
}

fn iam(action: &str, answer: &str) -> Response<Body> {
    let result = if answer.is_empty() { String::new() } else { format!("<{action}Result>{answer}</{action}Result>") };
    let xml = format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">{result}<ResponseMetadata>\
         <RequestId>{REQUEST}</RequestId></ResponseMetadata></{action}Response>"
    );
    said(StatusCode::OK, XML, xml)
}

fn no_such_entity() -> Response<Body> {
    let xml = format!(
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>NoSuchEntity</Code><Message>The user policy cannot be found.</Message></Error>\
         <RequestId>{REQUEST}</RequestId></ErrorResponse>"
    );
    said(StatusCode::NOT_FOUND, XML, xml)
}

fn said(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(kind));
    response
}
