//! How the story looks on a terminal, and to a program.

use std::io;

use policy::{Effect, Per, Policies, Rule};
use serde_json::{Value, json};
use stage::{Account, Deployment};

use super::scene::REGION;
use crate::output::{Output, Tone};

/// Tells the story. A program hears only what became of each step.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    out: &'a mut Output,
    step: usize,
}

impl<'a> Teller<'a> {
    pub(super) fn new(out: &'a mut Output) -> Self {
        Self { out, step: 0 }
    }

    /// The number of the step that is being told.
    pub(super) fn current_step(&self) -> usize {
        self.step
    }

    pub(super) fn title(&mut self, text: &str) -> io::Result<()> {
        if self.out.is_json() {
            return Ok(());
        }
        self.out.gap()?;
        self.out.line([Tone::Strong.of(text)])?;
        self.out.gap()
    }

    pub(super) fn act(&mut self, text: &str) -> io::Result<()> {
        if self.out.is_json() {
            return Ok(());
        }
        self.out.gap()?;
        self.out.line([Tone::Strong.of(text)])
    }

    /// Tells on standard error what takes its time.
    pub(super) fn waiting(&mut self, text: &str) -> io::Result<()> {
        self.out.note([Tone::Faint.of(format!("  {text} …"))])
    }

    pub(super) fn setting(
        &mut self,
        account: &Account,
        deployment: &Deployment,
        policies: &Policies,
    ) -> io::Result<()> {
        let address = account.emulator().address();
        self.facts("account", &[format!("{} in {REGION}, emulated on {address}", stage::ACCOUNT)])?;
        let functions = deployment.deployed().iter().map(|deployed| {
            format!("{:<22} ready {} ms after its start", deployed.name, deployed.function.ready_after().as_millis())
        });
        self.facts("functions", &functions.collect::<Vec<_>>())?;
        self.facts("policies", &policies.rules().iter().map(in_words).collect::<Vec<_>>())
    }

    pub(super) fn begin_step(&mut self, text: &str) -> io::Result<()> {
        self.step += 1;
        if self.out.is_json() {
            return Ok(());
        }
        self.out.gap()?;
        self.out.line([Tone::Strong.of(format!("{}  {text}", self.step))])
    }

    pub(super) fn fact(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.facts(name, &[text.to_owned()])
    }

    pub(super) fn facts(&mut self, name: &str, texts: &[String]) -> io::Result<()> {
        if self.out.is_json() {
            return Ok(());
        }
        self.out.fields(name, texts.iter().map(|text| Tone::Plain.of(text.as_str())))
    }

    /// Who, what was decided and why, and what was changed, as the function answered.
    pub(super) fn outcome(&mut self, outcome: &Value) -> io::Result<()> {
        if self.out.is_json() {
            return self.out.object(&json!({ "step": self.step, "outcome": outcome }));
        }
        let text = |name: &str| outcome.get(name).and_then(Value::as_str).unwrap_or_default();
        self.fact("who", text("actor"))?;
        self.fact("decided", &format!("{}: {}", text("verdict"), text("because")))?;
        let changes = outcome.get("changes").and_then(Value::as_array);
        let did = changes.into_iter().flatten().filter_map(|change| change.get("did")?.as_str());
        self.facts("changed", &did.map(str::to_owned).collect::<Vec<_>>())?;
        self.fact("incident", text("incident"))
    }

    /// Ends a step as told.
    pub(super) fn as_told(&mut self, text: &str) -> io::Result<()> {
        if self.out.is_json() {
            return self.out.object(&json!({ "step": self.step, "as_told": text }));
        }
        self.out.line([Tone::Good.of(format!("  ✓ {text}"))])
    }
}

fn in_words(rule: &Rule) -> String {
    let effect = match rule.effect {
        Effect::Permit => "permit",
        Effect::Forbid => "forbid",
    };
    let limit = rule.limit.as_ref().map(|limit| {
        let per = match limit.per {
            Per::Everything => "",
            Per::Principal => " per principal",
            Per::Account => " per account",
        };
        format!(", at most {} in {} min{per}", limit.count, limit.window.as_secs() / 60)
    });
    let reason = rule.reason.as_ref().map(|reason| format!(": {reason}"));
    format!("{effect} {}{}{}", rule.id, limit.unwrap_or_default(), reason.unwrap_or_default())
}
