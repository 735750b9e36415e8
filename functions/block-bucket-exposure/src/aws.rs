//! Amazon S3 as this responder sees it.

use std::collections::BTreeMap;
use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{
    AccessControlPolicy, Grant as WireGrant, Grantee, Owner, Permission, PublicAccessBlockConfiguration, Type,
};
use aws_sdk_s3control::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_sdk_s3control::types::PublicAccessBlockConfiguration as AccountConfiguration;
use aws_types::SdkConfig;
use cloudtrail::{AccountId, Arn, Region};
use futures_util::try_join;
use lambda::{Connect, call_error, once, region_of};
use remedy::{Applied, CallError, CallErrorKind};

use crate::BlockBucketExposure;
use crate::bucket::{Acl, Block, Bucket, Buckets, Grant, Place};

/// The responder as it is deployed.
pub type Live = BlockBucketExposure<S3>;

/// The buckets of one account and region.
#[derive(Debug)]
pub struct S3 {
    reads: aws_sdk_s3::Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: aws_sdk_s3::Client,
    account_reads: aws_sdk_s3control::Client,
    account_writes: aws_sdk_s3control::Client,
    identity: aws_sdk_sts::Client,
    region: Region,
}

impl Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        let once = once(config);
        let control = |config: &SdkConfig| {
            let control = aws_sdk_s3control::config::Builder::from(config);
            let control = match config.endpoint_url() {
                Some(url) => control.endpoint_resolver(Fixed(url.to_owned())),
                None => control,
            };
            aws_sdk_s3control::Client::from_conf(control.build())
        };
        Self(S3 {
            reads: aws_sdk_s3::Client::new(config),
            writes: aws_sdk_s3::Client::new(&once),
            account_reads: control(config),
            account_writes: control(&once),
            identity: aws_sdk_sts::Client::new(config),
            region: region_of(config),
        })
    }
}

/// An endpoint as it is configured. S3 Control's own rules put the account before its host, where no emulator is.
#[derive(Debug)]
struct Fixed(String);

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

impl Buckets for S3 {
    async fn policy(&self, bucket: &Bucket) -> Result<Option<String>, CallError> {
        let call = self.reads.get_bucket_policy().bucket(&bucket.name).expected_bucket_owner(bucket.account.as_str());
        Ok(if_there("s3:GetBucketPolicy", call.send().await)?.and_then(|answer| answer.policy))
    }

    async fn acl(&self, bucket: &Bucket) -> Result<Option<Acl>, CallError> {
        let call = self.reads.get_bucket_acl().bucket(&bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = if_there("s3:GetBucketAcl", call.send().await)?;
        Ok(answer.map(|answer| Acl {
            owner: answer.owner.and_then(|owner| owner.id),
            grants: answer.grants.unwrap_or_default().into_iter().filter_map(read).collect(),
        }))
    }

    async fn block(&self, place: &Place) -> Result<Option<Block>, CallError> {
        match place {
            Place::Bucket(Bucket { account, name }) => {
                let call = self.reads.get_public_access_block().bucket(name).expected_bucket_owner(account.as_str());
                let answer = if_there("s3:GetBucketPublicAccessBlock", call.send().await)?;
                Ok(answer.and_then(|answer| answer.public_access_block_configuration).map(|it| {
                    let (acls, policies) = (it.block_public_acls, it.block_public_policy);
                    block([acls, it.ignore_public_acls, policies, it.restrict_public_buckets])
                }))
            }
            Place::Account(account) => {
                let call = self.account_reads.get_public_access_block().account_id(account.as_str());
                let answer = if_there("s3:GetAccountPublicAccessBlock", call.send().await)?;
                Ok(answer.and_then(|answer| answer.public_access_block_configuration).map(|it| {
                    let (acls, policies) = (it.block_public_acls, it.block_public_policy);
                    block([acls, it.ignore_public_acls, policies, it.restrict_public_buckets])
                }))
            }
        }
    }

    async fn is_website(&self, bucket: &Bucket) -> Result<bool, CallError> {
        let call = self.reads.get_bucket_website().bucket(&bucket.name).expected_bucket_owner(bucket.account.as_str());
        Ok(if_there("s3:GetBucketWebsite", call.send().await)?.is_some())
    }

    async fn tags(&self, bucket: &Bucket) -> Result<Option<BTreeMap<String, String>>, CallError> {
        let call = self.reads.get_bucket_tagging().bucket(&bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await;
        if answer.as_ref().err().and_then(SdkError::code) == Some("NoSuchTagSet") {
            return Ok(Some(BTreeMap::new()));
        }
        let answer = if_there("s3:GetBucketTagging", answer)?;
        Ok(answer.map(|answer| answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect()))
    }

    async fn put_policy(&self, bucket: &Bucket, policy: Option<&str>) -> Result<Applied, CallError> {
        let (name, account) = (&bucket.name, bucket.account.as_str());
        if let Some(policy) = policy {
            let call = self.writes.put_bucket_policy().bucket(name).expected_bucket_owner(account).policy(policy);
            done("s3:PutBucketPolicy", call.send().await)
        } else {
            let call = self.writes.delete_bucket_policy().bucket(name).expected_bucket_owner(account);
            done("s3:DeleteBucketPolicy", call.send().await)
        }
    }

    async fn put_acl(&self, bucket: &Bucket, acl: &Acl) -> Result<Applied, CallError> {
        let mut policy = AccessControlPolicy::builder().owner(Owner::builder().set_id(acl.owner.clone()).build());
        for grant in &acl.grants {
            policy = policy.grants(written(grant).map_err(unwritable)?);
        }
        let call = self.writes.put_bucket_acl().bucket(&bucket.name).expected_bucket_owner(bucket.account.as_str());
        done("s3:PutBucketAcl", call.access_control_policy(policy.build()).send().await)
    }

    async fn put_block(&self, place: &Place, block: Option<Block>) -> Result<Applied, CallError> {
        match (place, block) {
            (Place::Bucket(Bucket { account, name }), Some(block)) => {
                let configuration = PublicAccessBlockConfiguration::builder()
                    .block_public_acls(block.block_public_acls)
                    .ignore_public_acls(block.ignore_public_acls)
                    .block_public_policy(block.block_public_policy)
                    .restrict_public_buckets(block.restrict_public_buckets);
                let call = self.writes.put_public_access_block().bucket(name).expected_bucket_owner(account.as_str());
                let call = call.public_access_block_configuration(configuration.build());
                done("s3:PutBucketPublicAccessBlock", call.send().await)
            }
            (Place::Bucket(Bucket { account, name }), None) => {
                let call = self.writes.delete_public_access_block().bucket(name);
                done("s3:PutBucketPublicAccessBlock", call.expected_bucket_owner(account.as_str()).send().await)
            }
            (Place::Account(account), Some(block)) => {
                let configuration = AccountConfiguration::builder()
                    .block_public_acls(block.block_public_acls)
                    .ignore_public_acls(block.ignore_public_acls)
                    .block_public_policy(block.block_public_policy)
                    .restrict_public_buckets(block.restrict_public_buckets);
                let call = self.account_writes.put_public_access_block().account_id(account.as_str());
                let call = call.public_access_block_configuration(configuration.build());
                done("s3:PutAccountPublicAccessBlock", call.send().await)
            }
            (Place::Account(account), None) => {
                let call = self.account_writes.delete_public_access_block().account_id(account.as_str());
                done("s3:PutAccountPublicAccessBlock", call.send().await)
            }
        }
    }

    async fn all(&self) -> Result<(AccountId, Region, Vec<String>), CallError> {
        let identity = async {
            let answer = self.identity.get_caller_identity().send().await;
            answer.map_err(|error| call_error("sts:GetCallerIdentity", error))
        };
        let buckets = async {
            // With a page size S3 gives pages, and without one it refuses accounts with very many buckets.
            let call = self.reads.list_buckets().bucket_region(self.region.as_str()).max_buckets(1_000);
            let pages = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
            pages.map_err(|error| call_error("s3:ListAllMyBuckets", error))
        };
        let (identity, buckets) = try_join!(identity, buckets)?;
        let account = identity
            .arn
            .and_then(|arn| Arn::parse(&arn).ok()?.account())
            .ok_or_else(|| CallError::refused("sts:GetCallerIdentity", "the caller's identity has no account"))?;
        let names = buckets.into_iter().filter_map(|bucket| bucket.name).collect();
        Ok((account, self.region.clone(), names))
    }
}

/// What is not said is off.
fn block(on: [Option<bool>; 4]) -> Block {
    let [block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets] =
        on.map(|is_on| is_on == Some(true));
    Block { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets }
}

/// What there is not is no error.
fn if_there<T, E>(action: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Option<T>, CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    lambda::if_there(answer.map_err(|error| call_error(action, error)))
}

/// Source: Amazon S3 API Reference, "Error responses": where two operations on a bucket conflict, the later one is aborted
/// and to be tried again.
fn done<T, E>(action: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Applied, CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let is_aborted = answer.as_ref().err().and_then(SdkError::code) == Some("OperationAborted");
    match answer.map_err(|error| call_error(action, error)) {
        Ok(_) => Ok(Applied::Changed),
        Err(error) if is_aborted => Err(CallError { kind: CallErrorKind::Throttled, ..error }),
        Err(error) => Err(error),
    }
}

fn read(grant: WireGrant) -> Option<Grant> {
    let grantee = grant.grantee?;
    Some(Grant {
        permission: grant.permission?.as_str().to_owned(),
        kind: grantee.r#type.as_str().to_owned(),
        id: grantee.id,
        uri: grantee.uri,
        email: grantee.email_address,
    })
}

fn written(grant: &Grant) -> Result<WireGrant, aws_sdk_s3::error::BuildError> {
    let grantee = Grantee::builder()
        .r#type(Type::from(grant.kind.as_str()))
        .set_id(grant.id.clone())
        .set_uri(grant.uri.clone())
        .set_email_address(grant.email.clone())
        .build()?;
    Ok(WireGrant::builder().grantee(grantee).permission(Permission::from(grant.permission.as_str())).build())
}

fn unwritable(error: aws_sdk_s3::error::BuildError) -> CallError {
    CallError::refused("s3:PutBucketAcl", error)
}
