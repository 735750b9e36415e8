//! One emulator for all tests of a process: they keep apart by the names of their tables.

use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_types::SdkConfig;
use aws_types::region::Region;
use stage::Emulator;
use tokio::sync::{OnceCell, Semaphore, oneshot};

static ENDPOINT: OnceCell<String> = OnceCell::const_new();
static TURN: Semaphore = Semaphore::const_new(1);

/// Where the emulator listens. It has a thread of its own, as each test's runtime ends with its test, and goes when
/// this process does.
pub(crate) async fn endpoint() -> String {
    let start = async || {
        let (up, listening) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let emulator = Emulator::start().await.unwrap();
                up.send(emulator.endpoint().to_owned()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        listening.await.unwrap()
    };
    ENDPOINT.get_or_init(start).await.clone()
}

pub(crate) async fn config() -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(endpoint().await)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
        .http_client(one_at_a_time())
        .build()
}

/// moto does not isolate one transaction from another: it copies the table before each, and a refused one puts that copy
/// back over whatever was written meanwhile (`transact_write_items` in `moto/dynamodb/models/__init__.py`). DynamoDB's
/// transactions happen one after the other, and so do these; who comes when is still left to chance.
fn one_at_a_time() -> SharedHttpClient {
    let http = Builder::new().build_http();
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(OneAtATime(Arc::new(http.http_connector(settings, components))))
    })
}

#[derive(Debug)]
struct OneAtATime(Arc<SharedHttpConnector>);

impl HttpConnector for OneAtATime {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let _mine = TURN.acquire().await;
            connector.call(request).await
        })
    }
}
