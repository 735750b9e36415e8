//! `countermand incidents show --metrics`, from CloudWatch, CloudTrail's event history and the ledger.

use aws_sdk_ec2::types::InstanceType;
use serde_json::{Value, json};
use stage::{Fault, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::setting::{ENFORCE, REGION, Setting, outcome};

/// One contained incident of a group that has an instance; the group, the instance, and the incident.
pub(super) async fn contained(setting: &Setting) -> (String, String, String) {
    let group = setting.group().await;
    let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
    let vpcs = ec2.describe_security_groups().group_ids(&group).send().await.unwrap();
    let vpc = vpcs.security_groups()[0].vpc_id().unwrap().to_owned();
    let subnet = ec2.create_subnet().vpc_id(vpc).cidr_block("10.1.0.0/24").send().await.unwrap().subnet.unwrap();
    let run = ec2.run_instances().image_id("ami-12c6146b").instance_type(InstanceType::T3Micro);
    let run = run.min_count(1).max_count(1).security_group_ids(&group).subnet_id(subnet.subnet_id.unwrap());
    let instance = run.send().await.unwrap().instances()[0].instance_id().unwrap().to_owned();
    setting.account.events();
    let function = setting.function("revoke-open-ingress").await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    setting.account.proxy().remember(event["detail"].clone());
    let mut refused = event["detail"].clone();
    refused["errorCode"] = "Client.UnauthorizedOperation".into();
    refused["eventID"] = "another".into();
    setting.account.proxy().remember(refused);
    let id = outcome(function.invoke(&event).await)["incident"].as_str().unwrap().to_owned();
    (group, instance, id)
}

/// `PutMetricData` as an instance's hypervisor would.
pub(super) async fn put(setting: &Setting, instance: &str, name: &str, minutes_ago: i64, value: f64) {
    let event = setting.incidents().await[0].event_time.unwrap();
    let dimensions = json!([{ "Name": "InstanceId", "Value": instance }]);
    let at = event.timestamp() - minutes_ago * 60;
    let data = json!([{ "MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Value": value }]);
    let body = json!({ "Namespace": "AWS/EC2", "MetricData": data }).to_string();
    let address = setting.account.emulator().address();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=key/20261122/{REGION}/monitoring/aws4_request, \
         SignedHeaders=host, Signature=0\r\nx-amz-target: GraniteServiceVersion20100801.PutMetricData\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut server = TcpStream::connect(address).await.unwrap();
    server.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

async fn shown(setting: &Setting, id: &str) -> Value {
    let (done, said) = setting.countermand(&["incidents", "show", id, "--metrics", "--format", "json"]).await;
    assert!(done, "{said}");
    serde_json::from_str::<Value>(said.lines().next().unwrap()).unwrap()["metrics"].clone()
}

#[tokio::test]
async fn an_incident_shows_what_its_instances_and_its_actor_did_around_it() {
    let setting = Setting::with(ENFORCE).await;
    let (_, instance, id) = contained(&setting).await;
    put(&setting, &instance, "CPUUtilization", 60, 4.0).await;
    put(&setting, &instance, "CPUUtilization", 0, 96.5).await;
    put(&setting, &instance, "NetworkOut", 0, 2_500_000.0).await;

    let metrics = shown(&setting, &id).await;
    let panel = &metrics["panels"][0];
    assert_eq!(panel["of"], format!("instance {instance}"));
    let values = |index: usize| panel["series"][index]["values"].as_array().unwrap().clone();
    let known = |index: usize| {
        let of = values(index).iter().enumerate().filter_map(|(slot, value)| Some((slot, value.as_f64()?))).collect();
        (panel["series"][index]["metric"].as_str().unwrap().to_owned(), of)
    };
    assert_eq!(known(0), ("CPUUtilization".to_owned(), vec![(24, 4.0), (36, 96.5)]));
    assert_eq!(known(1), ("NetworkIn".to_owned(), vec![]));
    assert_eq!(known(2), ("NetworkOut".to_owned(), vec![(36, 2_500_000.0)]));
    let calls = &metrics["panels"][1];
    assert!(calls["of"].as_str().unwrap().starts_with("calls with key AKIA"), "{calls}");
    let last = |index: usize| calls["series"][index]["values"][36].as_f64();
    assert_eq!((last(0), last(1)), (Some(2.0), Some(1.0)), "{calls}");
    assert_eq!(metrics["same_actor"], json!([]));

    let (done, said) = setting.countermand(&["incidents", "show", &id, "--metrics"]).await;
    assert!(done, "{said}");
    let column = |mark: char, of: &str| {
        let line = said.lines().find(|line| line.contains(of)).unwrap_or_else(|| panic!("no `{of}` in {said}"));
        line.chars().position(|found| found == mark).unwrap()
    };
    assert_eq!(column('▼', "event, and contained"), column('█', "4.0 % to 96.5 %"), "{said}");
    assert!(said.contains("all 2.5 MB") && said.contains("0 to 2") && !said.contains("no data"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_seen_is_said_and_the_rest_is_shown() {
    let setting = Setting::with(ENFORCE).await;
    let (group, instance, id) = contained(&setting).await;
    let deny = |service: &'static str, operation: &'static str| {
        setting.account.proxy().inject(Fault::Denied, When::operation(service, operation), 1);
    };
    let (done, said) = setting.countermand(&["incidents", "show", &id, "--metrics"]).await;
    assert!(done && said.contains(&format!("instance {instance}")) && said.contains("no data: the instance"), "{said}");

    deny("monitoring", "GetMetricData");
    let (done, said) = setting.countermand(&["incidents", "show", &id, "--metrics"]).await;
    assert!(!done && said.contains("help: your role needs cloudwatch:GetMetricData"), "{said}");
    assert!(said.contains("calls with key AKIA") && said.contains("same actor"), "{said}");

    deny("ec2", "DescribeNetworkInterfaces");
    deny("cloudtrail", "LookupEvents");
    let (done, said) = setting.countermand(&["incidents", "show", &id, "--metrics"]).await;
    assert!(!done && said.contains("help: your role needs ec2:DescribeNetworkInterfaces"), "{said}");
    assert!(said.contains(&format!("the metrics of `instances in {group}` cannot be read")), "{said}");
    assert!(said.contains("help: your role needs cloudtrail:LookupEvents"), "{said}");

    let calls = setting.account.proxy().calls().len();
    let (done, said) = setting.countermand(&["incidents", "show", &id]).await;
    assert!(done && !said.contains("same actor"), "{said}");
    let asked: Vec<String> =
        setting.account.proxy().calls().split_off(calls).iter().map(|it| it.service.clone()).collect();
    assert!(asked.iter().all(|service| service == "dynamodb"), "nothing more is asked of AWS unasked: {asked:?}");
}
