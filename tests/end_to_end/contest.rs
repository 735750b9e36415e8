//! Fights over a resource: we close it, somebody opens it again, and so on.

use aws_sdk_ec2::types::Tag;
use remedy::State;

use super::setting::{ENFORCE, Setting, outcome, status};

/// Opens SSH in the group, again and again; what the function answers each time.
async fn opened_times(setting: &Setting, group: &str, times: usize, settings: &[(&'static str, &str)]) -> Vec<String> {
    let function = setting.function_with("revoke-open-ingress", settings).await;
    let mut answers = Vec::new();
    for _ in 0..times {
        let event = setting.open(group, 22, &["0.0.0.0/0"]).await;
        let answer = status(function.invoke(&event).await);
        if answer == "contested" {
            setting.close(group, 22, "0.0.0.0/0").await;
        }
        answers.push(answer);
    }
    answers
}

async fn tagged(setting: &Setting, group: &str, key: &str, value: &str) {
    let tag = Tag::builder().key(key).value(value).build();
    aws_sdk_ec2::Client::new(&setting.operator).create_tags().resources(group).tags(tag).send().await.unwrap();
    setting.account.events();
}

#[tokio::test]
async fn a_fight_is_stopped_after_three_flips_and_one_page_says_who_undoes_whom() {
    let setting = Setting::with(ENFORCE).await;
    let topic = setting.topic().await;
    let group = setting.group().await;
    tagged(&setting, &group, "ManagedBy", "terraform-prod").await;
    let answers = opened_times(&setting, &group, 6, &[("COUNTERMAND_TOPIC", &topic)]).await;
    assert_eq!(answers, ["contained", "contained", "contained", "contained", "contested", "contested"]);

    let mut incidents = setting.incidents().await;
    incidents.retain(|incident| incident.state == State::Contested);
    incidents.sort_by_key(|incident| incident.opened);
    let first = incidents.remove(0);
    let contest = first.contest.clone().unwrap();
    assert_eq!((contest.turns.len(), contest.flips, contest.window_seconds), (5, 3, 3600));
    assert_eq!(contest.belongs_to.as_deref(), Some("Terraform, says its tag ManagedBy=terraform-prod"));
    assert_eq!(contest.turns[0].incident, first.id);
    assert!(contest.turns[0].contained.is_none() && contest.turns[1..].iter().all(|turn| turn.contained.is_some()));
    assert!(contest.turns.iter().all(|turn| turn.actor.principal.to_string().ends_with("user/mallory")));

    let told = setting.published();
    let about_the_fight: Vec<_> = told.iter().filter(|text| text.contains("keeps reversing")).collect();
    assert_eq!((told.len(), about_the_fight.len()), (5, 1), "{told:#?}");
    assert!(about_the_fight[0].contains("it belongs to Terraform"), "{}", about_the_fight[0]);
    assert!(about_the_fight[0].contains(&format!("countermand incidents approve {}", first.id)));
}

#[tokio::test]
async fn a_person_can_have_a_contested_change_made_once_more() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let settings = [("COUNTERMAND_CONTESTED", "1/1h")];
    let function = setting.function_with("revoke-open-ingress", &settings).await;
    for expected in ["contained", "contained", "contested"] {
        let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
        assert_eq!(status(function.invoke(&event).await), expected);
    }
    let incidents = setting.incidents().await;
    let contested = incidents.iter().find(|incident| incident.state == State::Contested).unwrap();
    let (done, said) = setting.countermand(&["incidents", "approve", contested.id.as_str()]).await;
    assert!(done, "{said}");
    let contained = outcome(function.invoke(&setting.event()).await);
    assert_eq!(contained["status"], "contained", "{contained:#}");
    assert_eq!(setting.rules(&group).await.len(), 1);
}

#[tokio::test]
async fn a_deployment_can_choose_to_fight_on() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let answers = opened_times(&setting, &group, 6, &[("COUNTERMAND_CONTESTED", "never")]).await;
    assert!(answers.iter().all(|answer| answer == "contained"), "{answers:?}");
}

/// A change that was never made before is no flip, however many of them come.
#[tokio::test]
async fn many_exposures_of_one_group_are_no_fight() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    for port in [22, 3389, 3306, 5432, 6379, 9200] {
        let event = setting.open(&group, port, &["0.0.0.0/0"]).await;
        assert_eq!(status(function.invoke(&event).await), "contained", "{port}");
    }
}
