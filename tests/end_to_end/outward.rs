//! What others are told of incidents: the ledger's own stream, handed over as Lambda does, to the real function.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;

use aws_sdk_dynamodb::types::{AttributeValue, StreamSpecification, StreamViewType};
use aws_sdk_securityhub::types::RecordState;
use ring::hmac;
use serde_json::{Value, json};
use stage::{Fault, Function, When, pattern};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::setting::{ENFORCE, Setting, TABLE, status};
use crate::generated::read;

const PRODUCT: &str = "arn:aws:securityhub:us-east-1:123456789012:product/123456789012/default";
const KEY: &str = "a key of the deployment's own";

/// The ledger's stream and the function that reads it.
struct Outward {
    setting: Setting,
    stream: SocketAddr,
    arn: String,
    iterator: RefCell<String>,
    /// As in the template.
    filters: Vec<Value>,
    teller: Function,
}

impl Outward {
    /// Tells everybody; the webhook is at this address.
    async fn telling(hook: SocketAddr) -> Self {
        let setting = Box::pin(Setting::with(ENFORCE)).await;
        let specification = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewImage)
            .build()
            .unwrap();
        let dynamodb = aws_sdk_dynamodb::Client::new(&setting.operator);
        dynamodb.update_table().table_name(TABLE).stream_specification(specification).send().await.unwrap();
        let table = dynamodb.describe_table().table_name(TABLE).send().await.unwrap().table.unwrap();
        let arn = table.latest_stream_arn.unwrap();
        let stream = setting.account.emulator().address();
        let description = ask(stream, "DescribeStream", &json!({ "StreamArn": arn })).await;
        let shard = &description["StreamDescription"]["Shards"][0]["ShardId"];
        let from = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let iterator = ask(stream, "GetShardIterator", &from).await["ShardIterator"].as_str().unwrap().to_owned();

        let hub = aws_sdk_securityhub::Client::new(&setting.operator);
        Box::pin(hub.enable_security_hub().send()).await.unwrap();
        let secret = json!({ "url": format!("http://{hook}/countermand"), "key": KEY }).to_string();
        let secrets = aws_sdk_secretsmanager::Client::new(&setting.operator);
        let secret = secrets.create_secret().name("webhook").secret_string(secret).send().await.unwrap().arn.unwrap();
        let chat = setting.topic().await;
        let environment = [
            ("_HANDLER", "tell-incidents"),
            ("COUNTERMAND_SECURITY_HUB", PRODUCT),
            ("COUNTERMAND_CHAT_TOPIC", &chat),
            ("COUNTERMAND_WEBHOOK", &secret),
        ];
        let teller = setting.function_with("countermand", &environment).await;
        Self { setting, stream, arn, iterator: RefCell::new(iterator), filters: filters(), teller }
    }

    /// What was written since the last time, as Lambda hands it over: what passes a filter, with the stream's name on it.
    async fn batch(&self) -> Vec<Value> {
        let from = json!({ "ShardIterator": *self.iterator.borrow() });
        let mut answer = ask(self.stream, "GetRecords", &from).await;
        answer["NextShardIterator"].as_str().unwrap().clone_into(&mut self.iterator.borrow_mut());
        let Value::Array(mut records) = answer["Records"].take() else { panic!("there are no records") };
        assert!(!records.is_empty(), "nothing was written");
        records.retain(|record| self.filters.iter().any(|filter| pattern::matches(filter, record).unwrap()));
        for record in &mut records {
            record["eventSourceARN"] = json!(self.arn);
        }
        records
    }

    /// Hands a batch over; the records that the function asks for again.
    async fn tell(&self, batch: &[Value]) -> Vec<String> {
        let answer = self.teller.invoke(&json!({ "Records": batch })).await.unwrap().body;
        let failures = answer["batchItemFailures"].as_array().unwrap();
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// A port that was opened and closed again by the function.
    async fn contained(&self) {
        let group = Box::pin(self.setting.group()).await;
        let event = Box::pin(self.setting.open(&group, 22, &["0.0.0.0/0"])).await;
        let function = Box::pin(self.setting.function("revoke-open-ingress")).await;
        assert_eq!(status(function.invoke(&event).await), "contained");
    }

    /// What is in Security Hub, as JSON of its API.
    async fn findings(&self) -> Vec<Value> {
        let hub = aws_sdk_securityhub::Client::new(&self.setting.operator);
        let found = Box::pin(hub.get_findings().send()).await.unwrap();
        let findings = found.findings().iter().map(|finding| {
            json!({ "id": finding.id(), "record": finding.record_state().map(RecordState::as_str),
                "updated": finding.updated_at(), "generator": finding.generator_id(),
                "description": finding.description(), "resource": finding.resources()[0].id(),
                "severity": finding.severity().and_then(|it| it.label()).map(|it| it.as_str().to_owned()) })
        });
        findings.collect()
    }

    /// What was published to the chat.
    fn chat(&self) -> Vec<Value> {
        self.setting.published().iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
    }
}

/// What Security Hub holds of an item that a ledger elsewhere has, once the real function was given the record of it. For
/// a deployment in an emulator that has no Security Hub.
pub(crate) async fn findings_of(item: &HashMap<String, AttributeValue>) -> Vec<Value> {
    let outward = Box::pin(Outward::telling(([127, 0, 0, 1], 1).into())).await;
    // The function asks the ledger whether it is still so.
    let dynamodb = aws_sdk_dynamodb::Client::new(&outward.setting.operator);
    dynamodb.put_item().table_name(TABLE).set_item(Some(item.clone())).send().await.unwrap();
    let batch = outward.batch().await;
    assert_eq!(batch.len(), 1, "it passes the filters of the mapping: {batch:#?}");
    // Nobody listens at the webhook.
    assert_eq!(outward.tell(&batch).await.len(), 1);
    outward.findings().await
}

/// The patterns of the event source mapping.
fn filters() -> Vec<Value> {
    let template = read("template.yaml");
    let filters: Vec<Value> = template
        .split("- Pattern: >-\n")
        .skip(1)
        .map(|rest| rest.lines().take_while(|line| line.starts_with("              ")).collect::<String>())
        .map(|pattern| serde_json::from_str(&pattern).unwrap())
        .collect();
    assert_eq!(filters.len(), 2);
    filters
}

/// Asks DynamoDB Streams, for which nothing else here needs an SDK.
async fn ask(address: SocketAddr, operation: &str, body: &Value) -> Value {
    let body = body.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: DynamoDBStreams_20120810.{operation}\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential=AKIAIOSFODNN7EXAMPLE/20261122/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

/// Somebody's server, which says yes to everything and remembers it: head and body.
#[derive(Clone, Default)]
struct Hook(Rc<RefCell<Vec<(String, String)>>>);

impl Hook {
    async fn listen(&self, listener: TcpListener) {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            let (head, body) = loop {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                text.push_str(std::str::from_utf8(&part[..read]).unwrap());
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && header(head, "content-length").parse::<usize>().unwrap() <= body.len()
                {
                    break (head.to_owned(), body.to_owned());
                }
            };
            self.0.borrow_mut().push((head, body));
            let yes = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            stream.write_all(yes.as_bytes()).await.unwrap();
        }
    }

    /// The bodies, each of which is signed as it should be.
    fn told(&self) -> Vec<Value> {
        let told = self.0.borrow();
        let bodies = told.iter().map(|(head, body)| {
            assert!(head.starts_with("POST /countermand HTTP/1.1"), "{head}");
            let signed = format!("{}.{body}", header(head, "countermand-timestamp"));
            let signature = header(head, "countermand-signature").strip_prefix("v1=").unwrap();
            let digits: Vec<_> = signature.chars().filter_map(|digit| digit.to_digit(16)).collect();
            let tag: Vec<_> = digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect();
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()), signed.as_bytes(), &tag).unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            let delivery = format!("{}.{}", body["incident"].as_str().unwrap(), body["revision"]);
            assert_eq!(header(head, "countermand-delivery"), delivery);
            body
        });
        bodies.collect()
    }
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    headers
        .into_iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .unwrap_or_default()
}

/// On the heap, as the futures of so many clients are more than a test's thread has room for.
async fn with_hook(test: impl AsyncFnOnce(Outward, Hook)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outward = Box::pin(Outward::telling(listener.local_addr().unwrap())).await;
    let hook = Hook::default();
    let test = Box::pin(test(outward, hook.clone()));
    tokio::select! {
        () = hook.listen(listener) => {}
        () = test => {}
    }
}

#[tokio::test]
async fn what_becomes_of_an_incident_is_told_to_all_and_so_is_its_undo() {
    with_hook(async |outward: Outward, hook: Hook| {
        outward.contained().await;
        let incident = outward.setting.incident().await;
        let id = incident.id.as_str();
        let first = outward.batch().await;
        assert_eq!(first.len(), 1, "the claim and the memory of the resource are nobody's business: {first:#?}");
        assert_eq!(outward.tell(&first).await, Vec::<String>::new());

        let contained = outward.findings().await;
        assert_eq!(contained.len(), 1);
        assert_eq!(contained[0]["id"], format!("countermand/123456789012/us-east-1/{id}"));
        assert_eq!((&contained[0]["record"], &contained[0]["severity"]), (&json!("ARCHIVED"), &json!("HIGH")));
        assert_eq!(contained[0]["resource"], incident.resource.arn.as_str());
        let [said] = &outward.chat()[..] else { panic!("one message") };
        assert_eq!((&said["source"], &said["metadata"]["threadId"]), (&json!("custom"), &json!(id)));
        assert_eq!(said["content"]["title"], "Countermand contained: revoke-open-ingress in 123456789012");
        let told = hook.told();
        assert_eq!((told.len(), &told[0]["state"], &told[0]["exposed"]), (1, &json!("contained"), &json!(false)));
        let undo = format!("countermand incidents undo {id}");
        for telling in [&contained[0]["description"], &said["content"]["nextSteps"][0], &told[0]["nextSteps"][0]] {
            assert!(telling.to_string().contains(&undo), "{telling}");
        }
        for telling in [&contained[0]["description"], &said["content"]["description"], &told[0]] {
            let telling = telling.to_string();
            for said in ["user/mallory", "AuthorizeSecurityGroupIngress", "enforce", "all", "0.0.0.0/0"] {
                assert!(telling.contains(said), "{said} is not in {telling}");
            }
        }

        let (done, text) = outward.setting.countermand(&["incidents", "undo", id, "--yes"]).await;
        assert!(done, "{text}");
        let second = outward.batch().await;
        assert_eq!(outward.tell(&second).await, Vec::<String>::new());
        let undone = outward.findings().await;
        assert_eq!((undone.len(), &undone[0]["id"], &undone[0]["record"]), (1, &contained[0]["id"], &json!("ACTIVE")));
        assert!(undone[0]["updated"].as_str() > contained[0]["updated"].as_str(), "{undone:#?}");
        let chat = outward.chat();
        assert_eq!(chat[1]["metadata"]["threadId"], id);
        assert!(chat[1]["content"]["description"].as_str().unwrap().contains("user/olivia"), "{chat:#?}");
        assert_eq!(hook.told()[1]["undone"]["by"], "arn:aws:iam::123456789012:user/olivia");

        // The older state comes again, late.
        assert_eq!(outward.tell(&first).await, Vec::<String>::new());
        assert_eq!(outward.findings().await, undone);
        assert_eq!((outward.chat().len(), hook.told().len()), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_is_down_is_told_later_and_keeps_nobody_else_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outward = Box::pin(Outward::telling(address)).await;
    outward.contained().await;
    outward.contained().await;
    let batch = outward.batch().await;
    let again = outward.tell(&batch).await;
    let sequences: Vec<_> = batch.iter().map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap()).collect();
    assert_eq!((again.len(), &again), (2, &sequences.iter().map(|it| (*it).to_owned()).collect()));
    assert_eq!((outward.findings().await.len(), outward.chat().len()), (2, 2));

    let hook = Hook::default();
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::select! {
        () = hook.listen(listener) => {}
        again = outward.tell(&batch) => assert_eq!(again, Vec::<String>::new()),
    }
    assert_eq!(hook.told().len(), 2);
    assert_eq!(outward.chat().len(), 2, "what was said is not said again");
}

#[tokio::test]
async fn what_security_hub_does_not_take_comes_again() {
    with_hook(async |outward: Outward, hook: Hook| {
        outward.contained().await;
        let batch = outward.batch().await;
        let import = When::operation("securityhub", "POST /findings/import");
        outward.setting.account.proxy().inject(Fault::Denied, import, 1);
        assert_eq!(outward.tell(&batch).await.len(), 1);
        assert_eq!((outward.findings().await.len(), outward.chat().len(), hook.told().len()), (0, 1, 1));
        assert_eq!(outward.tell(&batch).await.len(), 0);
        assert_eq!((outward.findings().await.len(), outward.chat().len(), hook.told().len()), (1, 1, 1));
    })
    .await;
}

#[tokio::test]
async fn what_the_stream_gave_up_is_told_when_an_operator_asks() {
    with_hook(async |outward: Outward, hook: Hook| {
        outward.contained().await;
        let id = outward.setting.incident().await.id;
        let asked = json!({ "incidents": [id, "nobody"] });
        let answer = outward.teller.invoke(&asked).await.unwrap().body;
        assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "nobody" }] }));
        assert_eq!((outward.findings().await.len(), outward.chat().len(), hook.told().len()), (1, 1, 1));
        let refused = outward.teller.invoke(&json!({ "detail": {} })).await;
        assert!(refused.is_err(), "what is no batch is an error");
    })
    .await;
}

/// What is left open by a person's word is told, and that nobody should know is not.
#[tokio::test]
async fn a_no_is_told_and_what_was_told_as_open_is_told_as_closed() {
    with_hook(async |outward: Outward, hook: Hook| {
        outward.setting.set_policies(r#"@id("ask") @mode("approve") permit (principal, action, resource);"#);
        let group = outward.setting.group().await;
        let function = outward.setting.function("revoke-open-ingress").await;
        for port in [22, 3389] {
            let event = outward.setting.open(&group, port, &["0.0.0.0/0"]).await;
            assert_eq!(status(function.invoke(&event).await), "pending");
        }
        assert_eq!(outward.tell(&outward.batch().await).await.len(), 0);
        let records = |findings: &[Value]| findings.iter().map(|it| it["record"].clone()).collect::<Vec<_>>();
        assert_eq!(records(&outward.findings().await), ["ACTIVE", "ACTIVE"]);

        let ids: Vec<_> = hook.told().iter().map(|it| it["incident"].as_str().unwrap().to_owned()).collect();
        let (done, text) = outward.setting.countermand(&["incidents", "reject", &ids[0], "--reason", "wanted"]).await;
        assert!(done, "{text}");
        let (done, text) = outward.setting.countermand(&["incidents", "approve", &ids[1]]).await;
        assert!(done, "{text}");
        outward.setting.close(&group, 3389, "0.0.0.0/0").await;
        let wake = json!({ "version": "0", "id": "e-1", "detail-type": "Incident Approved", "source": "countermand",
            "account": "123456789012", "time": "2026-11-22T07:00:00Z", "region": "us-east-1", "resources": [],
            "detail": { "incident": ids[1], "responder": "revoke-open-ingress" } });
        assert_eq!(status(function.invoke(&wake).await), "already_safe");

        let batch = outward.batch().await;
        assert_eq!(batch.len(), 2, "that somebody said yes is not told: {batch:#?}");
        assert_eq!(outward.tell(&batch).await.len(), 0);
        assert_eq!(records(&outward.findings().await), ["ACTIVE", "ARCHIVED"]);
        let told = hook.told();
        assert_eq!((&told[2]["state"], &told[2]["answer"]["reason"]), (&json!("rejected"), &json!("wanted")));
        assert_eq!(outward.chat().len(), 3, "the chat hears of the no, and not that nothing had to be done");
    })
    .await;
}
