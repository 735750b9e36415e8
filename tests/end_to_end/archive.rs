//! CloudTrail log files of an organization, on a disk and in a bucket.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use aws_sdk_s3::primitives::ByteStream;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use stage::trail::Identity;
use stage::{Account, Call, Function};
use tokio::process::{Child, Command};

use super::setting::REGION;

pub(crate) const BUCKET: &str = "audit-logs";
pub(crate) const RESULTS: &str = "audit-results";
pub(crate) const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
pub(crate) const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];
const DAYS: [&str; 5] = ["2025/12/31", "2026/10/30", "2026/11/01", "2026/11/02", "2026/11/20"];

/// The archive: each object's key and bytes.
fn objects() -> BTreeMap<String, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let envelope = std::fs::read(root.join("functions/revoke-open-ingress/events/match/two-halves.json")).unwrap();
    let opened = serde_json::from_slice::<Value>(&envelope).unwrap()["detail"].clone();
    let mut objects = BTreeMap::new();
    let mut number = 0_u32;
    for account in ACCOUNTS {
        for region in REGIONS {
            for day in DAYS {
                let mut record = |name: &str| {
                    number += 1;
                    let mut record = opened.clone();
                    record["eventName"] = name.into();
                    record["eventID"] = format!("00000000-0000-4000-8000-{number:012}").into();
                    record["eventTime"] = format!("{}T10:00:00Z", day.replace('/', "-")).into();
                    record["awsRegion"] = region.into();
                    record["recipientAccountId"] = account.into();
                    record
                };
                let quiet = (0..20).map(|_| "DescribeInstances");
                let records: Vec<Value> = quiet.chain(["AuthorizeSecurityGroupIngress"; 2]).map(&mut record).collect();
                let stamp = format!("{}T1005Z", day.replace('/', ""));
                let key = format!(
                    "AWSLogs/o-exampleorg/{account}/CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{stamp}_a1.json.gz"
                );
                objects.insert(key, packed(&json!({ "Records": records })));
            }
        }
    }
    let (cut_off, bytes) = objects.iter().nth(7).map(|(key, bytes)| (key.replace("_a1", "_a2"), bytes)).unwrap();
    let bytes = bytes[..bytes.len() / 2].to_vec();
    objects.insert(cut_off, bytes);
    let [account, _] = ACCOUNTS;
    let digest = format!(
        "AWSLogs/o-exampleorg/{account}/CloudTrail-Digest/eu-west-1/2026/11/01/{account}_CloudTrail-Digest_eu-west-1_org_eu-west-1_20261101T120000Z.json.gz"
    );
    objects.insert(digest, packed(&json!({ "digestStartTime": "2026-11-01T11:00:00Z" })));
    objects.insert("AWSLogs/o-exampleorg/README.txt".to_owned(), b"kept by the audit team".to_vec());
    objects
}

fn packed(value: &Value) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(value.to_string().as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// An account with an archive in a bucket, a bucket for results, and the same archive on a disk.
pub(crate) struct Archive {
    pub(crate) account: Account,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    folder: PathBuf,
    binaries: PathBuf,
}

impl Drop for Archive {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

impl Archive {
    pub(crate) async fn open() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let binaries = stage::binaries(root).await.unwrap();
        let account = Account::open().await.unwrap();
        let s3 = aws_sdk_s3::Client::new(&account.acting_as(Identity::root(), REGION).await);
        let port = account.emulator().address().port();
        let folder = std::env::temp_dir().join(format!("countermand-archive-{}-{port}", std::process::id()));
        let objects = objects();
        for bucket in [BUCKET, RESULTS] {
            s3.create_bucket().bucket(bucket).send().await.unwrap();
        }
        for (key, bytes) in &objects {
            let file = folder.join("logs").join(key);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
            let body = ByteStream::from(bytes.clone());
            s3.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
        }
        std::fs::create_dir_all(folder.join("policies")).unwrap();
        std::fs::write(folder.join("policies/all.cedar"), super::setting::ENFORCE).unwrap();
        account.proxy().clear();
        Self { account, s3, objects, folder, binaries }
    }

    /// A file beside the archive.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn on_disk(&self) -> String {
        self.folder.join("logs").display().to_string()
    }

    pub(crate) fn in_s3() -> String {
        format!("s3://{BUCKET}")
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment = self.account.environment_of(Identity::user("audrey"), REGION);
        environment.push(("COUNTERMAND_POLICIES", self.folder.join("policies").into()));
        environment
    }

    /// Begins a backtest.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        Command::new(self.binaries.join("countermand"))
            .args(["backtest", "--format", "json"])
            .args(arguments)
            .envs(self.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Makes a backtest.
    pub(crate) async fn backtest(&self, arguments: &[&str]) -> Output {
        self.begin(arguments).wait_with_output().await.unwrap()
    }

    /// The lines that a backtest writes, with the archive's place on the disk told as its place in S3.
    pub(crate) async fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.backtest(arguments).await;
        lines(&String::from_utf8(output.stdout).unwrap().replace(&self.on_disk(), &Self::in_s3()))
    }

    /// A process of one of the functions.
    pub(crate) async fn function(&self, handler: &str) -> Function {
        let mut environment = self.environment();
        environment.push(("_HANDLER", handler.into()));
        Function::start(&self.binaries.join("countermand"), environment).await.unwrap()
    }

    pub(crate) async fn result(&self, key: &str) -> String {
        let got = self.s3.get_object().bucket(RESULTS).key(key).send().await.unwrap();
        String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap()
    }

    /// The calls to S3 since the last time, by method and path.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.account.proxy().clear().into_iter().filter(|call| call.service == "s3").collect()
    }
}

pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
