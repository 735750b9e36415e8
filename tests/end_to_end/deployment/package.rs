//! What `sam package` does before a deployment: code goes to S3, and the template says where it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::TEMPLATES;
use crate::generated::{read, root};

/// Where the packages are.
pub(super) const BUCKET: &str = "artifacts";

/// The condition of rules for global events, and what makes it true in the test's region. The emulator knows no mapping in a
/// condition.
const GLOBAL: &str = "!Equals [!Ref AWS::Region, !FindInMap [GlobalEvents, !Ref AWS::Partition, Region]]";
const ARRIVE_HERE: &str = "    aws:\n      Region: us-east-1\n";

/// Packages as files, and what they are made of.
#[derive(Debug)]
pub(super) struct Packages {
    folder: PathBuf,
    binaries: PathBuf,
}

impl Drop for Packages {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

impl Packages {
    pub(super) fn new(folder: PathBuf, binaries: PathBuf) -> Self {
        fs::create_dir_all(&folder).unwrap();
        Self { folder, binaries }
    }

    /// template.yaml with the places of its packages, which are made on the way: each key and its file.
    pub(super) fn of_template(&self) -> (String, Vec<(String, PathBuf)>) {
        let mut packages = Vec::new();
        let packaged = |line: &str| {
            let Some((name, uri)) = line.split_once("Uri: ") else { return format!("{line}\n") };
            let uri = uri.trim_end_matches('/');
            let key = format!("{}.zip", uri.replace('/', "-"));
            let file = match name.trim() {
                "Code" => self.function(uri.rsplit('/').next().unwrap()),
                _ => self.layer(),
            };
            packages.push((key.clone(), file));
            format!("{name}Uri: s3://{BUCKET}/{key}\n")
        };
        let text = read(TEMPLATES[0]);
        assert!(
            text.contains(GLOBAL) && text.contains(ARRIVE_HERE),
            "template.yaml says otherwise where global events arrive"
        );
        let text = text.replace(GLOBAL, "!Equals [here, here]");
        let text = text.lines().map(packaged);
        (text.collect(), packages)
    }

    /// A function's package. The emulator keeps packages in memory, and does not unpack layers for a custom runtime: so what
    /// is deployed runs the binary where cargo has put it, and looks for what Lambda has at /opt where `layer` put it.
    fn function(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        let binary = self.binaries.join(if name == "cli" { "countermand" } else { name });
        let bootstrap = folder.join("bootstrap");
        let script = format!(
            "#!/bin/sh\nlayers='{}'\nexport COUNTERMAND_POLICIES=\"$layers$COUNTERMAND_POLICIES\"\nexport \
             COUNTERMAND_SHADOW_POLICIES=\"$layers$COUNTERMAND_SHADOW_POLICIES\"\nexec '{}'\n",
            self.folder.display(),
            binary.display()
        );
        fs::write(&bootstrap, script).unwrap();
        fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755)).unwrap();
        zip(&folder, "bootstrap")
    }

    /// The layer's package: the policies that ship, and the starter set that README.md says to copy beside them; in `next`,
    /// those that are only asked. They are unpacked, too.
    fn layer(&self) -> PathBuf {
        let layer = self.folder.join("opt");
        let policies = layer.join("policies");
        let next = policies.join("next");
        fs::create_dir_all(&next).unwrap();
        let folders = [
            ("layer/policies", &policies),
            ("policies/starter/contain-obvious", &policies),
            ("policies/starter/observe", &next),
        ];
        for (from, to) in folders {
            for entry in fs::read_dir(root().join(from)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "cedar") {
                    fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
                }
            }
        }
        zip(&layer, "policies")
    }
}

/// What is in a folder under this name, as a ZIP file, with the files' permissions.
fn zip(folder: &Path, what: &str) -> PathBuf {
    let file = folder.with_extension("zip");
    let mut zip = Command::new("python3");
    let zip = zip.args(["-m", "zipfile", "-c"]).arg(&file).arg(what).current_dir(folder);
    assert!(zip.status().unwrap().success(), "{zip:?}");
    file
}
