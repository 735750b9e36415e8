//! Amazon CloudWatch's `GetMetricData`, over the JSON protocol that CloudWatch speaks besides its others.
//!
//! `aws-sdk-cloudwatch` speaks only CBOR, which the emulator does not understand, and with it come fifteen crates more, one
//! of them another version of HTTP. Everything but the two lines of protocol is the SDKs' own runtime here too: signing,
//! retries, time limits and kinds of error.

use std::str;

use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;
use cloudtrail::Partition;
use lambda::{call_error, region_of};
use remedy::CallError;
use serde_json::Value;

const ACTION: &str = "cloudwatch:GetMetricData";

/// What this operation is called in the JSON protocol.
const TARGET: &str = "GraniteServiceVersion20100801.GetMetricData";

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

#[derive(Debug)]
pub(crate) struct CloudWatch(Operation<String, Value, ErrorMetadata>);

impl CloudWatch {
    pub(crate) fn of(config: &SdkConfig) -> Self {
        let mut operation = Operation::builder()
            .service_name("CloudWatch")
            .operation_name("GetMetricData")
            .endpoint_url(&endpoint(config))
            .runtime_plugin(signing(config))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new());
        if let Some(client) = config.http_client() {
            operation = operation.http_client(client);
        }
        if let Some(sleep) = config.sleep_impl() {
            operation = operation.sleep_impl(sleep);
        }
        if let Some(times) = config.timeout_config() {
            operation = operation.timeout_config(times.clone());
        }
        if let Some(retries) = config.retry_config() {
            operation = operation.standard_retry(retries);
        }
        Self(operation.serializer(request).deserializer(answer).build())
    }

    /// Asks in the form of the Amazon CloudWatch API Reference, `GetMetricData`, with times in seconds since 1970.
    pub(crate) async fn get_metric_data(&self, asked: &Value) -> Result<Value, CallError> {
        self.0.invoke(asked.to_string()).await.map_err(|error| call_error(ACTION, error))
    }
}

fn signing(config: &SdkConfig) -> StaticRuntimePlugin {
    let mut layer = Layer::new("signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: config.region().cloned().map(SigningRegion::from),
        name: Some(SigningName::from_static("monitoring")),
        ..Default::default()
    });
    let options = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new("signing")
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(options))
        .with_identity_cache(Some(IdentityCache::no_cache()));
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// Where the environment or the profile says, as with any SDK; else AWS's own (AWS General Reference, "Amazon CloudWatch
/// endpoints and quotas").
fn endpoint(config: &SdkConfig) -> String {
    let key =
        ServiceConfigKey::builder().service_id("CloudWatch").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned)).unwrap_or_else(|| {
        let region = region_of(config);
        let suffix = if region.partition() == Partition::China { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://monitoring.{region}.{suffix}")
    })
}

fn request(asked: String) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(asked));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().try_insert("content-type", CONTENT_TYPE)?;
    request.headers_mut().try_insert("x-amz-target", TARGET)?;
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<Value, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    let body: Option<Value> = serde_json::from_slice(body).ok();
    if response.status().is_success() {
        return body.ok_or_else(|| OrchestratorError::other("the answer is not JSON"));
    }
    let text = |names: [&str; 2]| names.iter().find_map(|name| body.as_ref()?.get(name)?.as_str());
    let mut error = ErrorMetadata::builder();
    // `com.amazonaws.cloudwatch#AccessDenied`
    if let Some(code) = text(["__type", "code"]).and_then(|code| code.rsplit('#').next()) {
        error = error.code(code);
    }
    if let Some(message) = text(["message", "Message"]) {
        error = error.message(message);
    }
    Err(OrchestratorError::operation(error.build()))
}

#[cfg(test)]
mod tests {
    use aws_config::Region as AwsRegion;

    use super::*;

    #[test]
    fn the_endpoint_is_that_of_the_regions_partition_unless_another_is_set() {
        let of = |region: &'static str| SdkConfig::builder().region(AwsRegion::from_static(region));
        assert_eq!(endpoint(&of("eu-west-1").build()), "https://monitoring.eu-west-1.amazonaws.com");
        assert_eq!(endpoint(&of("cn-north-1").build()), "https://monitoring.cn-north-1.amazonaws.com.cn");
        assert_eq!(endpoint(&of("eu-west-1").endpoint_url("http://here").build()), "http://here");
    }

    #[test]
    fn a_refusal_is_told_by_its_code() {
        let body = r#"{"__type":"com.amazonaws.cloudwatch#AccessDenied","message":"no"}"#;
        let response = HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body));
        let error = answer(&response).unwrap_err();
        let error = error.as_operation_error().unwrap();
        assert_eq!((error.code(), error.message()), (Some("AccessDenied"), Some("no")));
    }
}
