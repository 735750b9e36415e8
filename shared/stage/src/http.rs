//! The little HTTP the stage needs: serve on a loopback port, ask a loopback port.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::error::HttpError;

pub(crate) type Body = Full<Bytes>;

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was dropped on purpose")]
pub(crate) struct Hangup;

impl From<Infallible> for Hangup {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A server on a free loopback port. It and its connections end when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Server {
    /// Answers each request with `answer`; keep-alive and concurrent connections are hyper's.
    pub(crate) async fn start<A, F>(answer: A) -> io::Result<Self>
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<Body>, Hangup>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, answer)).abort_handle();
        Ok(Self { address, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<Body>, Hangup>> + Send + 'static,
{
    // The set is dropped with this task, and its connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that failed to be made is its client's affair, who sees it too.
                let Ok((stream, _)) = accepted else { continue };
                let answer = answer.clone();
                connections.spawn(async move {
                    let service = service_fn(answer);
                    // An error here is a client gone, or a hangup we asked for.
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One request on a connection of its own, and the whole answer.
pub(crate) async fn ask(address: SocketAddr, request: Request<Body>) -> Result<Response<Bytes>, HttpError> {
    let stream = TcpStream::connect(address).await.map_err(HttpError::Connect)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(HttpError::Exchange)?;
    let exchange = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    };
    // The connection has to be driven while the exchange waits, and has nothing to do afterwards.
    tokio::pin!(connection);
    tokio::pin!(exchange);
    let mut open = true;
    loop {
        tokio::select! {
            answered = &mut exchange => return answered.map_err(HttpError::Exchange),
            _ = &mut connection, if open => open = false,
        }
    }
}

/// The whole body of a request, or `None` if its sender went away half way.
pub(crate) async fn body_of(body: Incoming) -> Option<Bytes> {
    Some(body.collect().await.ok()?.to_bytes())
}
