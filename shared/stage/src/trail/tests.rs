//! Records against the shapes of those AWS wrote.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;
use crate::proxy::Params;

fn at() -> DateTime<Utc> {
    "2026-01-24T03:45:49.987Z".parse().unwrap()
}

fn call(service: &str, operation: &str, form: &[(&str, &str)], status: u16, body: &str) -> Call {
    Call {
        at: at(),
        service: service.to_owned(),
        region: "eu-west-1".to_owned(),
        operation: operation.to_owned(),
        params: Params::Form(form.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        status: Some(status),
        response_body: body.to_owned(),
        user_agent: "aws-cli/2".to_owned(),
        request_id: "e5c178b5-7d64-4bd8-97b2-2f6e4b77513a".to_owned(),
        fault: None,
    }
}

fn recorded(call: &Call) -> Value {
    record(call, &Identity::user("mallory")).unwrap()
}

#[test]
fn a_call_has_the_frame_of_every_record() {
    let call = call("ec2", "DeleteSecurityGroup", &[("GroupId", "sg-1")], 200, "<R><return>true</return></R>");
    let mut record = recorded(&call);
    let fields = record.as_object_mut().unwrap();
    assert_eq!(fields.remove("requestParameters").unwrap(), json!({"groupId": "sg-1"}));
    assert_eq!(fields.remove("responseElements").unwrap(), json!({"_return": true}));
    let identity = fields.remove("userIdentity").unwrap();
    assert_eq!(identity["arn"], "arn:aws:iam::123456789012:user/mallory");
    let id = fields.remove("eventID").unwrap();
    assert_eq!(id, super::record(&call, &Identity::user("mallory")).unwrap()["eventID"], "not the same event twice");
    assert_eq!(
        record,
        json!({
            "eventVersion": "1.11",
            "eventTime": "2026-01-24T03:45:49Z",
            "eventSource": "ec2.amazonaws.com",
            "eventName": "DeleteSecurityGroup",
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "203.0.113.10",
            "userAgent": "aws-cli/2",
            "requestID": "e5c178b5-7d64-4bd8-97b2-2f6e4b77513a",
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "123456789012",
            "eventCategory": "Management",
            "tlsDetails": {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": "ec2.eu-west-1.amazonaws.com"
            }
        })
    );
}

#[test]
fn permissions_have_every_list_and_numbers_for_ports() {
    let form = [
        ("GroupId", "sg-1"),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "22"),
        ("IpPermissions.1.ToPort", "22"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
        ("IpPermissions.1.IpRanges.1.Description", "true"),
        ("IpPermissions.1.IpRanges.2.CidrIp", "10.0.0.0/8"),
        ("IpPermissions.2.IpProtocol", "-1"),
        ("IpPermissions.2.Groups.1.GroupId", "sg-2"),
        ("IpPermissions.2.Groups.1.UserId", "210987654321"),
        ("IpPermissions.2.Ipv6Ranges.1.CidrIpv6", "::/0"),
        ("IpPermissions.2.PrefixListIds.1.PrefixListId", "pl-1"),
        ("TagSpecification.1.ResourceType", "security-group-rule"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
        ("TagSpecification.1.Tag.1.Value", "x"),
    ];
    let record = recorded(&call("ec2", "AuthorizeSecurityGroupIngress", &form, 200, "<R/>"));
    assert_eq!(
        record["requestParameters"],
        json!({
            "groupId": "sg-1",
            "ipPermissions": {"items": [
                {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {},
                 "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0", "description": "true"}, {"cidrIp": "10.0.0.0/8"}]},
                 "ipv6Ranges": {}, "prefixListIds": {}},
                {"ipProtocol": "-1", "groups": {"items": [{"groupId": "sg-2", "userId": "210987654321"}]}, "ipRanges": {},
                 "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}, "prefixListIds": {"items": [{"prefixListId": "pl-1"}]}}
            ]},
            "tagSpecificationSet": {"items": [{"resourceType": "security-group-rule", "tags": [{"key": "Name", "value": "x"}]}]}
        })
    );
}

#[test]
fn a_flat_rule_stands_beside_an_empty_permission_set() {
    let form =
        [("GroupName", "web"), ("CidrIp", "0.0.0.0/0"), ("IpProtocol", "tcp"), ("FromPort", "22"), ("ToPort", "22")];
    let record = recorded(&call("ec2", "AuthorizeSecurityGroupIngress", &form, 200, "<R/>"));
    let expected = json!({"groupName": "web", "cidrIp": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipPermissions": {}});
    assert_eq!(record["requestParameters"], expected);
}

#[test]
fn new_rules_are_listed_as_aws_lists_them() {
    let body = "<AuthorizeSecurityGroupIngressResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15\"><return>true</return>\
        <securityGroupRuleSet><item><securityGroupRuleId>sgr-1</securityGroupRuleId><groupId>sg-1</groupId><isEgress>false</isEgress>\
        <ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4><tagSet/></item>\
        </securityGroupRuleSet><requestId>request-id</requestId></AuthorizeSecurityGroupIngressResponse>";
    let record = recorded(&call("ec2", "AuthorizeSecurityGroupIngress", &[("GroupId", "sg-1")], 200, body));
    assert_eq!(
        record["responseElements"],
        json!({
            "requestId": "e5c178b5-7d64-4bd8-97b2-2f6e4b77513a",
            "_return": true,
            "securityGroupRuleSet": {"items": [{
                "groupOwnerId": "123456789012", "groupId": "sg-1", "securityGroupRuleId": "sgr-1", "isEgress": false,
                "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0",
                "securityGroupRuleArn": "arn:aws:ec2:eu-west-1:123456789012:security-group-rule/sgr-1"
            }]}
        })
    );
}

#[test]
fn modified_rules_come_wrapped() {
    let form = [
        ("GroupId", "sg-1"),
        ("SecurityGroupRule.1.SecurityGroupRuleId", "sgr-1"),
        ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp"),
        ("SecurityGroupRule.1.SecurityGroupRule.FromPort", "22"),
        ("SecurityGroupRule.1.SecurityGroupRule.ToPort", "22"),
        ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "0.0.0.0/0"),
    ];
    let body = "<ModifySecurityGroupRulesResponse xmlns=\"x\"><return>true</return></ModifySecurityGroupRulesResponse>";
    let record = recorded(&call("ec2", "ModifySecurityGroupRules", &form, 200, body));
    let expected = json!({"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule": {
        "SecurityGroupRuleId": "sgr-1", "tag": 1,
        "SecurityGroupRule": {"CidrIpv4": "0.0.0.0/0", "FromPort": 22, "ToPort": 22, "IpProtocol": "tcp"}
    }}});
    assert_eq!(record["requestParameters"], expected);
    let expected = json!({"ModifySecurityGroupRulesResponse": {
        "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "requestId": "e5c178b5-7d64-4bd8-97b2-2f6e4b77513a", "return": true
    }});
    assert_eq!(record["responseElements"], expected);
}

#[test]
fn a_new_key_is_recorded_in_us_east_1_without_its_secret() {
    let body = "<CreateAccessKeyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateAccessKeyResult><AccessKey>\
        <UserName>bob</UserName><AccessKeyId>AKIAX</AccessKeyId><Status>Active</Status><SecretAccessKey>s3cr3t</SecretAccessKey>\
        <CreateDate>2024-08-01T13:33:28.123456Z</CreateDate></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>";
    let record = recorded(&call("iam", "CreateAccessKey", &[("UserName", "bob")], 200, body));
    assert_eq!(record["awsRegion"], "us-east-1");
    assert_eq!(record["tlsDetails"]["clientProvidedHostHeader"], "iam.amazonaws.com");
    assert_eq!(record["requestParameters"], json!({"userName": "bob"}));
    let key =
        json!({"userName": "bob", "accessKeyId": "AKIAX", "status": "Active", "createDate": "Aug 1, 2024 1:33:28 PM"});
    assert_eq!(record["responseElements"], json!({"accessKey": key}));
    assert!(!record.to_string().contains("s3cr3t"));
}

#[test]
fn an_own_key_is_asked_for_without_parameters() {
    assert_eq!(recorded(&call("iam", "CreateAccessKey", &[], 200, "<R/>"))["requestParameters"], Value::Null);
}

#[test]
fn passwords_are_not_recorded_and_flags_are_booleans() {
    let form = [("UserName", "true"), ("Password", "hunter2"), ("PasswordResetRequired", "false")];
    let record = recorded(&call("iam", "CreateLoginProfile", &form, 200, "<R/>"));
    assert_eq!(record["requestParameters"], json!({"userName": "true", "passwordResetRequired": false}));
}

#[test]
fn a_refused_iam_call_says_neither_what_was_asked_nor_answered() {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let record = recorded(&call("iam", "AttachUserPolicy", &[("UserName", "bob")], 403, body));
    assert_eq!((&record["errorCode"], &record["errorMessage"]), (&json!("AccessDenied"), &json!("no")));
    assert_eq!((&record["requestParameters"], &record["responseElements"]), (&Value::Null, &Value::Null));
}

#[test]
fn other_iam_errors_have_their_long_name_and_the_request() {
    let body =
        "<ErrorResponse xmlns=\"x\"><Error><Code>NoSuchEntity</Code><Message>gone</Message></Error></ErrorResponse>";
    let record = recorded(&call("iam", "DeleteUserPolicy", &[("UserName", "bob"), ("PolicyName", "p")], 404, body));
    assert_eq!(record["errorCode"], "NoSuchEntityException");
    assert_eq!(record["requestParameters"], json!({"userName": "bob", "policyName": "p"}));
}

#[test]
fn ec2_errors_name_the_side_that_is_at_fault() {
    let error = |code: &str, status: u16| {
        let body =
            format!("<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors></Response>");
        let form = [("GroupId", "sg-1"), ("DryRun", "true")];
        let record = recorded(&call("ec2", "RevokeSecurityGroupIngress", &form, status, &body));
        assert_eq!(record["requestParameters"], json!({"groupId": "sg-1", "ipPermissions": {}}));
        assert_eq!(record["responseElements"], Value::Null);
        record["errorCode"].as_str().unwrap().to_owned()
    };
    assert_eq!(error("UnauthorizedOperation", 403), "Client.UnauthorizedOperation");
    assert_eq!(error("DryRunOperation", 412), "Client.DryRunOperation");
    assert_eq!(error("RequestLimitExceeded", 503), "Client.RequestLimitExceeded");
    assert_eq!(error("InternalError", 500), "Server.InternalError");
}

#[test]
fn a_json_call_is_recorded_in_lower_camel() {
    let mut create =
        call("dynamodb", "CreateTable", &[], 200, r#"{"TableDescription":{"TableName":"t","ItemCount":0}}"#);
    create.params = Params::Json(json!({"TableName": "t", "KeySchema": [{"AttributeName": "k"}]}));
    let record = recorded(&create);
    assert_eq!(record["requestParameters"], json!({"tableName": "t", "keySchema": [{"attributeName": "k"}]}));
    assert_eq!(record["responseElements"], json!({"tableDescription": {"tableName": "t", "itemCount": 0}}));
}

#[test]
fn what_only_reads_or_never_arrived_leaves_no_record() {
    let who = Identity::root();
    let mut dropped = call("iam", "CreateUser", &[], 200, "<R/>");
    dropped.status = None;
    assert_eq!(record(&dropped, &who), None);
    for (service, operation) in [
        ("ec2", "DescribeSecurityGroupRules"),
        ("iam", "ListUsers"),
        ("sts", "GetCallerIdentity"),
        ("dynamodb", "PutItem"),
        ("sns", "Publish"),
        ("lambda", "PUT /x"),
    ] {
        assert_eq!(record(&call(service, operation, &[], 200, "<R/>"), &who), None, "{operation}");
    }
}

#[test]
fn callers_are_named_as_cloudtrail_names_them() {
    let role =
        Identity::role_session("team/admin", "alice").in_account("210987654321").with_mfa(true).signing_with("ASIAX");
    let named = role.user_identity("AKIAY", at());
    let id = named["sessionContext"]["sessionIssuer"]["principalId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("AROA"), "{id}");
    assert_eq!(
        named,
        json!({
            "type": "AssumedRole",
            "principalId": format!("{id}:alice"),
            "arn": "arn:aws:sts::210987654321:assumed-role/admin/alice",
            "accountId": "210987654321",
            "accessKeyId": "ASIAX",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": id, "arn": "arn:aws:iam::210987654321:role/team/admin",
                    "accountId": "210987654321", "userName": "admin"
                },
                "attributes": {"creationDate": "2026-01-24T03:45:49Z", "mfaAuthenticated": "true"}
            }
        })
    );
    let user = Identity::user("bob").user_identity("AKIAY", at());
    assert_eq!(
        (&user["type"], &user["userName"], &user["accessKeyId"]),
        (&json!("IAMUser"), &json!("bob"), &json!("AKIAY"))
    );
    assert_eq!(user.get("sessionContext"), None);
    let root = Identity::root().with_mfa(false).user_identity("AKIAY", at());
    assert_eq!((&root["type"], &root["arn"]), (&json!("Root"), &json!("arn:aws:iam::123456789012:root")));
    assert_eq!(root["sessionContext"]["attributes"]["mfaAuthenticated"], "false");
    assert_eq!(root.get("userName"), None);
}

#[test]
fn the_envelope_repeats_what_rules_match_on() {
    let record = recorded(&call("iam", "CreateUser", &[("UserName", "x")], 200, "<R/>"));
    let event = envelope(&record);
    for (field, value) in [
        ("version", "0"),
        ("detail-type", "AWS API Call via CloudTrail"),
        ("source", "aws.iam"),
        ("account", "123456789012"),
        ("time", "2026-01-24T03:45:49Z"),
        ("region", "us-east-1"),
    ] {
        assert_eq!(event[field], value);
    }
    assert_eq!((&event["resources"], &event["detail"]), (&json!([]), &record));
    assert_ne!(event["id"], record["eventID"]);
}

#[test]
fn findings_name_the_key_where_patterns_look_for_it() {
    let mut finding = KeyFinding::of_user("bob", "AKIAX", at());
    finding.sample = true;
    let event = guardduty_key_finding(&finding);
    assert_eq!((&event["source"], &event["detail-type"]), (&json!("aws.guardduty"), &json!("GuardDuty Finding")));
    let detail = &event["detail"];
    let key = &detail["resource"]["accessKeyDetails"];
    assert_eq!(
        (&key["accessKeyId"], &key["userName"], &key["userType"]),
        (&json!("AKIAX"), &json!("bob"), &json!("IAMUser"))
    );
    assert_eq!(
        (&detail["service"]["archived"], &detail["service"]["additionalInfo"]["sample"]),
        (&json!(false), &json!(true))
    );

    let event = health_exposed_key("123456789012", "AKIAX", at());
    assert_eq!(
        (&event["source"], &event["detail"]["eventTypeCode"]),
        (&json!("aws.health"), &json!("AWS_RISK_CREDENTIALS_EXPOSED"))
    );
    assert_eq!(event["detail"]["affectedEntities"], json!([{"entityValue": "AKIAX"}]));
    assert_eq!(event["detail"]["startTime"], "Sat, 24 Jan 2026 03:40:49 GMT");
}

/// Names and types of a record's content, list elements under one name: values are each
/// account's own.
fn shape(value: &Value, path: &str, into: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(fields) if fields.is_empty() => drop(into.insert(format!("{path}: empty"))),
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| shape(inner, &format!("{path}.{name}"), into)),
        Value::Array(elements) => elements.iter().for_each(|element| shape(element, &format!("{path}[]"), into)),
        Value::Null => drop(into.insert(format!("{path}: null"))),
        Value::Bool(_) => drop(into.insert(format!("{path}: boolean"))),
        Value::Number(_) => drop(into.insert(format!("{path}: number"))),
        Value::String(_) => drop(into.insert(format!("{path}: text"))),
    }
}

fn shape_of(record: &Value) -> std::collections::BTreeSet<String> {
    let mut shapes = std::collections::BTreeSet::new();
    for part in ["requestParameters", "responseElements", "tlsDetails"] {
        shape(&record[part], part, &mut shapes);
    }
    shapes.extend(record.as_object().unwrap().keys().filter(|name| *name != "sessionCredentialFromConsole").cloned());
    shapes
}

/// The samples lie beside the repository where there are any; they are not ours to copy.
#[test]
fn our_records_have_the_shapes_of_those_aws_wrote() {
    let samples = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/events/cloudtrail"));
    let written = |file: &str, name: &str| -> Option<Value> {
        let lines = std::fs::read_to_string(samples.join(file)).ok()?;
        let mut records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        Some(records.rfind(|record| record["eventName"] == name).unwrap())
    };
    let ssh = [
        ("GroupId", "sg-1"),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "22"),
        ("IpPermissions.1.ToPort", "22"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
    ];
    let modified = [
        ("GroupId", "sg-1"),
        ("SecurityGroupRule.1.SecurityGroupRuleId", "sgr-1"),
        ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp"),
        ("SecurityGroupRule.1.SecurityGroupRule.FromPort", "22"),
        ("SecurityGroupRule.1.SecurityGroupRule.ToPort", "22"),
        ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "0.0.0.0/0"),
    ];
    let rules = "<R><requestId>r</requestId><return>true</return><securityGroupRuleSet><item><securityGroupRuleId>sgr-1</securityGroupRuleId>\
        <groupId>sg-1</groupId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>\
        <cidrIpv4>0.0.0.0/0</cidrIpv4><tagSet/></item></securityGroupRuleSet></R>";
    let key = "<R><CreateAccessKeyResult><AccessKey><UserName>b</UserName><AccessKeyId>A</AccessKeyId><Status>Active</Status>\
        <SecretAccessKey>s</SecretAccessKey><CreateDate>2024-08-01T13:33:28Z</CreateDate></AccessKey></CreateAccessKeyResult></R>";
    let user = "<R><CreateUserResult><User><Path>/</Path><UserName>b</UserName><UserId>A</UserId><Arn>a</Arn>\
        <CreateDate>2024-08-01T13:33:28Z</CreateDate><Tags><member><Key>a</Key><Value>b</Value></member></Tags></User></CreateUserResult></R>";
    let tagged = [("UserName", "b"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
    let attached = [("UserName", "b"), ("PolicyArn", "arn")];
    let (watcher, stratus) = ("rubysoho07__cloudtrail-watcher.jsonl", "DataDog__stratus-red-team.jsonl");
    for (file, made) in [
        (watcher, call("ec2", "AuthorizeSecurityGroupIngress", &ssh, 200, rules)),
        (watcher, call("ec2", "ModifySecurityGroupRules", &modified, 200, "<R><return>true</return></R>")),
        (stratus, call("iam", "CreateAccessKey", &[("UserName", "b")], 200, key)),
        (stratus, call("iam", "CreateUser", &tagged, 200, user)),
        (stratus, call("iam", "AttachUserPolicy", &attached, 200, "<R/>")),
    ] {
        let Some(by_aws) = written(file, &made.operation) else { return };
        assert_eq!(shape_of(&recorded(&made)), shape_of(&by_aws), "{}", made.operation);
    }
}
