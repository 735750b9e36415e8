//! How much of the internet a set of sources is.
//!
//! Addresses are intervals of integers, so halves and quarters, overlaps and host bits need no special cases.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What does not count as the internet: IANA "IPv4 Special-Purpose Address Registry", entries that are not globally
/// reachable. Multicast is in another registry and counts.
const NOT_GLOBAL_V4: [(Ipv4Addr, u8); 14] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The same within `2000::/3`: IANA "IPv6 Special-Purpose Address Registry". The few globally reachable assignments
/// inside `2001::/23` are left out with it: they are too small to matter.
const NOT_GLOBAL_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// All addresses of IPv4.
const ALL_V4: u128 = 1 << 32;

/// All addresses of `2000::/3`, the global unicast space. Source: IANA "IPv6 Global Unicast Address Assignments".
const ALL_V6: u128 = 1 << 125;

/// A set of sources that covers more than one part in this many of a family's addresses is wide: more than one /8.
const WIDE: u128 = 256;

/// A security group's rules and the groups of an interface together hold at most this many rules, so that a fragment
/// smaller than its share of the threshold cannot be part of an evasion. Source: Amazon VPC User Guide, "Amazon VPC
/// quotas".
const MOST_RULES: u128 = 1_000;

/// Public addresses, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Coverage {
    v4: u128,
    v6: u128,
}

impl Coverage {
    /// The public addresses in the union of `nets`.
    pub(crate) fn of<'a>(nets: impl IntoIterator<Item = &'a IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for net in nets {
            match net {
                IpNet::V4(net) => v4.push(interval_v4(*net)),
                IpNet::V6(net) => v6.push(interval_v6(*net)),
            }
        }
        let not_global_v4 = NOT_GLOBAL_V4.into_iter().filter_map(|(ip, bits)| Ipv4Net::new(ip, bits).ok());
        let not_global_v6 = NOT_GLOBAL_V6.into_iter().filter_map(|(ip, bits)| Ipv6Net::new(ip, bits).ok());
        let unicast = Ipv6Net::new(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3).ok().map(interval_v6);
        v6.retain_mut(|interval| clip(interval, unicast));
        Self {
            v4: count(v4, not_global_v4.map(interval_v4).collect()),
            v6: count(v6, not_global_v6.map(interval_v6).collect()),
        }
    }

    /// Whether it is too much to let in.
    pub(crate) fn is_wide(self) -> bool {
        self.v4 * WIDE > ALL_V4 || self.v6 > ALL_V6 / WIDE
    }

    /// Whether any of it is public.
    pub(crate) fn is_public(self) -> bool {
        self.v4 > 0 || self.v6 > 0
    }

    /// Whether it is large enough that rules like it could add up to [`Self::is_wide`].
    pub(crate) fn could_be_a_part(self) -> bool {
        self.v4 * WIDE * MOST_RULES > ALL_V4 || self.v6 > ALL_V6 / WIDE / MOST_RULES
    }

    /// Percent of all IPv4 addresses.
    pub(crate) fn ipv4_percent(self) -> f64 {
        percent(self.v4, ALL_V4)
    }

    /// Percent of all global unicast IPv6 addresses.
    pub(crate) fn ipv6_percent(self) -> f64 {
        percent(self.v6, ALL_V6)
    }

    /// The larger of both, family by family.
    pub(crate) fn max(self, other: Self) -> Self {
        Self { v4: self.v4.max(other.v4), v6: self.v6.max(other.v6) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage for people and policies needs four digits")]
fn percent(part: u128, all: u128) -> f64 {
    part as f64 / all as f64 * 100.0
}

/// First and last address.
type Interval = (u128, u128);

fn interval_v4(net: Ipv4Net) -> Interval {
    (u32::from(net.network()).into(), u32::from(net.broadcast()).into())
}

fn interval_v6(net: Ipv6Net) -> Interval {
    (net.network().into(), net.broadcast().into())
}

/// Cuts the interval down to `within`; false if nothing is left.
fn clip(interval: &mut Interval, within: Option<Interval>) -> bool {
    let Some((first, last)) = within else { return true };
    *interval = (interval.0.max(first), interval.1.min(last));
    interval.0 <= interval.1
}

/// The size of the union of `intervals` without `excluded`.
fn count(intervals: Vec<Interval>, mut excluded: Vec<Interval>) -> u128 {
    excluded.sort_unstable();
    let mut total = 0;
    for (first, last) in merge(intervals) {
        let mut from = first;
        for &(out_first, out_last) in excluded.iter().filter(|(a, b)| *a <= last && *b >= first) {
            total += out_first.saturating_sub(from);
            from = from.max(out_last + 1);
        }
        total += (last + 1).saturating_sub(from);
    }
    total
}

fn merge(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for (first, last) in intervals {
        match merged.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => merged.push((first, last)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(nets: &[&str]) -> Coverage {
        let nets: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
        Coverage::of(&nets)
    }

    #[test]
    fn more_than_one_slash_eight_is_wide() {
        assert!(!of(&["8.0.0.0/8"]).is_wide());
        assert!(of(&["8.0.0.0/8", "9.0.0.0/32"]).is_wide());
        assert!(of(&["8.0.0.0/7"]).is_wide());
        for everything in [&["0.0.0.0/0"][..], &["1.2.3.4/0"], &["0.0.0.0/1", "128.0.0.0/1"], &["128.0.0.0/2"]] {
            assert!(of(everything).is_wide(), "{everything:?}");
        }
    }

    #[test]
    fn what_is_not_the_internet_does_not_count() {
        for private in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "240.0.0.0/4", "127.0.0.1/32"]
        {
            assert!(!of(&[private]).is_public(), "{private}");
        }
        assert!(!of(&["10.0.0.0/7"]).is_wide(), "10/8 is out and 11/8 is one /8");
        assert!(of(&["11.0.0.0/8"]).is_public());
        assert!(!of(&["fc00::/7", "fe80::/10", "2001:db8::/32"]).is_public());
    }

    #[test]
    fn ipv6_is_measured_against_global_unicast() {
        for wide in ["::/0", "2000::/3", "2600::/8", "2a00::/10"] {
            assert!(of(&[wide]).is_wide(), "{wide}");
        }
        assert!(!of(&["2600::/11"]).is_wide(), "a /11 is exactly one part in 256");
        assert!(!of(&["2600:1f00::/24"]).is_wide());
        assert!(of(&["2600::/11", "2a00::/32"]).is_wide());
    }

    #[test]
    fn the_whole_of_ipv4_is_what_iana_leaves() {
        // 2^32 less the registry's blocks, added up by hand.
        let out: u128 = (1 << 24) * 3 + (1 << 22) + (1 << 16) * 2 + (1 << 20) + 256 * 5 + (1 << 17) + (1 << 28);
        assert_eq!(of(&["0.0.0.0/0"]).v4, (1 << 32) - out);
    }

    proptest! {
        #[test]
        fn a_split_covers_what_the_whole_covers(ip in any::<u32>(), bits in 0_u8..=31) {
            let whole = Ipv4Net::new(ip.into(), bits).unwrap();
            let halves: Vec<IpNet> = whole.subnets(bits + 1).unwrap().map(IpNet::V4).collect();
            prop_assert_eq!(Coverage::of(&halves), Coverage::of(&[IpNet::V4(whole)]));
        }

        #[test]
        fn more_sources_never_cover_less(nets in prop::collection::vec((any::<u32>(), 0_u8..=32), 1..8)) {
            let nets: Vec<IpNet> = nets.into_iter().map(|(ip, bits)| Ipv4Net::new(ip.into(), bits).unwrap().into()).collect();
            let (some, all) = (Coverage::of(&nets[1..]), Coverage::of(&nets));
            prop_assert!(all.v4 >= some.v4);
            prop_assert!(all.v4 <= some.v4 + Coverage::of(&nets[..1]).v4);
        }
    }
}
