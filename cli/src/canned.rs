//! An AWS that always answers the same, and remembers what it was sent.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

#[derive(Debug, Clone)]
pub(crate) struct Canned {
    status: u16,
    answer: String,
    sent: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sent = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        self.sent.lock().unwrap().push(sent);
        let answer = HttpResponse::new(self.status.try_into().unwrap(), SdkBody::from(self.answer.as_str()));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

impl Canned {
    pub(crate) fn new(status: u16, answer: &Value) -> Self {
        Self { status, answer: answer.to_string(), sent: Arc::default() }
    }

    /// The JSON bodies so far.
    pub(crate) fn sent(&self) -> Vec<Value> {
        self.sent.lock().unwrap().clone()
    }

    /// For clients in `eu-west-1` that it answers.
    pub(crate) fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("AKIA", "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }
}
