//! The backtest's state machine, executed by the emulator's interpreter of the Amazon States Language.
//!
//! moto 5.2 runs the machine as it is but for three things that its parser does not know: `ItemBatcher`, a whole number for
//! `ToleratedFailurePercentage`, and `EXPRESS` executions. These are taken out here, so that each child has one object; what
//! `ItemBatcher` would add is made from the definition and handed to the real function, and cfn-lint checks the whole
//! definition against its schema (`.ci/template`). moto's Lambda cannot run our binary: it is told the real functions'
//! real answers beforehand.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::archive::{Archive, BUCKET, RESULTS};

const RUN: &str = "autumn";

/// The definition with what the stack puts into it.
fn definition(read_batch: &str, add_up: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("backtest/state-machine.asl.json")).unwrap();
    let given = [
        ("Partition", "aws"),
        ("LogBucket", BUCKET),
        ("LogPrefix", "AWSLogs/"),
        ("ResultsBucket", RESULTS),
        ("ObjectsPerBatch", "7"),
        ("Concurrency", "3"),
        ("ReadBatch", read_batch),
        ("AddUp", add_up),
    ];
    let text = given.iter().fold(text, |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
    serde_json::from_str(&text).unwrap()
}

/// A payload template, as far as ours go: `"name.$": path`.
fn filled(template: &Value, context: &Value) -> Value {
    let fill = |(name, value): (&String, &Value)| match name.strip_suffix(".$") {
        None => (name.clone(), value.clone()),
        Some(name) => {
            let path = value.as_str().unwrap().strip_prefix("$$").unwrap().replace('.', "/");
            (name.to_owned(), context.pointer(&path).unwrap_or_else(|| panic!("{path}")).clone())
        }
    };
    Value::Object(template.as_object().unwrap().iter().map(fill).collect::<Map<_, _>>())
}

/// Asks moto as the SDK of a service would that is not worth its build here. moto looks at no signature.
async fn ask(archive: &Archive, service: &str, path: &str, target: Option<&str>, body: &Value) -> Value {
    let address = archive.account.emulator().address();
    let body = body.to_string();
    let kind = match target {
        Some(target) => format!("application/x-amz-json-1.0\r\nX-Amz-Target: {target}"),
        None => "application/json".to_owned(),
    };
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=AKIATEST/20261122/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 20"), "{answer}");
    serde_json::from_str(body).unwrap_or(Value::Null)
}

async fn states(archive: &Archive, operation: &str, body: Value) -> Value {
    ask(archive, "states", "/", Some(&format!("AWSStepFunctions.{operation}")), &body).await
}

/// A function of that name, which answers what the emulator is told.
async fn function(archive: &Archive, name: &str, role: &str) -> String {
    let empty = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";
    let body = json!({ "FunctionName": name, "Runtime": "provided.al2023", "Role": role, "Handler": "bootstrap",
        "Code": { "ZipFile": empty } });
    let made = ask(archive, "lambda", "/2015-03-31/functions", None, &body).await;
    made["FunctionArn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_state_machine_reads_the_archive_and_adds_up() {
    let archive = Archive::open().await;
    let iam = aws_sdk_iam::Client::new(
        &archive.account.acting_as(stage::trail::Identity::root(), super::setting::REGION).await,
    );
    let trust = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let role = iam.create_role().role_name("backtest").assume_role_policy_document(trust).send().await.unwrap();
    let role = role.role.unwrap().arn;
    let (read_batch, add_up) =
        (function(&archive, "read-batch", &role).await, function(&archive, "add-up", &role).await);
    let mut definition = definition(&read_batch, &add_up);
    let map = &mut definition["States"]["ReadArchive"];
    let batcher = map.as_object_mut().unwrap().remove("ItemBatcher").unwrap();
    map.as_object_mut().unwrap().remove("ToleratedFailurePercentage").unwrap();
    map["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "STANDARD".into();

    // The real functions, asked as the machine asks them.
    let asked = json!({ "since": "2026-11-01" });
    let context =
        |item: Value| json!({ "Execution": { "Name": RUN, "Input": asked }, "Map": { "Item": { "Value": item } } });
    let about = filled(&batcher["BatchInput"], &context(Value::Null));
    let judge = archive.function("backtest-part").await;
    let mut answers = Vec::new();
    let in_bucket = archive.objects.iter().map(|(key, bytes)| json!({ "Key": key, "Size": bytes.len(), "Etag": "e" }));
    for item in in_bucket {
        let item = filled(&map["ItemSelector"], &context(item));
        let batch = json!({ "Items": [item], "BatchInput": about });
        answers.push(judge.invoke(&batch).await.unwrap().body.to_string());
    }
    let adder = archive.function("backtest-summary").await;
    let payload = filled(&definition["States"]["AddUp"]["Parameters"]["Payload"], &context(Value::Null));
    let added = adder.invoke(&payload).await.unwrap().body;
    answers.push(added.to_string());
    let told = json!({ "results": answers, "account_id": stage::ACCOUNT, "region": super::setting::REGION });
    ask(&archive, "lambda", "/moto-api/static/lambda-simple/response", None, &told).await;

    let machine = json!({ "name": "backtest", "definition": definition.to_string(), "roleArn": role });
    let machine = states(&archive, "CreateStateMachine", machine).await["stateMachineArn"].clone();
    let start = json!({ "stateMachineArn": machine, "name": RUN, "input": asked.to_string() });
    let execution = states(&archive, "StartExecution", start).await["executionArn"].clone();
    let ended = async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = states(&archive, "DescribeExecution", json!({ "executionArn": execution })).await;
            if now["status"] != "RUNNING" {
                return now;
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_mins(1), ended).await.unwrap();
    assert_eq!(ended["status"], "SUCCEEDED", "{ended:#}");
    let output: Value = serde_json::from_str(ended["output"].as_str().unwrap()).unwrap();
    assert_eq!(output, added);
    let history = states(&archive, "GetExecutionHistory", json!({ "executionArn": execution })).await;
    let calls: Vec<&str> = history["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["taskScheduledEventDetails"]["parameters"].as_str())
        .collect();
    let call: Value = serde_json::from_str(calls.last().unwrap()).unwrap();
    assert_eq!((&call["FunctionName"], &call["Payload"]), (&add_up.into(), &payload));
    assert_eq!(output["findings"], 24, "of three of the five days");
    let written = archive.s3.list_objects_v2().bucket(RESULTS).prefix("maps/").send().await.unwrap();
    assert_eq!(written.key_count(), Some(1), "{written:?}");
}
