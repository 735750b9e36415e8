//! What is planned, as a function of what is known.

use policy::{Facts, Policies, Request, Schema, Severity, Source, Verdict};
use remedy::{Applied, Change, Memory, Plan, Remedy, Responder, Situation};
use serde_json::{Value, json};
use testkit::{World, block_on, now};

use super::event;
use super::fake::{EVERYTHING, FILES, Group, Iam, Managed, Role, User, WITH_MFA, own, put_by};
use crate::{DetachAdminPolicy, Level, Observed, PrivilegeChange};

fn plan_with(name: &str, iam: &Iam, baseline: Option<Value>) -> Plan<PrivilegeChange> {
    let event = event(name);
    let finding = DetachAdminPolicy::<Iam>::detect(&event).unwrap().remove(0);
    let observed = block_on(DetachAdminPolicy(iam.clone()).observe(&finding)).unwrap();
    let memory = Memory { baseline, ..Memory::default() };
    let situation = Situation { now: now(), event_time: event.time, memory, ..Situation::default() };
    DetachAdminPolicy::<Iam>::plan(&finding, &observed, &situation)
}

fn plan(name: &str, iam: &Iam) -> Plan<PrivilegeChange> {
    plan_with(name, iam, None)
}

fn does(plan: Plan<PrivilegeChange>) -> Vec<String> {
    match plan.remedy {
        Remedy::Changes(changes) => changes.iter().map(ToString::to_string).collect(),
        Remedy::AlreadySafe => Vec::new(),
        Remedy::Uncontainable { next_step } => vec![next_step],
    }
}

fn baseline(name: &str, text: &str) -> Value {
    json!({ "inline": { name: text } })
}

fn next_step(plan: &Plan<PrivilegeChange>) -> &str {
    let Remedy::Uncontainable { next_step } = &plan.remedy else { panic!("{plan:?}") };
    next_step
}

#[test]
fn each_grant_is_taken_away_as_the_account_names_it() {
    let iam = Iam::new();
    for (name, expected) in [
        ("administrator-attached-to-user", "detach arn:aws:iam::aws:policy/AdministratorAccess from user alice"),
        ("iam-full-access-attached-to-group", "detach arn:aws:iam::aws:policy/IAMFullAccess from group developers"),
        ("own-policy-attached-to-role", "detach arn:aws:iam::123456789012:policy/team/maintenance from role worker"),
        ("aws-policy-attached-to-role", "detach arn:aws:iam::aws:policy/AWSLambda_FullAccess from role worker"),
        ("inline-of-user", "delete inline policy notes of user alice"),
        ("inline-of-role", "delete inline policy deploy of role worker"),
        ("inline-of-group", "delete inline policy everything-but-billing of group developers"),
        ("inline-on-own-path", "delete inline policy self-service of role worker"),
        (
            "version-made-default",
            "set the default version of arn:aws:iam::123456789012:policy/team/build from v3 to v2",
        ),
        (
            "old-version-set-as-default",
            "set the default version of arn:aws:iam::123456789012:policy/vulnerable from v1 to v10",
        ),
        ("user-added-to-group", "remove user alice from group admins"),
    ] {
        assert_eq!(does(plan(name, &iam)), [expected], "{name}");
    }
}

#[test]
fn the_captured_text_is_put_back_unless_it_is_no_better() {
    let iam = Iam::new();
    let deleted = "delete inline policy deploy of role worker";
    let put_back = "put back what inline policy deploy of role worker said before";
    for (captured, expected) in [
        (None, deleted),
        (Some(baseline("deploy", FILES)), put_back),
        (Some(baseline("deploy", WITH_MFA)), put_back),
        (Some(baseline("deploy", EVERYTHING)), deleted),
        (Some(baseline("deploy", &put_by("inline-of-role"))), deleted),
        (Some(baseline("another", FILES)), deleted),
        // What is not understood is as none.
        (Some(json!({"inline": 7})), deleted),
    ] {
        assert_eq!(does(plan_with("inline-of-role", &iam, captured.clone())), [expected], "{captured:?}");
    }
}

#[test]
fn live_state_decides() {
    let detached = Iam::new();
    detached.change(User, "alice", |alice| alice.attached.clear());
    let gone = Iam::new();
    gone.account.borrow_mut().holders.clear();
    for iam in [detached, gone] {
        assert_eq!(plan("administrator-attached-to-user", &iam).remedy, Remedy::AlreadySafe);
    }

    let replaced = Iam::new();
    replaced.change(Role, "worker", |worker| {
        worker.inline.insert("deploy".to_owned(), FILES.to_owned());
    });
    assert_eq!(plan("inline-of-role", &replaced).remedy, Remedy::AlreadySafe);
    replaced.change(Role, "worker", |worker| {
        worker.inline.insert("deploy".to_owned(), EVERYTHING.to_owned());
    });
    assert_eq!(does(plan("inline-of-role", &replaced)), ["delete inline policy deploy of role worker"]);

    let harmless = Iam::new();
    harmless.set_versions("team/maintenance", "v2", &[("v1", EVERYTHING), ("v2", FILES)]);
    assert_eq!(plan("own-policy-attached-to-role", &harmless).remedy, Remedy::AlreadySafe);

    let left = Iam::new();
    left.account.borrow_mut().members.clear();
    assert_eq!(plan("user-added-to-group", &left).remedy, Remedy::AlreadySafe);

    let set_back = Iam::new();
    set_back.set_versions("team/build", "v1", &[("v1", EVERYTHING), ("v3", EVERYTHING)]);
    assert_eq!(plan("version-made-default", &set_back).remedy, Remedy::AlreadySafe, "another event told of that");
}

#[test]
fn a_version_that_does_not_count_is_not_read() {
    let iam = Iam::new();
    iam.set_versions("team/build", "v1", &[("v1", EVERYTHING), ("v3", EVERYTHING)]);
    assert_eq!(plan("version-made-default", &iam).remedy, Remedy::AlreadySafe);
    assert_eq!(iam.journal().calls(), ["iam:GetPolicy"]);
}

#[test]
fn a_managed_policy_may_let_its_holder_write_his_own() {
    let iam = Iam::new();
    let of = |role: &str| {
        let statement = json!({"Effect": "Allow", "Action": "iam:PutRolePolicy",
            "Resource": format!("arn:aws:iam::123456789012:role/{role}")});
        iam.set_versions("team/maintenance", "v1", &[("v1", &json!({"Statement": [statement]}).to_string())]);
        does(plan("own-policy-attached-to-role", &iam)).len()
    };
    assert_eq!((of("app/worker"), of("app/another")), (1, 0));
}

#[test]
fn nothing_is_put_back_for_somebody_who_is_gone() {
    let iam = Iam::new();
    let Remedy::Changes(changes) = plan_with("inline-of-role", &iam, Some(baseline("deploy", FILES))).remedy else {
        panic!("there is something to put back")
    };
    iam.account.borrow_mut().holders.clear();
    let event = event("inline-of-role");
    let permit = Source::new("p.cedar", r#"@id("all") permit (principal, action, resource);"#);
    let facts = Facts::new();
    let decision = Policies::parse([permit]).unwrap().decide(&Request {
        responder: "detach-admin-policy",
        now: now(),
        event: &event,
        resource: &DetachAdminPolicy::<Iam>::detect(&event).unwrap()[0].resource,
        severity: Severity::HIGH,
        facts: &facts,
    });
    let Verdict::Enforce(warrant) = decision.verdict else { panic!("all is permitted") };
    let applied = block_on(DetachAdminPolicy(iam).apply(&changes[0], &warrant)).unwrap();
    assert_eq!(applied, Applied::AlreadySo);
}

#[test]
fn names_in_an_event_may_be_spelled_otherwise() {
    let iam = Iam::new();
    iam.change(Role, "worker", |worker| worker.attached = [own("Team/Maintenance")].into());
    let Managed { versions, .. } = iam.account.borrow().policies[&own("team/maintenance")].clone();
    let versions: Vec<(&str, &str)> = versions.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    iam.set_versions("Team/Maintenance", "v1", &versions);
    assert_eq!(
        does(plan("own-policy-attached-to-role", &iam)),
        ["detach arn:aws:iam::123456789012:policy/Team/Maintenance from role worker"]
    );
}

#[test]
fn a_version_that_cannot_be_judged_takes_no_other_ones_place() {
    for (versions, expected) in [
        (&[("v1", FILES), ("v2", WITH_MFA), ("v3", EVERYTHING)][..], Some("v1")),
        (&[("v1", FILES), ("v2", FILES), ("v3", EVERYTHING)], Some("v2")),
        (&[("v3", EVERYTHING), ("v4", FILES)], Some("v4")),
        (&[("v1", WITH_MFA), ("v3", EVERYTHING)], None),
        (&[("v1", EVERYTHING), ("v3", EVERYTHING)], None),
        (&[("v3", EVERYTHING)], None),
    ] {
        let iam = Iam::new();
        iam.set_versions("team/build", "v3", versions);
        let plan = plan("version-made-default", &iam);
        match expected {
            Some(id) => assert!(does(plan)[0].ends_with(&format!("from v3 to {id}")), "{versions:?}"),
            None => assert!(next_step(&plan).contains("Make a version that allows less"), "{versions:?}"),
        }
    }
}

#[test]
fn what_cannot_be_told_is_left_to_a_person() {
    let iam = Iam::new();
    let unknown = plan("inline-with-mfa", &iam);
    assert!(next_step(&unknown).contains("`aws:MultiFactorAuthPresent` limits it"), "{unknown:?}");
    assert_eq!(fact(&unknown.facts, "level"), json!("unknown"));

    let captured = plan_with("inline-with-mfa", &iam, Some(baseline("admin-with-mfa", WITH_MFA)));
    assert_eq!(captured.remedy, Remedy::AlreadySafe, "it was so when an operator said that it should be");
    assert_eq!(fact(&captured.facts, "asCaptured"), json!(true));
}

#[test]
fn roles_that_aws_keeps_are_left_to_a_person() {
    let iam = Iam::new();
    let kept = plan("administrator-of-identity-center", &iam);
    assert!(next_step(&kept).contains("permission set"), "{kept:?}");
    assert_eq!(fact(&kept.facts, "keptByAws"), json!(true));

    iam.change(Role, "worker", |worker| {
        worker.entity.arn = worker.entity.arn.sibling(None, "role/aws-service-role/x.amazonaws.com/worker");
    });
    assert!(next_step(&plan("aws-policy-attached-to-role", &iam)).contains("service-linked"));
}

#[test]
fn a_group_is_judged_by_all_its_policies_together() {
    let iam = Iam::new();
    let policy =
        |action: &str| json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}).to_string();
    let of_admins = |inline: &[(&str, String)]| {
        let iam = iam.clone();
        iam.change(Group, "admins", |admins| {
            admins.attached.clear();
            admins.inline = inline.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
        });
        plan("user-added-to-group", &iam)
    };
    let (pass, run) = (("pass", policy("iam:PassRole")), ("run", policy("ec2:RunInstances")));
    assert_eq!(of_admins(&[]).remedy, Remedy::AlreadySafe);
    assert_eq!(of_admins(std::slice::from_ref(&pass)).remedy, Remedy::AlreadySafe);
    let both = of_admins(&[pass.clone(), run.clone(), ("files", FILES.to_owned())]);
    assert_eq!(fact(&both.facts, "policies"), json!(["pass", "run"]));
    assert_eq!(fact(&both.facts, "escalationActions"), json!(["ec2:RunInstances", "iam:PassRole"]));
    assert_eq!(does(both), ["remove user alice from group admins"]);
    let deny = r#"{"Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#;
    assert_eq!(of_admins(&[pass, run, ("no-iam", deny.to_owned())]).remedy, Remedy::AlreadySafe);
    let own_user = policy("iam:PutUserPolicy").replace('*', "arn:aws:iam::123456789012:user/people/alice");
    assert_eq!(does(of_admins(&[("own", own_user)])), ["remove user alice from group admins"]);
    assert!(next_step(&of_admins(&[("odd", "{".to_owned())])).contains("`odd`"));
}

fn fact(facts: &Facts, name: &str) -> Value {
    facts.get(name).map_or(Value::Null, |fact| json!(fact))
}

#[test]
fn the_facts_are_those_of_the_account() {
    let schema = Source::new("schema.cedarschema", DetachAdminPolicy::<Iam>::SPEC.schema);
    let schema = Schema::merge([schema]).unwrap();
    for (name, expected) in [
        (
            "administrator-attached-to-user",
            json!({"reason": "attached", "level": "admin", "awsManaged": true, "path": "/people/",
                "holderIsCaller": false, "keptByAws": false, "asCaptured": false, "escalationActions": [],
                "policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]}),
        ),
        (
            "version-made-default",
            json!({"reason": "version", "level": "admin", "awsManaged": false, "path": "/team/", "versionId": "v3",
                "attachments": 0, "keptByAws": false, "asCaptured": false, "escalationActions": [],
                "policies": ["arn:aws:iam::123456789012:policy/team/build"]}),
        ),
        (
            "user-added-to-group",
            json!({"reason": "group", "level": "admin", "awsManaged": false, "path": "/people/", "groupName": "admins",
                "holderIsCaller": true, "keptByAws": false, "asCaptured": false, "escalationActions": [],
                "policies": ["arn:aws:iam::123456789012:policy/team/maintenance"]}),
        ),
        (
            "administrator-of-identity-center",
            json!({"reason": "attached", "level": "admin", "awsManaged": true, "holderIsCaller": false,
                "path": "/aws-reserved/sso.amazonaws.com/", "keptByAws": true, "asCaptured": false,
                "escalationActions": [], "policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]}),
        ),
    ] {
        let (event, plan) = (event(name), plan(name, &Iam::new()));
        assert_eq!(json!(plan.facts), expected, "{name}");
        let request = Request {
            responder: "detach-admin-policy",
            now: now(),
            event: &event,
            resource: &plan.resource,
            severity: Severity::HIGH,
            facts: &plan.facts,
        };
        schema.conforms(&request).unwrap();
    }
}

#[test]
fn a_change_and_its_inverse_are_about_the_same_and_read_well() {
    let iam = Iam::new();
    for (name, undo, key) in [
        (
            "administrator-attached-to-user",
            "attach arn:aws:iam::aws:policy/AdministratorAccess to user alice again",
            "attached arn:aws:iam::aws:policy/AdministratorAccess",
        ),
        ("inline-of-user", "put inline policy notes of user alice again", "inline notes 1ba536a85fbf0120"),
        (
            "version-made-default",
            "set the default version of arn:aws:iam::123456789012:policy/team/build from v2 to v3",
            "default v3",
        ),
        ("user-added-to-group", "add user alice to group admins again", "member of admins"),
    ] {
        let Remedy::Changes(changes) = plan(name, &iam).remedy else { panic!("{name}") };
        let [change] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!(change.inverse().to_string(), undo);
        assert_eq!((change.inverse().inverse(), change.inverse().key()), (change.clone(), change.key()));
        assert_eq!(change.key().as_str(), key);
        let stored = serde_json::to_value(change).unwrap();
        assert_eq!(serde_json::from_value::<PrivilegeChange>(stored).unwrap(), *change);
    }
}

#[test]
fn what_an_event_lets_us_expect_reads_well() {
    for (name, expected) in [
        ("administrator-attached-to-user", "detach arn:aws:iam::aws:policy/AdministratorAccess from user alice"),
        ("inline-of-user", "delete inline policy notes of user alice"),
        (
            "old-version-set-as-default",
            "set the default version of arn:aws:iam::123456789012:policy/vulnerable from v1 to (the one before)",
        ),
        ("user-added-to-group", "remove user alice from group admins"),
        (
            "inline-with-mfa",
            "cannot be told of inline policy admin-with-mfa of user alice: `aws:MultiFactorAuthPresent`",
        ),
        ("administrator-of-identity-center", "Change the permission set there"),
    ] {
        let event = event(name);
        let finding = DetachAdminPolicy::<Iam>::detect(&event).unwrap().remove(0);
        let expect: Observed = DetachAdminPolicy::<Iam>::presume(&finding);
        let situation = Situation { now: now(), event_time: event.time, ..Situation::default() };
        let plan = DetachAdminPolicy::<Iam>::plan(&finding, &expect, &situation);
        assert!(does(plan)[0].contains(expected), "{name}");
        assert_ne!(expect.judged.level, Level::No);
    }
}
