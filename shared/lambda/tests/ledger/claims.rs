use futures_util::future::join_all;
use remedy::{Claim, Incident, Ledger, LedgerError, State};

use super::scene::{Scene, by, ended, over, resource};
use crate::fixture;

fn reason(refused: Result<(), LedgerError>) -> String {
    remedy::in_full(&refused.unwrap_err())
}

#[tokio::test]
async fn of_twenty_claims_at_once_one_is_granted() {
    let scene = Scene::begin().await;
    let incident = fixture::incident("0001");
    let claims: Vec<Incident> = (0..20).map(|n| by(&format!("run-{n}"), &incident)).collect();
    let claimed = join_all(claims.iter().map(|claim| scene.ledger.claim(claim, None, &[], claim.opened))).await;
    let claimed: Vec<Claim> = claimed.into_iter().map(Result::unwrap).collect();
    assert_eq!(claimed.iter().filter(|claim| **claim == Claim::Granted).count(), 1, "{claimed:?}");
    assert_eq!(claimed.iter().filter(|claim| **claim == Claim::Taken).count(), 19, "{claimed:?}");

    let winner = claims.iter().zip(&claimed).find(|(_, claim)| **claim == Claim::Granted).unwrap().0;
    let recall = scene.ledger.recall(&incident.id, &resource(&incident)).await.unwrap();
    assert_eq!(recall.incident.as_ref(), Some(winner));
}

#[tokio::test]
async fn only_the_run_that_holds_the_claim_can_settle_it_and_only_once() {
    let Scene { ledger, .. } = &Scene::begin().await;
    let incident = fixture::incident("0001");
    let key = resource(&incident);
    assert_eq!(ledger.claim(&by("winner", &incident), None, &[], incident.opened).await.unwrap(), Claim::Granted);

    let lost = ledger.settle(&ended(State::Contained, &by("loser", &incident)), &key).await;
    assert_eq!(
        reason(lost),
        "the ledger did not store how an incident ended: the incident was taken over by another run"
    );
    assert_eq!(ledger.recall(&incident.id, &key).await.unwrap().memory.held.len(), 0);

    let end = ended(State::Contained, &by("winner", &incident));
    ledger.settle(&end, &key).await.unwrap();
    let recall = ledger.recall(&incident.id, &key).await.unwrap();
    assert_eq!(recall.incident, Some(Incident { revision: 1, ..end.clone() }));
    assert_eq!(recall.memory.held.iter().map(remedy::ChangeKey::as_str).collect::<Vec<_>>(), ["tcp/22"]);

    assert!(reason(ledger.settle(&end, &key).await).ends_with("taken over by another run"));
}

#[tokio::test]
async fn a_run_that_died_is_taken_over_by_one_of_those_who_saw_it() {
    let Scene { ledger, .. } = &Scene::begin().await;
    let dead = fixture::incident("0001");
    let key = resource(&dead);
    ledger.claim(&dead, None, &[], dead.opened).await.unwrap();

    assert_eq!(ledger.claim(&by("blind", &dead), None, &[], dead.opened).await.unwrap(), Claim::Taken);
    let heirs: Vec<Incident> = (0..8).map(|n| over(&dead, &format!("heir-{n}"))).collect();
    let claimed = join_all(heirs.iter().map(|heir| ledger.claim(heir, Some(&dead), &[], dead.opened))).await;
    let granted: Vec<_> =
        heirs.iter().zip(claimed).filter(|(_, claim)| *claim.as_ref().unwrap() == Claim::Granted).collect();
    assert_eq!(granted.len(), 1);
    let heir = granted[0].0;

    assert!(reason(ledger.settle(&ended(State::Failed, &dead), &key).await).ends_with("taken over by another run"));
    ledger.settle(&ended(State::Failed, heir), &key).await.unwrap();
    let failed = ledger.recall(&dead.id, &key).await.unwrap().incident.unwrap();
    assert_eq!((failed.state, failed.revision), (State::Failed, 2));

    assert_eq!(ledger.claim(&over(heir, "late"), Some(heir), &[], dead.opened).await.unwrap(), Claim::Taken);
    assert_eq!(ledger.claim(&over(&failed, "next"), Some(&failed), &[], dead.opened).await.unwrap(), Claim::Granted);
}

#[tokio::test]
async fn what_was_undone_stays_undone() {
    let Scene { ledger, .. } = &Scene::begin().await;
    let incident = fixture::incident("0001");
    let key = resource(&incident);
    ledger.claim(&incident, None, &[], incident.opened).await.unwrap();

    // Read while the run was still at work: its end must not be lost.
    let early = Incident { revision: incident.revision + 1, ..ended(State::Undone, &incident) };
    ledger.settle(&ended(State::Failed, &incident), &key).await.unwrap();
    assert_eq!(
        reason(ledger.amend(&early).await),
        "the ledger did not store what an operator did: the incident has been changed meanwhile; look at it again"
    );

    let failed = ledger.recall(&incident.id, &key).await.unwrap().incident.unwrap();
    let mut undone = Incident { state: State::Undone, revision: failed.revision + 1, ..failed.clone() };
    undone.receipt[0].undone = Some(incident.opened);
    ledger.amend(&undone).await.unwrap();
    let recall = ledger.recall(&incident.id, &key).await.unwrap();
    assert_eq!(recall.incident.as_ref(), Some(&undone));
    assert!(recall.memory.held.is_empty(), "{:?}", recall.memory);
    assert_eq!(ledger.claim(&over(&failed, "late"), Some(&failed), &[], incident.opened).await.unwrap(), Claim::Taken);
    assert!(ledger.amend(&undone).await.is_err());
}
