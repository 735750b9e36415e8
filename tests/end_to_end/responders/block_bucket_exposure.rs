//! `block-bucket-exposure` does what every responder must.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    AccessControlPolicy, Grant, Grantee, IndexDocument, Permission, PublicAccessBlockConfiguration, Tag, Tagging, Type,
    WebsiteConfiguration,
};
use aws_sdk_s3control::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_sdk_s3control::types::PublicAccessBlockConfiguration as AccountConfiguration;
use serde_json::{Value, json};
use stage::{ACCOUNT, Call};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, REGION, Setting, outcome, status};
use crate::folders::Folder;

struct OpenBucket;

/// The ways of the scenario.
const POLICY: usize = 0;
const ONLY_STATEMENT: usize = 1;
const ACL: usize = 2;
const BLOCK: usize = 3;
const ACCOUNT_BLOCK: usize = 4;

/// What S3 Control's exposures are named.
const THE_ACCOUNT: &str = "the account";

/// One of the responder's events, about this bucket.
fn event(file: &str, bucket: &str) -> Value {
    let folder = Folder { name: OpenBucket::NAME.to_owned() };
    let mut event: Value = folder.json(&format!("events/match/{file}.json"));
    event["region"] = json!(REGION);
    event["detail"]["awsRegion"] = json!(REGION);
    event["detail"]["eventID"] = json!(format!("{file} {bucket}"));
    let text = event.to_string().replace("invoices-2026", bucket);
    serde_json::from_str(&text).unwrap()
}

fn s3(who: &SdkConfig) -> Client {
    Client::new(who)
}

#[derive(Debug)]
struct Fixed(String);

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

fn control(who: &SdkConfig) -> aws_sdk_s3control::Client {
    let endpoint = Fixed(who.endpoint_url().unwrap().to_owned());
    let config = aws_sdk_s3control::config::Builder::from(who).endpoint_resolver(endpoint).build();
    aws_sdk_s3control::Client::from_conf(config)
}

async fn set_account_block(who: &SdkConfig, acls: bool, policies: bool) {
    let configuration = AccountConfiguration::builder()
        .block_public_acls(acls)
        .ignore_public_acls(acls)
        .block_public_policy(policies)
        .restrict_public_buckets(policies)
        .build();
    let call = control(who).put_public_access_block().account_id(ACCOUNT);
    call.public_access_block_configuration(configuration).send().await.unwrap();
}

async fn set_block(who: &SdkConfig, bucket: &str, acls: bool, policies: bool) {
    let configuration = PublicAccessBlockConfiguration::builder()
        .block_public_acls(acls)
        .ignore_public_acls(acls)
        .block_public_policy(policies)
        .restrict_public_buckets(policies)
        .build();
    let call = s3(who).put_public_access_block().bucket(bucket);
    call.public_access_block_configuration(configuration).send().await.unwrap();
}

async fn put_policy(who: &SdkConfig, bucket: &str, statements: &[Value]) {
    // White space that an undo must bring back.
    let policy = format!("{{ \"Version\": \"2012-10-17\",\n\"Statement\": {} }}", json!(statements));
    s3(who).put_bucket_policy().bucket(bucket).policy(policy).send().await.unwrap();
}

/// Lets these groups read, beside the owner. By grants, since moto refuses a canned ACL's request for its empty body.
async fn put_acl(who: &SdkConfig, bucket: &str, groups: &[&str]) {
    let acl = s3(who).get_bucket_acl().bucket(bucket).send().await.unwrap();
    let owner = acl.owner.unwrap();
    let user = Grantee::builder().r#type(Type::CanonicalUser).set_id(owner.id.clone()).build().unwrap();
    let users = Grant::builder().grantee(user).permission(Permission::FullControl).build();
    let mut policy = AccessControlPolicy::builder().owner(owner).grants(users);
    for group in groups {
        let uri = format!("http://acs.amazonaws.com/groups/global/{group}");
        let group = Grantee::builder().r#type(Type::Group).uri(uri).build().unwrap();
        policy = policy.grants(Grant::builder().grantee(group).permission(Permission::Read).build());
    }
    s3(who).put_bucket_acl().bucket(bucket).access_control_policy(policy.build()).send().await.unwrap();
}

/// A bucket with this tag.
async fn bucket(setting: &Setting, name: &str, tag: &str) {
    let s3 = s3(&setting.operator);
    s3.create_bucket().bucket(name).send().await.unwrap();
    let tag = Tag::builder().key("team").value(tag).build().unwrap();
    s3.put_bucket_tagging()
        .bucket(name)
        .tagging(Tagging::builder().tag_set(tag).build().unwrap())
        .send()
        .await
        .unwrap();
    setting.account.events();
}

fn statement(bucket: &str, sid: &str, principal: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": ["s3:GetObject"],
        "Resource": [format!("arn:aws:s3:::{bucket}/*")]})
}

fn everybody(bucket: &str) -> Value {
    statement(bucket, "PublicRead", &json!("*"))
}

fn ours(bucket: &str) -> Value {
    statement(bucket, "Ours", &json!({"AWS": "arn:aws:iam::123456789012:role/app"}))
}

/// All that the responder may change.
async fn look(setting: &Setting, name: &str) -> Value {
    if name == THE_ACCOUNT {
        let block = control(&setting.operator).get_public_access_block().account_id(ACCOUNT).send().await.ok();
        setting.account.events();
        return json!(block.map(|block| format!("{:?}", block.public_access_block_configuration)));
    }
    let s3 = s3(&setting.operator);
    let policy = s3.get_bucket_policy().bucket(name).send().await.ok().and_then(|answer| answer.policy);
    let block = s3.get_public_access_block().bucket(name).send().await.ok();
    let block = block.map(|answer| format!("{:?}", answer.public_access_block_configuration));
    let acl = s3.get_bucket_acl().bucket(name).send().await.unwrap();
    let mut grants: Vec<String> = acl.grants().iter().map(|grant| format!("{grant:?}")).collect();
    grants.sort();
    setting.account.events();
    json!([policy, block, grants])
}

impl Scenario for OpenBucket {
    const NAME: &'static str = "block-bucket-exposure";
    const WAYS: usize = 5;

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let name = format!("bucket-{nth}");
        bucket(setting, &name, "shop").await;
        let who = &setting.attacker;
        let (name, event) = match way {
            POLICY => {
                put_policy(who, &name, &[ours(&name), everybody(&name)]).await;
                let event = event("policy-for-everybody", &name);
                (name, event)
            }
            ONLY_STATEMENT => {
                put_policy(who, &name, &[everybody(&name)]).await;
                let event = event("policy-of-one-statement", &name);
                (name, event)
            }
            ACL => {
                put_acl(who, &name, &["AllUsers", "AuthenticatedUsers"]).await;
                let event = event("canned-acl", &name);
                (name, event)
            }
            BLOCK => {
                set_block(who, &name, true, false).await;
                let event = event("block-of-a-bucket-loosened", &name);
                (name, event)
            }
            ACCOUNT_BLOCK => {
                // There is one account, and what an undo has turned off is wanted off.
                let is_even = nth.is_multiple_of(2);
                set_account_block(who, is_even, !is_even).await;
                let mut event = event("block-of-the-account-loosened", &name);
                event["detail"]["eventID"] = json!(name);
                (THE_ACCOUNT.to_owned(), event)
            }
            other => panic!("way {other}"),
        };
        setting.account.events();
        Exposure { name, event }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        look(setting, &exposure.name).await
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        put_policy(&setting.operator, &exposure.name, &[ours(&exposure.name)]).await;
        setting.account.events();
    }

    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        let (who, name) = (&setting.operator, &exposure.name);
        let (policy, acl) = (event("policy-for-everybody", name), event("canned-acl", name));
        match &exposure.event["detail"]["eventName"] {
            name if *name == policy["detail"]["eventName"] => {
                put_policy(who, &exposure.name, &[statement(&exposure.name, "Theirs", &json!({"AWS": ACCOUNT}))]).await;
            }
            name if *name == acl["detail"]["eventName"] => {
                put_acl(who, &exposure.name, &["AuthenticatedUsers"]).await;
            }
            _ if name == THE_ACCOUNT => {
                control(who).delete_public_access_block().account_id(ACCOUNT).send().await.unwrap();
            }
            _ => set_block(who, name, false, true).await,
        }
        setting.account.events();
        true
    }

    fn action(call: &Call) -> String {
        let method = call.operation.split(' ').next().unwrap();
        let is = |parameter: &str| call.param(parameter).is_some();
        let what = match () {
            () if call.operation.contains("/v20180820/") => "AccountPublicAccessBlock",
            () if is("publicAccessBlock") => "BucketPublicAccessBlock",
            () if is("policy") => "BucketPolicy",
            () if is("acl") => "BucketAcl",
            () if is("website") => "BucketWebsite",
            () if is("tagging") => "BucketTagging",
            () => panic!("which action is {}?", call.operation),
        };
        let verb = match method {
            "GET" => "Get",
            "PUT" => "Put",
            "DELETE" => "Delete",
            other => panic!("what is {other}?"),
        };
        format!("s3:{verb}{what}")
    }
}

proves!(OpenBucket);

#[tokio::test]
async fn a_website_that_policy_exempts_stays_public() {
    let exempting = format!(
        r#"{ENFORCE} @id("websites") @reason("public by design") forbid (principal, action, resource) when {{
             context.website && resource.hasTag("team") && resource.getTag("team") == "web" }};"#
    );
    let setting = Setting::with(&exempting).await;
    let function = setting.function(OpenBucket::NAME).await;
    let website = || {
        let index = IndexDocument::builder().suffix("index.html").build().unwrap();
        WebsiteConfiguration::builder().index_document(index).build()
    };
    for (name, tag, is_website, expected) in
        [("site", "web", true, "exempt"), ("no-site", "web", false, "contained"), ("shop", "shop", true, "contained")]
    {
        bucket(&setting, name, tag).await;
        if is_website {
            let call = s3(&setting.operator).put_bucket_website().bucket(name).website_configuration(website());
            call.send().await.unwrap();
        }
        put_policy(&setting.attacker, name, &[everybody(name)]).await;
        setting.account.events();
        assert_eq!(status(function.invoke(&event("policy-of-one-statement", name)).await), expected, "{name}");
    }
}

#[tokio::test]
async fn a_policy_that_a_block_makes_harmless_is_already_safe() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(OpenBucket::NAME).await;
    for name in ["by-its-own", "by-the-accounts"] {
        bucket(&setting, name, "shop").await;
        put_policy(&setting.attacker, name, &[everybody(name)]).await;
        match name {
            "by-its-own" => set_block(&setting.operator, name, false, true).await,
            _ => set_account_block(&setting.operator, false, true).await,
        }
        let exposed = look(&setting, name).await;
        let outcome = outcome(function.invoke(&event("policy-of-one-statement", name)).await);
        assert_eq!(outcome["status"], "already_safe", "{outcome:#}");
        assert_eq!(look(&setting, name).await, exposed);
    }
    assert!(setting.incidents().await.iter().all(|incident| incident.facts["effective"] == json!(false)));
}

#[tokio::test]
async fn what_was_captured_is_put_back_and_stays() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(OpenBucket::NAME).await;
    for name in ["one", "two", "three"] {
        bucket(&setting, name, "shop").await;
        put_policy(&setting.operator, name, &[statement(name, "Partner", &json!({"AWS": "999999999999"}))]).await;
        set_block(&setting.operator, name, true, false).await;
    }
    setting.account.events();
    let arguments = ["baseline", "capture", "--responder", OpenBucket::NAME, "--format", "json"];
    let (done, said) = setting.countermand(&arguments).await;
    assert!(done, "{said}");
    assert_eq!(said.matches("\"new\"").count(), 4, "three buckets and the account: {said}");

    let (name, partner) = ("two", statement("two", "Partner", &json!({"AWS": "999999999999"})));
    let captured = look(&setting, name).await;
    put_policy(&setting.attacker, name, &[partner, everybody(name)]).await;
    assert_eq!(status(function.invoke(&event("policy-for-everybody", name)).await), "contained");
    s3(&setting.attacker).delete_public_access_block().bucket(name).send().await.unwrap();
    assert_eq!(status(function.invoke(&event("block-of-a-bucket-deleted", name)).await), "contained");
    assert_eq!(look(&setting, name).await, captured);
    assert_eq!(status(function.invoke(&event("block-of-a-bucket-loosened", "one")).await), "already_safe");
    assert_eq!(status(function.invoke(&event("policy-for-another-account", "three")).await), "already_safe");
}

#[tokio::test]
async fn what_is_gone_is_already_safe() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(OpenBucket::NAME).await;
    for file in ["policy-for-everybody", "canned-acl", "block-of-a-bucket-deleted", "policy-left-out"] {
        let outcome = outcome(function.invoke(&event(file, "gone")).await);
        assert_eq!(outcome["status"], "already_safe", "{outcome:#}");
    }
}
