use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use remedy::{Charge, Claim, Incident, Ledger};

use super::scene::{Scene, resource};
use crate::fixture;

const WINDOW: TimeDelta = TimeDelta::hours(1);

fn charge(budget: &str, count: u32) -> Charge {
    Charge { budget: budget.to_owned(), count, window: Duration::from_hours(1) }
}

fn incidents(from: u32, count: u32) -> Vec<Incident> {
    (from..from + count).map(|n| fixture::incident(&format!("{n:04}"))).collect()
}

/// How many of the incidents are granted, claimed all at once. The others were refused for want of a unit.
async fn granted(scene: &Scene, incidents: &[Incident], charges: &[Charge], now: DateTime<Utc>) -> usize {
    let claims = join_all(incidents.iter().map(|incident| scene.ledger.claim(incident, None, charges, now))).await;
    let mut granted = 0;
    for claim in claims {
        match claim.unwrap() {
            Claim::Granted => granted += 1,
            Claim::Spent(spent) => assert!(charges.contains(&spent)),
            Claim::Taken => panic!("every incident has its own id"),
        }
    }
    granted
}

#[tokio::test]
async fn fifty_claimers_at_once_get_as_many_units_as_there_are() {
    let scene = Scene::begin().await;
    let now = fixture::time("2026-11-22T07:00:00Z");
    let budget = [charge("contain", 10)];
    assert_eq!(granted(&scene, &incidents(0, 50), &budget, now).await, 10);
    assert_eq!(granted(&scene, &incidents(100, 3), &budget, now + WINDOW - TimeDelta::milliseconds(1)).await, 0);
    assert_eq!(granted(&scene, &incidents(200, 30), &budget, now + WINDOW).await, 10);
    assert_eq!(granted(&scene, &incidents(300, 3), &[charge("another", 2)], now).await, 2);
}

#[tokio::test]
async fn the_window_slides() {
    let scene = Scene::begin().await;
    let start = fixture::time("2026-11-22T07:00:00Z");
    let budget = [charge("contain", 3)];
    let mut times = Vec::new();
    for step in 0..20 {
        let now = start + TimeDelta::minutes(7 * i64::from(step));
        if granted(&scene, &incidents(step, 1), &budget, now).await == 1 {
            times.push(now);
        }
    }
    for (index, time) in times.iter().enumerate() {
        let within = times[index..].iter().take_while(|later| **later - *time < WINDOW).count();
        assert!(within <= 3, "{within} within the hour from {time}");
    }
    assert_eq!(times.len(), 3 + 3 + 2, "{times:?}");
}

#[tokio::test]
async fn a_claim_that_is_refused_costs_nothing() {
    let scene = Scene::begin().await;
    let now = fixture::time("2026-11-22T07:00:00Z");
    let both = [charge("plenty", 2), charge("little", 1)];
    assert_eq!(granted(&scene, &incidents(0, 5), &both, now).await, 1);
    // Of `plenty` one unit is gone, and not one for each that was refused.
    assert_eq!(granted(&scene, &incidents(10, 5), &both[..1], now).await, 1);

    let taken = fixture::incident("0020");
    let unit = [charge("single", 1)];
    assert_eq!(scene.ledger.claim(&taken, None, &[], now).await.unwrap(), Claim::Granted);
    assert_eq!(scene.ledger.claim(&taken, None, &unit, now).await.unwrap(), Claim::Taken);
    assert_eq!(granted(&scene, &incidents(30, 2), &unit, now).await, 1);
}

#[tokio::test]
async fn a_refused_claim_leaves_no_incident() {
    let scene = Scene::begin().await;
    let now = fixture::time("2026-11-22T07:00:00Z");
    let incident = fixture::incident("0001");
    assert_eq!(granted(&scene, &incidents(10, 1), &[charge("single", 1)], now).await, 1);
    assert_eq!(granted(&scene, std::slice::from_ref(&incident), &[charge("single", 1)], now).await, 0);
    assert_eq!(scene.ledger.recall(&incident.id, &resource(&incident)).await.unwrap().incident, None);
    assert_eq!(scene.ledger.claim(&incident, None, &[], now).await.unwrap(), Claim::Granted);
}
