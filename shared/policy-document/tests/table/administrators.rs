//! Whether identity policies make an administrator.

use cloudtrail::Arn;
use policy_document::{AdminLevel, admin};

use crate::{Case, compare, document, parse, trust};

fn case((statements, verdict, why): &(&'static str, &'static str, &'static str)) -> Case {
    let whole = statements.replace('«', r#"{"Effect":"Allow","#).replace('»', "}");
    Case { shown: (*statements).to_owned(), document: document(&whole), verdict, why }
}

pub(crate) fn cases() -> Vec<Case> {
    CASES.iter().map(case).collect()
}

fn verdict(text: &str) -> String {
    let document = parse(text);
    let verdict = admin(&[&document], None, &trust());
    let paths =
        |list: &[policy_document::Escalation]| list.iter().map(|one| one.path.id).collect::<Vec<_>>().join(", ");
    let level = match &verdict.level {
        AdminLevel::Escalation(ways) => format!("escalation by {}", paths(ways)),
        AdminLevel::Unknown(doubts) => {
            format!("unknown: {}", doubts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        level => level.name().to_owned(),
    };
    match (&verdict.level, verdict.takeovers.as_slice()) {
        (AdminLevel::Admin(_), _) | (_, []) => level,
        (_, takeovers) if takeovers.len() > 3 => format!("{level}, with {} takeovers", takeovers.len()),
        (_, takeovers) => format!("{level}, with {}", paths(takeovers)),
    }
}

#[test]
fn administrators_are_told_from_others() {
    compare(&cases(), verdict);
}

const CASES: &[(&str, &str, &str)] = &[
    (r#"«"Action":"*","Resource":"*"»"#, "admin", "`AdministratorAccess`"),
    (r#"«"Action":"*:*","Resource":"*"»"#, "admin", "the same"),
    (r#"«"Action":"iam:*","Resource":"*"»"#, "admin", "all of IAM is everything (Splunk's recorded `rhino_escalate`)"),
    (r#"«"Action":["iam:*","organizations:Describe*"],"Resource":"*"»"#, "admin", "`IAMFullAccess`"),
    (r#"«"Action":"IAM:*","Resource":"arn:aws:iam::*:*"»"#, "admin", "all of IAM's resources, in any case"),
    (r#"«"Action":"i*","Resource":"*"»"#, "admin", "a wildcard that takes in all of IAM"),
    (r#"«"NotAction":"s3:DeleteBucket","Resource":"*"»"#, "admin", "all but one small thing"),
    (
        r#"«"NotAction":"iam:CreateUser","Resource":"*"»"#,
        "escalation by iam-001, iam-002, iam-004, iam-005, iam-006, iam-007, iam-008, iam-009, iam-010, iam-011, iam-012, iam-013, set-default-policy-version, apprunner-001, bedrock-001, cloudformation-001, cloudformation-003, cloudformation-004, codebuild-001, codebuild-004, datapipeline-001, ec2-001, ec2-003, ecs-003, ecs-004, ecs-005, glue-001, glue-003, glue-004, glue-005, glue-006, lambda-001, lambda-002, lambda-006, sagemaker-001, sagemaker-002, sagemaker-003, with 16 takeovers",
        "nearly all of IAM is left",
    ),
    (r#"«"Action":"*","NotResource":"arn:aws:s3:::logs/*"»"#, "admin", "on all but one bucket"),
    (r#"«"Action":"*","Resource":"*"»,{"Effect":"Deny","Action":"*","Resource":"*"}"#, "no", "all is denied"),
    (
        r#"«"Action":"*","Resource":"*"»,{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#,
        "admin",
        "IAM is left, and with it the Deny statement can be taken away",
    ),
    (
        r#"«"Action":"*","Resource":"*"»,{"Effect":"Deny","Action":"iam:*","Resource":"*"}"#,
        "no, with 16 takeovers",
        "without IAM",
    ),
    (
        r#"«"Action":"iam:*","Resource":"*"»,{"Effect":"Deny","NotAction":["iam:Get*","iam:List*"],"Resource":"*"}"#,
        "no",
        "only reading is left",
    ),
    (
        r#"«"Action":"iam:*","Resource":"*"»,{"Effect":"Deny","Action":"iam:*","Resource":"arn:aws:iam::111122223333:role/break-glass"}"#,
        "admin",
        "all but one role is left",
    ),
    (
        r#"«"Action":"*","Resource":"*"»,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#,
        "admin",
        "with MFA it is one: only unconditional denials are subtracted",
    ),
    (
        r#"«"Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}»"#,
        "unknown: `aws:MultiFactorAuthPresent` limits it",
        "a condition that limits",
    ),
    (
        r#"«"Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}»"#,
        "unknown: `aws:SourceIp` limits it",
        "a condition that limits",
    ),
    (
        r#"«"Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"},"Bool":{"aws:SecureTransport":"true"}}»"#,
        "admin",
        "conditions that limit nothing",
    ),
    (
        r#"«"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:UserAgent":"x"}}»"#,
        "admin",
        "whoever has the policy sends what he likes",
    ),
    (
        r#"«"NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"»,«"Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeOrganization","account:ListRegions"],"Resource":"*"»"#,
        "no, with 16 takeovers",
        "`PowerUserAccess`",
    ),
    (r#"«"Action":"s3:*","Resource":"*"»"#, "no", "one service"),
    (r#"«"Action":["iam:Get*","iam:List*"],"Resource":"*"»"#, "no", "to read is not to change"),
    (r#"«"Action":"iam:CreatePolicyVersion","Resource":"*"»"#, "escalation by iam-001", "Rhino's method 1"),
    (
        r#"«"Action":"iam:SetDefaultPolicyVersion","Resource":"*"»"#,
        "escalation by set-default-policy-version",
        "Rhino's method 2",
    ),
    (r#"«"Action":"iam:CreateAccessKey","Resource":"*"»"#, "escalation by iam-002", "keys for others"),
    (
        r#"«"Action":"iam:CreateAccessKey","Resource":"arn:aws:iam::*:user/${aws:username}"»"#,
        "no",
        "keys for oneself, as AWS's examples give them",
    ),
    (
        r#"«"Action":"iam:CreateAccessKey","Resource":"arn:aws:iam::111122223333:user/app-*"»"#,
        "no",
        "keys for particular users",
    ),
    (
        r#"«"Action":"iam:CreateAccessKey","Resource":"arn:aws:iam::111122223333:user/*"»"#,
        "escalation by iam-002",
        "keys for all users",
    ),
    (
        r#"«"Action":["iam:CreateLoginProfile","iam:UpdateLoginProfile"],"Resource":"*"»"#,
        "escalation by iam-004, iam-006",
        "passwords for others",
    ),
    (
        r#"«"Action":"iam:AttachUserPolicy","Resource":"arn:aws:iam::*:user/${aws:username}"»"#,
        "escalation by iam-008",
        "to one's own permissions anything can be added",
    ),
    (
        r#"«"Action":"iam:*Policy*","Resource":"*"»"#,
        "escalation by iam-001, iam-005, iam-007, iam-008, iam-009, iam-010, iam-011, iam-012, set-default-policy-version",
        "wildcards in the action",
    ),
    (r#"«"Action":"iam:Put?serPolicy","Resource":"*"»"#, "escalation by iam-007", "a wildcard for one character"),
    (
        r#"«"Action":"iam:AttachRolePolicy","Resource":"arn:aws:iam::111122223333:role/app/*"»"#,
        "no",
        "particular roles",
    ),
    (
        r#"«"Action":"iam:AttachRolePolicy","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}»"#,
        "unknown: `iam:PolicyARN` limits it",
        "which policies may be attached is limited",
    ),
    (
        r#"«"Action":"iam:AttachRolePolicy","Resource":"*","Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::aws:policy/*"}}»"#,
        "escalation by iam-009",
        "`AdministratorAccess` may be attached",
    ),
    (
        r#"«"Action":["iam:CreateRole","iam:PutRolePolicy"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111122223333:policy/boundary"}}»"#,
        "unknown: `iam:PermissionsBoundary` limits it",
        "the boundary decides",
    ),
    (
        r#"«"Action":"iam:CreateAccessKey","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}»"#,
        "unknown: `aws:RequestTag/team` limits it",
        "a condition that may limit",
    ),
    (r#"«"Action":"iam:AddUserToGroup","Resource":"*"»"#, "escalation by iam-013", "into any group"),
    (
        r#"«"Action":"iam:UpdateAssumeRolePolicy","Resource":"*"»"#,
        "escalation by iam-012",
        "any role can be made to trust one",
    ),
    (r#"«"Action":"iam:PassRole","Resource":"*"»"#, "no", "without anything to pass it to"),
    (
        r#"«"Action":["iam:PassRole","ec2:RunInstances"],"Resource":"*"»"#,
        "escalation by ec2-001",
        "an instance with any role",
    ),
    (
        r#"«"Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/worker"»,«"Action":"ec2:RunInstances","Resource":"*"»"#,
        "no",
        "one role only",
    ),
    (
        r#"«"Action":"iam:PassRole","Resource":"*"»,«"Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"arn:aws:lambda:*:*:function:my-*"»"#,
        "escalation by lambda-001",
        "any function will do",
    ),
    (
        r#"«"Action":"iam:PassRole","Resource":"*"»,«"Action":"lambda:CreateFunction","Resource":"*"»"#,
        "no",
        "it cannot be invoked",
    ),
    (
        r#"«"Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}»,«"Action":["lambda:CreateFunction","lambda:InvokeFunction","ec2:RunInstances"],"Resource":"*"»"#,
        "escalation by lambda-001",
        "to Lambda, not to EC2",
    ),
    (
        r#"«"Action":["iam:PassRole","glue:CreateDevEndpoint","cloudformation:CreateStack","datapipeline:*","codebuild:CreateProject","codebuild:StartBuild","sagemaker:CreateNotebookInstance","ecs:RegisterTaskDefinition","ecs:RunTask"],"Resource":"*"»"#,
        "escalation by cloudformation-001, codebuild-001, datapipeline-001, ecs-004, glue-001, sagemaker-001, with codebuild-002",
        "compute that starts with a role",
    ),
    (
        r#"«"Action":["iam:PassRole","ec2:RunInstances"],"Resource":"*"»,{"Effect":"Deny","Action":"iam:PassRole","Resource":"*"}"#,
        "no",
        "a step is denied",
    ),
    (
        r#"«"Action":"sts:AssumeRole","Resource":"*"»"#,
        "no, with sts-001",
        "what that gains depends on the roles that trust us",
    ),
    (
        r#"«"Action":["lambda:UpdateFunctionCode","ssm:SendCommand"],"Resource":"*"»"#,
        "no, with lambda-003, ssm-002",
        "what that gains depends on the roles in use",
    ),
    (r#"«"Action":"*","Resource":"*"»,«"Actions":"x"»"#, "admin", "what is not understood here can only allow more"),
    (
        r#"«"Action":"*","Resource":"*"»,{"Effect":"Deny","Actions":"x"}"#,
        "unknown: the statement is not understood from its line 1, column 26 on, with 16 takeovers",
        "what is not understood may deny it",
    ),
    (
        r#"«"Action":"s3:GetObject","Resource":"*"»,«"Actions":"x"»"#,
        "unknown: the statement is not understood from its line 1, column 27 on",
        "what is not understood may allow it",
    ),
    (
        r#"«"Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}»,«"Action":"ec2:RunInstances","Resource":"*"»"#,
        "no",
        "nothing that Lambda needs",
    ),
];

#[test]
fn documents_count_together() {
    let pass = parse(&document(r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}"#));
    let run = parse(&document(r#"{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*"}"#));
    let deny = parse(&document(r#"{"Effect":"Deny","Action":"ec2:*","Resource":"*"}"#));
    assert_eq!(admin(&[&pass], None, &trust()).level, AdminLevel::No);
    let AdminLevel::Escalation(ways) = admin(&[&pass, &run], None, &trust()).level else { panic!() };
    let places: Vec<(usize, usize)> = ways[0].by.iter().map(|place| (place.document, place.statement)).collect();
    assert_eq!((ways.len(), ways[0].path.id, places), (1, "ec2-001", vec![(0, 0), (1, 0)]));
    assert_eq!(ways[0].path.actions().collect::<Vec<_>>(), ["iam:PassRole", "ec2:RunInstances"]);
    assert_eq!(admin(&[&pass, &run, &deny], None, &trust()).level, AdminLevel::No);
}

#[test]
fn who_may_add_to_his_own_permissions_escalates() {
    let holder = |arn: &str| Arn::parse(arn).unwrap();
    let role = holder("arn:aws:iam::111122223333:role/app/x");
    let own = |statement: &str| admin(&[&parse(&document(statement))], Some(&role), &trust()).level;
    let own_policy =
        r#"{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"arn:aws:iam::111122223333:role/app/*"}"#;
    assert_eq!(own(own_policy).name(), "escalation");
    assert_eq!(admin(&[&parse(&document(own_policy))], None, &trust()).level.name(), "no");
    assert_eq!(own(&own_policy.replace("role/app", "role/web")).name(), "no");
    assert_eq!(own(&own_policy.replace("PutRolePolicy", "PutUserPolicy")).name(), "no", "a role is no user");
    let denied = format!(r#"{own_policy},{{"Effect":"Deny","Action":"iam:*","Resource":"{}"}}"#, role.as_str());
    assert_eq!(own(&denied).name(), "no");
}
