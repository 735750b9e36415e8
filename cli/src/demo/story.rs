//! The steps of the story, and what must be true after each.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use stage::Deployment;

use super::scene::{REGION, Scene, TABLE, failed, permission};
use super::tell::Teller;
use super::{DemoError, attack};

/// What the functions made of an event.
pub(super) struct Reaction {
    pub(super) outcome: Value,
    pub(super) took: Duration,
}

impl Reaction {
    pub(super) fn status(&self) -> &str {
        self.outcome.get("status").and_then(Value::as_str).unwrap_or("no finding")
    }

    fn incident(&self) -> &str {
        self.outcome.get("incident").and_then(Value::as_str).unwrap_or_default()
    }
}

/// One telling.
pub(super) struct Play<'a, 'b> {
    pub(super) tell: &'a mut Teller<'b>,
    pub(super) scene: &'a Scene<'a>,
    deployment: &'a Deployment,
    binaries: &'a Path,
}

/// Plays all steps.
pub(super) async fn play(
    tell: &mut Teller<'_>,
    scene: &Scene<'_>,
    deployment: &Deployment,
    binaries: &Path,
) -> Result<(), DemoError> {
    let began = Instant::now();
    let mut play = Play { tell, scene, deployment, binaries };
    let (incident, event) = play.opens_ssh_in_halves().await?;
    play.is_delivered_again(&event).await?;
    play.makes_a_key_for_somebody_else().await?;
    play.opens_ssh_with_break_glass().await?;
    play.takes_the_first_one_back(&incident, &event).await?;
    attack::play(&mut play).await?;
    let steps = play.tell.current_step();
    let seconds = began.elapsed().as_secs_f32();
    Ok(tell.title(&format!("All as told: {steps} steps in {seconds:.1} s. No AWS account was touched."))?)
}

impl Play<'_, '_> {
    async fn opens_ssh_in_halves(&mut self) -> Result<(String, Value), DemoError> {
        self.tell.begin_step("Mallory opens SSH to everybody, in two halves so that no rule says 0.0.0.0/0")?;
        self.open_ssh(&self.scene.mallory, &[("0.0.0.0/1", "temporary"), ("128.0.0.0/1", "temporary")]).await?;
        self.tell.facts("before", &self.scene.rules().await?)?;
        let (event, reaction) = self.react().await?;
        self.tell.outcome(&reaction.outcome)?;
        let rules = self.scene.rules().await?;
        self.tell.facts("now", &rules)?;
        self.must("the two halves are gone and the other rules stay", rules.len() == 2, &rules.join(", "))?;
        self.must("the incident is contained", reaction.status() == "contained", reaction.status())?;
        self.tell.as_told(&format!("contained {} ms after the event arrived", reaction.took.as_millis()))?;
        Ok((reaction.incident().to_owned(), event))
    }

    async fn is_delivered_again(&mut self, event: &Value) -> Result<(), DemoError> {
        self.tell.begin_step("EventBridge delivers the same event once more")?;
        let before = self.scene.rules().await?;
        let reaction = self.deliver(event).await?;
        self.must("it is a duplicate", reaction.status() == "duplicate", reaction.status())?;
        self.must("nothing changed", self.scene.rules().await? == before, "the rules changed")?;
        self.tell.as_told("duplicate: one finding, one effect")?;
        Ok(())
    }

    async fn makes_a_key_for_somebody_else(&mut self) -> Result<(), DemoError> {
        self.tell.begin_step("Mallory makes an access key for alice, to come back with")?;
        let iam = aws_sdk_iam::Client::new(&self.scene.mallory);
        iam.create_access_key().user_name("alice").send().await.map_err(failed("CreateAccessKey"))?;
        let (_, reaction) = self.react().await?;
        self.tell.outcome(&reaction.outcome)?;
        let keys = self.scene.keys("alice").await?;
        self.tell.facts("now", &keys.iter().map(|(id, status)| format!("{id} {status}")).collect::<Vec<_>>())?;
        let inactive = keys.len() == 1 && keys.iter().all(|(_, status)| status == "Inactive");
        self.must("the key is inactive", inactive, &format!("{keys:?}"))?;
        self.must("the incident is contained", reaction.status() == "contained", reaction.status())?;
        self.tell.as_told(&format!("contained {} ms after the event arrived", reaction.took.as_millis()))?;
        Ok(())
    }

    async fn opens_ssh_with_break_glass(&mut self) -> Result<(), DemoError> {
        self.tell.begin_step("Omar, on call with the break-glass role, opens SSH to everybody")?;
        self.open_ssh(&self.scene.break_glass, &[("0.0.0.0/0", "INC-4711")]).await?;
        let (_, reaction) = self.react().await?;
        self.tell.outcome(&reaction.outcome)?;
        let rules = self.scene.rules().await?;
        self.tell.facts("now", &rules)?;
        self.must("it is exempt", reaction.status() == "exempt", reaction.status())?;
        self.must("the rule stays", rules.iter().any(|rule| rule.contains("INC-4711")), &rules.join(", "))?;
        self.tell.as_told("exempt, and recorded with its reason")?;
        Ok(())
    }

    async fn takes_the_first_one_back(&mut self, incident: &str, event: &Value) -> Result<(), DemoError> {
        self.tell
            .begin_step("Olivia finds that the halves were wanted after all, and takes the first incident back")?;
        self.tell.fact("runs", &format!("countermand incidents undo {incident}"))?;
        let said = self.countermand(&["incidents", "undo", incident, "--yes", "--table", TABLE]).await?;
        self.tell.facts("says", &said)?;
        let rules = self.scene.rules().await?;
        self.tell.facts("now", &rules)?;
        let back = rules.iter().filter(|rule| rule.contains("temporary")).count();
        self.must("both halves are back, with their descriptions", back == 2, &rules.join(", "))?;

        // The undo's own calls are events too, and what they open is just what the responder closes.
        for event in self.scene.account.events() {
            let reaction = self.deliver(&event).await?;
            self.must("the undo is not undone", reaction.status() == "exempt", reaction.status())?;
        }
        let reaction = self.deliver(event).await?;
        self.must("a late redelivery is a duplicate", reaction.status() == "duplicate", reaction.status())?;
        self.must("the rules stay", self.scene.rules().await? == rules, "the rules changed")?;
        self.tell.as_told("undone; neither the undo's own events nor a late redelivery do it again")?;
        Ok(())
    }

    pub(super) fn must(&self, expected: &'static str, is_so: bool, found: &str) -> Result<(), DemoError> {
        if is_so {
            return Ok(());
        }
        Err(DemoError::NotAsTold { step: self.tell.current_step(), expected, found: found.to_owned() })
    }

    async fn open_ssh(&self, who: &aws_config::SdkConfig, sources: &[(&str, &str)]) -> Result<(), DemoError> {
        let ec2 = aws_sdk_ec2::Client::new(who);
        let call = ec2.authorize_security_group_ingress().group_id(&self.scene.web);
        let call = call.ip_permissions(permission(22, sources)).send().await;
        call.map(|_| ()).map_err(failed("AuthorizeSecurityGroupIngress"))
    }

    /// Takes the event of the last call through the deployed rules to the functions.
    pub(super) async fn react(&self) -> Result<(Value, Reaction), DemoError> {
        let events = self.scene.account.events();
        let found = events.len().to_string();
        let mut events = events.into_iter();
        let (Some(event), None) = (events.next(), events.next()) else {
            return Err(DemoError::NotAsTold {
                step: self.tell.current_step(),
                expected: "one call made one event",
                found,
            });
        };
        let reaction = self.deliver(&event).await?;
        Ok((event, reaction))
    }

    /// Delivers an event, and then the events of the function's own calls, which must not lead to anything.
    pub(super) async fn deliver(&self, event: &Value) -> Result<Reaction, DemoError> {
        let mut reactions = Vec::new();
        for delivery in self.deployment.deliver(event).await? {
            let answer = delivery.answer.map_err(failed("Invoke"))?;
            let outcome = answer.body.pointer("/outcomes/0").cloned();
            reactions.extend(outcome.map(|outcome| Reaction { outcome, took: answer.took }));
        }
        let found = format!("{} findings", reactions.len());
        let (Some(reaction), true) = (reactions.pop(), reactions.is_empty()) else {
            let expected = "one function finds something in the event";
            return Err(DemoError::NotAsTold { step: self.tell.current_step(), expected, found });
        };
        for event in self.scene.account.events() {
            for delivery in self.deployment.deliver(&event).await? {
                let answer = delivery.answer.map_err(failed("Invoke"))?;
                let is_ignored = answer.body.pointer("/outcomes/0").is_none();
                self.must("a function's own calls are no findings", is_ignored, &answer.body.to_string())?;
            }
        }
        Ok(reaction)
    }

    /// Runs the CLI as the operator: the one built with the functions, since this one may have been replaced meanwhile.
    pub(super) async fn countermand(&self, arguments: &[&str]) -> Result<Vec<String>, DemoError> {
        let io = |source| DemoError::Io { act: "run `countermand`", source };
        let output = tokio::process::Command::new(self.binaries.join("countermand"))
            .args(arguments)
            .envs(self.scene.account.environment_of(self.scene.operator.clone(), REGION))
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(io)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>();
        self.must("the command succeeds", output.status.success(), &text(&output.stderr).join("; "))?;
        Ok(text(&output.stdout))
    }
}
