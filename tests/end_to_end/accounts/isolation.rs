//! What happens in one account and region is dealt with there, and nowhere else.

use std::collections::BTreeMap;

use remedy::State;
use serde_json::json;
use stage::trail::Identity;

use super::{HUB, MEMBERS, REGIONS, ROLE, assumed, failure, open};
use crate::end_to_end::setting::{ENFORCE, REGION, Setting, outcome, status};

#[tokio::test]
async fn the_same_exposure_in_three_accounts_and_two_regions_is_contained_where_it_is_and_nowhere_else() {
    let setting = Setting::hub(ENFORCE).await;
    let function = setting.traveller("revoke-open-ingress", &[]).await;
    let (mut places, mut events) = (Vec::new(), Vec::new());
    for account in [HUB, MEMBERS[0], MEMBERS[1]] {
        for region in REGIONS {
            let place = setting.place(account, region).await;
            events.push(place.exposed(&setting).await);
            places.push(place);
        }
    }
    let mut expected = vec![1; 6];
    let mut looking = Vec::new();
    for (index, (place, event)) in places.iter().zip(&events).enumerate() {
        setting.account.proxy().clear();
        let outcome = outcome(function.invoke(event).await);
        let calls = setting.account.proxy().clear();
        assert_eq!(outcome["status"], "contained", "{outcome:#}");
        let arn = format!("arn:aws:ec2:{}:{}:security-group/{}", place.region, place.account, place.group);
        assert_eq!(outcome["resource"], arn);
        expected[index] = 0;
        assert_eq!(open(&places).await, expected, "after the event of {arn}");

        let own = &calls.iter().find(|call| call.service == "dynamodb").unwrap().access_key_id;
        let sessions = assumed(&calls);
        let role = format!("arn:aws:iam::{}:role/{ROLE}", place.account);
        assert!(
            sessions.iter().all(|it| it.role == role && it.external_id.as_deref() == Some("3c1f")),
            "{sessions:#?}"
        );
        for call in calls.iter().filter(|call| call.service == "ec2") {
            assert_eq!(call.region, place.region, "{call:?}");
            let is_write = call.operation == "RevokeSecurityGroupIngress";
            if place.account == HUB && place.region == REGION {
                assert_eq!(&call.access_key_id, own, "at home the function has rights of its own");
            } else if is_write {
                let session = sessions.iter().find(|it| it.key == call.access_key_id).unwrap();
                let incident = outcome["incident"].as_str().unwrap();
                let tags = [("countermand-incident", incident), ("countermand-responder", "revoke-open-ingress")];
                assert_eq!(session.tags, tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
                assert_eq!(session.session, format!("countermand-{incident}"));
            } else {
                assert!(sessions.iter().all(|it| it.key != call.access_key_id || !it.is_to_write()), "{call:?}");
            }
        }
        assert!(calls.iter().filter(|call| call.service == "dynamodb").all(|call| call.access_key_id == *own));
        looking.extend(sessions.into_iter().filter(|it| !it.is_to_write()));
    }
    let roles: Vec<&str> = looking.iter().map(|it| it.role.as_str()).collect();
    let each = [HUB, MEMBERS[0], MEMBERS[1]].map(|account| format!("arn:aws:iam::{account}:role/{ROLE}"));
    assert_eq!(roles, each, "one session to look for each account, for both regions");
    assert!(looking.iter().all(|it| it.session == "countermand-revoke-open-ingress" && it.tags.len() == 1));
    let mut recorded: Vec<_> = setting.incidents().await;
    recorded.retain(|it| it.state == State::Contained);
    assert_eq!(recorded.len(), 6);
    assert!(recorded.iter().all(|it| it.resource.arn.account().as_ref() == Some(&it.account)));
}

#[tokio::test]
async fn a_key_of_one_account_is_disabled_and_its_namesakes_in_others_are_not() {
    let setting = Setting::hub(ENFORCE).await;
    let mut people = BTreeMap::new();
    for account in [HUB, MEMBERS[0], MEMBERS[1]] {
        let mallory = setting.somebody_in(account, REGION, Identity::user("mallory")).await;
        let iam = aws_sdk_iam::Client::new(&mallory);
        iam.create_user().user_name("alice").send().await.unwrap();
        people.insert(account, iam);
    }
    setting.account.events();
    let mut events = BTreeMap::new();
    for (account, iam) in &people {
        iam.create_access_key().user_name("alice").send().await.unwrap();
        events.insert(*account, setting.event());
    }
    let function = setting.traveller("disable-access-key", &[]).await;
    assert_eq!(status(function.invoke(&events[MEMBERS[0]]).await), "contained");
    for (account, iam) in &people {
        let keys = iam.list_access_keys().user_name("alice").send().await.unwrap().access_key_metadata;
        let policies = iam.list_user_policies().user_name("alice").send().await.unwrap().policy_names;
        let expected = if *account == MEMBERS[0] { ("Inactive", 1) } else { ("Active", 0) };
        assert_eq!((keys[0].status().unwrap().as_str(), policies.len()), expected, "{account}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_in_the_organization_is_refused_and_never_acted_in() {
    let setting = Setting::hub(ENFORCE).await;
    let stranger = setting.place("999988887777", REGION).await;
    let event = stranger.exposed(&setting).await;
    let function = setting.traveller("revoke-open-ingress", &[]).await;
    setting.account.proxy().clear();
    let (kind, message) = failure(function.invoke(&event).await);
    assert_eq!(
        (kind.as_str(), message.contains("account 999988887777 is not in `organization.json`")),
        ("Final.Stranger", true),
        "{message}"
    );
    assert_eq!(setting.account.proxy().clear(), [], "nobody was asked for anything");
    assert_eq!((stranger.open().await, setting.incidents().await), (1, vec![]));

    let mut elsewhere = event.clone();
    elsewhere["account"] = json!(MEMBERS[0]);
    for region in ["us-gov-west-1", "evil.example/"] {
        elsewhere["detail"]["awsRegion"] = json!(region);
        setting.account.proxy().clear();
        assert_eq!(failure(function.invoke(&elsewhere).await).0, "Final.NoRegion", "{region}");
        assert_eq!(setting.account.proxy().clear(), []);
    }
}

#[tokio::test]
async fn what_our_role_does_in_a_member_is_no_finding_there() {
    let setting = Setting::hub(ENFORCE).await;
    let place = setting.place(MEMBERS[0], REGION).await;
    let function = setting.traveller("revoke-open-ingress", &[]).await;
    let ours = setting.somebody_in(MEMBERS[0], REGION, Identity::role_session(ROLE, "countermand-0123")).await;
    let event = place.exposed_by(&setting, &ours, 22).await;
    assert_eq!(function.invoke(&event).await.unwrap().body, json!({ "outcomes": [] }));
    let namesake = setting.somebody_in(MEMBERS[0], REGION, Identity::role_session("other", ROLE)).await;
    let event = place.exposed_by(&setting, &namesake, 3389).await;
    assert_eq!(status(function.invoke(&event).await), "contained");
}

/// The function that ends leases has rights in its own account only, where a name may be somebody else's.
#[tokio::test]
async fn a_member_is_given_no_lease() {
    let setting = Setting::hub(r#"@id("for-now") @lease("4h") permit (principal, action, resource);"#).await;
    let place = setting.place(MEMBERS[0], REGION).await;
    let function = setting.traveller("revoke-open-ingress", &[("COUNTERMAND_LEASES", "on")]).await;
    assert_eq!(status(function.invoke(&place.exposed(&setting).await).await), "contained");
    let incident = setting.incident().await;
    assert_eq!(incident.release_at, None);
    assert!(incident.because.ends_with("the account is not its own"), "{}", incident.because);
}
