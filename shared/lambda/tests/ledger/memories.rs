use aws_sdk_dynamodb::types::TimeToLiveStatus;
use chrono::TimeDelta;
use remedy::{ChangeKey, Ledger, State, WANTED_FOR};

use super::scene::{Scene, ended, resource};
use crate::fixture;

#[tokio::test]
async fn what_an_undo_wants_is_not_held_and_wanted_for_its_time() {
    let Scene { ledger, .. } = &Scene::begin().await;
    let incident = fixture::incident("0001");
    let (key, now) = (resource(&incident), incident.opened);
    ledger.claim(&incident, None, &[], now).await.unwrap();
    ledger.settle(&ended(State::Contained, &incident), &key).await.unwrap();

    let change = ChangeKey::new("tcp/22");
    ledger.want(&key, std::slice::from_ref(&change), now + WANTED_FOR).await.unwrap();
    let memory = ledger.recall(&incident.id, &key).await.unwrap().memory;
    assert!(memory.held.is_empty());
    assert!(memory.is_wanted(&change, now + WANTED_FOR - TimeDelta::seconds(1)));
    assert!(!memory.is_wanted(&change, now + WANTED_FOR));

    ledger.want(&key, &[change.clone(), change.clone()], now + WANTED_FOR * 2).await.unwrap();
    assert!(ledger.recall(&incident.id, &key).await.unwrap().memory.is_wanted(&change, now + WANTED_FOR));
}

#[tokio::test]
async fn many_changes_can_be_wanted_of_a_resource_that_nothing_is_known_of() {
    let Scene { ledger, .. } = &Scene::begin().await;
    let incident = fixture::incident("0001");
    let keys: Vec<ChangeKey> = (0..250).map(|n| ChangeKey::new(format!("tcp/{n} from ä{n}"))).collect();
    ledger.want(&resource(&incident), &keys, incident.opened).await.unwrap();
    let memory = ledger.recall(&incident.id, &resource(&incident)).await.unwrap().memory;
    assert!(keys.iter().all(|key| memory.wanted.get(key) == Some(&incident.opened)));
}

#[tokio::test]
async fn nothing_is_known_of_what_never_was() {
    let scene = Scene::begin().await;
    let incident = fixture::incident("0001");
    let recall = scene.ledger.recall(&incident.id, &resource(&incident)).await.unwrap();
    assert_eq!((recall.incident, recall.memory), (None, remedy::Memory::default()));
}

#[tokio::test]
async fn the_table_forgets() {
    let scene = Scene::begin().await;
    let ttl = scene.client.describe_time_to_live().table_name(&scene.table).send().await.unwrap();
    let ttl = ttl.time_to_live_description().unwrap();
    assert_eq!((ttl.attribute_name(), ttl.time_to_live_status()), (Some("expires"), Some(&TimeToLiveStatus::Enabled)));
}

#[tokio::test]
async fn a_baseline_is_recalled_until_another_is_stored() {
    let Scene { ledger, .. } = &Scene::begin().await;
    let incident = fixture::incident("0001");
    let (key, now) = (resource(&incident), incident.opened);
    assert_eq!(ledger.baseline(&key).await.unwrap(), None);
    for state in [serde_json::json!({"logging": true}), serde_json::json!({"logging": true, "bucket": "ä"})] {
        ledger.store_baseline(&key, &state, now).await.unwrap();
        assert_eq!(ledger.recall(&incident.id, &key).await.unwrap().memory.baseline, Some(state.clone()));
        assert_eq!(ledger.baseline(&key).await.unwrap(), Some(state));
    }
    ledger.claim(&incident, None, &[], now).await.unwrap();
    ledger.settle(&ended(State::Contained, &incident), &key).await.unwrap();
    let memory = ledger.recall(&incident.id, &key).await.unwrap().memory;
    assert!(memory.baseline.is_some() && !memory.held.is_empty());
}
