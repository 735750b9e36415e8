//! Ingress rules, and which ports matter.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Ports that nobody needs to reach from the whole internet: the high-risk ports of Security Hub control EC2.19 ("Security
/// groups should not allow unrestricted access to ports with high risk"), and administrative, database and
/// orchestration ports that the control leaves out.
pub const SENSITIVE_PORTS: [u16; 51] = [
    20, 21, 22, 23, 25, 110, 111, 135, 136, 137, 138, 139, 143, 445, 512, 513, 514, 873, 1433, 1434, 2049, 2375, 2376,
    2379, 3000, 3306, 3389, 4333, 5000, 5432, 5500, 5601, 5900, 5984, 5985, 5986, 6379, 6443, 7001, 8080, 8088, 8888,
    9042, 9092, 9200, 9300, 10250, 11211, 27017, 27018, 27019,
];

/// An id of a security-group rule, `sgr-…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(pub String);

/// An id of a security group, `sg-…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub String);

/// An id of a prefix list, `pl-…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrefixListId(pub String);

/// An IP protocol as EC2 names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Protocol {
    /// `-1`: every protocol, every port.
    All,
    /// `tcp` or 6.
    Tcp,
    /// `udp` or 17.
    Udp,
    /// Another protocol, by name or number; it has no ports.
    Other(String),
}

impl From<String> for Protocol {
    fn from(name: String) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "-1" | "all" => Self::All,
            "tcp" | "6" => Self::Tcp,
            "udp" | "17" => Self::Udp,
            _ => Self::Other(name),
        }
    }
}

impl From<Protocol> for String {
    fn from(protocol: Protocol) -> Self {
        protocol.as_str().to_owned()
    }
}

impl Protocol {
    /// As EC2 takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => "-1",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Other(name) => name,
        }
    }
}

/// Where a rule lets traffic come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// A block of addresses; host bits do not matter.
    Cidr(IpNet),
    /// A prefix list: what is in it decides.
    PrefixList(PrefixListId),
    /// Another security group: never wide.
    Group(String),
    /// A source the event does not spell in a way we understand: only the live rule can tell.
    Untold(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cidr(net) => write!(f, "{}", net.trunc()),
            Self::PrefixList(id) => f.write_str(&id.0),
            Self::Group(id) | Self::Untold(id) => f.write_str(id),
        }
    }
}

/// Protocol, ports and source: what EC2 takes for the identity of a rule within its group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tuple {
    /// The protocol.
    pub protocol: Protocol,
    /// First and last port; `None` for all ports and for protocols without ports.
    pub ports: Option<(u16, u16)>,
    /// The source.
    pub source: Source,
}

impl Tuple {
    /// A rule as EC2 spells it. Ports outside 0 to 65535, such as the -1 of "all", mean all ports.
    #[must_use]
    pub fn new(protocol: Protocol, from: Option<i32>, to: Option<i32>, source: Source) -> Self {
        let port = |port: Option<i32>| port.and_then(|port| u16::try_from(port).ok());
        let ports = match (&protocol, port(from), port(to)) {
            (Protocol::Tcp | Protocol::Udp, Some(from), Some(to)) => Some((from, to)),
            _ => None,
        };
        let source = match source {
            Source::Cidr(net) => Source::Cidr(net.trunc()),
            other => other,
        };
        Self { protocol, ports, source }
    }

    /// First and last port it lets in, of TCP or UDP; `None` if it lets in neither.
    #[must_use]
    pub fn port_range(&self) -> Option<(u16, u16)> {
        match self.protocol {
            Protocol::Other(_) => None,
            Protocol::All | Protocol::Tcp | Protocol::Udp => Some(self.ports.unwrap_or((0, u16::MAX))),
        }
    }

    /// Whether it lets in every port.
    #[must_use]
    pub fn is_all_ports(&self) -> bool {
        self.port_range() == Some((0, u16::MAX))
    }

    /// The sensitive ports it lets in.
    pub fn sensitive_ports(&self) -> impl Iterator<Item = u16> + use<> {
        let range = self.port_range();
        SENSITIVE_PORTS.into_iter().filter(move |port| range.is_some_and(|(from, to)| (from..=to).contains(port)))
    }

    /// Whether both let in this port of a protocol they share.
    #[must_use]
    pub fn overlaps_at(&self, other: &Self, port: u16) -> bool {
        let same = self.protocol == other.protocol || Protocol::All == self.protocol || Protocol::All == other.protocol;
        same && other.port_range().is_some_and(|(from, to)| (from..=to).contains(&port))
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.protocol, self.ports) {
            (Protocol::All, _) => f.write_str("all traffic")?,
            (protocol, None) => write!(f, "all {}", protocol.as_str())?,
            (protocol, Some((from, to))) if from == to => write!(f, "{}/{from}", protocol.as_str())?,
            (protocol, Some((from, to))) => write!(f, "{}/{from}-{to}", protocol.as_str())?,
        }
        write!(f, " from {}", self.source)
    }
}

/// A live ingress rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its id; AWS gives a rule that is put back a new one.
    pub id: RuleId,
    /// Its group.
    pub group: GroupId,
    /// What it lets in.
    #[serde(flatten)]
    pub tuple: Tuple,
    /// Its description.
    pub description: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(protocol: &str, from: i32, to: i32, source: &str) -> Tuple {
        Tuple::new(Protocol::from(protocol.to_owned()), Some(from), Some(to), Source::Cidr(source.parse().unwrap()))
    }

    #[test]
    fn a_protocol_may_be_a_number() {
        assert_eq!(tuple("6", 22, 22, "0.0.0.0/0"), tuple("tcp", 22, 22, "9.9.9.9/0"));
        assert_eq!(tuple("-1", -1, -1, "0.0.0.0/0").to_string(), "all traffic from 0.0.0.0/0");
        assert_eq!(tuple("tcp", 20, 25, "0.0.0.0/0").to_string(), "tcp/20-25 from 0.0.0.0/0");
        assert_eq!(tuple("47", -1, -1, "0.0.0.0/0").sensitive_ports().count(), 0);
        assert_eq!(tuple("icmp", 8, -1, "0.0.0.0/0").port_range(), None);
    }

    #[test]
    fn a_wide_range_contains_the_ports_inside_it() {
        let ports: Vec<u16> = tuple("tcp", 20, 80, "0.0.0.0/0").sensitive_ports().collect();
        assert_eq!(ports, [20, 21, 22, 23, 25]);
        assert_eq!(tuple("tcp", 443, 443, "0.0.0.0/0").sensitive_ports().count(), 0);
        assert!(tuple("tcp", 0, 65535, "0.0.0.0/0").is_all_ports());
        assert!(tuple("udp", -1, -1, "0.0.0.0/0").is_all_ports());
    }

    #[test]
    fn rules_meet_at_a_port_of_a_shared_protocol() {
        let (ssh, all, udp) =
            (tuple("tcp", 22, 22, "0.0.0.0/1"), tuple("-1", -1, -1, "128.0.0.0/1"), tuple("udp", 22, 22, "0.0.0.0/0"));
        assert!(ssh.overlaps_at(&all, 22) && all.overlaps_at(&ssh, 22));
        assert!(!ssh.overlaps_at(&udp, 22) && !all.overlaps_at(&ssh, 23));
    }

    #[test]
    fn the_sensitive_ports_are_sorted_and_distinct() {
        assert!(SENSITIVE_PORTS.is_sorted_by(|a, b| a < b));
    }
}
