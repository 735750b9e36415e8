//! The functions' binaries, built as they are deployed but without optimisation.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::error::StageError;
use crate::surroundings;

static BUILT: OnceCell<PathBuf> = OnceCell::const_new();

/// The folder with the binaries of the workspace at `root`, built now: once a process, however
/// many tests ask. Cargo's progress goes to this process's standard error.
pub async fn binaries(root: &Path) -> Result<PathBuf, StageError> {
    BUILT.get_or_try_init(|| build(root)).await.cloned()
}

async fn build(root: &Path) -> Result<PathBuf, StageError> {
    let cargo = surroundings::cargo();
    let output = Command::new(&cargo)
        .args(["build", "--workspace", "--features", "aws", "--bins", "--message-format", "json-render-diagnostics"])
        .current_dir(root)
        // `cargo test` sets it for us. The build script of `ring` looks at it, and all that is built on TLS would be built
        // anew each time a test follows a build.
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| StageError::Spawn { program: cargo.display().to_string(), source })?;
    if !output.status.success() {
        // Cargo has just told the user why.
        return Err(StageError::Step {
            act: "building the functions",
            status: output.status,
            output: "see above".to_owned(),
        });
    }
    folder(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| StageError::NoBinaries { root: root.to_owned() })
}

/// Cargo says where it puts what it builds, so neither `CARGO_TARGET_DIR` nor a configured target
/// folder or platform has to be guessed at.
fn folder(messages: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok()?.executable)
        .find_map(|executable| Some(executable.parent()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_one_cargo_names() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
{"reason":"build-script-executed","package_id":"x"}
{"reason":"compiler-artifact","executable":"/t/debug/revoke-open-ingress","fresh":true}
{"reason":"build-finished","success":true}"#;
        assert_eq!(folder(messages), Some(PathBuf::from("/t/debug")));
        assert_eq!(folder(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
