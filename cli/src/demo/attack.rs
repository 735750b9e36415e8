//! The second act: one attacker, five steps, five functions.

use aws_sdk_ec2::types::{OperationType, SnapshotAttributeName};
use serde_json::json;
use stage::trail::put_bucket_policy;

use super::DemoError;
use super::scene::{PAYROLL, REGION, TABLE, TRAIL, failed};
use super::story::{Play, Reaction};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Plays all five, and shows them as an operator sees them afterwards.
pub(super) async fn play(play: &mut Play<'_, '_>) -> Result<(), DemoError> {
    play.tell.act("Second act: Mallory means it. Every step is taken back before the next one")?;
    play.makes_a_key_for_bob().await?;
    play.makes_bob_an_administrator().await?;
    play.stops_the_trail().await?;
    play.shares_the_snapshot().await?;
    play.opens_the_bucket().await?;
    play.is_seen_whole().await
}

impl Play<'_, '_> {
    async fn makes_a_key_for_bob(&mut self) -> Result<(), DemoError> {
        self.tell.begin_step("She makes herself a key that looks like bob's")?;
        let iam = aws_sdk_iam::Client::new(&self.scene.mallory);
        iam.create_access_key().user_name("bob").send().await.map_err(failed("CreateAccessKey"))?;
        let (_, reaction) = self.react().await?;
        let keys = self.scene.keys("bob").await?;
        let inactive = keys.iter().all(|(_, status)| status == "Inactive");
        self.is_contained(&reaction, "the key is inactive", inactive)
    }

    async fn makes_bob_an_administrator(&mut self) -> Result<(), DemoError> {
        self.tell.begin_step("She attaches AdministratorAccess to bob")?;
        let iam = aws_sdk_iam::Client::new(&self.scene.mallory);
        let attach = iam.attach_user_policy().user_name("bob").policy_arn(ADMINISTRATOR);
        attach.send().await.map_err(failed("AttachUserPolicy"))?;
        let (_, reaction) = self.react().await?;
        let iam = aws_sdk_iam::Client::new(&self.scene.observer);
        let attached = iam.list_attached_user_policies().user_name("bob").send().await;
        let attached = attached.map_err(failed("ListAttachedUserPolicies"))?;
        self.is_contained(&reaction, "bob has no policy", attached.attached_policies().is_empty())
    }

    async fn stops_the_trail(&mut self) -> Result<(), DemoError> {
        self.tell.begin_step("She stops the account's trail, to work unseen")?;
        let trails = aws_sdk_cloudtrail::Client::new(&self.scene.mallory);
        trails.stop_logging().name(TRAIL).send().await.map_err(failed("StopLogging"))?;
        let (_, reaction) = self.react().await?;
        let trails = aws_sdk_cloudtrail::Client::new(&self.scene.observer);
        let status = trails.get_trail_status().name(TRAIL).send().await.map_err(failed("GetTrailStatus"))?;
        self.is_contained(&reaction, "the trail logs", status.is_logging() == Some(true))
    }

    async fn shares_the_snapshot(&mut self) -> Result<(), DemoError> {
        self.tell.begin_step("She shares the snapshot of the orders' disk with her own account")?;
        let ec2 = aws_sdk_ec2::Client::new(&self.scene.mallory);
        ec2.modify_snapshot_attribute()
            .snapshot_id(&self.scene.snapshot)
            .attribute(SnapshotAttributeName::CreateVolumePermission)
            .operation_type(OperationType::Add)
            .user_ids("999988887777")
            .send()
            .await
            .map_err(failed("ModifySnapshotAttribute"))?;
        let (_, reaction) = self.react().await?;
        let ec2 = aws_sdk_ec2::Client::new(&self.scene.observer);
        let shared = ec2.describe_snapshot_attribute().snapshot_id(&self.scene.snapshot);
        let shared = shared.attribute(SnapshotAttributeName::CreateVolumePermission).send().await;
        let shared = shared.map_err(failed("DescribeSnapshotAttribute"))?;
        self.is_contained(&reaction, "nobody else may use it", shared.create_volume_permissions().is_empty())
    }

    async fn opens_the_bucket(&mut self) -> Result<(), DemoError> {
        self.tell.begin_step("She lets everybody read the payroll bucket, beside the statement that is there")?;
        let ours = json!({
            "Sid": "Auditors", "Effect": "Allow", "Action": "s3:GetObject",
            "Principal": { "AWS": format!("arn:aws:iam::{}:role/auditor", stage::ACCOUNT) },
            "Resource": format!("arn:aws:s3:::{PAYROLL}/*")
        });
        let hers = json!({
            "Sid": "Backup", "Effect": "Allow", "Action": "s3:GetObject", "Principal": "*",
            "Resource": format!("arn:aws:s3:::{PAYROLL}/*")
        });
        let policy = json!({ "Version": "2012-10-17", "Statement": [ours, hers] });
        let s3 = aws_sdk_s3::Client::new(&self.scene.mallory);
        let put = s3.put_bucket_policy().bucket(PAYROLL).policy(policy.to_string());
        put.send().await.map_err(failed("PutBucketPolicy"))?;
        self.scene.account.events();
        let reaction = self.deliver(&put_bucket_policy(&self.scene.attacker, REGION, PAYROLL, &policy)).await?;
        let s3 = aws_sdk_s3::Client::new(&self.scene.observer);
        let policy = s3.get_bucket_policy().bucket(PAYROLL).send().await.map_err(failed("GetBucketPolicy"))?;
        let policy = policy.policy.unwrap_or_default();
        let is_safe = policy.contains("Auditors") && !policy.contains("Backup");
        self.is_contained(&reaction, "her statement is gone and the other one stays", is_safe)
    }

    async fn is_seen_whole(&mut self) -> Result<(), DemoError> {
        self.tell.begin_step("Olivia asks what Mallory did")?;
        let asked = ["incidents", "list", "--actor", "mallory", "--table", TABLE];
        self.tell.fact("runs", &format!("countermand {}", asked[..4].join(" ")))?;
        let said = self.countermand(&asked).await?;
        self.tell.facts("says", &said)?;
        let named = ["disable-access-key", "detach-admin-policy", "restart-trail", "unshare-snapshot", "block-bucket"];
        let all = named.iter().all(|name| said.iter().any(|line| line.contains(name)));
        self.must("all five are there", all, &said.join("; "))?;
        self.tell.as_told(
            "one actor, one timeline; `countermand incidents undo --actor mallory` would take all of it back",
        )?;
        Ok(())
    }

    fn is_contained(&mut self, reaction: &Reaction, safe: &'static str, is_safe: bool) -> Result<(), DemoError> {
        self.tell.outcome(&reaction.outcome)?;
        self.must("the incident is contained", reaction.status() == "contained", &reaction.outcome.to_string())?;
        self.must(safe, is_safe, "it is not so")?;
        Ok(self.tell.as_told(&format!("contained {} ms after the event arrived: {safe}", reaction.took.as_millis()))?)
    }
}
