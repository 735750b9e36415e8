//! AWS Lambda as this responder sees it.

use std::collections::BTreeMap;
use std::error::Error;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::types::FunctionUrlAuthType;
use aws_types::SdkConfig;
use cloudtrail::Arn;
use lambda::{Connect, call_error, once};
use remedy::{Applied, CallError, CallErrorKind};

use crate::RevokeFunctionAccess;
use crate::permission::Permission;
use crate::target::{AuthType, Functions, LivePolicy, Target};

/// The responder as it is deployed.
pub type Live = RevokeFunctionAccess<Lambda>;

/// The functions and layers of one account and region.
#[derive(Debug)]
pub struct Lambda {
    reads: Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: Client,
}

impl Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        Self(Lambda { reads: Client::new(config), writes: Client::new(&once(config)) })
    }
}

impl Functions for Lambda {
    async fn policy(&self, target: &Target) -> Result<Option<LivePolicy>, CallError> {
        let (document, revision) = match target {
            Target::Function { name, qualifier } => {
                let call = self.reads.get_policy().function_name(name).set_qualifier(qualifier.clone());
                match if_there("lambda:GetPolicy", call.send().await)? {
                    Some(answer) => (answer.policy, answer.revision_id),
                    None => return Ok(None),
                }
            }
            Target::Layer { name, version } => {
                let call = self.reads.get_layer_version_policy().layer_name(name).version_number(*version);
                match if_there("lambda:GetLayerVersionPolicy", call.send().await)? {
                    Some(answer) => (answer.policy, answer.revision_id),
                    None => return Ok(None),
                }
            }
        };
        Ok(document.map(|document| LivePolicy { document, revision }))
    }

    async fn auth_type(&self, name: &str, qualifier: Option<&str>) -> Result<Option<AuthType>, CallError> {
        let qualifier = qualifier.map(str::to_owned);
        let call = self.reads.get_function_url_config().function_name(name).set_qualifier(qualifier);
        let answer = if_there("lambda:GetFunctionUrlConfig", call.send().await)?;
        Ok(answer.and_then(|answer| match answer.auth_type {
            FunctionUrlAuthType::None => Some(AuthType::None),
            FunctionUrlAuthType::AwsIam => Some(AuthType::AwsIam),
            _ => None,
        }))
    }

    async fn tags(&self, function: &Arn) -> Result<Option<BTreeMap<String, String>>, CallError> {
        let answer = if_there("lambda:ListTags", self.reads.list_tags().resource(function.as_str()).send().await)?;
        Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
    }

    async fn remove(&self, target: &Target, sid: &str, revision: Option<&str>) -> Result<Applied, CallError> {
        let revision = revision.map(str::to_owned);
        match target {
            Target::Function { name, qualifier } => {
                let call = self.writes.remove_permission().function_name(name).set_qualifier(qualifier.clone());
                let call = call.statement_id(sid).set_revision_id(revision);
                applied("lambda:RemovePermission", call.send().await)
            }
            Target::Layer { name, version } => {
                let call = self.writes.remove_layer_version_permission().layer_name(name).version_number(*version);
                let call = call.statement_id(sid).set_revision_id(revision);
                applied("lambda:RemoveLayerVersionPermission", call.send().await)
            }
        }
    }

    async fn add(&self, target: &Target, it: &Permission, revision: Option<&str>) -> Result<Applied, CallError> {
        let revision = revision.map(str::to_owned);
        match target {
            Target::Function { name, qualifier } => {
                let auth_type = it.url_auth_type.as_deref().map(FunctionUrlAuthType::from);
                let call = self
                    .writes
                    .add_permission()
                    .function_name(name)
                    .set_qualifier(qualifier.clone())
                    .statement_id(&it.sid)
                    .action(&it.action)
                    .principal(&it.principal)
                    .set_source_arn(it.source_arn.clone())
                    .set_source_account(it.source_account.clone())
                    .set_principal_org_id(it.organization.clone())
                    .set_function_url_auth_type(auth_type)
                    .set_event_source_token(it.event_source_token.clone())
                    .set_invoked_via_function_url(it.via_url)
                    .set_revision_id(revision);
                applied("lambda:AddPermission", call.send().await)
            }
            Target::Layer { name, version } => {
                let call = self
                    .writes
                    .add_layer_version_permission()
                    .layer_name(name)
                    .version_number(*version)
                    .statement_id(&it.sid)
                    .action(&it.action)
                    .principal(&it.principal)
                    .set_organization_id(it.organization.clone())
                    .set_revision_id(revision);
                applied("lambda:AddLayerVersionPermission", call.send().await)
            }
        }
    }

    async fn set_auth_type(&self, name: &str, qualifier: Option<&str>, to: AuthType) -> Result<Applied, CallError> {
        let qualifier = qualifier.map(str::to_owned);
        let to = match to {
            AuthType::None => FunctionUrlAuthType::None,
            AuthType::AwsIam => FunctionUrlAuthType::AwsIam,
        };
        let call = self.writes.update_function_url_config().function_name(name).set_qualifier(qualifier).auth_type(to);
        applied("lambda:UpdateFunctionUrlConfig", call.send().await)
    }
}

/// What there is not is no error.
fn if_there<T, E>(action: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Option<T>, CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    // Source: AWS Lambda API Reference, "RemovePermission": the revision is not the latest.
    let is_outdated = answer.as_ref().err().and_then(SdkError::code) == Some("PreconditionFailedException");
    lambda::if_there(answer.map_err(|error| match call_error(action, error) {
        error if is_outdated => CallError { kind: CallErrorKind::Throttled, ..error },
        error => error,
    }))
}

/// A write to what is gone changed nothing.
fn applied<T, E>(action: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Applied, CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    Ok(if if_there(action, answer)?.is_some() { Applied::Changed } else { Applied::AlreadySo })
}

/// moto refuses every revision, so what is said to AWS, and what is made of its answers, is shown here.
#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

    use super::*;

    /// Gives answers in turn, and remembers what was asked.
    #[derive(Debug, Clone)]
    struct Canned {
        answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl HttpConnector for Canned {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let uri = request.uri().trim_start_matches("https://lambda.eu-west-1.amazonaws.com");
            let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap();
            self.asked.lock().unwrap().push(format!("{} {uri} {body}", request.method()).trim_end().to_owned());
            let (status, body) = self.answers.lock().unwrap().remove(0);
            let mut answer = HttpResponse::new(status.try_into().unwrap(), body.into());
            if let Some(code) = body.strip_prefix("!") {
                answer = HttpResponse::new(status.try_into().unwrap(), "{}".into());
                answer.headers_mut().insert("x-amzn-errortype", code.to_owned());
            }
            HttpConnectorFuture::ready(Ok(answer))
        }
    }

    fn lambda(answers: &[(u16, &'static str)]) -> (Lambda, Arc<Mutex<Vec<String>>>) {
        let canned = Canned { answers: Arc::new(Mutex::new(answers.to_vec())), asked: Arc::default() };
        let (connector, asked) = (SharedHttpConnector::new(canned.clone()), canned.asked);
        let key = Credentials::new("AKIA", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        (Live::connect(&config).0, asked)
    }

    fn function(qualifier: Option<&str>) -> Target {
        Target::Function { name: "orders".to_owned(), qualifier: qualifier.map(str::to_owned) }
    }

    fn layer() -> Target {
        Target::Layer { name: "shared".to_owned(), version: 3 }
    }

    fn permission() -> Permission {
        Permission {
            sid: "s".to_owned(),
            action: "lambda:InvokeFunctionUrl".to_owned(),
            principal: "*".to_owned(),
            resource: "arn".to_owned(),
            source_arn: Some("arn:aws:s3:::b".to_owned()),
            source_account: Some("999999999999".to_owned()),
            organization: Some("o-theirs5678".to_owned()),
            url_auth_type: Some("NONE".to_owned()),
            event_source_token: Some("token".to_owned()),
            via_url: Some(true),
        }
    }

    #[tokio::test]
    async fn a_policy_is_read_with_its_revision() {
        let (lambda, asked) = lambda(&[
            (200, r#"{"Policy":"{}","RevisionId":"r1"}"#),
            (200, r#"{"Policy":"{}","RevisionId":"r2"}"#),
            (404, "!ResourceNotFoundException"),
            (404, "!ResourceNotFoundException"),
        ]);
        let policy = |revision: &str| LivePolicy { document: "{}".to_owned(), revision: Some(revision.to_owned()) };
        assert_eq!(lambda.policy(&function(Some("live"))).await.unwrap(), Some(policy("r1")));
        assert_eq!(lambda.policy(&layer()).await.unwrap(), Some(policy("r2")));
        assert_eq!(lambda.policy(&function(None)).await.unwrap(), None);
        assert_eq!(lambda.policy(&layer()).await.unwrap(), None);
        assert_eq!(
            *asked.lock().unwrap(),
            [
                "GET /2015-03-31/functions/orders/policy?Qualifier=live",
                "GET /2018-10-31/layers/shared/versions/3/policy",
                "GET /2015-03-31/functions/orders/policy",
                "GET /2018-10-31/layers/shared/versions/3/policy",
            ]
        );
    }

    #[tokio::test]
    async fn a_statement_is_removed_from_the_revision_that_was_read() {
        let (lambda, asked) = lambda(&[(204, ""), (204, ""), (404, "!ResourceNotFoundException")]);
        assert_eq!(lambda.remove(&function(Some("live")), "s", Some("r1")).await.unwrap(), Applied::Changed);
        assert_eq!(lambda.remove(&layer(), "s", Some("r2")).await.unwrap(), Applied::Changed);
        assert_eq!(lambda.remove(&function(None), "s", None).await.unwrap(), Applied::AlreadySo);
        assert_eq!(
            *asked.lock().unwrap(),
            [
                "DELETE /2015-03-31/functions/orders/policy/s?Qualifier=live&RevisionId=r1",
                "DELETE /2018-10-31/layers/shared/versions/3/policy/s?RevisionId=r2",
                "DELETE /2015-03-31/functions/orders/policy/s",
            ]
        );
    }

    #[tokio::test]
    async fn a_write_to_another_revision_is_to_be_tried_again_and_nothing_else_is() {
        for (status, answer, kind) in [
            (412, "!PreconditionFailedException", CallErrorKind::Throttled),
            (429, "!TooManyRequestsException", CallErrorKind::Throttled),
            (409, "!ResourceConflictException", CallErrorKind::Refused),
            (403, "!AccessDeniedException", CallErrorKind::Denied),
            (500, "!ServiceException", CallErrorKind::Unanswered),
        ] {
            let (lambda, _) = lambda(&[(status, answer), (status, answer), (status, answer), (status, answer)]);
            for target in [function(None), layer()] {
                assert_eq!(lambda.remove(&target, "s", Some("r")).await.unwrap_err().kind, kind, "{answer}");
                assert_eq!(lambda.add(&target, &permission(), None).await.unwrap_err().kind, kind, "{answer}");
            }
        }
    }

    #[tokio::test]
    async fn a_statement_is_added_with_all_its_conditions() {
        let (lambda, asked) = lambda(&[(201, "{}"), (201, "{}")]);
        assert_eq!(lambda.add(&function(Some("live")), &permission(), Some("r1")).await.unwrap(), Applied::Changed);
        assert_eq!(lambda.add(&layer(), &permission(), None).await.unwrap(), Applied::Changed);
        let asked = asked.lock().unwrap();
        let (path, body) = asked[0].split_once(" {").unwrap();
        assert_eq!(path, "POST /2015-03-31/functions/orders/policy?Qualifier=live");
        let body: serde_json::Value = serde_json::from_str(&format!("{{{body}")).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"StatementId": "s", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
                "SourceArn": "arn:aws:s3:::b", "SourceAccount": "999999999999", "PrincipalOrgID": "o-theirs5678",
                "FunctionUrlAuthType": "NONE", "EventSourceToken": "token", "InvokedViaFunctionUrl": true,
                "RevisionId": "r1"})
        );
        let (path, body) = asked[1].split_once(" {").unwrap();
        assert_eq!(path, "POST /2018-10-31/layers/shared/versions/3/policy");
        let body: serde_json::Value = serde_json::from_str(&format!("{{{body}")).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"StatementId": "s", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
                "OrganizationId": "o-theirs5678"})
        );
    }
}
