//! How we talk to AWS: one configuration, one HTTP client and one pool of connections for all services.

mod http;
mod post;
mod roots;

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

pub use self::post::{PostError, Poster};
use self::roots::Roots;
use crate::environment::Environment;
use crate::settings::{SettingsError, required};

/// What CloudTrail's `userAgent` shows of us: `app/countermand`.
const APP_NAME: &str = "countermand";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 3;

/// The configuration of a function's clients, from the environment alone.
///
/// A function's region and credentials are in its environment (AWS Lambda Developer Guide, "Working with Lambda
/// environment variables", defined runtime environment variables) and stay there as long as its process. So this reads
/// no file, asks no metadata service, and links none of the default chain's providers into the function.
/// Endpoints are read as every SDK reads them (AWS SDKs and Tools Reference Guide, "Service-specific endpoints").
pub fn sdk_config() -> Result<SdkConfig, SettingsError> {
    function_config(&Environment::of_process())
}

/// The same configuration for clients that write, which make one attempt a call: see
/// [`Responder::apply`](remedy::Responder::apply).
#[must_use]
pub fn once(config: &SdkConfig) -> SdkConfig {
    config.clone().into_builder().retry_config(RetryConfig::disabled()).build()
}

/// The region that clients of this configuration ask; an empty name if there is none.
#[must_use]
pub fn region_of(config: &SdkConfig) -> cloudtrail::Region {
    cloudtrail::Region::new(config.region().map(ToString::to_string).unwrap_or_default())
}

/// The same configuration for clients that ask another region.
#[must_use]
pub fn in_region(config: &SdkConfig, region: &str) -> SdkConfig {
    config.to_builder().region(Region::new(region.to_owned())).build()
}

pub(crate) fn function_config(environment: &Environment) -> Result<SdkConfig, SettingsError> {
    let region = match environment.get("AWS_REGION").or(environment.get("AWS_DEFAULT_REGION")) {
        Some(region) => region,
        None => required(environment, "AWS_REGION", "the region the function runs in, as Lambda does")?,
    };
    let credentials = Credentials::new(
        required(environment, "AWS_ACCESS_KEY_ID", "an access key id, as Lambda does")?,
        required(environment, "AWS_SECRET_ACCESS_KEY", "its secret key, as Lambda does")?,
        environment.get("AWS_SESSION_TOKEN").map(str::to_owned),
        None,
        "environment",
    );
    let endpoints = Endpoints::of(environment);
    let roots = Roots::for_function(environment, region)?;
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http::client(roots, CONNECT_TIMEOUT))
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
    builder.set_app_name(AppName::new(APP_NAME).ok());
    builder.set_use_fips(environment.is_true("AWS_USE_FIPS_ENDPOINT"));
    builder.set_use_dual_stack(environment.is_true("AWS_USE_DUALSTACK_ENDPOINT"));
    builder.set_endpoint_url(endpoints.for_all().map(str::to_owned));
    Ok(builder.service_config(endpoints).build())
}

/// The configuration of an operator's clients: profile, environment and credentials as the AWS CLI finds them.
pub async fn operator_config(profile: Option<&str>) -> Result<SdkConfig, SettingsError> {
    let roots = Roots::for_operator(&Environment::of_process())?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::client(roots, CONNECT_TIMEOUT))
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
    if let Ok(name) = AppName::new(APP_NAME) {
        loader = loader.app_name(name);
    }
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    Ok(loader.load().await)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// Endpoints that the environment puts in place of AWS's.
#[derive(Debug)]
struct Endpoints(Environment);

const ENDPOINT: &str = "AWS_ENDPOINT_URL";

impl Endpoints {
    fn of(environment: &Environment) -> Self {
        if environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == Some(true) {
            Self(Environment::default())
        } else {
            Self(environment.clone())
        }
    }

    fn for_all(&self) -> Option<&str> {
        self.0.get(ENDPOINT)
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != ENDPOINT {
            return None;
        }
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        self.0.get(&format!("{ENDPOINT}_{service}")).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function<const N: usize>(more: [(&str, &str); N]) -> Environment {
        let basic = [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        basic.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
        let key =
            ServiceConfigKey::builder().service_id(service).profile("endpoint_url").env(ENDPOINT).build().unwrap();
        config.service_config().unwrap().load_config(key).or_else(|| config.endpoint_url().map(str::to_owned))
    }

    #[test]
    fn a_function_is_configured_by_its_environment() {
        let config = function_config(&function([("AWS_USE_FIPS_ENDPOINT", "TRUE")])).unwrap();
        assert_eq!(config.region().unwrap().as_ref(), "eu-west-1");
        assert_eq!(config.app_name().unwrap().as_ref(), "countermand");
        assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(true), None));
        assert_eq!(endpoint(&config, "DynamoDB"), None);
    }

    #[test]
    fn a_service_may_have_an_endpoint_of_its_own() {
        let urls = [("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_GUARDDUTY", "http://one")];
        let config = function_config(&function(urls)).unwrap();
        assert_eq!(endpoint(&config, "GuardDuty").unwrap(), "http://one");
        assert_eq!(endpoint(&config, "DynamoDB").unwrap(), "http://all");

        let [all, one] = urls;
        let ignored = function([all, one, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]);
        assert_eq!(endpoint(&function_config(&ignored).unwrap(), "GuardDuty"), None);
    }

    #[test]
    fn without_region_or_credentials_the_error_says_which() {
        let refusal = |environment: Environment| function_config(&environment).unwrap_err().to_string();
        assert!(refusal([].into()).starts_with("`AWS_REGION` is not set"));
        assert!(refusal([("AWS_DEFAULT_REGION", "x")].into()).starts_with("`AWS_ACCESS_KEY_ID` is not set"));
    }
}
