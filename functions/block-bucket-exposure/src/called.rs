//! What the calls that open a bucket asked for, in every shape their records have.

use cloudtrail::{Arn, Call, Event, EventError, Field, Region};
use policy::{Resource, ResourceKind, Severity};
use policy_document::{Access, Document, Trust, exposure};
use remedy::{Certainty, Finding};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bucket::{Acl, Block, Bucket, Grant, Place};

/// What a call opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// Where it happened.
    pub region: Region,
    /// What was opened.
    pub place: Place,
    /// How.
    pub by: By,
}

/// How a bucket was opened, and what the record tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// By its policy: the text.
    Policy(Option<String>),
    /// By its ACL.
    Acl(Option<Acl>),
    /// By its public access block, or the account's; `None` where it was deleted, or is not told.
    Block(Option<Block>),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    bucket_name: Option<String>,
    bucket_policy: Option<Value>,
    access_control_list: Option<Headers>,
    #[serde(flatten)]
    headers: Headers,
    #[serde(rename = "AccessControlPolicy")]
    access_control_policy: Option<AccessControlPolicy>,
    #[serde(rename = "PublicAccessBlockConfiguration")]
    public_access_block: Option<Configuration>,
}

/// The headers that set an ACL. Source: Amazon S3 User Guide, "Configuring ACLs", "Using the REST API".
#[derive(Default, Deserialize)]
struct Headers {
    #[serde(rename = "x-amz-acl")]
    canned: Option<OneOrMany<String>>,
    #[serde(rename = "x-amz-grant-read")]
    read: Option<OneOrMany<String>>,
    #[serde(rename = "x-amz-grant-write")]
    write: Option<OneOrMany<String>>,
    #[serde(rename = "x-amz-grant-read-acp")]
    read_acp: Option<OneOrMany<String>>,
    #[serde(rename = "x-amz-grant-write-acp")]
    write_acp: Option<OneOrMany<String>>,
    #[serde(rename = "x-amz-grant-full-control")]
    full_control: Option<OneOrMany<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccessControlPolicy {
    access_control_list: AccessControlList,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AccessControlList {
    Grants {
        #[serde(rename = "Grant")]
        grants: OneOrMany<WrittenGrant>,
    },
    /// An empty element.
    #[expect(dead_code, reason = "there is nothing in it")]
    Empty(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenGrant {
    grantee: WrittenGrantee,
    permission: String,
}

#[derive(Deserialize)]
struct WrittenGrantee {
    #[serde(rename = "xsi:type")]
    kind: Option<String>,
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "URI")]
    uri: Option<String>,
    #[serde(rename = "EmailAddress")]
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    block_public_acls: Option<Flag>,
    ignore_public_acls: Option<Flag>,
    block_public_policy: Option<Flag>,
    restrict_public_buckets: Option<Flag>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Text(String),
}

impl Configuration {
    /// What is not said is off.
    fn block(self) -> Block {
        let is_on = |flag: Option<Flag>| match flag {
            Some(Flag::Bool(is_on)) => is_on,
            Some(Flag::Text(text)) => text.eq_ignore_ascii_case("true"),
            None => false,
        };
        Block {
            block_public_acls: is_on(self.block_public_acls),
            ignore_public_acls: is_on(self.ignore_public_acls),
            block_public_policy: is_on(self.block_public_policy),
            restrict_public_buckets: is_on(self.restrict_public_buckets),
        }
    }
}

/// The finding of an event, if it is one.
pub(crate) fn finding(event: &Event) -> Result<Option<Finding<Opened>>, EventError> {
    let Some(call) = event.call().filter(|call| call.source == "s3.amazonaws.com") else { return Ok(None) };
    let judge = match call.name.as_str() {
        "PutBucketPolicy" => policy,
        "PutBucketAcl" | "CreateBucket" => acl,
        "PutBucketPublicAccessBlock"
        | "DeleteBucketPublicAccessBlock"
        | "PutAccountPublicAccessBlock"
        | "DeleteAccountPublicAccessBlock" => block,
        _ => return Ok(None),
    };
    let mut asked = match call.request::<Asked>()? {
        Field::Known(asked) => asked,
        Field::Absent | Field::Omitted => Asked::default(),
    };
    let place = if call.name.contains("Account") {
        Place::Account(event.account.clone())
    } else {
        let name = asked.bucket_name.take().filter(|name| !name.is_empty()).ok_or_else(|| no_resource(call))?;
        Place::Bucket(Bucket { account: event.account.clone(), name })
    };
    let Some((by, severity, certainty)) = judge(event, call, asked) else { return Ok(None) };
    let resource = resource(&event.region, &place).ok_or_else(|| no_resource(call))?;
    let subject = Opened { region: event.region.clone(), place, by };
    Ok(Some(Finding { resource, severity, certainty, subject }))
}

type Judged = Option<(By, Severity, Certainty)>;

fn policy(event: &Event, _: &Call, asked: Asked) -> Judged {
    let text = asked.bucket_policy.map(|policy| match policy {
        Value::String(text) => text,
        other => other.to_string(),
    });
    let document = text.as_deref().and_then(|text| Document::parse(text).ok());
    let Some(document) = document else { return Some((By::Policy(text), Severity::MEDIUM, Certainty::Live)) };
    let grants = exposure(&document, &Trust::only(event.account.clone(), event.region.partition()));
    let any = |is: fn(&Access) -> bool| grants.iter().any(|grant| is(&grant.access));
    let (severity, certainty) = if any(Access::is_public) {
        (Severity::CRITICAL, Certainty::Event)
    } else if any(Access::is_exposed) {
        (Severity::HIGH, Certainty::Event)
    } else if any(Access::is_unknown) {
        (Severity::MEDIUM, Certainty::Live)
    } else if any(|access| matches!(access, Access::Service { guarded: false, .. })) {
        (Severity::LOW, Certainty::Live)
    } else {
        return None;
    };
    Some((By::Policy(text), severity, certainty))
}

fn acl(_: &Event, call: &Call, asked: Asked) -> Judged {
    let headers = [Some(asked.headers), asked.access_control_list];
    let mut grants: Vec<Grant> = headers.into_iter().flatten().flat_map(Headers::grants).collect();
    grants.extend(asked.access_control_policy.into_iter().flat_map(AccessControlPolicy::grants));
    let public = || grants.iter().filter(|grant| grant.is_public());
    if grants.is_empty() && call.name == "PutBucketAcl" {
        return Some((By::Acl(None), Severity::HIGH, Certainty::Live));
    }
    public().next()?;
    let severity =
        if public().all(|grant| grant.permission.starts_with("READ")) { Severity::HIGH } else { Severity::CRITICAL };
    Some((By::Acl(Some(Acl { owner: None, grants })), severity, Certainty::Event))
}

fn block(_: &Event, call: &Call, asked: Asked) -> Judged {
    let block = asked.public_access_block.map(Configuration::block);
    let certainty = match block {
        Some(Block::ALL) => return None,
        None if call.name.starts_with("Put") => Certainty::Live,
        Some(_) | None => Certainty::Event,
    };
    Some((By::Block(block), Severity::HIGH, certainty))
}

impl Headers {
    fn grants(self) -> Vec<Grant> {
        let canned = self.canned.map(OneOrMany::into_vec).unwrap_or_default();
        let mut grants: Vec<Grant> = canned.iter().flat_map(|name| of_canned(name)).collect();
        for (permission, header) in [
            ("READ", self.read),
            ("WRITE", self.write),
            ("READ_ACP", self.read_acp),
            ("WRITE_ACP", self.write_acp),
            ("FULL_CONTROL", self.full_control),
        ] {
            let grantees = header.map(OneOrMany::into_vec).unwrap_or_default();
            grants.extend(grantees.iter().flat_map(|list| list.split(',')).map(|it| of_grantee(permission, it)));
        }
        grants
    }
}

impl AccessControlPolicy {
    fn grants(self) -> Vec<Grant> {
        let AccessControlList::Grants { grants } = self.access_control_list else { return Vec::new() };
        let grant = |WrittenGrant { grantee: WrittenGrantee { kind, id, uri, email }, permission }| Grant {
            permission,
            kind: kind.unwrap_or_default(),
            id,
            uri,
            email,
        };
        grants.into_vec().into_iter().map(grant).collect()
    }
}

/// The grants of a canned ACL. Source: Amazon S3 User Guide, "Access control list (ACL) overview", "Canned ACL".
fn of_canned(name: &str) -> Vec<Grant> {
    const EVERYBODY: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
    const EVERY_ACCOUNT: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
    match name {
        "public-read" => vec![Grant::to_group("READ", EVERYBODY)],
        "public-read-write" => vec![Grant::to_group("READ", EVERYBODY), Grant::to_group("WRITE", EVERYBODY)],
        "authenticated-read" => vec![Grant::to_group("READ", EVERY_ACCOUNT)],
        // None of the others names a group that anybody is in.
        other => vec![Grant { kind: other.to_owned(), ..Grant::to_group("", "") }],
    }
}

/// A grantee of a header: `uri="http://…"`, `id="…"` or `emailAddress="…"`.
fn of_grantee(permission: &str, grantee: &str) -> Grant {
    let (kind, value) = grantee.trim().split_once('=').unwrap_or_default();
    let value = value.trim().trim_matches('"');
    match kind.trim() {
        "uri" => Grant::to_group(permission, value),
        _ => Grant {
            permission: permission.to_owned(),
            kind: "CanonicalUser".to_owned(),
            id: Some(value.to_owned()),
            uri: None,
            email: None,
        },
    }
}

/// A bucket by its ARN, which has neither account nor region; `None` without a name.
pub(crate) fn resource(region: &Region, place: &Place) -> Option<Resource> {
    let partition = region.partition();
    Some(match place {
        Place::Bucket(bucket) => {
            let arn = Arn::parse(&format!("arn:{partition}:s3:::{}", bucket.name)).ok()?;
            Resource { kind: ResourceKind::new("Bucket"), arn, tags: None }
        }
        // An account cannot be tagged but by its organization.
        Place::Account(account) => {
            let arn = Arn::of(partition, "iam", "", account, "root");
            Resource { kind: ResourceKind::ACCOUNT, arn, tags: Some(std::collections::BTreeMap::new()) }
        }
    })
}

fn no_resource(call: &Call) -> EventError {
    EventError::NoResource { call: call.name.clone(), field: "requestParameters.bucketName" }
}
