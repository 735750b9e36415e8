//! Policies that cannot be used, and where they are wrong; folders of policies.

use std::fs;
use std::path::{Path, PathBuf};

use policy::{Effect, Mode, Policies, PolicyError, Source, Verdict};

use crate::common::{open_group, parse};

/// The problems of a text, one a line.
#[track_caller]
fn refused(text: &str) -> Vec<String> {
    let error = Policies::parse([Source::new("p.cedar", text)]).unwrap_err();
    error.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn every_slip_of_an_annotation_has_its_place_and_hint() {
    assert_eq!(
        refused(
            "permit (principal, action, resource);
@id(\"a b\")
  @reasn(\"x\") @mode(\"aprove\") @limit(\"20 per hour\")
permit (principal, action, resource);
@id(\"c\") @limit(\"0/1h\") @mode(\"enforce\") @reason(\" \")
forbid (principal, action, resource);
@id(\"d\") @limit(\"5/30d\") @lease(\"30s\") @priority(\"1\") permit (principal, action, resource);
@id forbid (principal, action, resource) when { principal.hasTag(\"x\") };"
        ),
        [
            "p.cedar:1:1: a policy has no @id (name it, as in @id(\"break-glass\"))",
            "p.cedar:2:1: `a b` cannot be the @id of a policy (1 to 128 of the letters a-z and A-Z, digits, and - _ . : /)",
            "p.cedar:3:3: unknown annotation `@reasn` (did you mean @reason?)",
            "p.cedar:3:15: unknown @mode `aprove` (did you mean `approve`?)",
            "p.cedar:3:31: `20 per hour` is no @limit: a limit counts `per principal` or `per account`, and everything \
             together if it says neither (write it like `20/1h`, `5/30m per principal` or `5/1d per account`)",
            "p.cedar:5:10: a forbid can have no @limit (it belongs on a permit)",
            "p.cedar:5:25: a forbid can have no @mode (it belongs on a permit)",
            "p.cedar:5:42: an empty @reason (say why, or leave it out)",
            "p.cedar:7:10: `5/30d` is no @limit: a limit's window is at least a second and at most seven days \
             (write it like `20/1h`, `5/30m per principal` or `5/1d per account`)",
            "p.cedar:7:26: `30s` is no @lease (a lease is at least a minute and at most seven days, like `30m`, `4h` or `2d`)",
            "p.cedar:7:40: unknown annotation `@priority` (the annotations are @id, @lease, @limit, @mode and @reason)",
            "p.cedar:8:1: `` cannot be the @id of a policy (1 to 128 of the letters a-z and A-Z, digits, and - _ . : /)",
            "p.cedar:8:59: the tags of the principal are not known (an event does not tell them; ask for `resource`'s)",
        ]
    );
}

#[test]
fn an_id_is_unique_over_all_files() {
    let text = "@id(\"a\") permit (principal, action, resource);";
    let error =
        Policies::parse([Source::new("1.cedar", text), Source::new("2.cedar", format!("\n{text}"))]).unwrap_err();
    assert_eq!(error.to_string(), "2.cedar:2:1: another policy has the @id `a` (it is at 1.cedar:1)");
}

#[test]
fn what_is_not_cedar_is_refused_at_its_place_in_every_file() {
    let error = Policies::parse([
        Source::new("1.cedar", "@id(\"a\") permit (principal, action, resource)"),
        Source::new("2.cedar", "@id(\"ä\")\npermit (principal, action, resourc);"),
        Source::new("3.cedar", "@id(\"t\") permit (principal == ?principal, action, resource);"),
        Source::new("4.cedar", "((".repeat(50_000)),
    ])
    .unwrap_err();
    assert_eq!(
        error.to_string().lines().collect::<Vec<_>>(),
        [
            "1.cedar:1:46: unexpected end of input (expected `;` or identifier)",
            "2.cedar:2:28: found an invalid variable in the policy scope: resourc (policy scopes must contain a \
             `principal`, `action`, and `resource` element in that order)",
            "3.cedar:1:1: a template, with ?principal or ?resource, is not a policy (name the principal and the resource)",
            "4.cedar:1:25: more than 24 brackets within one another (split it)",
        ]
    );
}

#[test]
fn the_rules_can_be_listed() {
    let policies =
        parse("\n@id(\"a\") @mode(\"approve\") @reason(\"two\n  lines\") permit (principal, action, resource);");
    let [rule] = policies.rules() else { panic!("there is one policy") };
    assert_eq!((rule.id.as_str(), rule.effect, rule.mode), ("a", Effect::Permit, Mode::Approve));
    assert_eq!((rule.reason.as_deref(), rule.file.as_str(), rule.line), (Some("two lines"), "test.cedar", 2));
}

/// A folder of this test alone, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_folder_is_all_cedar_files_directly_in_it() {
    let folder = folder("all");
    let id = |id: &str| format!("@id(\"{id}\") forbid (principal, action, resource);");
    fs::write(folder.join("b.cedar"), id("b")).unwrap();
    fs::write(folder.join("a.cedar"), format!("\u{feff}{}", id("a"))).unwrap();
    fs::write(folder.join(".c.cedar"), "not Cedar").unwrap();
    fs::write(folder.join("d.cedar.bak"), "not Cedar").unwrap();
    fs::create_dir_all(folder.join("examples.cedar")).unwrap();
    fs::write(folder.join("examples.cedar/e.cedar"), "not Cedar").unwrap();
    let policies = Policies::load(&folder).unwrap();
    assert_eq!(policies.rules().iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn the_rules_of_another_folder_speak_of_what_they_say() {
    let folder = folder("others");
    fs::write(folder.join("a.cedar"), "@id(\"all\") permit (principal, action, resource);").unwrap();
    for elsewhere in ["", "@id(\"other\") forbid (principal, action == Action::\"other\", resource);"] {
        let others = parse(elsewhere).with_rules_of(&folder).unwrap();
        assert_eq!(others.decide(&open_group().request()).verdict.name(), "enforce", "beside `{elsewhere}`");
    }
}

#[test]
fn a_folder_may_say_which_account_is_in_which_unit() {
    let folder = folder("units");
    let text = r#"@id("a") permit (principal, action, resource in OrganizationalUnit::"r-abcd");"#;
    fs::write(folder.join("a.cedar"), text).unwrap();
    fs::write(folder.join("organization.json"), r#"{"111122223333": ["r-abcd"]}"#).unwrap();
    let decision = Policies::load(&folder).unwrap().decide(&open_group().request());
    assert_eq!(decision.verdict.name(), "enforce");

    fs::write(folder.join("organization.json"), r#"{"111122223333": "r-abcd"}"#).unwrap();
    let error = Policies::load(&folder).unwrap_err().to_string();
    assert!(error.contains("organization.json:1:"), "{error}");
}

#[test]
fn a_folder_that_is_missing_or_has_no_policy_is_refused() {
    let empty = folder("empty");
    assert!(matches!(Policies::load(&empty), Err(PolicyError::NoPolicies { path }) if path == empty));
    let missing = empty.join("missing");
    assert!(matches!(Policies::load(&missing), Err(PolicyError::Read { path, .. }) if path == missing));
    fs::write(empty.join("latin1.cedar"), b"// \xe4").unwrap();
    assert!(
        matches!(Policies::load(&empty), Err(PolicyError::Read { path, .. }) if path == empty.join("latin1.cedar"))
    );
}

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");

#[test]
fn what_ships_permits_nothing() {
    let policies = Policies::load(Path::new(SHIPPED)).unwrap();
    assert!(policies.rules().iter().all(|rule| rule.effect == Effect::Forbid));
    assert_eq!(policies.decide(&open_group().request()).verdict, Verdict::Observe);
}

#[test]
fn the_examples_act_and_ask_in_production() {
    let shipped = Path::new(SHIPPED);
    let mut sources = policy::sources(shipped).unwrap();
    sources.extend(policy::sources(&shipped.join("examples")).unwrap());
    let policies = Policies::parse(sources).unwrap();
    let mut case = open_group();
    let decision = policies.decide(&case.request());
    assert_eq!(
        decision.because(),
        "a person must approve it, says `ask-in-production` (production: the owner on call decides)"
    );
    case.event.account = cloudtrail::AccountId::parse("777788889999").unwrap();
    let decision = policies.decide(&case.request());
    assert_eq!((decision.verdict.name(), decision.limits.len()), ("enforce", 1));
    case.event.account = cloudtrail::AccountId::parse("444455556666").unwrap();
    assert_eq!(policies.decide(&case.request()).because(), "forbidden by `lab-migration` (CHG-1234)");
}
