//! An account to call over plain HTTP: the emulator accepts any signature.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use stage::{Emulator, Proxy};
use tokio::net::TcpStream;

pub(crate) struct Account {
    pub(crate) emulator: Emulator,
    pub(crate) proxy: Proxy,
}

impl Account {
    pub(crate) async fn open() -> Self {
        let emulator = Emulator::start().await.unwrap();
        let proxy = Proxy::start(emulator.address()).await.unwrap();
        Self { emulator, proxy }
    }

    /// Status and body of a query call, on a connection of its own.
    pub(crate) async fn query(&self, service: &str, form: &str) -> (u16, String) {
        Connection::to(self.proxy.address()).await.query(service, form).await.unwrap()
    }

    pub(crate) async fn dynamodb(&self, operation: &str, body: &str) -> (u16, String) {
        let mut connection = Connection::to(self.proxy.address()).await;
        let request = signed("dynamodb").header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        let response = connection.send(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
        (response.status().as_u16(), String::from_utf8(response.into_body().to_vec()).unwrap())
    }

    pub(crate) async fn security_group(&self) -> String {
        let form = "Action=CreateSecurityGroup&Version=2016-11-15&GroupName=web&GroupDescription=d";
        let (status, body) = self.query("ec2", form).await;
        assert_eq!(status, 200, "{body}");
        between(&body, "<groupId>", "</groupId>")
    }

    pub(crate) async fn rules(&self, group: &str) -> String {
        let form = format!(
            "Action=DescribeSecurityGroupRules&Version=2016-11-15&Filter.1.Name=group-id&Filter.1.Value.1={group}"
        );
        self.query("ec2", &form).await.1
    }
}

pub(crate) fn between(text: &str, start: &str, end: &str) -> String {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap().0.to_owned()
}

pub(crate) fn ssh_from_anywhere(group: &str) -> String {
    format!(
        "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId={group}&IpPermissions.1.IpProtocol=tcp\
         &IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0"
    )
}

fn signed(service: &str) -> hyper::http::request::Builder {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    Request::post("/")
        .header("host", "127.0.0.1")
        .header("authorization", scope)
        .header("user-agent", "aws-cli/2.17.32")
}

pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    pub(crate) async fn query(&mut self, service: &str, form: &str) -> Result<(u16, String), hyper::Error> {
        let request = signed(service).header("content-type", "application/x-www-form-urlencoded");
        let response = self.send(request.body(Full::from(form.to_owned())).unwrap()).await?;
        Ok((response.status().as_u16(), String::from_utf8(response.into_body().to_vec()).unwrap()))
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, hyper::Error> {
        self.0.ready().await?;
        let (head, body) = self.0.send_request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }
}
