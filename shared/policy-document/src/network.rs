//! How much of the internet the values of `aws:SourceIp` are.

use std::net::IpAddr;

use ipnet::IpNet;

/// More addresses than a /8 are not a fixed source. Source: Amazon S3 User Guide, "The meaning of public": values
/// broader than /8 for IPv4 and /32 for IPv6 are public, private ranges left out.
const WIDEST_V4: u128 = 1 << 24;
/// The same for IPv6: a /32.
const WIDEST_V6: u128 = 1 << 96;

/// RFC 1918 and, for IPv6, RFC 4193: nobody calls from these over the internet.
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// Whether addresses of this many blocks, all together, are a fixed source; `Err` with the first value that is no
/// address and no block.
///
/// S3's rule is for one value. We take all values of the condition together, since 256 blocks of a /8 are everything.
pub(crate) fn is_fixed(values: &[String]) -> Result<bool, String> {
    let mut nets = Vec::new();
    for value in values {
        nets.push(parse(value).ok_or_else(|| value.clone())?);
    }
    let private: Vec<IpNet> = PRIVATE.iter().filter_map(|net| parse(net)).collect();
    let (mut v4, mut v6) = (0_u128, 0_u128);
    // Aggregated blocks do not overlap.
    for net in IpNet::aggregate(&nets) {
        if is_private(&net) {
            continue;
        }
        let inside: u128 = private.iter().filter(|private| net.contains(*private)).map(size).sum();
        let public = size(&net).saturating_sub(inside);
        let total = if matches!(net, IpNet::V4(_)) { &mut v4 } else { &mut v6 };
        *total = total.saturating_add(public);
    }
    Ok(v4 <= WIDEST_V4 && v6 <= WIDEST_V6)
}

/// Whether nobody calls from these addresses over the internet.
pub(crate) fn is_private(net: &IpNet) -> bool {
    PRIVATE.iter().filter_map(|private| parse(private)).any(|private| private.contains(net))
}

/// A block, or a single address; bits beyond the prefix do not matter.
fn parse(value: &str) -> Option<IpNet> {
    let net = value.parse::<IpNet>().or_else(|_| value.parse::<IpAddr>().map(IpNet::from));
    net.ok().map(|net| net.trunc())
}

fn size(net: &IpNet) -> u128 {
    let bits = u32::from(net.max_prefix_len() - net.prefix_len());
    1_u128.checked_shl(bits).unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fixed(values: &[&str]) -> Result<bool, String> {
        is_fixed(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_slash_eight_is_fixed_and_more_is_not() {
        for values in
            [&["8.0.0.0/8"][..], &["203.0.113.7"], &["203.0.113.0/24", "2001:db8::/32"], &["2600:1f00::1"], &[]]
        {
            assert_eq!(fixed(values), Ok(true), "{values:?}");
        }
        for values in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["203.0.113.0/24", "::/0"],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["8.0.0.0/8", "9.9.9.9"],
            &["1.2.3.4/0"],
            &["2600::/31"],
            &["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"],
        ] {
            assert_eq!(fixed(values), Ok(false), "{values:?}");
        }
        assert_eq!(fixed(&["8.0.0.0/8", "office"]), Err("office".to_owned()));
    }

    #[test]
    fn private_addresses_do_not_count() {
        assert_eq!(fixed(&["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "8.0.0.0/8", "fc00::/7"]), Ok(true));
        assert_eq!(fixed(&["10.1.0.0/16", "8.0.0.0/8"]), Ok(true));
        assert_eq!(fixed(&["10.0.0.0/7"]), Ok(true), "11.0.0.0/8 is left");
        assert_eq!(fixed(&["10.0.0.0/6"]), Ok(false), "three /8s are left");
    }

    proptest! {
        #[test]
        fn halves_are_as_wide_as_the_whole(ip in any::<u32>(), bits in 0_u8..32) {
            let whole = ipnet::Ipv4Net::new(ip.into(), bits).unwrap();
            let halves: Vec<String> = whole.subnets(bits + 1).unwrap().map(|net| net.to_string()).collect();
            prop_assert_eq!(is_fixed(&halves), is_fixed(&[whole.to_string()]));
        }

        #[test]
        fn more_blocks_are_never_more_fixed(nets in prop::collection::vec((any::<u32>(), 0_u8..=32), 1..6)) {
            let nets: Vec<String> = nets.into_iter().map(|(ip, bits)| {
                ipnet::Ipv4Net::new(ip.into(), bits).unwrap().to_string()
            }).collect();
            if is_fixed(&nets) == Ok(true) {
                prop_assert_eq!(is_fixed(&nets[1..]), Ok(true));
            }
        }
    }
}
