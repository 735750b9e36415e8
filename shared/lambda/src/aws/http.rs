//! The one HTTP client.
//!
//! The SDK would set up TLS, and parse every root certificate, once for each client it makes and once more for the
//! first call (`HyperClient::validate_base_client_config` and `http_connector` in `aws-smithy-http-client`'s
//! `client.rs`). Here it is done once, and every service's client gets the same connector: the same roots, the same
//! pool.
//!
//! **After a freeze.** Lambda freezes a function between events, and meanwhile servers close its connections. Four
//! things keep that from costing an event:
//! 1. A connection that was idle for [`IDLE`] by the clock is not used again. DynamoDB's documented idle time is
//!    longer, but the clock may have stood still with the sandbox, so this alone is not enough.
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
    let connector = ConnectorBuilder::default()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(connect_timeout).build())
        .pool_idle_timeout(IDLE)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(roots.into_context());
    let connector: Connector = connector.build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}
