//! One request to somebody who is not AWS.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use super::http;
use super::roots::Roots;
use crate::environment::Environment;
use crate::settings::SettingsError;

/// From connecting to the answer's head.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends JSON over HTTP. It follows no redirect, so what is sent goes where it was meant to go or nowhere.
#[derive(Debug, Clone)]
pub struct Poster(SharedHttpConnector);

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// An address or a header that HTTP does not know.
    #[error("the request cannot be made")]
    Request(#[source] Box<dyn Error + Send + Sync>),
    /// No connection, or it broke.
    #[error("there is no connection")]
    Connection(#[source] Box<dyn Error + Send + Sync>),
    /// Nothing came back.
    #[error("there was no answer within {} seconds", PATIENCE.as_secs())]
    Silence,
}

impl Poster {
    /// Trusts the system's root certificates, or those of `AWS_CA_BUNDLE`: who is told need not be at AWS.
    pub(crate) fn new(environment: &Environment) -> Result<Self, SettingsError> {
        Ok(Self(http::connector(Roots::for_operator(environment)?, super::CONNECT_TIMEOUT)))
    }

    /// Posts the body and returns the answer's status.
    pub async fn post(&self, url: &str, headers: &[(&'static str, String)], body: String) -> Result<u16, PostError> {
        let unfit = |error| PostError::Request(Box::new(error));
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").map_err(unfit)?;
        request.set_uri(url).map_err(unfit)?;
        for (name, value) in headers {
            request.headers_mut().try_insert(*name, value.clone()).map_err(unfit)?;
        }
        match tokio::time::timeout(PATIENCE, self.0.call(request)).await {
            Ok(Ok(answer)) => Ok(answer.status().as_u16()),
            Ok(Err(error)) => Err(PostError::Connection(Box::new(error))),
            Err(_) => Err(PostError::Silence),
        }
    }
}
