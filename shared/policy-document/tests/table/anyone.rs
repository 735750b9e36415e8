//! Conditions of a statement that allows everybody.

use policy_document::{Trust, exposure};

use crate::{Case, compare, document, parse, trust, verdict};

/// The statement of all these cases, with the condition left out.
pub(crate) const STATEMENT: &str =
    r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{…}}"#;

fn case((condition, verdict, why): &(&'static str, &'static str, &'static str)) -> Case {
    let statement = STATEMENT.replace("{…}", &format!("{{{condition}}}"));
    Case { shown: (*condition).to_owned(), document: document(&statement), verdict, why }
}

/// Conditions that pin the caller.
pub(crate) fn restricting() -> Vec<Case> {
    RESTRICTING.iter().map(case).collect()
}

/// Conditions that do not.
pub(crate) fn open() -> Vec<Case> {
    OPEN.iter().map(case).collect()
}

/// Conditions of which it cannot be told.
pub(crate) fn unclear() -> Vec<Case> {
    UNCLEAR.iter().map(case).collect()
}

#[test]
fn conditions_that_pin_the_caller_are_seen() {
    compare(&restricting(), verdict);
}

#[test]
fn conditions_that_pin_nobody_are_seen_through() {
    compare(&open(), verdict);
}

#[test]
fn conditions_that_cannot_be_judged_are_unknown() {
    compare(&unclear(), verdict);
}

const RESTRICTING: &[(&str, &str, &str)] = &[
    (
        r#""StringEquals":{"aws:SourceVpc":"vpc-91237329"}"#,
        "pinned to aws:SourceVpc vpc-91237329",
        "S3's own example of a policy that is not public; whose VPC it is, the id does not tell",
    ),
    (
        r#""StringEquals":{"aws:sourceVpce":"vpce-1a2b3c4d"}"#,
        "pinned to aws:sourceVpce vpce-1a2b3c4d",
        "a fixed endpoint; keys are compared without regard to case",
    ),
    (r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, "pinned to aws:SourceIp 203.0.113.0/24", "a fixed network"),
    (
        r#""IpAddress":{"aws:SourceIp":"8.0.0.0/8"}"#,
        "pinned to aws:SourceIp 8.0.0.0/8",
        "a /8 is the widest that S3 takes for fixed",
    ),
    (
        r#""IpAddress":{"aws:SourceIp":["10.0.0.0/8","172.16.0.0/12"]}"#,
        "pinned to aws:SourceIp 10.0.0.0/8, aws:SourceIp 172.16.0.0/12",
        "private ranges (RFC 1918) are not the internet",
    ),
    (
        r#""IpAddress":{"aws:SourceIp":"2001:db8::/32"}"#,
        "pinned to aws:SourceIp 2001:db8::/32",
        "a /32 is the widest that S3 takes for fixed in IPv6",
    ),
    (
        r#""ForAllValues:IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"Null":{"aws:SourceIp":"false"}"#,
        "pinned to aws:SourceIp 203.0.113.0/24",
        "`Null` closes the hole that `ForAllValues` leaves where the key is missing",
    ),
    (r#""StringEquals":{"aws:PrincipalOrgID":"o-ours1234"}"#, "within", "members of our organization"),
    (
        r#""StringEquals":{"AWS:PRINCIPALORGID":["o-ours1234"]},"Bool":{"aws:SecureTransport":"true"}"#,
        "within",
        "one condition that pins is enough",
    ),
    (
        r#""StringEquals":{"aws:PrincipalOrgID":"o-theirs5678"}"#,
        "foreign o-theirs5678",
        "members of another organization",
    ),
    (
        r#""StringEquals":{"aws:PrincipalOrgID":["o-ours1234","o-theirs5678"]}"#,
        "foreign o-theirs5678",
        "any one value suffices",
    ),
    (
        r#""StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}"#,
        "within",
        "the variable stands for the resource's own organization",
    ),
    (
        r#""ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-ours1234/r-ab12/ou-ab12-11111111/*"]}"#,
        "within",
        "the path begins with our organization's id, which is unique",
    ),
    (
        r#""ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-theirs5678/*"]}"#,
        "foreign o-theirs5678",
        "another organization's path",
    ),
    (r#""StringEquals":{"aws:PrincipalAccount":"111122223333"}"#, "within", "our account"),
    (r#""StringEquals":{"aws:PrincipalAccount":"222233334444"}"#, "within", "an account on the trusted list"),
    (
        r#""StringEquals":{"aws:PrincipalAccount":"444455556666"}"#,
        "foreign 444455556666",
        "a fixed account that is not ours",
    ),
    (
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/app-*"}"#,
        "within",
        "the wildcard leaves the account fixed",
    ),
    (
        r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/x"}"#,
        "foreign 444455556666",
        "a role of another account",
    ),
    (
        r#""ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:topic"}"#,
        "within",
        "services on behalf of our topic; `ArnLike` compares part by part",
    ),
    (
        r#""StringLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:*"}"#,
        "within",
        "nothing before the account varies. S3's rule, cruder, would call any wildcard public",
    ),
    (
        r#""ArnEquals":{"aws:sourcearn":"arn:aws:sns:us-east-1:444455556666:topic"}"#,
        "foreign 444455556666",
        "services on behalf of somebody else's topic (Cloud Custodian's `SourceArnEqualsInvalid`)",
    ),
    (
        r#""ArnEquals":{"aws:SourceArn":"arn:aws:s3:::mybucket"}"#,
        "pinned to aws:SourceArn arn:aws:s3:::mybucket",
        "a fixed bucket, whose ARN does not tell the account",
    ),
    (r#""StringEquals":{"aws:SourceAccount":"111122223333"}"#, "within", "services on behalf of our account"),
    (
        r#""StringEquals":{"aws:SourceOwner":"444455556666"}"#,
        "foreign 444455556666",
        "services on behalf of another account",
    ),
    (r#""StringEquals":{"aws:SourceOrgID":"o-ours1234"}"#, "within", "services on behalf of our organization"),
    (
        r#""StringEquals":{"aws:SourceAccount":"${aws:ResourceAccount}"}"#,
        "within",
        "the variable stands for the resource's own account",
    ),
    (
        r#""StringEquals":{"aws:userid":"AIDAEXAMPLEUSERID"}"#,
        "pinned to aws:userid AIDAEXAMPLEUSERID",
        "one user; the id does not tell the account",
    ),
    (
        r#""StringEquals":{"aws:userid":"444455556666"}"#,
        "foreign 444455556666",
        "the id of a root user is the account's",
    ),
    (
        r#""StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:111122223333:accesspoint/*"}"#,
        "within",
        "S3: a wildcard in the access point's name does not make it public while the account is fixed",
    ),
    (
        r#""StringEquals":{"s3:DataAccessPointAccount":"444455556666"}"#,
        "foreign 444455556666",
        "access points of another account",
    ),
    (
        r#""StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-east-1:111122223333:key/k"}"#,
        "pinned to s3:x-amz-server-side-encryption-aws-kms-key-id arn:aws:kms:us-east-1:111122223333:key/k",
        "on S3's list",
    ),
    (
        r#""StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#,
        "within",
        "the account pins; the service alone would not",
    ),
    (r#""Bool":{"aws:PrincipalIsAWSService":"true"}"#, "unguarded service *", "only AWS services call so"),
    (
        r#""StringEquals":{"aws:PrincipalServiceName":"cloudtrail.amazonaws.com"}"#,
        "unguarded service cloudtrail.amazonaws.com",
        "only one does",
    ),
    (r#""StringEquals":{"aws:PrincipalOrgID":"*"}"#, "nobody", "`StringEquals` takes `*` as text, and no id is that"),
    (r#""StringEquals":{"aws:SourceVpc":"vpc-*"}"#, "nobody", "the same: not S3's example, which has `StringLike`"),
    (r#""StringEquals":{"aws:PrincipalAccount":[]}"#, "nobody", "no value can be the right one"),
    (
        r#""IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"},"StringEquals":{"aws:PrincipalAccount":"111122223333"}"#,
        "within",
        "the second condition pins",
    ),
];

const OPEN: &[(&str, &str, &str)] = &[
    (
        r#""StringLike":{"aws:SourceVpc":"vpc-*"}"#,
        "public",
        "S3's own example of a public policy: a wildcard is no fixed value",
    ),
    (r#""IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#, "public", "everything"),
    (r#""IpAddress":{"aws:SourceIp":"::/0"}"#, "public", "everything"),
    (r#""IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}"#, "public", "two halves are everything"),
    (r#""IpAddress":{"aws:SourceIp":"0.0.0.0/1"}"#, "public", "S3 calls values wider than /8 public"),
    (r#""IpAddress":{"aws:SourceIp":["8.0.0.0/8","9.0.0.0/8"]}"#, "public", "together wider than a /8"),
    (r#""IpAddress":{"aws:SourceIp":["203.0.113.0/24","2000::/3"]}"#, "public", "narrow in IPv4, everything in IPv6"),
    (r#""IpAddress":{"aws:SourceIp":"198.51.100.7/0"}"#, "public", "bits beyond the prefix do not count"),
    (r#""StringLike":{"aws:SourceIp":"*"}"#, "public", "any address"),
    (r#""NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, "public", "all but a few"),
    (
        r#""StringNotLike":{"aws:UserAgent":"|_(..)_|"},"NotIpAddress":{"aws:SourceIp":"8.8.8.8"}"#,
        "public",
        "made to evade checkers (policyuniverse's `test_evasion_policies`)",
    ),
    (
        r#""IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"}"#,
        "public",
        "requests by way of any VPC endpoint have no such key and pass",
    ),
    (
        r#""ForAllValues:IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#,
        "public",
        "`ForAllValues` holds where the key is missing",
    ),
    (r#""IpAddress":{"aws:VpcSourceIp":"10.0.0.0/16"}"#, "public", "anybody may number a VPC so"),
    (r#""StringLike":{"aws:PrincipalOrgID":"o-*"}"#, "public", "any organization"),
    (r#""StringNotEquals":{"aws:PrincipalOrgID":"o-theirs5678"}"#, "public", "all but one organization"),
    (r#""StringEqualsIfExists":{"aws:PrincipalOrgID":"o-ours1234"}"#, "public", "who is in no organization passes"),
    (
        r#""ForAllValues:StringLike":{"aws:PrincipalOrgPaths":["o-ours1234/*"]}"#,
        "public",
        "who is in no organization passes, as there is no path to compare",
    ),
    (
        r#""ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-*/r-ab12/ou-ab12-11111111/*"]}"#,
        "public",
        "ids of roots and units are not unique among organizations",
    ),
    (r#""Null":{"aws:PrincipalOrgID":"false"}"#, "public", "any organization"),
    (r#""Null":{"aws:SourceVpce":"false"}"#, "public", "any endpoint"),
    (r#""StringLike":{"aws:PrincipalArn":"*"}"#, "public", "any principal"),
    (r#""StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x"}"#, "public", "a role of this name in any account"),
    (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1234*:role/x"}"#, "public", "of any account with such an id"),
    (
        r#""StringLike":{"aws:SourceAccount":"*"}"#,
        "public",
        "a wildcard is no fixed value (policyuniverse's `statement09_wildcard`)",
    ),
    (r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}"#, "public", "anybody's bucket"),
    (r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::logs-*"}"#, "public", "anybody may name a bucket so"),
    (
        r#""ForAllValues:ArnEqualsIfExists":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}"#,
        "public",
        "who calls for himself has no such key and passes; policyuniverse says otherwise (`statement07`)",
    ),
    (r#""StringLike":{"aws:userid":"*:session"}"#, "public", "callers name their sessions themselves"),
    (r#""Bool":{"aws:SecureTransport":"true"}"#, "public", "anybody can use TLS"),
    (r#""StringLike":{"aws:Referer":"https://example.com/*"}"#, "public", "the caller sends what he likes"),
    (r#""StringEquals":{"aws:UserAgent":"secret"}"#, "public", "the caller sends what he likes"),
    (r#""StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}"#, "public", "the caller chooses it"),
    (r#""StringEquals":{"s3:prefix":"public/"}"#, "public", "what is reached, not by whom"),
    (r#""StringEquals":{"s3:ExistingObjectTag/public":"yes"}"#, "public", "what is reached, not by whom"),
    (r#""StringEquals":{"aws:PrincipalTag/team":"red"}"#, "public", "any account may tag its users and roles so"),
    (r#""StringEquals":{"aws:username":"alice"}"#, "public", "any account may have a user of this name"),
    (r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#, "public", "anybody can have MFA"),
    (r#""StringEquals":{"sts:ExternalId":"12345"}"#, "public", "an external id is no secret"),
    (
        r#""DateLessThan":{"aws:CurrentTime":"2099-01-01T00:00:00Z"}"#,
        "public",
        "until then; a document is judged without a clock",
    ),
    (r#""StringEquals":{"aws:RequestedRegion":"eu-west-1"}"#, "public", "where, not by whom"),
    (
        r#""StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#,
        "public",
        "anybody may call through a service",
    ),
    (r#""StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}"#, "public", "a function URL without authentication"),
    (r#""StringEquals":{"lambda:FunctionUrlAuthType":"AWS_IAM"}"#, "public", "everybody with an AWS account"),
    (r#""Bool":{"lambda:InvokedViaFunctionUrl":"true"}"#, "public", "the second permission of a public function URL"),
    (r#""Bool":{"aws:PrincipalIsAWSService":"false"}"#, "public", "everybody who is no service"),
    (r#""Bool":{"aws:ViaAWSService":"true"}"#, "public", "anybody may call through a service"),
];

const UNCLEAR: &[(&str, &str, &str)] = &[
    (
        r#""StringLike":{"aws:userid":"AROAEXAMPLEROLEID:*"}"#,
        "unknown: whose `AROAEXAMPLEROLEID:*` is, the document does not tell",
        "S3 calls it public; in truth it is the sessions of one role",
    ),
    (
        r#""StringLike":{"aws:SourceArn":"arn:aws:lambda:*:111122223333:*"}"#,
        "unknown: `arn:aws:lambda:*:111122223333:*` is not understood as a value of `aws:SourceArn`",
        "as text, `*` also takes in another account whose resource has our id in its name",
    ),
    (
        r#""StringEquals":{"aws:PrincipalArn":"${aws:PrincipalTag/owner}"}"#,
        "unknown: the value of `aws:PrincipalArn` depends on the request",
        "a policy variable",
    ),
    (
        r#""StringEquals":{"example:Key":"x"}"#,
        "unknown: whether `example:Key` restricts is not known",
        "an unknown key",
    ),
    (
        r#""StringNotEquals":{"example:Key":"x"}"#,
        "unknown: whether `example:Key` restricts is not known",
        "an unknown key",
    ),
    (
        r#""StringContains":{"aws:PrincipalAccount":"1"}"#,
        "unknown: `StringContains` is not a known condition operator",
        "an unknown operator",
    ),
    (
        r#""ForAllValues":{"s3:PutObject":["body"]}"#,
        "unknown: `ForAllValues` is not a known condition operator",
        "Cloud Custodian's `ForAllValuesInvalid`",
    ),
    (
        r#""IpAddress":{"aws:SourceIp":"office"}"#,
        "unknown: `office` is not understood as a value of `aws:SourceIp`",
        "no address",
    ),
    (
        r#""StringLike":{"aws:SourceIp":"203.0.113.*"}"#,
        "unknown: `203.0.113.*` is not understood as a value of `aws:SourceIp`",
        "addresses are not compared as text",
    ),
    (
        r#""NotIpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#,
        "unknown: `0.0.0.0/0` is not understood as a value of `aws:SourceIp`",
        "who is left is too subtle to say",
    ),
    (
        r#""StringEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}"#,
        "unknown: the condition holds without `aws:PrincipalAccount`, and whether it can be missing is not known",
        "it depends on the service and on anonymous callers",
    ),
    (
        r#""Null":{"aws:SourceArn":"false"}"#,
        "unknown: whether `aws:SourceArn` restricts is not known",
        "only services have it, on behalf of anybody",
    ),
    (
        r#""StringEquals":{"kms:EncryptionContext:app":"x"}"#,
        "unknown: whether `kms:EncryptionContext:app` restricts is not known",
        "together with `kms:ViaService` it may",
    ),
    (
        r#""StringEquals":{"token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:ref:refs/heads/main"}"#,
        "unknown: whether `token.actions.githubusercontent.com:sub` tells one tenant from another is not known",
        "a claim says nothing of callers without a token",
    ),
    (
        r#""StringLike":{"aws:SourceVpce":"vpce-*"},"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#,
        "unknown: no caller was found that meets all conditions at once",
        "each is open, but requests by way of an endpoint have no `aws:SourceIp`",
    ),
    (
        r#""IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"},"Null":{"aws:SourceVpce":"true"}"#,
        "unknown: no caller was found that meets all conditions at once",
        "who comes by no endpoint has an `aws:SourceIp`",
    ),
    (
        r#""Null":{"aws:PrincipalArn":"true"},"StringEquals":{"sts:ExternalId":"x"}"#,
        "unknown: no caller was found that meets all conditions at once",
        "who has no credentials brings no external id",
    ),
    (
        r#""StringEquals":{"aws:UserAgent":"a"},"StringNotLike":{"aws:UserAgent":"a*"}"#,
        "unknown: no caller was found that meets all conditions at once",
        "nobody sends this agent and not this agent",
    ),
];

#[test]
fn a_variable_is_text_before_version_2012() {
    let condition = r#""StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}"#;
    let statement = STATEMENT.replace("{…}", &format!("{{{condition}}}"));
    assert_eq!(verdict(&document(&statement)), "within");
    for version in [r#""Version":"2008-10-17","#, ""] {
        let old = document(&statement).replace(r#""Version":"2012-10-17","#, version);
        assert_eq!(
            verdict(&old),
            "unknown: `${aws:ResourceOrgID}` is not understood as a value of `aws:PrincipalOrgID`"
        );
    }
}

#[test]
fn without_an_organization_of_ours_its_members_are_unknown() {
    let trust = Trust { organization: None, ..trust() };
    let grants = |condition: &str| {
        let statement = STATEMENT.replace("{…}", &format!("{{{condition}}}"));
        exposure(&parse(&document(&statement)), &trust)[0].access.to_string()
    };
    assert_eq!(
        grants(r#""StringEquals":{"aws:PrincipalOrgID":"o-ours1234"}"#),
        "unknown: organization `o-ours1234` may be ours: which one is ours is not configured"
    );
    assert_eq!(
        grants(r#""StringEquals":{"aws:PrincipalOrgID":"o-ours1234","aws:PrincipalAccount":"111122223333"}"#),
        "within"
    );
}
