//! From a real call to the event a rule would deliver.

use serde_json::{Value, json};
use stage::trail::{self, Identity};
use stage::{Fault, When, pattern};

use crate::account::{Account, between, ssh_from_anywhere};

async fn event_of(account: &Account, service: &str, form: &str) -> Value {
    account.proxy.clear();
    account.query(service, form).await;
    let calls = account.proxy.clear();
    trail::envelope(&trail::record(&calls[0], &Identity::user("mallory")).unwrap())
}

#[tokio::test]
async fn an_opened_port_becomes_the_event_a_rule_lets_through() {
    let account = Account::open().await;
    let group = account.security_group().await;
    let event = event_of(&account, "ec2", &ssh_from_anywhere(&group)).await;
    let rule = json!({
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["ec2.amazonaws.com"],
            "eventName": ["AuthorizeSecurityGroupIngress"],
            "errorCode": [{"exists": false}],
            "requestParameters": {"ipPermissions": {"items": {"fromPort": [22], "ipRanges": {"items": {"cidrIp": ["0.0.0.0/0"]}}}}}
        }
    });
    assert_eq!(pattern::matches(&rule, &event), Ok(true), "{event:#}");
    let made = &event["detail"]["responseElements"]["securityGroupRuleSet"]["items"][0];
    let id = made["securityGroupRuleId"].as_str().unwrap();
    assert!(account.rules(&group).await.contains(id), "the record names a rule that is not there");
    assert_eq!((&made["fromPort"], &made["isEgress"], &made["groupId"]), (&json!(22), &json!(false), &json!(group)));

    let again = event_of(&account, "ec2", &ssh_from_anywhere(&group)).await;
    assert_eq!(again["detail"]["errorCode"], "Client.InvalidPermission.Duplicate");
    assert_eq!(pattern::matches(&rule, &again), Ok(false));

    account.proxy.inject(Fault::Denied, When::Any, 1);
    let denied = event_of(&account, "ec2", &ssh_from_anywhere(&group)).await;
    assert_eq!(denied["detail"]["errorCode"], "Client.UnauthorizedOperation");
    assert_eq!(pattern::matches(&rule, &denied), Ok(false));

    let dry = event_of(&account, "ec2", &format!("{}&DryRun=true", ssh_from_anywhere(&group))).await;
    assert_eq!(dry["detail"]["errorCode"], "Client.DryRunOperation");
}

#[tokio::test]
async fn the_rule_a_modification_is_recorded_with_is_the_one_it_changed() {
    let account = Account::open().await;
    let group = account.security_group().await;
    let (_, body) = account.query("ec2", &ssh_from_anywhere(&group)).await;
    let rule = between(&body, "<securityGroupRuleId>", "</securityGroupRuleId>");
    let form = format!(
        "Action=ModifySecurityGroupRules&Version=2016-11-15&GroupId={group}&SecurityGroupRule.1.SecurityGroupRuleId={rule}\
         &SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp&SecurityGroupRule.1.SecurityGroupRule.FromPort=3389\
         &SecurityGroupRule.1.SecurityGroupRule.ToPort=3389&SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=0.0.0.0/0"
    );
    let event = event_of(&account, "ec2", &form).await;
    let asked = &event["detail"]["requestParameters"]["ModifySecurityGroupRulesRequest"]["SecurityGroupRule"];
    assert_eq!((&asked["SecurityGroupRuleId"], &asked["SecurityGroupRule"]["FromPort"]), (&json!(rule), &json!(3389)));
    assert_eq!(event["detail"]["responseElements"]["ModifySecurityGroupRulesResponse"]["return"], true);
    assert!(account.rules(&group).await.contains("<toPort>3389</toPort>"));
}

#[tokio::test]
async fn iam_calls_are_recorded_as_iam_records_them() {
    let account = Account::open().await;
    let made = event_of(
        &account,
        "iam",
        "Action=CreateUser&Version=2010-05-08&UserName=bob&Tags.member.1.Key=a&Tags.member.1.Value=b",
    )
    .await;
    assert_eq!(made["detail"]["requestParameters"], json!({"userName": "bob", "tags": [{"key": "a", "value": "b"}]}));
    let user = &made["detail"]["responseElements"]["user"];
    assert_eq!(
        (&user["userName"], &user["path"], &user["tags"]),
        (&json!("bob"), &json!("/"), &json!([{"key": "a", "value": "b"}]))
    );

    let key = event_of(&account, "iam", "Action=CreateAccessKey&Version=2010-05-08&UserName=bob").await;
    let mut fields: Vec<_> = key["detail"]["responseElements"]["accessKey"].as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["accessKeyId", "createDate", "status", "userName"]);
    let id = key["detail"]["responseElements"]["accessKey"]["accessKeyId"].as_str().unwrap();

    let disabled = format!("Action=UpdateAccessKey&Version=2010-05-08&UserName=bob&Status=Inactive&AccessKeyId={id}");
    let disabled = event_of(&account, "iam", &disabled).await;
    assert_eq!(
        disabled["detail"]["requestParameters"],
        json!({"userName": "bob", "status": "Inactive", "accessKeyId": id})
    );
    assert_eq!(disabled["detail"]["responseElements"], Value::Null);

    let attached =
        "Action=AttachUserPolicy&Version=2010-05-08&UserName=bob&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess";
    let attached = event_of(&account, "iam", attached).await;
    assert_eq!((&attached["detail"]["responseElements"], attached["detail"].get("errorCode")), (&Value::Null, None));

    let missing =
        event_of(&account, "iam", "Action=DeleteUserPolicy&Version=2010-05-08&UserName=nobody&PolicyName=p").await;
    assert_eq!(missing["detail"]["errorCode"], "NoSuchEntityException");
}

/// The caller saw a broken connection; the trail knows better.
#[tokio::test]
async fn a_call_whose_answer_was_lost_is_on_the_trail() {
    let account = Account::open().await;
    let group = account.security_group().await;
    account.proxy.clear();
    account.proxy.inject(Fault::DropAfter, When::Any, 1);
    let mut connection = crate::account::Connection::to(account.proxy.address()).await;
    connection.query("ec2", &ssh_from_anywhere(&group)).await.unwrap_err();
    let record = trail::record(&account.proxy.calls()[0], &Identity::root()).unwrap();
    assert_eq!((record.get("errorCode"), &record["responseElements"]["_return"]), (None, &json!(true)));
}
