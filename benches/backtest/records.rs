//! One CloudTrail record after the other, as CloudTrail writes them.

use std::fmt::Write;

use fastrand::Rng;

use crate::kinds::{Kind, ORDINARY, RISKY};

/// Of so many records in a row, one is risky.
pub(crate) const RISKY_ONE_IN: u64 = 1000;

const USERS: &[&str] = &["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
const ROLES: &[&str] = &[
    "deploy",
    "AWSReservedSSO_AdministratorAccess_0123456789abcdef",
    "orders-api-lambda",
    "eks-node-group",
    "ci-runner",
    "AWSServiceRoleForAutoScaling",
    "data-pipeline-glue",
    "readonly-audit",
];
const NAMES: &[&str] = &[
    "orders-api",
    "billing-worker",
    "session-store",
    "thumbnailer",
    "search-index",
    "web-frontend",
    "ledger-export",
    "metrics-relay",
    "mail-gateway",
    "feature-flags",
    "payments",
    "warehouse-sync",
];
const AGENTS: &[&str] = &[
    "aws-cli/2.17.44 md/awscrt#0.21.2 ua/2.0 os/linux#6.1.102-111.182.amzn2023.x86_64 md/arch#x86_64 lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#ec2.describe-instances",
    "Boto3/1.35.14 md/Botocore#1.35.14 ua/2.0 os/linux#5.10.223-212.873.amzn2.x86_64 md/arch#x86_64 lang/python#3.12.5 md/pyimpl#CPython exec-env/AWS_Lambda_python3.12 cfg/retry-mode#legacy Botocore/1.35.14",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.65.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.4 os/linux lang/go#1.22.6 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.177.1",
    "aws-sdk-java/2.27.17 Linux/6.1.102-108.177.amzn2023.aarch64 OpenJDK_64-Bit_Server_VM/21.0.4+7-LTS Java/21.0.4 vendor/Amazon.com_Inc. io/sync http/Apache cfg/retry-mode/standard",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
    "amazon-ssm-agent/3.3.1957.0 aws-sdk-go/1.55.5 (go1.22.4; linux; arm64)",
];
const SERVICES: &[&str] =
    &["autoscaling", "config", "cloudformation", "lambda", "ecs-tasks", "access-analyzer", "resource-explorer-2"];

enum Piece {
    Text(&'static str),
    Slot(&'static str),
}

fn pieces(template: &'static str) -> Vec<Piece> {
    let mut found = Vec::new();
    for part in template.split_inclusive('>') {
        match part.strip_suffix('>').and_then(|part| part.rsplit_once('<')) {
            Some((before, slot)) => found.extend([Piece::Text(before), Piece::Slot(slot)]),
            None => found.push(Piece::Text(part)),
        }
    }
    found
}

struct Operation {
    kind: &'static Kind,
    request: Vec<Piece>,
    response: Vec<Piece>,
}

impl Operation {
    fn of(kind: &'static Kind) -> Self {
        Self { kind, request: pieces(kind.request), response: pieces(kind.response) }
    }
}

/// Where a log file comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) account: String,
    pub(crate) region: &'static str,
    /// Seconds since midnight at which its first record was made, on [`DAY`].
    pub(crate) second: u64,
}

/// The day of all records.
pub(crate) const DAY: &str = "2026-11-22";

/// Writes records. Which of them are risky, and which operations these call, follows from their numbers alone.
pub(crate) struct Author {
    ordinary: Vec<Operation>,
    /// The operation of each place in the sum of all weights.
    shares: Vec<u16>,
    risky: Vec<Operation>,
}

impl Author {
    pub(crate) fn new() -> Self {
        let share = |(index, kind): (u16, &Kind)| std::iter::repeat_n(index, kind.weight as usize);
        Self {
            ordinary: ORDINARY.iter().map(Operation::of).collect(),
            shares: (0..).zip(ORDINARY).flat_map(share).collect(),
            risky: RISKY.iter().map(Operation::of).collect(),
        }
    }

    /// Appends record `number` of the whole history.
    pub(crate) fn write(&self, number: u64, origin: &Origin, random: &mut Rng, out: &mut String) {
        let operation = match risk(number) {
            Some(index) => self.risky.get(index),
            None => random.choice(&self.shares).and_then(|index| self.ordinary.get(usize::from(*index))),
        };
        if let Some(operation) = operation {
            // Writing to a `String` cannot fail.
            record(operation, number, origin, random, out).ok();
        }
    }
}

/// Which of [`RISKY`] record `number` is.
fn risk(number: u64) -> Option<usize> {
    let (thousand, place) = (number / RISKY_ONE_IN, number % RISKY_ONE_IN);
    let risky = place == thousand.wrapping_mul(2_654_435_761) % RISKY_ONE_IN;
    risky.then(|| usize::try_from(thousand % RISKY.len() as u64).unwrap_or_default())
}

/// The names of the risky operations.
pub(crate) fn risky_names() -> impl Iterator<Item = &'static str> {
    RISKY.iter().map(|kind| kind.name)
}

/// How many records among the first `records` call each operation of [`RISKY`].
pub(crate) fn expected(records: u64) -> Vec<u64> {
    let mut counts = vec![0; RISKY.len()];
    for index in (0..records).filter_map(risk) {
        if let Some(count) = counts.get_mut(index) {
            *count += 1;
        }
    }
    counts
}

fn record(
    operation: &Operation,
    number: u64,
    origin: &Origin,
    random: &mut Rng,
    out: &mut String,
) -> Result<(), std::fmt::Error> {
    let Kind { service, name, read_only, .. } = operation.kind;
    let Origin { account, region, second } = origin;
    let second = second + number % 60;
    let time = format!("{DAY}T{:02}:{:02}:{:02}Z", second / 3600 % 24, second / 60 % 60, second % 60);
    out.push_str(r#"{"eventVersion":"1.11","userIdentity":"#);
    let by_service = identity(origin, random, out)?;
    write!(
        out,
        r#","eventTime":"{time}","eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"{region}","#
    )?;
    if let Some(service) = by_service {
        write!(out, r#""sourceIPAddress":"{service}.amazonaws.com","userAgent":"{service}.amazonaws.com","#)?;
    } else {
        let [a, b] = [random.u8(..), random.u8(..)];
        let agent = pick(AGENTS, random);
        write!(out, r#""sourceIPAddress":"203.0.{a}.{b}","userAgent":"{agent}","#)?;
    }
    let refused = random.u8(..100) < 3 && risk(number).is_none();
    if refused {
        let role = pick(ROLES, random);
        write!(
            out,
            r#""errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::{account}:assumed-role/{role}/i-0 is not authorized to perform: {service}:{name} because no identity-based policy allows the action","#
        )?;
    }
    out.push_str(r#""requestParameters":"#);
    fill(&operation.request, origin, random, out)?;
    out.push_str(r#","responseElements":"#);
    if refused {
        out.push_str("null");
    } else {
        fill(&operation.response, origin, random, out)?;
    }
    out.push_str(r#","requestID":""#);
    uuid(random, out)?;
    out.push_str(r#"","eventID":""#);
    uuid(random, out)?;
    write!(out, r#"","readOnly":{read_only},"#)?;
    if *service == "kms" || *service == "s3" {
        out.push_str(r#""resources":[{"accountId":""#);
        write!(out, r#"{account}","type":"AWS::KMS::Key","ARN":"arn:aws:kms:{region}:{account}:key/"#)?;
        uuid(random, out)?;
        out.push_str(r#""}],"#);
    }
    write!(
        out,
        r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management""#
    )?;
    if by_service.is_none() {
        write!(
            out,
            r#","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.{region}.amazonaws.com"}}"#
        )?;
    }
    out.push('}');
    Ok(())
}

/// `userIdentity`; gives the service, where one called.
fn identity(origin: &Origin, random: &mut Rng, out: &mut String) -> Result<Option<&'static str>, std::fmt::Error> {
    let account = &origin.account;
    match random.u8(..100) {
        0..15 => {
            let service = pick(SERVICES, random);
            write!(out, r#"{{"type":"AWSService","invokedBy":"{service}.amazonaws.com"}}"#)?;
            return Ok(Some(service));
        }
        15..25 => {
            let (user, principal, access) = (pick(USERS, random), key(random), key(random));
            write!(
                out,
                r#"{{"type":"IAMUser","principalId":"AIDA{principal}","arn":"arn:aws:iam::{account}:user/{user}","accountId":"{account}","accessKeyId":"AKIA{access}","userName":"{user}"}}"#
            )?;
        }
        25 => {
            let access = key(random);
            write!(
                out,
                r#"{{"type":"Root","principalId":"{account}","arn":"arn:aws:iam::{account}:root","accountId":"{account}","accessKeyId":"ASIA{access}","sessionContext":{{"attributes":{{"creationDate":"{DAY}T00:00:00Z","mfaAuthenticated":"true"}}}}}}"#
            )?;
        }
        _ => {
            let (role, session) = (pick(ROLES, random), session(random));
            // A role keeps its id, whatever its sessions.
            let principal = key(&mut Rng::with_seed(role.len() as u64));
            let access = key(random);
            write!(
                out,
                r#"{{"type":"AssumedRole","principalId":"AROA{principal}:{session}","arn":"arn:aws:sts::{account}:assumed-role/{role}/{session}","accountId":"{account}","accessKeyId":"ASIA{access}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{principal}","arn":"arn:aws:iam::{account}:role/{role}","accountId":"{account}","userName":"{role}"}},"attributes":{{"creationDate":"{DAY}T00:00:00Z","mfaAuthenticated":"false"}},"ec2RoleDelivery":"2.0"}}}}"#
            )?;
        }
    }
    Ok(None)
}

fn fill(pieces: &[Piece], origin: &Origin, random: &mut Rng, out: &mut String) -> std::fmt::Result {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Slot("account") => out.push_str(&origin.account),
            Piece::Slot("region") => out.push_str(origin.region),
            Piece::Slot("user") => out.push_str(pick(USERS, random)),
            Piece::Slot("role") => out.push_str(pick(ROLES, random)),
            Piece::Slot("name") => out.push_str(pick(NAMES, random)),
            Piece::Slot("session") => out.push_str(&session(random)),
            Piece::Slot("bucket") => write!(out, "{}-{}", pick(NAMES, random), origin.account)?,
            Piece::Slot("path") => write!(out, "{DAY}/{}/{:08x}.parquet", pick(NAMES, random), random.u32(..))?,
            Piece::Slot("key") => out.push_str(&key(random)),
            Piece::Slot("uuid") => uuid(random, out)?,
            Piece::Slot("byte") => write!(out, "{}", random.u8(..))?,
            Piece::Slot("hex8") => write!(out, "{:08x}", random.u32(..))?,
            Piece::Slot("hex16") => write!(out, "{:016x}", random.u64(..))?,
            Piece::Slot("hex17") => write!(out, "0{:016x}", random.u64(..))?,
            Piece::Slot("hex32") => write!(out, "{:032x}", random.u128(..))?,
            Piece::Slot("token") => out.extend(std::iter::repeat_with(|| random.alphanumeric()).take(180)),
            Piece::Slot("token6") => out.extend(std::iter::repeat_with(|| random.alphanumeric()).take(6)),
            // A slip in a template, which shows in what it makes.
            Piece::Slot(other) => write!(out, "<{other}>")?,
        }
    }
    Ok(())
}

fn pick(from: &[&'static str], random: &mut Rng) -> &'static str {
    random.choice(from).copied().unwrap_or_default()
}

fn session(random: &mut Rng) -> String {
    if random.bool() { format!("i-0{:016x}", random.u64(..)) } else { pick(USERS, random).to_owned() }
}

/// What follows the first four letters of an access key id or a principal id.
fn key(random: &mut Rng) -> String {
    std::iter::repeat_with(|| random.alphanumeric().to_ascii_uppercase()).take(16).collect()
}

fn uuid(random: &mut Rng, out: &mut String) -> std::fmt::Result {
    let bits = random.u128(..);
    let part = |shift: u32, digits: u32| (bits >> shift) & ((1 << (4 * digits)) - 1);
    write!(
        out,
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        part(96, 8),
        part(80, 4),
        part(64, 3),
        part(48, 4) | 0x8000,
        part(0, 12)
    )
}
