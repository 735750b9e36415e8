//! The HTTP and HTTPS that is served to the processes measured.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub(crate) type Body = Full<Bytes>;

/// A server on a free loopback port. It and its connections end when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start<A, F>(tls: Option<TlsAcceptor>, answer: A) -> io::Result<Self>
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        // A connection that failed to be made is its client's affair, who sees it too.
                        let Ok((stream, _)) = accepted else { continue };
                        connections.spawn(serve(stream, tls.clone(), answer.clone()));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, accepting })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve<A, F>(stream: TcpStream, tls: Option<TlsAcceptor>, answer: A)
where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Body>>,
{
    // An answer must not wait for the acknowledgement of the one before it.
    stream.set_nodelay(true).ok();
    match tls {
        None => exchange(stream, answer).await,
        Some(tls) => {
            // Without a handshake there is no connection, which the client sees too.
            if let Ok(stream) = tls.accept(stream).await {
                exchange(stream, answer).await;
            }
        }
    }
}

async fn exchange<A, F>(stream: impl AsyncRead + AsyncWrite + Unpin, answer: A)
where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Body>>,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async { Ok::<_, Infallible>(answered.await) }
    });
    // An error here is a client gone.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
