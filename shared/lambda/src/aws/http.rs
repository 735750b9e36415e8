//! The one HTTP client.
//!
//! The SDK would set up TLS, and parse every root certificate, once for each client it makes and once more for the
//! first call (`HyperClient::validate_base_client_config` and `http_connector` in `aws-smithy-http-client`'s
//! `client.rs`). Here it is done once, and every service's client gets the same connector: the same roots, the same
//! pool.
//!
//! **After a freeze.** Lambda freezes a function between events, and meanwhile servers close its connections. Four
//! things keep that from costing an event:
//! 1. A connection that was idle for [`IDLE`] is not used again. By the clock, that is, which may have stood still with
//!    the sandbox, so this alone is not enough.
//! 2. A connection whose end has arrived is seen to be closed when the pool is asked for it, and a request that has not
//!    been written yet is moved to another by hyper-util (`retry_canceled_requests`, on by default, in
//!    `client/legacy/client.rs`).
//! 3. A request that was written and met a reset fails as an I/O or incomplete-message error, which
//!    `aws-smithy-http-client` reports as transient (`to_connector_error` in `client.rs`); the SDK's standard retry then
//!    takes it up with a new connection, having poisoned the old one (`ReconnectMode::ReconnectOnTransientError`, the
//!    default). The ledger's transactions carry a token that makes the second attempt harmless, and a responder's
//!    changes are idempotent.
//! 4. Where nothing comes back at all, the attempt ends after five seconds and is retried the same way.

use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

use super::roots::Roots;

/// For how long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(20);

pub(super) fn client(roots: Roots, connect_timeout: Duration) -> SharedHttpClient {
    let connector = connector(roots, connect_timeout);
    http_client_fn(move |_, _| connector.clone())
}

pub(super) fn connector(roots: Roots, connect_timeout: Duration) -> SharedHttpConnector {
    let connector = ConnectorBuilder::default()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(connect_timeout).build())
        .pool_idle_timeout(IDLE)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(roots.into_context());
    let connector: Connector = connector.build();
    SharedHttpConnector::new(connector)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use crate::aws::function_config;
    use crate::environment::Environment;

    /// A client for a server that does this with each of its connections in turn.
    async fn client(fates: Vec<Fate>) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for fate in fates {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(fate.meet(stream));
            }
        });
        let environment: Environment = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", &url),
        ]
        .into();
        Client::new(&function_config(&environment).unwrap())
    }

    #[derive(Clone, Copy)]
    enum Fate {
        /// Answers one request and closes.
        CloseAfterAnswer,
        /// Answers one request, takes the next and closes without an answer.
        CloseOnSecondRequest,
        /// Answers everything.
        Answer,
    }

    impl Fate {
        async fn meet(self, mut stream: TcpStream) {
            let answers = if matches!(self, Self::Answer) { usize::MAX } else { 1 };
            for _ in 0..answers {
                read_request(&mut stream).await;
                let answer =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            if matches!(self, Self::CloseOnSecondRequest) {
                read_request(&mut stream).await;
            }
        }
    }

    async fn read_request(stream: &mut TcpStream) {
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            request.push(stream.read_u8().await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_connection_that_ended_during_a_freeze_costs_no_event() {
        for fate in [Fate::CloseAfterAnswer, Fate::CloseOnSecondRequest] {
            let client = client(vec![fate, Fate::Answer]).await;
            for _ in 0..3 {
                client.list_tables().send().await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn all_clients_share_one_pool() {
        // A second connection would never be accepted.
        let first = client(vec![Fate::Answer]).await;
        first.list_tables().send().await.unwrap();
        let second = Client::from_conf(first.config().to_builder().build());
        second.list_tables().send().await.unwrap();
    }
}
