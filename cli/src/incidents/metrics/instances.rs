//! The instances behind a security group.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Filter;
use lambda::call_error;
use remedy::CallError;

use super::catalogue::{Watched, instance};
use super::{Panel, Place, watched};

/// So many tell what a group's instances do, and fit on a screen.
const MOST: usize = 3;

pub(super) async fn look(place: &Place<'_>, group: &str) -> Result<Vec<Panel>, CallError> {
    let client = Client::new(place.config);
    let (mut instances, mut others, mut next) = (Vec::new(), 0, None);
    loop {
        let filter = Filter::builder().name("group-id").values(group).build();
        let page = client.describe_network_interfaces().filters(filter).set_next_token(next).send().await;
        let page = page.map_err(|error| call_error("ec2:DescribeNetworkInterfaces", error))?;
        for interface in page.network_interfaces() {
            match interface.attachment().and_then(|attachment| attachment.instance_id()) {
                Some(id) if instances.iter().any(|known| known == id) => {}
                Some(id) => instances.push(id.to_owned()),
                None => others += 1,
            }
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    let note = note(instances.len(), others);
    instances.truncate(MOST);
    let instances: Vec<Watched> = instances.into_iter().map(instance).collect();
    let mut panels = watched::look(place, &instances).await?;
    if note.is_some() {
        panels.push(Panel { of: format!("instances in {group}"), series: Vec::new(), note });
    }
    Ok(panels)
}

/// What is not shown.
fn note(instances: usize, others: usize) -> Option<String> {
    let more = instances.saturating_sub(MOST);
    match (instances, others) {
        (0, 0) => Some("none: no network interface is in the group now".to_owned()),
        (0, _) => Some(format!("none: its {others} network interfaces are of load balancers, databases or the like")),
        _ if more > 0 => Some(format!("{more} more instances are in the group")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_said() {
        assert!(note(0, 0).unwrap().starts_with("none: no network interface"));
        assert!(note(0, 2).unwrap().starts_with("none: its 2 network interfaces"));
        assert_eq!((note(MOST, 1), note(MOST + 2, 0).unwrap().as_str()), (None, "2 more instances are in the group"));
    }
}
