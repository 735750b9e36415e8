//! What the proxy records, and how it fails on demand.

use std::time::{Duration, Instant};

use stage::{Fault, Params, When};

use crate::account::{Account, Connection, ssh_from_anywhere};

fn delete(group: &str) -> String {
    format!("Action=DeleteSecurityGroup&Version=2016-11-15&GroupId={group}")
}

#[tokio::test]
async fn calls_on_one_connection_are_recorded_in_order() {
    let account = Account::open().await;
    let mut connection = Connection::to(account.proxy.address()).await;
    for name in ["a", "b", "c"] {
        let form = format!("Action=CreateUser&Version=2010-05-08&UserName={name}");
        assert_eq!(connection.query("iam", &form).await.unwrap().0, 200);
    }
    let calls = account.proxy.clear();
    let names: Vec<_> = calls.iter().map(|call| call.param("UserName").unwrap()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let call = &calls[0];
    assert_eq!(
        (call.service.as_str(), call.region.as_str(), call.operation.as_str()),
        ("iam", "eu-west-1", "CreateUser")
    );
    assert_eq!((call.access_key_id.as_str(), call.user_agent.as_str()), ("AKIAIOSFODNN7EXAMPLE", "aws-cli/2.17.32"));
    assert_eq!((call.status, call.succeeded()), (Some(200), true));
    assert!(call.response_body.contains("<UserName>a</UserName>"), "{}", call.response_body);
    assert_eq!(account.proxy.calls(), []);
}

#[tokio::test]
async fn concurrent_calls_are_all_answered() {
    let account = Account::open().await;
    let calls = (0..12).map(|n| {
        let address = account.proxy.address();
        tokio::spawn(async move {
            let form = format!("Action=CreateUser&Version=2010-05-08&UserName=u{n}");
            Connection::to(address).await.query("iam", &form).await.unwrap().0
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(account.proxy.calls().len(), 12);
}

#[tokio::test]
async fn each_protocol_refuses_in_its_own_words() {
    let account = Account::open().await;
    let group = account.security_group().await;
    let ec2 = ssh_from_anywhere(&group);
    let iam = "Action=CreateUser&Version=2010-05-08&UserName=bob";
    let cases = [
        (
            Fault::Throttle,
            (503, "<Code>RequestLimitExceeded</Code>"),
            (400, "<Code>Throttling</Code>"),
            (400, "#ProvisionedThroughputExceededException"),
        ),
        (
            Fault::ServerError,
            (500, "<Code>InternalError</Code>"),
            (500, "<Code>ServiceFailure</Code>"),
            (500, "#InternalServerError"),
        ),
        (
            Fault::Denied,
            (403, "<Code>UnauthorizedOperation</Code>"),
            (403, "<Code>AccessDenied</Code>"),
            (400, "#AccessDeniedException"),
        ),
    ];
    for (fault, from_ec2, from_iam, from_dynamodb) in cases {
        account.proxy.inject(fault, When::Any, 3);
        let answers = [
            (account.query("ec2", &ec2).await, from_ec2),
            (account.query("iam", iam).await, from_iam),
            (account.dynamodb("ListTables", "{}").await, from_dynamodb),
        ];
        for ((status, body), (expected, word)) in answers {
            assert_eq!(status, expected, "{body}");
            assert!(body.contains(word), "{body}");
        }
    }
    assert!(!account.rules(&group).await.contains("<toPort>22</toPort>"), "a refused call was applied");
    assert_eq!(account.query("ec2", &ec2).await.0, 200, "faults outlived their count");
}

#[tokio::test]
async fn dropped_after_is_applied_and_dropped_before_is_not() {
    let account = Account::open().await;
    let group = account.security_group().await;
    account.proxy.clear();
    account.proxy.inject(Fault::DropBefore, When::operation("ec2", "AuthorizeSecurityGroupIngress"), 1);
    account.proxy.inject(Fault::DropAfter, When::operation("ec2", "AuthorizeSecurityGroupIngress"), 1);

    let mut connection = Connection::to(account.proxy.address()).await;
    connection.query("ec2", &ssh_from_anywhere(&group)).await.unwrap_err();
    assert!(!account.rules(&group).await.contains("<toPort>22</toPort>"));

    let mut connection = Connection::to(account.proxy.address()).await;
    connection.query("ec2", &ssh_from_anywhere(&group)).await.unwrap_err();
    assert!(account.rules(&group).await.contains("<toPort>22</toPort>"));

    let calls: Vec<_> = account.proxy.calls().into_iter().filter(|call| call.fault.is_some()).collect();
    let seen: Vec<_> = calls.iter().map(|call| (call.fault, call.status)).collect();
    assert_eq!(seen, [(Some(Fault::DropBefore), None), (Some(Fault::DropAfter), Some(200))]);
}

#[tokio::test]
async fn held_before_is_lost_and_held_after_is_applied() {
    let account = Account::open().await;
    for (fault, status) in [(Fault::HoldBefore, None), (Fault::HoldAfter, Some(200))] {
        let group = account.security_group().await;
        account.proxy.clear();
        account.proxy.inject(fault, When::operation("ec2", "AuthorizeSecurityGroupIngress"), 1);
        let mut connection = Connection::to(account.proxy.address()).await;
        let form = ssh_from_anywhere(&group);
        let calling = tokio::spawn(async move { connection.query("ec2", &form).await.map(|_| ()) });
        account.proxy.holds().await;
        assert!(!calling.is_finished(), "{fault:?}");
        let seen: Vec<_> = account.proxy.calls().into_iter().map(|call| (call.fault, call.status)).collect();
        assert_eq!(seen, [(Some(fault), status)]);
        account.proxy.heal();
        calling.await.unwrap().unwrap_err();
        assert_eq!(account.rules(&group).await.contains("<toPort>22</toPort>"), status.is_some(), "{fault:?}");
        assert_eq!(account.query("ec2", &delete(&group)).await.0, 200);
    }
}

#[tokio::test]
async fn a_caller_that_dies_half_way_does_not_take_its_call_back() {
    let account = Account::open().await;
    let group = account.security_group().await;
    account.proxy.inject(Fault::Delay(Duration::from_millis(300)), When::Nth(1), 1);
    let mut connection = Connection::to(account.proxy.address()).await;
    let form = ssh_from_anywhere(&group);
    tokio::time::timeout(Duration::from_millis(100), connection.query("ec2", &form)).await.unwrap_err();
    drop(connection);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(account.rules(&group).await.contains("<toPort>22</toPort>"));
}

#[tokio::test]
async fn a_fault_for_the_nth_call_counts_from_its_injection() {
    let account = Account::open().await;
    let list = "Action=ListUsers&Version=2010-05-08";
    account.query("iam", list).await;
    account.proxy.inject(Fault::ServerError, When::Nth(2), 1);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(account.query("iam", list).await.0);
    }
    assert_eq!(statuses, [200, 500, 200]);

    account.proxy.inject(Fault::Denied, When::Any, 99);
    account.proxy.heal();
    assert_eq!(account.query("iam", list).await.0, 200);
}

#[tokio::test]
async fn a_delayed_call_goes_through() {
    let account = Account::open().await;
    account.proxy.inject(Fault::Delay(Duration::from_millis(400)), When::operation("dynamodb", "ListTables"), 1);
    let began = Instant::now();
    assert_eq!(account.dynamodb("ListTables", r#"{"Limit":5}"#).await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(400));
    assert_eq!(account.proxy.calls()[0].params, Params::Json(serde_json::json!({"Limit": 5})));
}

/// The ledger leans on this.
#[tokio::test]
async fn of_many_conditional_writes_at_once_exactly_one_wins() {
    let account = Account::open().await;
    let table = r#"{"TableName":"t","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#;
    assert_eq!(account.dynamodb("CreateTable", table).await.0, 200);
    let put = r#"{"TableName":"t","Item":{"k":{"S":"x"}},"ConditionExpression":"attribute_not_exists(k)"}"#;
    let mut won = 0;
    for (status, _) in four_times(&account, put).await {
        won += u32::from(status == 200);
    }
    assert_eq!(won, 1);
}

async fn four_times(account: &Account, put: &str) -> Vec<(u16, String)> {
    let (a, b, c, d) = tokio::join!(
        account.dynamodb("PutItem", put),
        account.dynamodb("PutItem", put),
        account.dynamodb("PutItem", put),
        account.dynamodb("PutItem", put),
    );
    vec![a, b, c, d]
}
