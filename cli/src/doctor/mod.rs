//! `countermand doctor`: what keeps Countermand from working in an account, and how to mend it.
//!
//! One module a group of checks. Each looks for itself, so that one that is denied ends no other; none writes.

mod check;
mod clock;
mod documents;
mod enforcement;
mod functions;
mod heartbeat;
mod ledger;
mod members;
mod outward;
mod people;
mod permissions;
mod queues;
mod roles;
mod rules;
mod settings;
mod template;
mod trail;

use std::path::PathBuf;

use aws_config::SdkConfig;
use cloudtrail::{AccountId, Region};
use lambda::call_error;
use remedy::CallError;

use self::check::{Check, CheckResult};
use crate::args::Place;
use crate::deployment::Deployment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::{configuration, operator};
use crate::output::{Output, Stream, Tone};
use crate::records::Record;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The folder with the Cedar policies that you deploy
    #[arg(long, value_name = "DIR", env = "COUNTERMAND_POLICIES", default_value = "policies")]
    policies: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Where is looked.
struct Scene {
    config: SdkConfig,
    account: AccountId,
    region: Region,
    deployment: Deployment,
}

impl Scene {
    /// The ARN of something of this account and region.
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.region.partition(), self.region, self.account)
    }

    /// What a function of the stack is told by this variable, if that is anything.
    async fn variable(&self, function: &str, name: &str) -> Result<Option<String>, CallError> {
        let client = aws_sdk_lambda::Client::new(&self.config);
        let answer = client.get_function_configuration().function_name(function).send().await;
        let answer = answer.map_err(|error| call_error("lambda:GetFunctionConfiguration", error))?;
        let mut variables = answer.environment.and_then(|environment| environment.variables).unwrap_or_default();
        Ok(variables.remove(name).filter(|value| !value.is_empty()))
    }
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    let checks = runtime.block_on(examine(args))?;
    tell(&checks, out)?;
    let failed = checks.iter().any(|check| check.result == CheckResult::Failed);
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

async fn examine(Args { policies, place }: &Args) -> Result<Vec<Check>, Failure> {
    let config = configuration(place.profile.as_deref(), place.region.as_deref()).await?;
    let mut checks = vec![clock::look(&config).await];
    let account = match operator(&config).await {
        Ok(operator) => operator.account,
        Err(failure) => {
            let fix = failure.help().unwrap_or_default();
            checks.push(Check::failed("identity", remedy::in_full(&failure), fix));
            return Ok(checks);
        }
    };
    let region = lambda::region_of(&config);
    let mut scene = Scene { config, account, region, deployment: Deployment::default() };

    checks.extend(trail::look(&scene).await);
    checks.extend(rules::look_for_global(&scene).await);
    checks.push(enforcement::look(policies));
    match Deployment::of(&scene.config, &place.stack).await {
        Ok(deployment) => scene.deployment = deployment,
        Err(error) => {
            checks.push(no_stack(&place.stack, &scene.region, &error));
            return Ok(checks);
        }
    }
    let seen = format!("`{}` in {}: {} resources", place.stack, scene.region, scene.deployment.size());
    checks.push(Check::ok("stack", seen));
    checks.extend(ledger::look(&scene).await);
    checks.extend(people::look(&scene).await);
    checks.extend(outward::look(&scene).await);
    checks.extend(queues::look(&scene).await);
    checks.extend(functions::look(&scene).await);
    checks.extend(heartbeat::look(&scene).await);
    checks.extend(members::look(&scene, policies).await);
    Ok(checks)
}

fn no_stack(stack: &str, region: &Region, error: &CallError) -> Check {
    let unknown = Check::unknown("stack", error);
    if error.kind == remedy::CallErrorKind::Denied {
        return unknown;
    }
    let fix =
        format!("`sam deploy --stack-name {stack} --region {region}`, or name your stack with --stack and --region");
    Check { fix: Some(fix), ..unknown }
}

fn tell(checks: &[Check], out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(checks.iter().try_for_each(|check| out.object(check))?);
    }
    let word = |result| match result {
        CheckResult::Ok => Tone::Good.of("ok"),
        CheckResult::Warning => Tone::Warning.of("warning"),
        CheckResult::Failed => Tone::Bad.of("failed"),
    };
    let records = checks.iter().map(|check| Record {
        cells: [word(check.result), Tone::Strong.of(check.name.as_str()), check.seen.as_str().into()],
        beneath: check.fix.iter().map(|fix| format!("fix: {fix}").into()).collect(),
    });
    out.records(Stream::Results, ["RESULT", "CHECK", "SEEN"], records.collect())?;
    out.gap()?;
    let count = |result| checks.iter().filter(|check| check.result == result).count();
    let [ok, warnings, failed] = [CheckResult::Ok, CheckResult::Warning, CheckResult::Failed].map(count);
    out.line([Tone::Strong.of(format!("{ok} ok, {warnings} warnings, {failed} failed"))])?;
    Ok(())
}
