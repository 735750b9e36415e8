//! Undoing several incidents with one command, end to end.

use remedy::{IncidentId, State};
use serde_json::{Value, json};
use stage::trail::Identity;
use stage::{Fault, When};

use super::setting::{ENFORCE, REGION, Setting, outcome, permission};

impl Setting {
    /// Somebody else than the attacker opens a port; the event of it.
    async fn opened_by(&self, user: &str, group: &str, port: i32) -> Value {
        self.account.events();
        let ec2 = aws_sdk_ec2::Client::new(&self.account.acting_as(Identity::user(user), REGION).await);
        let open = ec2.authorize_security_group_ingress().group_id(group);
        open.ip_permissions(permission(port, &["0.0.0.0/0"])).send().await.unwrap();
        self.event()
    }

    /// Has an event dealt with; the incident's id.
    async fn contained(&self, function: &str, event: &Value) -> String {
        let outcome = outcome(self.function(function).await.invoke(event).await);
        assert_eq!(outcome["status"], "contained", "{outcome:#}");
        outcome["incident"].as_str().unwrap().to_owned()
    }

    async fn state(&self, id: &str) -> State {
        let incidents = self.incidents().await;
        incidents.into_iter().find(|incident| incident.id == IncidentId::new(id)).unwrap().state
    }

    /// Undoes as a program would; whether all went well, and what became of which incident, in order.
    async fn undo(&self, arguments: &[&str]) -> (bool, Vec<(String, String)>) {
        let arguments = [&["incidents", "undo", "--yes", "--format", "json"], arguments].concat();
        let (done, said) = self.countermand(&arguments).await;
        let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        (done, lines.map(|line| (text(&line, "incident"), text(&line, "status"))).collect())
    }
}

fn became(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(id, status)| ((*id).to_owned(), (*status).to_owned())).collect()
}

#[tokio::test]
async fn what_one_actor_did_is_undone_and_drift_keeps_only_its_own() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let ssh = setting.open(&group, 22, &["0.0.0.0/0", "::/0"]).await;
    let opened = setting.rules(&group).await;
    let ssh = setting.contained("revoke-open-ingress", &ssh).await;
    let rdp = setting.opened_by("trudy", &group, 3389).await;
    let rdp = setting.contained("revoke-open-ingress", &rdp).await;
    let key = setting.key_for("alice").await;
    let key = setting.contained("disable-access-key", &key).await;
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    let policy = iam.list_user_policies().user_name("alice").send().await.unwrap().policy_names.remove(0);
    let edited = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    iam.put_user_policy().user_name("alice").policy_name(&policy).policy_document(edited).send().await.unwrap();

    let (_, listed) = setting.countermand(&["incidents", "list", "--actor", "mallory"]).await;
    let ids: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids, [&key, &ssh], "newest first, and nobody else's: {listed}");
    let by_mallory = ["incidents", "undo", "--actor", "mallory", "--since", "1h"];
    let (done, said) = setting.countermand(&[&by_mallory[..], &["--dry-run"]].concat()).await;
    assert!(!done && said.contains(&ssh) && said.contains("would authorize tcp/22 from ::/0"), "{said}");
    assert!(said.contains("2 incidents: 1 would be undone, 1 no longer as we left it"), "{said}");
    assert_eq!((setting.rules(&group).await.len(), setting.user("alice").await.0.as_str()), (1, "Inactive"));

    let (done, said) = setting.countermand(&[&by_mallory[..], &["--yes"]].concat()).await;
    assert!(!done && said.contains("2 incidents: 1 undone, 1 no longer as we left it"), "{said}");
    assert!(
        ["differs     cutOff", "before us      nothing", "as we left it  *", "s3:*", "--force"]
            .iter()
            .all(|text| said.contains(text)),
        "{said}"
    );
    assert_eq!(setting.rules(&group).await, opened);
    assert_eq!(setting.user("alice").await, ("Inactive".to_owned(), true));
    assert_eq!(setting.state(&rdp).await, State::Contained, "that was somebody else's");

    let (done, became_of) = setting.undo(&["--actor", "mallory", "--force"]).await;
    assert!(done, "{became_of:?}");
    assert_eq!(became_of, became(&[(&ssh, "already_undone"), (&key, "undone")]));
    assert_eq!(setting.user("alice").await, ("Active".to_owned(), false));
    let (done, said) = setting.countermand(&[&by_mallory[..], &["--yes"]].concat()).await;
    assert!(done && said.contains("2 incidents: 2 undone before"), "{said}");
    let (done, said) = setting.countermand(&["incidents", "undo", "--actor", "nobody", "--yes"]).await;
    assert_eq!((done, said.as_str()), (true, "nothing to undo\n"));
}

#[tokio::test]
async fn a_failure_half_way_stops_one_incident_and_the_same_command_goes_on_with_it() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let ssh = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let ssh = setting.contained("revoke-open-ingress", &ssh).await;
    let key = setting.key_for("alice").await;
    let key = setting.contained("disable-access-key", &key).await;
    let rdp = setting.open(&group, 3389, &["0.0.0.0/0"]).await;
    let rdp = setting.contained("revoke-open-ingress", &rdp).await;

    setting.account.proxy().inject(Fault::Denied, When::operation("iam", "UpdateAccessKey"), 1);
    let (done, became_of) = setting.undo(&["--since", "1h"]).await;
    assert!(!done);
    assert_eq!(became_of, became(&[(&rdp, "undone"), (&key, "failed"), (&ssh, "undone")]), "newest first");
    assert_eq!(setting.user("alice").await, ("Inactive".to_owned(), false), "the first half of it is undone");
    assert_eq!(setting.rules(&group).await.len(), 3);
    let (_, listed) = setting.countermand(&["incidents", "list"]).await;
    assert!(listed.contains("partly undone"), "{listed}");

    let (done, became_of) = setting.undo(&["--since", "1h"]).await;
    assert!(done, "{became_of:?}");
    assert_eq!(became_of, became(&[(&rdp, "already_undone"), (&ssh, "already_undone"), (&key, "undone")]));
    let calls = setting.account.proxy().calls();
    let again = calls
        .iter()
        .filter(|call| ["AuthorizeSecurityGroupIngress", "DeleteUserPolicy"].contains(&call.operation.as_str()));
    assert_eq!(again.count(), 0, "what was undone is not undone again");
    assert_eq!(setting.user("alice").await, ("Active".to_owned(), false));
    assert!(setting.incidents().await.iter().all(|incident| incident.state == State::Undone));
}

#[tokio::test]
async fn an_older_incident_is_as_we_left_it_once_the_newer_one_is_undone() {
    let setting = Setting::with(ENFORCE).await;
    let first = setting.key_for("alice").await;
    let older = setting.contained("disable-access-key", &first).await;
    // The cut-off is a time in whole seconds: another second makes another policy.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let iam = aws_sdk_iam::Client::new(&setting.attacker);
    setting.account.events();
    iam.create_access_key().user_name("alice").send().await.unwrap();
    let newer = setting.contained("disable-access-key", &setting.event()).await;

    let (done, became_of) = setting.undo(&[older.as_str()]).await;
    assert_eq!((done, became_of), (false, became(&[(&older, "refused")])), "the newer one wrote over its policy");
    let both = [older.as_str(), newer.as_str(), older.as_str()];
    let (done, said) = setting.countermand(&[&["incidents", "undo", "--dry-run"], &both[..]].concat()).await;
    assert!(done && said.contains(&format!("looked at again when {newer} is undone")), "{said}");
    let (done, became_of) = setting.undo(&both).await;
    assert_eq!((done, became_of), (true, became(&[(&newer, "undone"), (&older, "undone")])));
    let keys = iam.list_access_keys().user_name("alice").send().await.unwrap().access_key_metadata;
    assert_eq!(keys.iter().filter(|key| key.status().unwrap().as_str() == "Active").count(), 2);
    assert_eq!(iam.list_user_policies().user_name("alice").send().await.unwrap().policy_names, [] as [String; 0]);
}

#[tokio::test]
async fn filters_narrow_a_list_and_an_undo_alike() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let ssh = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let ssh = setting.contained("revoke-open-ingress", &ssh).await;
    let mut rdp = setting.open(&group, 3389, &["0.0.0.0/0"]).await;
    let role = "arn:aws:iam::123456789012:role/admin";
    rdp["detail"]["userIdentity"] = json!({ "type": "AssumedRole", "accountId": "123456789012",
        "arn": "arn:aws:sts::123456789012:assumed-role/admin/carol", "sessionContext": { "sessionIssuer": { "arn": role } } });
    let rdp = setting.contained("revoke-open-ingress", &rdp).await;
    for (filter, expected) in [
        (&["--actor", "carol"][..], vec![&rdp]),
        (&["--actor", "user/mallory"], vec![&ssh]),
        (&["--account", "123456789012", "--responder", "revoke-open-ingress"], vec![&rdp, &ssh]),
        (&["--account", "999988887777"], vec![]),
        (&["--responder", "disable-access-key"], vec![]),
        (&["--state", "undone"], vec![]),
        (&["--until", "1h"], vec![]),
    ] {
        for command in [&["list"][..], &["undo", "--dry-run"]] {
            let arguments = [&["incidents"], command, &["--format", "json"], filter].concat();
            let (done, said) = setting.countermand(&arguments).await;
            let found = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let found: Vec<String> = found.map(|line| line["incident"].as_str().unwrap().to_owned()).collect();
            assert!(done && found.iter().eq(expected.iter().copied()), "{arguments:?}: {said}");
        }
    }
}
