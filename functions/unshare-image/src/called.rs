//! What a call that shares an AMI asked for.

use std::collections::BTreeSet;

use cloudtrail::{AccountId, Arn, Call, Event, EventError, Field, Items};
use serde::{Deserialize, Serialize};

use crate::sharing::{Grantee, ImageId};

/// An AMI that others than the account itself were let launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposed {
    /// The AMI.
    pub image: ImageId,
    /// Who: as far as the event can tell they are foreign, since whom we trust is known only when it comes to the plan.
    pub with: BTreeSet<Grantee>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    image_id: Option<String>,
    launch_permission: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    #[serde(default)]
    add: Items<Permission>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Permission {
    user_id: Option<AccountId>,
    organization_arn: Option<Arn>,
    organizational_unit_arn: Option<Arn>,
    group: Option<String>,
}

impl Permission {
    /// There is no other group than `all`. Source: Amazon EC2 API Reference, "`LaunchPermission`".
    fn read(self) -> Option<Grantee> {
        let account = self.user_id.map(Grantee::Account);
        let organization = || self.organization_arn.or(self.organizational_unit_arn).map(Grantee::Organization);
        let group = || (self.group? == "all").then_some(Grantee::Everybody);
        account.or_else(organization).or_else(group)
    }
}

/// What the event shares; `None` if it is another call, or lets nobody else launch anything.
pub(crate) fn read(event: &Event) -> Result<Option<Exposed>, EventError> {
    let Some(call) = event.call().filter(|call| call.is("ec2.amazonaws.com", "ModifyImageAttribute")) else {
        return Ok(None);
    };
    let Field::Known(request) = call.request::<Request>()? else { return Err(no_image(call)) };
    // Other attributes, such as the description, let nobody launch it.
    let Some(permissions) = request.launch_permission else { return Ok(None) };
    let added = permissions.add.0.into_iter().filter_map(Permission::read);
    let with: BTreeSet<_> = added.filter(|grantee| *grantee != Grantee::Account(event.account.clone())).collect();
    let id = request.image_id.filter(|id| !id.is_empty()).ok_or_else(|| no_image(call))?;
    Ok((!with.is_empty()).then_some(Exposed { image: ImageId(id), with }))
}

fn no_image(call: &Call) -> EventError {
    EventError::NoResource { call: call.name.clone(), field: "requestParameters.imageId" }
}
