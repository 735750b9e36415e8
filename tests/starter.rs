//! The starter sets of policies: one for each appetite, for every responder, and only one of them at a time.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use policy::{Effect, Mode, Policies, Source};

use crate::folders::Folder;
use crate::generated::{read, root};

const SETS: [&str; 3] = ["contain-all", "contain-obvious", "observe"];

fn folder(set: &str) -> PathBuf {
    root().join("policies/starter").join(set)
}

fn text(set: &str) -> String {
    read(&format!("policies/starter/{set}/starter.cedar"))
}

fn names_in(folder: PathBuf) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn each_set_is_a_folder_of_policies_whose_file_takes_the_place_of_any_others() {
    assert_eq!(names_in(root().join("policies/starter")), SETS.map(str::to_owned).into());
    for set in SETS {
        assert_eq!(names_in(folder(set)), ["starter.cedar", "tests"].map(str::to_owned).into(), "{set}");
    }
    // The functions read no folder below theirs, so that none of these is in force before it is copied.
    let deployed = Policies::load(&root().join("policies")).unwrap();
    assert!(deployed.rules().iter().all(|rule| rule.effect == Effect::Forbid), "{:?}", deployed.rules());
}

#[test]
fn each_set_names_every_responder_and_has_an_example_for_it() {
    for set in SETS {
        let tests = folder(set).join("tests");
        let examples: Vec<serde_json::Value> = names_in(tests.clone())
            .iter()
            .map(|name| serde_json::from_str(&fs::read_to_string(tests.join(name)).unwrap()).unwrap())
            .collect();
        for Folder { name } in Folder::all() {
            let named = if set == "observe" { format!("// - {name}: ") } else { format!("Action::\"{name}\"") };
            assert!(text(set).contains(&named), "policies/starter/{set} does not name {name}");
            let has_example = examples.iter().any(|example| example["responder"] == name.as_str());
            assert!(has_example, "policies/starter/{set}/tests has no example for {name}");
        }
    }
}

#[test]
fn what_acts_has_a_limit_and_what_only_observes_permits_nothing() {
    for set in SETS {
        let policies = Policies::load(&folder(set)).unwrap();
        assert_eq!(policies.rules().is_empty(), set == "observe", "{set}");
        for rule in policies.rules() {
            assert_eq!(rule.limit.is_some(), rule.mode == Mode::Enforce, "{set}: {}", rule.id);
        }
    }
}

#[test]
fn two_sets_together_are_refused() {
    let source = |set: &str| Source::new(format!("{set}.cedar"), text(set));
    let error = Policies::parse([source("contain-all"), source("contain-obvious")]).unwrap_err();
    assert!(error.to_string().contains("contain-admin-policies"), "{error}");
}
