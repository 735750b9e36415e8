//! Amazon EC2 as this responder sees it.

use std::collections::BTreeSet;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::types::{Image, ImageAttributeName, LaunchPermission, LaunchPermissionModifications, PermissionGroup};
use aws_types::SdkConfig;
use futures_util::future::join;
use lambda::{Connect, call_error, once};
use remedy::{Applied, CallError};

use crate::UnshareImage;
use crate::sharing::{Grantee, ImageId, Images, Shared};

/// The responder as it is deployed.
pub type Live = UnshareImage<Ec2>;

/// The AMIs of one account and region.
#[derive(Debug)]
pub struct Ec2 {
    reads: Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: Client,
}

impl Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        Self(Ec2 { reads: Client::new(config), writes: Client::new(&once(config)) })
    }
}

impl Images for Ec2 {
    async fn describe(&self, id: &ImageId) -> Result<Option<Shared>, CallError> {
        let attribute = ImageAttributeName::LaunchPermission;
        let (images, sharing) = join(
            self.reads.describe_images().image_ids(&id.0).send(),
            self.reads.describe_image_attribute().image_id(&id.0).attribute(attribute).send(),
        )
        .await;
        let images = match images {
            Ok(images) => images,
            Err(error) if is_gone(error.code()) => return Ok(None),
            Err(error) => return Err(call_error("ec2:DescribeImages", error)),
        };
        let Some(image) = images.images.unwrap_or_default().into_iter().next() else { return Ok(None) };
        let sharing = match sharing {
            Ok(sharing) => sharing,
            Err(error) if is_gone(error.code()) => return Ok(None),
            Err(error) => return Err(call_error("ec2:DescribeImageAttribute", error)),
        };
        Ok(Some(Shared {
            with: sharing.launch_permissions.unwrap_or_default().into_iter().filter_map(read).collect(),
            encrypted: encrypted(&image),
            name: image.name,
            tags: Some(
                image
                    .tags
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
                    .collect(),
            ),
        }))
    }

    async fn unshare(&self, image: &ImageId, with: &BTreeSet<Grantee>) -> Result<Applied, CallError> {
        let modifications = LaunchPermissionModifications::builder().set_remove(Some(permissions(with))).build();
        let call = self.writes.modify_image_attribute().image_id(&image.0).launch_permission(modifications);
        match call.send().await {
            Ok(_) => Ok(Applied::Changed),
            Err(error) if is_gone(error.code()) => Ok(Applied::AlreadySo),
            Err(error) => Err(call_error("ec2:ModifyImageAttribute", error)),
        }
    }

    async fn share(&self, image: &ImageId, with: &BTreeSet<Grantee>) -> Result<Applied, CallError> {
        let modifications = LaunchPermissionModifications::builder().set_add(Some(permissions(with))).build();
        let call = self.writes.modify_image_attribute().image_id(&image.0).launch_permission(modifications);
        let answer = call.send().await.map_err(|error| call_error("ec2:ModifyImageAttribute", error));
        answer.map(|_| Applied::Changed)
    }
}

/// Source of the codes: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".
fn is_gone(code: Option<&str>) -> bool {
    matches!(code, Some("InvalidAMIID.NotFound" | "InvalidAMIID.Unavailable" | "InvalidAMIID.Malformed"))
}

fn read(permission: LaunchPermission) -> Option<Grantee> {
    let LaunchPermission { user_id, group, organization_arn, organizational_unit_arn, .. } = permission;
    let group = || group.map(|group| group.as_str().to_owned());
    let name = user_id.or(organization_arn).or(organizational_unit_arn).or_else(group);
    Grantee::parse(&name?).ok()
}

fn permissions(with: &BTreeSet<Grantee>) -> Vec<LaunchPermission> {
    let permission = |grantee: &Grantee| {
        let permission = LaunchPermission::builder();
        match grantee {
            Grantee::Everybody => permission.group(PermissionGroup::All),
            Grantee::Account(account) => permission.user_id(account.as_str()),
            Grantee::Organization(arn) if arn.resource().starts_with("ou/") => {
                permission.organizational_unit_arn(arn.as_str())
            }
            Grantee::Organization(arn) => permission.organization_arn(arn.as_str()),
        }
        .build()
    };
    with.iter().map(permission).collect()
}

/// `None` for an AMI without snapshots.
fn encrypted(image: &Image) -> Option<bool> {
    let disks = image.block_device_mappings().iter().filter_map(|mapping| mapping.ebs());
    let encrypted: Vec<bool> = disks.map(|disk| disk.encrypted() == Some(true)).collect();
    (!encrypted.is_empty()).then(|| encrypted.iter().all(|encrypted| *encrypted))
}
