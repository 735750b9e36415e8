//! What the emulator does not know: answered here, before it, and everything passed on is remembered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that holds this text is answered with this body.
pub(crate) type Answer = (&'static str, String);

pub(crate) struct StandIn {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StandIn {
    /// Listens on loopback; what it has no answer to goes to `upstream`.
    pub(crate) async fn before(upstream: SocketAddr, answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, answers) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(answers));
        let kept = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, upstream, Arc::clone(&answers), Arc::clone(&kept)));
            }
        });
        Self { address, requests, task }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Head and body of each request since the last time.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

/// One request: the connection is closed after it, so that the next one is seen as well.
async fn serve(mut client: TcpStream, upstream: SocketAddr, answers: Arc<Vec<Answer>>, kept: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    let head = loop {
        if client.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    while bytes.len() < head + 4 + length {
        if client.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let request = String::from_utf8_lossy(&bytes).into_owned();
    let answer = answers.iter().find(|(text, _)| request.contains(text));
    kept.lock().unwrap().push(request);
    if let Some((_, body)) = answer {
        let kind = if body.starts_with('<') { "text/xml" } else { "application/json" };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        client.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.unwrap();
        return;
    }
    let mut server = TcpStream::connect(upstream).await.unwrap();
    let (head, body) = bytes.split_at(head);
    server.write_all(&[head, b"\r\nconnection: close", body].concat()).await.unwrap();
    // Whoever hangs up first, there is nobody left to be told.
    let _ended = tokio::io::copy(&mut server, &mut client).await;
}
