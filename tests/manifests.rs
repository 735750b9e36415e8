//! Who may depend on what.

use std::fs;
use std::path::{Path, PathBuf};

use crate::folders::table;
use crate::generated::{read, root};

const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Every file below `folder` that has this extension, as paths from the repository's own folder.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
            if kind.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(from_root(&path));
            }
        }
    }
    found.sort();
    found
}

fn from_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

/// The manifests of the members, by the globs of the root manifest.
fn members() -> Vec<String> {
    let mut folders: Vec<PathBuf> = ["cli", "tests", "benches"].map(|folder| root().join(folder)).to_vec();
    for group in ["functions", "shared"] {
        folders.extend(fs::read_dir(root().join(group)).unwrap().map(|entry| entry.unwrap().path()));
    }
    folders
        .iter()
        .map(|folder| folder.join("Cargo.toml"))
        .filter(|path| path.exists())
        .map(|path| from_root(&path))
        .collect()
}

fn dependencies(manifest: &str) -> Vec<String> {
    DEPENDENCIES.iter().flat_map(|name| table(manifest, name).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn only_adapters_name_an_aws_sdk() {
    for file in files("functions", "rs").into_iter().chain(files("shared", "rs")) {
        let adapter = file.starts_with("shared/lambda/")
            || file.starts_with("functions/")
                && (file.contains("/src/aws/") || file.ends_with("/src/aws.rs") || file.ends_with("/src/main.rs"));
        let named = read(&file).lines().any(|line| line.contains("aws_sdk_") && !line.trim_start().starts_with("//"));
        assert!(adapter || !named, "`{file}` names an AWS SDK: only shared/lambda and src/aws.rs may");
    }
}

#[test]
fn a_responder_without_its_feature_has_no_sdk() {
    for manifest in members() {
        for line in dependencies(&read(&manifest)).iter().filter(|line| line.starts_with("aws-")) {
            let by_feature = manifest.starts_with("functions/") && line.contains("optional = true");
            let at_home =
                ["shared/lambda/", "shared/stage/", "cli/", "tests/"].iter().any(|home| manifest.starts_with(home));
            assert!(by_feature || at_home, "`{manifest}`: {line}");
        }
    }
}

#[test]
fn versions_are_named_in_the_root_manifest_only() {
    for manifest in members() {
        let text = read(&manifest);
        for line in dependencies(&text) {
            let responder = manifest == "cli/Cargo.toml" && line.contains("path = \"../functions/");
            assert!(responder || line.contains("workspace = true"), "`{manifest}`: {line}");
        }
        let elsewhere = text.lines().find(|line| line.starts_with("[target.") || line.starts_with("[dependencies."));
        assert_eq!(elsewhere, None, "`{manifest}` declares dependencies where this test does not look");
    }
}

#[test]
fn nothing_points_outside_the_repository() {
    let mut configuration = members();
    configuration.extend(["Cargo.toml", "CargoLambda.toml", "samconfig.toml", ".cargo/config.toml"].map(str::to_owned));
    for file in configuration {
        let line = read(&file).lines().find(|line| line.contains("\"/") || line.contains("\"~")).map(str::to_owned);
        assert_eq!(line, None, "`{file}` names an absolute path");
    }
}
