use chrono::{DateTime, TimeDelta, Utc};
use lambda::{KEPT_FOR, Listing, Lookup};
use remedy::{Incident, IncidentId, Ledger, State};

use super::scene::Scene;
use crate::fixture;

async fn store(scene: &Scene, id: &str, opened: &str, state: State, before: usize) -> Incident {
    let mut incident = fixture::incident(id);
    incident.opened = fixture::time(opened);
    incident.state = state;
    incident.before = "x".repeat(before).into();
    scene.ledger.claim(&incident, None, &[], incident.opened).await.unwrap();
    incident
}

fn ids(incidents: &[Incident]) -> Vec<&str> {
    incidents.iter().map(|incident| incident.id.as_str()).collect()
}

fn now() -> DateTime<Utc> {
    fixture::time("2026-11-22T12:00:00Z")
}

#[tokio::test]
async fn a_list_is_newest_first_over_days() {
    let scene = Scene::begin().await;
    store(&scene, "a1", "2026-11-19T23:59:59.999Z", State::Contained, 0).await;
    store(&scene, "b2", "2026-11-20T00:00:00Z", State::Contained, 0).await;
    store(&scene, "c3", "2026-11-22T08:00:00.100Z", State::Observed, 0).await;
    store(&scene, "d4", "2026-11-22T08:00:00Z", State::Contained, 0).await;
    store(&scene, "e5", "2026-11-22T12:00:00Z", State::Pending, 0).await;
    store(&scene, "f6", "2026-11-22T12:00:00.001Z", State::Pending, 0).await;
    let list = async |listing: Listing| scene.ledger.list(&listing).await.unwrap();

    let all = Listing::between(fixture::time("2026-11-20T00:00:00Z"), now());
    assert_eq!(ids(&list(all.clone()).await), ["e5", "c3", "d4", "b2"]);
    assert_eq!(ids(&list(Listing { limit: 2, ..all.clone() }).await), ["e5", "c3"]);
    assert_eq!(ids(&list(Listing { state: Some(State::Contained), limit: 1, ..all.clone() }).await), ["d4"]);
    assert_eq!(ids(&list(Listing { responder: Some("disable-access-key".to_owned()), ..all.clone() }).await), [""; 0]);
    let mine = Listing { account: Some(cloudtrail::AccountId::parse("123456789012").unwrap()), ..all };
    assert_eq!(list(mine).await.len(), 4);
    assert_eq!(list(Listing::between(now() + TimeDelta::days(1), now())).await.len(), 0);
    let ever = Listing { limit: 7, ..Listing::between(now() - KEPT_FOR * 9, now() + TimeDelta::hours(1)) };
    assert_eq!(list(Listing { since: now() - TimeDelta::days(5), ..ever }).await.len(), 6);
}

#[tokio::test]
async fn a_list_goes_on_over_pages() {
    let scene = Scene::begin().await;
    // DynamoDB answers a megabyte at a time.
    for n in 0..12 {
        store(&scene, &format!("{n:02}"), &format!("2026-11-22T08:00:{n:02}Z"), State::Contained, 150_000).await;
    }
    let listed = scene.ledger.list(&Listing::between(now() - TimeDelta::days(1), now())).await.unwrap();
    assert_eq!(listed.len(), 12);
    assert!(listed.is_sorted_by(|later, earlier| later.opened > earlier.opened));
    assert_eq!(scene.ledger.find("07").await.unwrap(), Lookup::Found(Box::new(listed[4].clone())));
    assert_eq!(
        scene.ledger.find("0").await.unwrap(),
        Lookup::Ambiguous(["00", "01", "02", "03", "04"].map(IncidentId::new).to_vec())
    );
}

#[tokio::test]
async fn an_incident_is_found_by_what_its_id_begins_with() {
    let scene = Scene::begin().await;
    let first = store(&scene, "0123456789abcdef0123", "2026-11-22T08:00:00Z", State::Contained, 0).await;
    let second = store(&scene, "0123ffffffffffffffff", "2026-11-22T08:00:00Z", State::Contained, 0).await;
    let find = async |id: &str| scene.ledger.find(id).await.unwrap();
    assert_eq!(find(first.id.as_str()).await, Lookup::Found(Box::new(first.clone())));
    assert_eq!(find("01234").await, Lookup::Found(Box::new(first.clone())));
    assert_eq!(find("0123f").await, Lookup::Found(Box::new(second.clone())));
    assert_eq!(find("0123").await, Lookup::Ambiguous(vec![first.id.clone(), second.id]));
    assert_eq!(find("9").await, Lookup::Absent);
    assert_eq!(find("").await, Lookup::Absent);
    assert_eq!(scene.ledger.get(&IncidentId::new("0123")).await.unwrap(), None);
}
