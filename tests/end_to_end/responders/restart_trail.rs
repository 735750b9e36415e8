//! `restart-trail` does what every responder must, and puts back what was captured.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector, AdvancedFieldSelector, DataResource, EventSelector, InsightSelector, InsightType, Tag,
};
use serde_json::{Value, json};
use stage::{Fault, When};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, Setting, outcome, status};

const BUCKET: &str = "audit-logs";

struct WeakTrail;

/// The ways in which a trail is weakened here.
const STOPPED: usize = 0;
const UPDATED: usize = 1;
const NARROWED: usize = 2;
const DELETED: usize = 3;

fn payroll(kind: &str, management: bool) -> EventSelector {
    let data = DataResource::builder().r#type("AWS::S3::Object").values("arn:aws:s3:::payroll/").build();
    EventSelector::builder()
        .read_write_type(kind.into())
        .include_management_events(management)
        .data_resources(data)
        .set_exclude_management_event_sources(Some(Vec::new()))
        .build()
}

/// A trail as strong as can be, which an operator has captured if he is asked to.
async fn trail(setting: &Setting, name: &str, captured: bool) {
    let s3 = aws_sdk_s3::Client::new(&setting.operator);
    s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    let trails = Client::new(&setting.operator);
    let create = trails.create_trail().name(name).s3_bucket_name(BUCKET).s3_key_prefix("trail");
    let tag = Tag::builder().key("team").value("security").build().unwrap();
    create.is_multi_region_trail(true).enable_log_file_validation(true).tags_list(tag).send().await.unwrap();
    trails.start_logging().name(name).send().await.unwrap();
    trails.put_event_selectors().trail_name(name).event_selectors(payroll("All", true)).send().await.unwrap();
    if captured {
        let insight = InsightSelector::builder().insight_type(InsightType::ApiErrorRateInsight).build();
        trails.put_insight_selectors().trail_name(name).insight_selectors(insight).send().await.unwrap();
        let (done, said) = setting.countermand(&["baseline", "capture", "--responder", WeakTrail::NAME]).await;
        assert!(done, "{said}");
    }
    setting.account.events();
}

impl Scenario for WeakTrail {
    const NAME: &'static str = "restart-trail";
    const WAYS: usize = 4;
    const NOT_SHOWN: &'static [(&'static str, &'static str)] = &[
        ("cloudtrail:DescribeTrails", "only an alarm has all trails looked at: shown below"),
        ("cloudtrail:AddTags", "no call of its own: AWS asks for it where a trail is created with tags"),
        ("iam:PassRole", "no call of its own: AWS asks for it where a trail is created with a log group"),
    ];

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let name = format!("trail{nth}");
        trail(setting, &name, way == DELETED).await;
        let trails = Client::new(&setting.attacker);
        match way {
            STOPPED => drop(trails.stop_logging().name(&name).send().await.unwrap()),
            UPDATED => {
                let weaker = trails.update_trail().name(&name).is_multi_region_trail(false);
                let weaker = weaker.include_global_service_events(false).enable_log_file_validation(false);
                drop(weaker.send().await.unwrap());
            }
            NARROWED => {
                let narrower = trails.put_event_selectors().trail_name(&name);
                drop(narrower.event_selectors(payroll("ReadOnly", false)).send().await.unwrap());
            }
            _ => drop(trails.delete_trail().name(&name).send().await.unwrap()),
        }
        Exposure { name, event: setting.event() }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        let (trails, name) = (Client::new(&setting.operator), &exposure.name);
        let Ok(found) = trails.get_trail().name(name).send().await else { return Value::Null };
        let status = trails.get_trail_status().name(name).send().await.unwrap();
        let selectors = trails.get_event_selectors().trail_name(name).send().await.unwrap();
        let found = format!("{:?}", found.trail.unwrap());
        json!([found, status.is_logging, format!("{:?}", selectors.event_selectors)])
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        Client::new(&setting.operator).start_logging().name(&exposure.name).send().await.unwrap();
        setting.account.events();
    }

    /// What is on or off has no third state.
    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        let (trails, name) = (Client::new(&setting.operator), &exposure.name);
        match exposure.event["detail"]["eventName"].as_str().unwrap() {
            "PutEventSelectors" => {
                let other = payroll("WriteOnly", true);
                trails.put_event_selectors().trail_name(name).event_selectors(other).send().await.unwrap();
            }
            "DeleteTrail" => {
                trails.update_trail().name(name).enable_log_file_validation(false).send().await.unwrap();
            }
            _ => return false,
        }
        setting.account.events();
        true
    }
}

proves!(WeakTrail);

#[tokio::test]
async fn what_was_captured_is_put_back() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(WeakTrail::NAME).await;
    for (name, captured, expected) in [("captured", true, "contained"), ("not-captured", false, "already_safe")] {
        trail(&setting, name, captured).await;
        let s3 = aws_sdk_s3::Client::new(&setting.attacker);
        s3.create_bucket().bucket("elsewhere").send().await.unwrap();
        setting.account.events();
        let moved = Client::new(&setting.attacker).update_trail().name(name).s3_bucket_name("elsewhere");
        moved.kms_key_id("arn:aws:kms:us-east-1:210987654321:key/theirs").send().await.unwrap();
        let seen = outcome(function.invoke(&setting.event()).await);
        assert_eq!(seen["status"], expected, "{seen:#}");
        let found = Client::new(&setting.operator).get_trail().name(name).send().await.unwrap().trail.unwrap();
        let expected = if captured { BUCKET } else { "elsewhere" };
        assert_eq!(found.s3_bucket_name(), Some(expected));
        assert_eq!(found.kms_key_id().is_some_and(|key| !key.is_empty()), !captured);
        assert_eq!(found.s3_key_prefix(), Some("trail"));
    }
}

#[tokio::test]
async fn a_trail_that_was_deleted_is_created_again_whole() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(WeakTrail::NAME).await;
    trail(&setting, "audit", true).await;
    let exposure = Exposure { name: "audit".to_owned(), event: Value::Null };
    let before = WeakTrail::look(&setting, &exposure).await;
    setting.account.events();
    Client::new(&setting.attacker).delete_trail().name("audit").send().await.unwrap();
    assert_eq!(status(function.invoke(&setting.event()).await), "contained");
    assert_eq!(WeakTrail::look(&setting, &exposure).await, before);
    let trails = Client::new(&setting.operator);
    let insights = trails.get_insight_selectors().trail_name("audit").send().await.unwrap();
    assert_eq!(insights.insight_selectors().len(), 1);
    let arn = format!("arn:aws:cloudtrail:us-east-1:{}:trail/audit", stage::ACCOUNT);
    let tags = trails.list_tags().resource_id_list(arn).send().await.unwrap();
    assert_eq!(tags.resource_tag_list()[0].tags_list()[0].value(), Some("security"));
}

#[tokio::test]
async fn a_deleted_trail_that_nobody_captured_needs_a_person() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(WeakTrail::NAME).await;
    trail(&setting, "gone", false).await;
    Client::new(&setting.attacker).delete_trail().name("gone").send().await.unwrap();
    let seen = outcome(function.invoke(&setting.event()).await);
    assert_eq!(seen["status"], "uncontainable", "{seen:#}");
    assert!(seen["because"].as_str().unwrap().contains("baseline capture"), "{seen:#}");
}

#[tokio::test]
async fn a_trail_named_by_its_arn_is_the_same_trail() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(WeakTrail::NAME).await;
    trail(&setting, "audit", false).await;
    let arn = format!("arn:aws:cloudtrail:us-east-1:{}:trail/audit", stage::ACCOUNT);
    Client::new(&setting.attacker).stop_logging().name(&arn).send().await.unwrap();
    let event = setting.event();
    assert_eq!(event["detail"]["requestParameters"]["name"], json!(arn));
    assert_eq!(status(function.invoke(&event).await), "contained");
    let found = Client::new(&setting.operator).get_trail_status().name("audit").send().await.unwrap();
    assert_eq!(found.is_logging, Some(true));
}

#[tokio::test]
async fn advanced_selectors_are_completed_and_put_back() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(WeakTrail::NAME).await;
    trail(&setting, "audit", false).await;
    let equals =
        |field: &str, value: &str| AdvancedFieldSelector::builder().field(field).equals(value).build().unwrap();
    let payroll = AdvancedEventSelector::builder()
        .name("Payroll")
        .field_selectors(equals("eventCategory", "Data"))
        .field_selectors(equals("resources.type", "AWS::S3::Object"))
        .build()
        .unwrap();
    let narrower = Client::new(&setting.attacker).put_event_selectors().trail_name("audit");
    narrower.advanced_event_selectors(payroll.clone()).send().await.unwrap();
    let seen = outcome(function.invoke(&setting.event()).await);
    assert_eq!(seen["status"], "contained", "{seen:#}");
    let selectors = async || {
        let found = Client::new(&setting.operator).get_event_selectors().trail_name("audit").send().await.unwrap();
        found.advanced_event_selectors.unwrap()
    };
    let all = AdvancedEventSelector::builder().field_selectors(equals("eventCategory", "Management")).build().unwrap();
    assert_eq!(selectors().await, [payroll.clone(), all]);
    let id = seen["incident"].as_str().unwrap();
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done, "{said}");
    assert_eq!(selectors().await, [payroll]);
}

/// Two captured trails, of which the attacker has stopped one, and an event of his that nobody got; the alarm.
async fn alarm(setting: &Setting) -> Value {
    trail(setting, "stopped", true).await;
    trail(setting, "logging", true).await;
    Client::new(&setting.attacker).stop_logging().name("stopped").send().await.unwrap();
    setting.account.events();
    let mut event: Value =
        serde_json::from_str(include_str!("../../../functions/restart-trail/events/match/alarm.json")).unwrap();
    event["region"] = "us-east-1".into();
    event
}

async fn logs(setting: &Setting, name: &str) -> bool {
    Client::new(&setting.operator).get_trail_status().name(name).send().await.unwrap().is_logging.unwrap()
}

#[tokio::test]
async fn an_alarm_has_a_stopped_trail_started_whose_record_never_came() {
    let setting = Setting::with(ENFORCE).await;
    let event = alarm(&setting).await;
    let function = setting.function(WeakTrail::NAME).await;
    let answer = function.invoke(&event).await.unwrap().body;
    let of = |name: &str| {
        let mut outcomes = answer["outcomes"].as_array().unwrap().iter();
        outcomes.find(|outcome| outcome["resource"].as_str().unwrap().ends_with(name)).unwrap()
    };
    assert_eq!(answer["outcomes"].as_array().unwrap().len(), 2, "{answer:#}");
    assert_eq!((&of("stopped")["status"], &of("logging")["status"]), (&json!("contained"), &json!("already_safe")));
    assert!(logs(&setting, "stopped").await);
    let again = function.invoke(&event).await.unwrap().body;
    let statuses: Vec<_> = again["outcomes"].as_array().unwrap().iter().map(|outcome| &outcome["status"]).collect();
    assert_eq!(statuses, ["duplicate", "duplicate"]);
    let id = of("stopped")["incident"].as_str().unwrap();
    let (done, said) = setting.countermand(&["incidents", "show", id]).await;
    assert!(done && said.contains("countermand-cis-4-5-CloudTrailChanges"), "{said}");
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done && !logs(&setting, "stopped").await, "{said}");
}

/// The actor of an alarm is not known: a policy that exempts somebody must say what it thinks of suspicions.
#[tokio::test]
async fn a_policy_tells_a_suspicion_from_an_act() {
    let setting = Setting::with(
        r#"@id("acts") permit (principal, action, resource) unless { context.act == "suspected" };
        @id("suspicions") @mode("approve") permit (principal, action, resource) when { context.act == "suspected" };"#,
    )
    .await;
    let event = alarm(&setting).await;
    let function = setting.function(WeakTrail::NAME).await;
    let answer = function.invoke(&event).await.unwrap().body;
    let pending = answer["outcomes"].as_array().unwrap().iter().find(|outcome| outcome["status"] == "pending").unwrap();
    assert!(!logs(&setting, "stopped").await);
    setting.account.events();
    let (done, said) = setting.countermand(&["incidents", "approve", pending["incident"].as_str().unwrap()]).await;
    assert!(done, "{said}");
    assert_eq!(status(function.invoke(&setting.event()).await), "contained");
    assert!(logs(&setting, "stopped").await);
}

#[tokio::test]
async fn an_alarm_that_cannot_be_followed_up_fails_loudly() {
    let setting = Setting::with(ENFORCE).await;
    let event = alarm(&setting).await;
    let function = setting.function(WeakTrail::NAME).await;
    setting.account.proxy().inject(Fault::Denied, When::operation("cloudtrail", "DescribeTrails"), 100);
    let refused = function.invoke(&event).await.unwrap_err().to_string();
    assert!(refused.contains("Final.Denied") && refused.contains("cloudtrail:DescribeTrails"), "{refused}");
    setting.account.proxy().heal();
    assert!(setting.incidents().await.is_empty());
}
