//! Statements that differ in whom they name.

use crate::{Case, compare, document, verdict};

fn case(statement: &str, verdict: &'static str, why: &'static str) -> Case {
    Case { shown: statement.to_owned(), document: document(statement), verdict, why }
}

fn named((principal, verdict, why): &(&'static str, &'static str, &'static str)) -> Case {
    let statement = format!(r#"{{"Effect":"Allow",{principal},"Action":"s3:PutObject","Resource":"*"}}"#);
    Case { shown: (*principal).to_owned(), ..case(&statement, verdict, why) }
}

fn assumed((rest, verdict, why): &(&'static str, &'static str, &'static str)) -> Case {
    let statement = format!(r#"{{"Effect":"Allow",{rest}}}"#);
    Case { shown: (*rest).to_owned(), ..case(&statement, verdict, why) }
}

pub(crate) fn names() -> Vec<Case> {
    NAMES.iter().map(named).collect()
}

pub(crate) fn services() -> Vec<Case> {
    SERVICES.iter().map(assumed).collect()
}

pub(crate) fn providers() -> Vec<Case> {
    PROVIDERS.iter().map(assumed).collect()
}

#[test]
fn every_principal_is_somebody() {
    compare(&names(), verdict);
}

#[test]
fn services_are_guarded_by_whom_they_call_for() {
    compare(&services(), verdict);
}

#[test]
fn identity_providers_are_guarded_by_their_claims() {
    compare(&providers(), verdict);
}

const NAMES: &[(&str, &str, &str)] = &[
    (r#""Principal":"*""#, "public", "S3's own example"),
    (r#""Principal":{"AWS":"*"}"#, "public", "the same as `*`"),
    (r#""Principal":{"AWS":["arn:aws:iam::111122223333:root","*"]}"#, "public", "any one entry suffices"),
    (r#""Principal":["*"]"#, "public", "a list where a map is expected"),
    (r#""NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}"#, "public", "everybody but us"),
    (
        r#""Principal":{"Federated":"graph.facebook.com"}"#,
        "public",
        "S3's own example: everybody with an account there",
    ),
    (r#""Principal":{"AWS":"111122223333"}"#, "within", "our account"),
    (r#""Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#, "within", "our account, spelt out"),
    (r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/x"}"#, "within", "a role of ours"),
    (r#""Principal":{"AWS":"arn:aws:sts::222233334444:assumed-role/x/y"}"#, "within", "a session in a trusted account"),
    (r#""Principal":{"AWS":"444455556666"}"#, "foreign 444455556666", "another account"),
    (r#""Principal":"arn:aws:iam::444455556666:root""#, "foreign 444455556666", "a bare text"),
    (
        r#""Principal":{"AWS":["111122223333","arn:aws:iam::444455556666:user/eve","777788889999"]}"#,
        "foreign 777788889999, arn:aws:iam::444455556666:user/eve",
        "all foreign entries, and none of ours",
    ),
    (r#""Principal":{"AWS":"AROAEXAMPLEROLEID"}"#, "nobody", "what AWS shows for a role that has been deleted"),
    (
        r#""Principal":{"AWS":"arn:aws:iam::*:root"}"#,
        "unknown: principal `arn:aws:iam::*:root` is not understood",
        "AWS matches no wildcard inside a principal; most services refuse it",
    ),
    (
        r#""Principal":{"AWS":"arn:aws:iam::1234*:role/x"}"#,
        "unknown: principal `arn:aws:iam::1234*:role/x` is not understood",
        "the same",
    ),
    (
        r#""Principal":{"AWS":"arn:aws-cn:iam::111122223333:root"}"#,
        "unknown: `111122223333` is of another partition",
        "partitions do not reach one another",
    ),
    (
        r#""Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}"#,
        "unknown: whose `79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be` is, the document does not tell",
        "a canonical id does not tell the account",
    ),
    (
        r#""Principal":{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2EXAMPLE"}"#,
        "pinned to Principal arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2EXAMPLE",
        "fixed, of an account not told",
    ),
    (
        r#""Principal":{"AWS":"127311923021"}"#,
        "unguarded service elasticloadbalancing.amazonaws.com",
        "Elastic Load Balancing's own account, which writes access logs with `s3:PutObject`",
    ),
    (r#""Principal":{"AWS":[]}"#, "nobody", "an empty list"),
    (
        r#""Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"sts:ExternalId":"x"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
        "foreign 444455556666",
        "guards are facts, not acquittals",
    ),
    (
        r#""Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"example:Key":"x"}}"#,
        "foreign 444455556666",
        "whatever the condition is, the statement serves nobody else",
    ),
    (
        r#""Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-ours1234"}}"#,
        "within",
        "as long as the account is in our organization",
    ),
    (
        r#""Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#,
        "nobody",
        "nobody is in both accounts",
    ),
    (
        r#""Principal":{"AWS":"444455556666"},"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
        "foreign 444455556666",
        "from wherever",
    ),
];

const SERVICES: &[(&str, &str, &str)] = &[
    (
        r#""Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole""#,
        "unguarded service ec2.amazonaws.com",
        "not public: a fact, of low severity",
    ),
    (
        r#""Principal":{"Service":"sns.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:topic"}}"#,
        "guarded service sns.amazonaws.com",
        "for our topic only",
    ),
    (
        r#""Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::mybucket"}}"#,
        "guarded service s3.amazonaws.com",
        "as the Lambda console writes it",
    ),
    (
        r#""Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::mybucket"}}"#,
        "guarded service s3.amazonaws.com",
        "for one bucket",
    ),
    (
        r#""Principal":{"Service":"sns.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:444455556666:topic"}}"#,
        "foreign 444455556666",
        "for somebody else's topic",
    ),
    (
        r#""Principal":{"Service":"sns.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringLike":{"aws:SourceAccount":"*"}}"#,
        "unguarded service sns.amazonaws.com",
        "for anybody",
    ),
    (
        r#""Principal":{"Service":"sns.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"aws:SourceOrgID":"o-theirs5678"}}"#,
        "foreign o-theirs5678",
        "for another organization",
    ),
    (
        r#""Principal":{"Service":"alexa-appkit.amazon.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask.skill.1234"}}"#,
        "guarded service alexa-appkit.amazon.com",
        "for one skill",
    ),
    (
        r#""Principal":{"Service":["delivery.logs.amazonaws.com","logging.s3.amazonaws.com"]},"Action":"s3:PutObject","Resource":"*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}"#,
        "unguarded service delivery.logs.amazonaws.com, logging.s3.amazonaws.com",
        "the condition is about what, not for whom",
    ),
    (
        r#""Principal":{"Service":"sns.amazonaws.com","AWS":"444455556666"},"Action":"sqs:SendMessage","Resource":"*""#,
        "foreign 444455556666",
        "the wider of both",
    ),
    (
        r#""Principal":{"AWS":"127311923021"},"Action":["s3:PutObject","s3:GetObject"],"Resource":"*""#,
        "foreign 127311923021",
        "more than Elastic Load Balancing needs to write access logs",
    ),
];

/// The beginning of each statement for GitHub's provider.
macro_rules! github {
    ($condition:literal) => {
        concat!(
            r#""Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity""#,
            $condition
        )
    };
}

const PROVIDERS: &[(&str, &str, &str)] = &[
    (
        github!(
            r#","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:ref:refs/heads/main"}}"#
        ),
        "guarded federated arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        "one branch of one repository",
    ),
    (
        github!(r#","Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/*"}}"#),
        "guarded federated arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        "one organization",
    ),
    (github!(""), "public", "everybody on GitHub"),
    (
        github!(r#","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}"#),
        "public",
        "all customers of GitHub use that audience",
    ),
    (
        github!(r#","Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}}"#),
        "public",
        "any repository",
    ),
    (github!(r#","Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"*"}}"#), "public", "anything"),
    (
        github!(
            r#","Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":["repo:octo-org/octo-repo:*","repo:*:ref:refs/heads/main"]}}"#
        ),
        "public",
        "the loosest value counts",
    ),
    (
        github!(
            r#","Condition":{"StringNotEquals":{"token.actions.githubusercontent.com:sub":"repo:evil/evil:ref:refs/heads/main"}}"#
        ),
        "public",
        "all but one",
    ),
    (
        github!(r#","Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org*"}}"#),
        "unknown: whether `token.actions.githubusercontent.com:sub` tells one tenant from another is not known",
        "others may register a name that begins so",
    ),
    (
        github!(r#","Condition":{"StringEquals":{"token.actions.githubusercontent.com:repository_id":"7891011"}}"#),
        "unknown: whether `token.actions.githubusercontent.com:repository_id` tells one tenant from another is not known",
        "a claim that is not the one AWS asks for",
    ),
    (
        github!(
            r#","Condition":{"ForAllValues:StringEquals":{"token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:ref:refs/heads/main"}}"#
        ),
        "unknown: the condition holds without `token.actions.githubusercontent.com:sub`, and whether it can be missing is not known",
        "it holds where the claim is missing",
    ),
    (
        r#""Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/app.terraform.io"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"app.terraform.io:sub":"organization:acme:project:*"}}"#,
        "guarded federated arn:aws:iam::111122223333:oidc-provider/app.terraform.io",
        "one organization",
    ),
    (
        r#""Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/gitlab.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"gitlab.com:sub":"project_path:*"}}"#,
        "public",
        "any project",
    ),
    (
        r#""Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB12"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"oidc.eks.eu-west-1.amazonaws.com/id/AB12:sub":"system:serviceaccount:default:*"}}"#,
        "guarded federated arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB12",
        "a provider of one cluster",
    ),
    (
        r#""Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB12"},"Action":"sts:AssumeRoleWithWebIdentity""#,
        "unguarded federated arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB12",
        "every user of the provider, which is the account's own",
    ),
    (
        r#""Principal":{"Federated":"arn:aws:iam::444455556666:saml-provider/corp"},"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}"#,
        "foreign arn:aws:iam::444455556666:saml-provider/corp",
        "another account's provider",
    ),
    (
        r#""Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/corp"},"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}"#,
        "guarded federated arn:aws:iam::111122223333:saml-provider/corp",
        "as the IAM console writes it",
    ),
    (
        r#""Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:1234abcd"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}"#,
        "guarded federated cognito-identity.amazonaws.com",
        "one identity pool",
    ),
    (
        r#""Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}"#,
        "public",
        "any identity pool of anybody",
    ),
];
