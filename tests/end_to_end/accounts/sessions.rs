//! Taking the member role: refused, kept, renewed.

use aws_credential_types::Credentials;
use chrono::{SecondsFormat, TimeDelta};
use remedy::Clock;
use serde_json::{Value, json};
use stage::{Fault, When};

use super::{MEMBERS, ROLE, failure};
use crate::end_to_end::setting::{ENFORCE, REGION, Setting, status};
use crate::end_to_end::stand_in::StandIn;

#[tokio::test]
async fn a_role_that_cannot_be_taken_changes_nothing_and_the_failure_says_how_to_mend_it() {
    let setting = Setting::hub(ENFORCE).await;
    let place = setting.place(MEMBERS[0], "eu-west-1").await;
    let function = setting.traveller("revoke-open-ingress", &[]).await;
    let event = place.exposed(&setting).await;
    let denied = || setting.account.proxy().inject(Fault::Denied, When::operation("sts", "AssumeRole"), 1);
    denied();
    let (kind, message) = failure(function.invoke(&event).await);
    assert_eq!(kind, "Final.Assume");
    for part in [
        &format!("`arn:aws:iam::{}:role/{ROLE}` cannot be assumed", MEMBERS[0]),
        "stacksets/member.yaml",
        "AccessDenied",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!((place.open().await, setting.incidents().await), (1, vec![]));

    // With a session to look, and none to write.
    let harmless = place.exposed_by(&setting, &place.mallory, 443).await;
    assert_eq!(function.invoke(&harmless).await.unwrap().body, json!({ "outcomes": [] }));
    let second = setting.place(MEMBERS[0], "eu-west-1").await;
    assert_eq!(status(function.invoke(&second.exposed(&setting).await).await), "contained");
    denied();
    let (kind, message) = failure(function.invoke(&event).await);
    assert!(kind == "Final.Denied" && message.contains("sts:AssumeRole"), "{kind}: {message}");
    assert_eq!(place.open().await, 2);
    assert_eq!(status(function.invoke(&event).await), "contained", "the next attempt goes on with it");
    assert_eq!(place.open().await, 1, "the port that is no danger stays open");
}

#[tokio::test]
async fn a_session_is_kept_for_the_next_event_and_renewed_before_it_ends() {
    let setting = Setting::hub(ENFORCE).await;
    let place = setting.place(MEMBERS[0], REGION).await;
    let credentials = setting.credentials_in(MEMBERS[0]).await;
    for (left, times) in [(TimeDelta::hours(1), 1), (TimeDelta::minutes(4), 3)] {
        let answer = assumed(&credentials, left);
        let upstream = setting.account.proxy().address();
        let sts = StandIn::before(upstream, vec![("Action=AssumeRole", answer)]).await;
        let endpoint = sts.endpoint();
        let function = setting
            .traveller(
                "revoke-open-ingress",
                &[("AWS_ENDPOINT_URL_STS", &endpoint), ("COUNTERMAND_CONTESTED", "never")],
            )
            .await;
        for _ in 0..3 {
            assert_eq!(status(function.invoke(&place.exposed(&setting).await).await), "contained");
        }
        let (to_write, to_look): (Vec<_>, Vec<_>) =
            sts.requests().into_iter().partition(|request| request.contains("countermand-incident"));
        assert_eq!((to_look.len(), to_write.len()), (times, 3), "with {left} left");
    }
}

/// Whatever credentials we are given: what they show is held against the event.
#[tokio::test]
async fn a_session_of_another_account_than_the_events_changes_nothing() {
    let setting = Setting::hub(ENFORCE).await;
    let place = setting.place(MEMBERS[1], REGION).await;
    let event = place.exposed(&setting).await;
    let told: Value = serde_json::from_str(&event.to_string().replace(MEMBERS[1], MEMBERS[0])).unwrap();
    let answer = assumed(&setting.credentials_in(MEMBERS[1]).await, TimeDelta::hours(1));
    let sts = StandIn::before(setting.account.proxy().address(), vec![("Action=AssumeRole", answer)]).await;
    let endpoint = sts.endpoint();
    let function = setting.traveller("revoke-open-ingress", &[("AWS_ENDPOINT_URL_STS", &endpoint)]).await;
    assert_eq!(failure(function.invoke(&told).await).0, "Final.Elsewhere");
    assert_eq!((place.open().await, setting.incidents().await), (1, vec![]));
}

/// What STS answers with these credentials, which end when so much time has passed.
fn assumed(credentials: &Credentials, left: TimeDelta) -> String {
    let until = (lambda::SystemClock.now() + left).to_rfc3339_opts(SecondsFormat::Secs, true);
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
         <Expiration>{until}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        credentials.access_key_id(),
        credentials.secret_access_key(),
        credentials.session_token().unwrap(),
    )
}
