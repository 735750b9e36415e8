//! An attack on an emulated account, and what becomes of it: real calls, real function binaries, real policies.

mod attack;
mod scene;
mod story;
mod tell;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use policy::{Policies, PolicyError, Source};
use stage::pattern::PatternError;
use stage::{Account, DeployError, Deployment, StageError};

use self::scene::Scene;
use self::tell::Teller;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// The policies of the demo, as a user would write them.
const POLICIES: &str = include_str!("policies.cedar");

/// How the demo is run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The checkout whose functions are built and run
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."), hide_default_value = true)]
    checkout: PathBuf,
}

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("step {step} is not as told: it should be that {expected}; found: {found}")]
    NotAsTold { step: usize, expected: &'static str, found: String },
    #[error("`{}` is no checkout of the project", .0.display())]
    NoCheckout(PathBuf),
    #[error("the stage could not be set")]
    Stage(#[from] StageError),
    #[error("the functions could not be started")]
    Deploy(#[from] DeployError),
    #[error("a deployed pattern cannot be matched")]
    Pattern(#[from] PatternError),
    #[error("the demo's policies do not load")]
    Policies(#[from] PolicyError),
    #[error("could not {act}")]
    Io { act: &'static str, source: io::Error },
    #[error("`{call}` failed")]
    Call { call: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// Plays the demo. Fails if any step is not as told.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    match runtime.block_on(stage_it(&args.checkout, &mut Teller::new(out))) {
        Ok(()) => Ok(Exit::Done),
        Err(DemoError::Output(error)) => Err(error.into()),
        Err(error) => {
            let help = "the demo needs a checkout of the project (--checkout), cargo, Python 3.11 and, the first time, the network";
            out.error(&error, Some(help))?;
            Ok(Exit::Failed)
        }
    }
}

async fn stage_it(checkout: &Path, tell: &mut Teller<'_>) -> Result<(), DemoError> {
    if !checkout.join("functions").is_dir() {
        return Err(DemoError::NoCheckout(checkout.to_owned()));
    }
    tell.title("Countermand: an attack on an emulated AWS account, and what becomes of it")?;
    tell.waiting("building the functions (the first time takes minutes: the AWS SDK is large)")?;
    let binaries = stage::binaries(checkout).await?;
    tell.waiting("starting the emulator (the first time it is installed)")?;
    let account = Account::open().await?;
    let folder = PolicyFolder::write()?;
    let policies = Policies::parse(vec![Source { name: "policies.cedar".into(), text: POLICIES.into() }])?;

    let scene = Scene::set(&account).await?;
    let environment: Vec<(&str, OsString)> = scene.function_environment(&folder.0);
    let deployment = Deployment::start(checkout, &binaries, &environment).await?;
    tell.setting(&account, &deployment, &policies)?;
    story::play(tell, &scene, &deployment, &binaries).await?;
    Ok(())
}

/// A folder with the demo's policies that goes when the demo does.
struct PolicyFolder(PathBuf);

impl PolicyFolder {
    fn write() -> Result<Self, DemoError> {
        let io = |source| DemoError::Io { act: "write the demo's policies", source };
        let folder = Self(std::env::temp_dir().join(format!("countermand-demo-{}", std::process::id())));
        std::fs::create_dir_all(&folder.0).map_err(io)?;
        std::fs::write(folder.0.join("policies.cedar"), POLICIES).map_err(io)?;
        Ok(folder)
    }
}

impl Drop for PolicyFolder {
    fn drop(&mut self) {
        // A temporary folder that stays behind harms nobody, and there is nobody left to tell.
        let _stays = std::fs::remove_dir_all(&self.0);
    }
}
