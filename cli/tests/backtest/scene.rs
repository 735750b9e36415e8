//! Logs as CloudTrail writes them, policies, and the command.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

pub(crate) const PERMIT: &str = "@id(\"all\")\npermit (principal, action, resource);\n";

/// A folder of one test's own.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn of(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("backtest").join(test);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// With the policies of one text in its folder `policies`.
    pub(crate) fn with(test: &str, policies: &str) -> Self {
        let folder = Self::of(test);
        folder.file("policies/p.cedar", policies);
        folder
    }

    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> String {
        self.0.join(path).to_str().unwrap().to_owned()
    }

    /// The command over the folder's `logs` with its policies.
    pub(crate) fn backtest(&self, arguments: &[&str]) -> Output {
        let (logs, policies) = (self.path("logs"), self.path("policies"));
        let given: &[&str] = &["backtest", &logs, "--policies", &policies];
        run(&[given, arguments].concat())
    }
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countermand"));
    command.args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

pub(crate) fn objects(text: &[u8]) -> Vec<Value> {
    self::text(text).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The findings, and the summary after them.
pub(crate) fn findings(output: &Output) -> (Vec<Value>, Value) {
    let mut lines = objects(&output.stdout);
    let last = lines.pop().unwrap();
    (lines, last["summary"].clone())
}

pub(crate) fn log_file(records: &[Value]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(json!({ "Records": records }).to_string().as_bytes()).unwrap();
    gz.finish().unwrap()
}

fn record(number: u32, time: &str, account: &str, user: &str) -> Value {
    json!({
        "eventVersion": "1.10", "eventID": format!("5f0f6a0e-9a25-4dcb-93a1-{number:012}"), "eventTime": time,
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDAEXAMPLEEXAMPLEABC", "accountId": account, "userName": user,
            "arn": format!("arn:aws:iam::{account}:user/{user}"), "accessKeyId": "AKIAEXAMPLEEXAMPLEXYZ"
        },
        "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.31.0", "requestID": "f1c6d3f3-2a0b-4f0e-9d5a-0b1a2c3d4e5f",
        "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "eventCategory": "Management",
        "recipientAccountId": account
    })
}

fn with(mut record: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("an object") };
    record.as_object_mut().unwrap().extend(more);
    record
}

/// Somebody opens SSH of group `sg-<number>` to everybody.
pub(crate) fn opened(number: u32, time: &str, account: &str, user: &str) -> Value {
    let group = format!("sg-{number:017}");
    with(
        record(number, time, account, user),
        json!({
            "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-west-1",
            "requestParameters": { "groupId": group, "ipPermissions": { "items": [{
                "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipv6Ranges": {}, "prefixListIds": {},
                "ipRanges": { "items": [{ "cidrIp": "0.0.0.0/0" }] }
            }]}},
            "responseElements": { "_return": true, "securityGroupRuleSet": { "items": [{
                "groupOwnerId": account, "groupId": group, "securityGroupRuleId": format!("sgr-{number:017}"),
                "isEgress": false, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"
            }]}}
        }),
    )
}

/// Somebody makes a key for `owner`.
pub(crate) fn key_made(number: u32, time: &str, account: &str, user: &str, owner: &str) -> Value {
    with(
        record(number, time, account, user),
        json!({
            "eventSource": "iam.amazonaws.com", "eventName": "CreateAccessKey", "awsRegion": "us-east-1",
            "requestParameters": { "userName": owner },
            "responseElements": { "accessKey": {
                "userName": owner, "accessKeyId": format!("AKIA{number:016}"), "status": "Active",
                "createDate": "Nov 22, 2026 7:00:00 AM"
            }}
        }),
    )
}

/// What nobody asks about.
pub(crate) fn looked(number: u32, time: &str) -> Value {
    with(
        record(number, time, "111122223333", "alice"),
        json!({
            "eventSource": "ec2.amazonaws.com", "eventName": "DescribeInstances", "awsRegion": "eu-west-1",
            "requestParameters": {}, "responseElements": null
        }),
    )
}

/// Somebody activates the key that was made as number `made`.
pub(crate) fn key_activated(number: u32, time: &str, account: &str, user: &str, owner: &str, made: u32) -> Value {
    let key = format!("AKIA{made:016}");
    with(
        record(number, time, account, user),
        json!({
            "eventSource": "iam.amazonaws.com", "eventName": "UpdateAccessKey", "awsRegion": "us-east-1",
            "requestParameters": { "userName": owner, "accessKeyId": key, "status": "Active" },
            "responseElements": null
        }),
    )
}
