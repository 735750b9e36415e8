//! One responder, one folder: the same files in each, and one name everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;
use serde_json::Value;

use crate::generated::{read, root};

/// A responder's folder, read as data.
#[derive(Debug)]
pub(crate) struct Folder {
    /// For example `revoke-open-ingress`.
    pub(crate) name: String,
}

/// One entry of `permissions.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Permission {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) by: By,
}

impl Permission {
    /// Whether it is for looking only.
    pub(crate) fn looks(&self) -> bool {
        let operation = self.action.split_once(':').map_or("", |(_, operation)| operation);
        ["Get", "List", "Describe", "Lookup"].iter().any(|verb| operation.starts_with(verb))
    }
}

/// One entry of `controls.json`: a control that the responder supports.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    framework: String,
    #[serde(rename = "control")]
    id: String,
    why: String,
    source: String,
}

/// The frameworks that reports map to.
const FRAMEWORKS: [&str; 5] = [
    "AWS Foundational Security Best Practices v1.0.0",
    "CIS AWS Foundations Benchmark v3.0.0",
    "CIS AWS Foundations Benchmark v5.0.0",
    "NIST SP 800-53 Rev. 5",
    "PCI DSS v4.0",
];

/// Whose permission it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    #[default]
    Function,
    /// Whoever runs `countermand incidents undo`.
    Operator,
    /// Whoever runs `countermand baseline capture`.
    Baseline,
}

/// One EventBridge rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// For example `pattern.json` or `pattern.findings.json`.
    pub(crate) file: String,
    pub(crate) scope: Scope,
}

/// Where a rule's events arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In the region they are about.
    Regional,
    /// In one region of the partition.
    Global,
}

impl Rule {
    /// `findings` for `pattern.findings.json`, nothing for `pattern.json`.
    pub(crate) fn name(&self) -> Option<&str> {
        self.file.strip_prefix("pattern.")?.strip_suffix(".json")
    }
}

impl Folder {
    /// Every folder under `functions/`, by name.
    pub(crate) fn all() -> Vec<Self> {
        let mut names: Vec<String> = fs::read_dir(root().join("functions"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names.into_iter().map(|name| Self { name }).collect()
    }

    /// A file's path from the repository's own folder.
    pub(crate) fn path(&self, file: &str) -> String {
        format!("functions/{}/{file}", self.name)
    }

    pub(crate) fn read(&self, file: &str) -> String {
        read(&self.path(file))
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, file: &str) -> T {
        serde_json::from_str(&self.read(file)).unwrap_or_else(|error| panic!("`{}`: {error}", self.path(file)))
    }

    /// The names of what lies in one of its folders, `.` being its own.
    pub(crate) fn list(&self, folder: &str) -> BTreeSet<String> {
        let path = self.path(folder);
        fs::read_dir(root().join(&path))
            .unwrap_or_else(|error| panic!("cannot list `{path}`: {error}"))
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// `RevokeOpenIngress`: the type, and the logical id in the template.
    pub(crate) fn type_name(&self) -> String {
        pascal_case(&self.name)
    }

    pub(crate) fn permissions(&self, by: By) -> Vec<Permission> {
        let all: Vec<Permission> = self.json("permissions.json");
        all.into_iter().filter(|permission| permission.by == by).collect()
    }

    /// The rules, as `[package.metadata.function.rules]` names them.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let manifest = self.read("Cargo.toml");
        table(&manifest, "package.metadata.function.rules")
            .map(|line| {
                let (file, scope) = line.split_once('=').unwrap();
                let scope = match scope.trim() {
                    "\"regional\"" => Scope::Regional,
                    "\"global\"" => Scope::Global,
                    other => panic!("`{}`: a rule is \"regional\" or \"global\", not {other}", self.path("Cargo.toml")),
                };
                Rule { file: file.trim().trim_matches('"').to_owned(), scope }
            })
            .collect()
    }

    /// The events of `match` or `ignore`, by file name.
    pub(crate) fn events(&self, kind: &str) -> Vec<(String, Value)> {
        let folder = format!("events/{kind}");
        self.list(&folder).into_iter().map(|file| (file.clone(), self.json(&format!("{folder}/{file}")))).collect()
    }

    /// The text of the README under a heading.
    pub(crate) fn section(&self, heading: &str) -> String {
        let readme = self.read("README.md");
        let body = readme
            .lines()
            .skip_while(|line| line.strip_prefix("## ") != Some(heading))
            .skip(1)
            .take_while(|line| !line.starts_with("## "))
            .collect::<Vec<_>>()
            .join("\n");
        let body = body.trim();
        assert!(!body.is_empty(), "`{}` says nothing under `## {heading}`", self.path("README.md"));
        body.to_owned()
    }
}

/// The lines of a TOML table that say something.
pub(crate) fn table<'a>(manifest: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let head = format!("[{name}]");
    manifest
        .lines()
        .skip_while(move |line| *line != head)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

pub(crate) fn pascal_case(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}

#[test]
fn folders_hold_the_same_files() {
    for folder in Folder::all() {
        let rules: BTreeSet<String> = folder.rules().into_iter().map(|rule| rule.file).collect();
        assert!(rules.contains("pattern.json"), "`{}` deploys no pattern.json", folder.path("Cargo.toml"));

        let mut expected = rules;
        let each = [
            "Cargo.toml",
            "README.md",
            "controls.json",
            "events",
            "permissions.json",
            "schema.cedarschema",
            "src",
            "techniques.json",
        ];
        expected.extend(each.map(str::to_owned));
        assert_eq!(folder.list("."), expected, "files of functions/{}", folder.name);

        let sources = folder.list("src");
        for source in ["lib.rs", "main.rs", "aws.rs", "tests.rs"] {
            assert!(sources.contains(source), "`{}` is missing", folder.path(&format!("src/{source}")));
        }
        for kind in ["match", "ignore"] {
            assert!(!folder.events(kind).is_empty(), "functions/{} has no events/{kind}", folder.name);
        }
    }
}

#[test]
fn one_name_everywhere() {
    for folder in Folder::all() {
        let Folder { name } = &folder;
        let verb_object = name.contains('-') && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(verb_object, "`{name}` is not a verb and its object");

        let manifest = folder.read("Cargo.toml");
        let line = format!("name = \"{name}\"");
        assert!(table(&manifest, "package").any(|l| l == line), "package of functions/{name}");
        let binaries: Vec<_> = table(&manifest, "[bin]").filter(|l| l.starts_with("name")).collect();
        assert_eq!(binaries, [line], "binary of functions/{name}");

        let schema = folder.read("schema.cedarschema");
        let actions: Vec<_> = schema.lines().filter_map(|l| l.trim().strip_prefix("action ")).collect();
        assert_eq!(actions.len(), 1, "functions/{name} has one action");
        assert!(actions[0].starts_with(&format!("\"{name}\"")), "action of functions/{name}: {}", actions[0]);

        let title = folder.read("README.md").lines().next().unwrap_or_default().to_owned();
        assert_eq!(title, format!("# {name}"), "title of functions/{name}/README.md");
    }
}

#[test]
fn every_permission_says_why() {
    for folder in Folder::all() {
        for permission in [By::Function, By::Operator, By::Baseline].into_iter().flat_map(|by| folder.permissions(by)) {
            let Permission { action, resource, why, by } = &permission;
            let sentence = why.starts_with(char::is_uppercase) && why.ends_with('.') && why.contains(' ');
            assert!(sentence, "functions/{}: the why of {action} is no sentence: {why:?}", folder.name);
            let purpose = ["Undo:", "Baseline:"].into_iter().find(|purpose| why.starts_with(purpose));
            let expected = match by {
                By::Function => None,
                By::Operator => Some("Undo:"),
                By::Baseline => Some("Baseline:"),
            };
            assert_eq!(purpose, expected, "functions/{}: {action} is for whom?", folder.name);
            let (service, operation) = action.split_once(':').unwrap();
            assert!(!operation.contains('*'), "functions/{}: {action} is more than one action", folder.name);
            let filled = resource.replace("${Partition}", "aws").replace("${Region}", "r").replace("${Account}", "a");
            let named = filled.starts_with(&format!("arn:aws:{service}:")) && !filled.contains("${");
            assert!(resource == "*" || named, "functions/{}: {resource} is no resource of {action}", folder.name);
        }
    }
}

#[test]
fn every_control_says_why_and_who_says_so() {
    for folder in Folder::all() {
        let controls: Vec<Control> = folder.json("controls.json");
        let mut named = BTreeSet::new();
        for Control { framework, id, why, source } in &controls {
            assert!(
                FRAMEWORKS.contains(&framework.as_str()),
                "functions/{}: which framework is {framework}?",
                folder.name
            );
            let sentence = why.starts_with(char::is_uppercase) && why.ends_with('.') && why.contains(' ');
            assert!(sentence, "functions/{}: the why of {framework} {id} is no sentence: {why:?}", folder.name);
            assert!(source.contains(' '), "functions/{}: who says so of {framework} {id}?", folder.name);
            assert!(named.insert((framework, id)), "functions/{}: {framework} {id} twice", folder.name);
        }
        assert!(!controls.is_empty(), "`{}` names no control", folder.path("controls.json"));
    }
}

#[test]
fn techniques_are_named_as_their_catalogues_name_them() {
    for folder in Folder::all() {
        let techniques: BTreeMap<String, BTreeMap<String, String>> = folder.json("techniques.json");
        for (catalogue, techniques) in &techniques {
            for (id, name) in techniques {
                let is_id = match catalogue.as_str() {
                    "MITRE ATT&CK" => id.strip_prefix('T').is_some_and(|number| number.parse::<f64>().is_ok()),
                    "Stratus Red Team" => id.starts_with("aws.") && id.split('.').count() == 3,
                    _ => false,
                };
                assert!(is_id, "functions/{}: {catalogue} has no {id}", folder.name);
                assert!(name.starts_with(char::is_uppercase) && !name.ends_with('.'), "{id}: {name}");
            }
        }
        assert!(techniques.contains_key("MITRE ATT&CK"), "functions/{} answers no technique", folder.name);
    }
}

#[test]
fn readmes_answer_the_same_questions() {
    for folder in Folder::all() {
        let readme = folder.read("README.md");
        let headings: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(
            headings,
            ["When", "Does", "Undo", "Does not", "Permissions"],
            "functions/{}/README.md",
            folder.name
        );
        for heading in &headings[..4] {
            folder.section(heading); // the permissions are generated
        }
    }
}
