//! What operators do from the hub about members.

use remedy::State;
use serde_json::json;
use stage::trail::Identity;
use stage::{Fault, When};

use super::{MEMBERS, assumed, failure};
use crate::end_to_end::setting::{ENFORCE, Setting, outcome, status};

#[tokio::test]
async fn a_finding_of_a_member_is_approved_and_undone_from_the_hub() {
    let setting = Setting::hub(r#"@id("ask") @mode("approve") permit (principal, action, resource);"#).await;
    let place = setting.place(MEMBERS[0], "eu-west-1").await;
    let topic = setting.topic().await;
    let function = setting.traveller("revoke-open-ingress", &[("COUNTERMAND_TOPIC", &topic)]).await;
    let pending = outcome(function.invoke(&place.exposed(&setting).await).await);
    assert_eq!((&pending["status"], place.open().await), (&json!("pending"), 1));
    let id = pending["incident"].as_str().unwrap();
    setting.published();
    let (done, said) = setting.countermand(&["incidents", "approve", id]).await;
    assert!(done, "{said}");
    let approval = setting.event();

    let mut of_a_member = approval.clone();
    of_a_member["account"] = json!(MEMBERS[0]);
    assert_eq!(failure(function.invoke(&of_a_member).await).0, "Final.Sender");
    assert_eq!(place.open().await, 1);
    assert_eq!(status(function.invoke(&approval).await), "contained");
    assert_eq!(place.open().await, 0);
    let told = setting.published().pop().unwrap();
    let command = format!("countermand incidents undo {id} --role NAME\n");
    let whose = format!("where NAME is a role of account {}", MEMBERS[0]);
    assert!(told.contains(&command) && told.contains(&whose), "{told}");

    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(!done && said.contains(MEMBERS[0]) && said.contains("--role"), "{said}");
    setting.account.proxy().inject(Fault::Denied, When::operation("sts", "AssumeRole"), 1);
    let with_role = ["incidents", "undo", id, "--yes", "--role", "mender"];
    let (done, said) = setting.countermand(&with_role).await;
    let role = format!("arn:aws:iam::{}:role/mender", MEMBERS[0]);
    assert!(!done && said.contains(&format!("`{role}` cannot be assumed")), "{said}");
    setting.account.proxy().clear();
    let (done, said) = setting.countermand(&with_role).await;
    assert!(done, "{said}");
    let calls = setting.account.proxy().clear();
    let session = assumed(&calls).pop().unwrap();
    assert_eq!((session.role, session.session.as_str()), (role, "countermand-undo"));
    let opened = calls.iter().find(|call| call.operation == "AuthorizeSecurityGroupIngress").unwrap();
    assert_eq!((&opened.access_key_id, opened.region.as_str()), (&session.key, "eu-west-1"));
    assert_eq!(place.open().await, 1);
    let incident = setting.incident().await;
    assert_eq!(
        (incident.state, incident.undone.unwrap().by.as_str()),
        (State::Undone, "arn:aws:iam::123456789012:user/olivia")
    );
}

#[tokio::test]
async fn a_members_good_state_is_captured_from_the_hub() {
    let setting = Setting::hub(ENFORCE).await;
    let theirs = setting.somebody_in(MEMBERS[0], "eu-west-1", Identity::user("mallory")).await;
    let kms = aws_sdk_kms::Client::new(&theirs);
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    let capture = ["baseline", "capture", "--responder", "cancel-key-deletion", "--format", "json"];
    let there = ["--account", MEMBERS[0], "--role", "mender", "--in-region", "eu-west-1"];
    let (done, said) = setting.countermand(&[&capture[..], &there].concat()).await;
    assert!(done && said.contains(&key) && key.contains(MEMBERS[0]), "{said}");
    let (done, said) = setting.countermand(&capture).await;
    assert!(done && !said.contains(&key), "in the hub's own account and region there is none: {said}");
}
