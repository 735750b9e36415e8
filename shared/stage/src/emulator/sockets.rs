//! Whether a port is really open on loopback only, asked of the kernel and not of the server.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::error::StageError;

const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// `TCP_LISTEN` in the kernel's tables.
const LISTENING: &str = "0A";

/// Refuses a port that is open beyond loopback, and one that nobody has open.
///
/// Where there are no such tables (macOS) the server's own word has to do: it was told 127.0.0.1.
pub(super) fn only_loopback(port: u16) -> Result<(), StageError> {
    let mut open = Vec::new();
    for table in TABLES {
        match fs::read_to_string(table) {
            Ok(rows) => open.extend(listeners(&rows, port)),
            Err(missing) if missing.kind() == ErrorKind::NotFound => {
                if table == TABLES[0] {
                    return Ok(());
                }
            }
            Err(source) => return Err(StageError::Sockets(source)),
        }
    }
    if open.is_empty() {
        return Err(StageError::Sockets(io::Error::new(ErrorKind::NotFound, format!("nobody listens on port {port}"))));
    }
    match open.into_iter().find(|address| !address.ip().is_loopback()) {
        Some(exposed) => Err(StageError::Exposed(exposed)),
        None => Ok(()),
    }
}

fn listeners(table: &str, port: u16) -> Vec<SocketAddr> {
    table.lines().filter_map(listener).filter(|address| address.port() == port).collect()
}

/// `sl local_address rem_address st …`, the address in hexadecimal words as this machine stores them.
fn listener(row: &str) -> Option<SocketAddr> {
    let mut columns = row.split_whitespace().skip(1);
    let (local, state) = (columns.next()?, columns.nth(1)?);
    let (address, port) = local.split_once(':')?;
    if state != LISTENING {
        return None;
    }
    Some(SocketAddr::new(ip(address)?, u16::from_str_radix(port, 16).ok()?))
}

fn ip(hexadecimal: &str) -> Option<IpAddr> {
    let mut bytes = Vec::with_capacity(16);
    for start in (0..hexadecimal.len()).step_by(8) {
        let word = u32::from_str_radix(hexadecimal.get(start..start + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    if let Ok(v4) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(v4).into());
    }
    let v6 = Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?);
    // `::ffff:127.0.0.1` is loopback too, which `Ipv6Addr::is_loopback` denies.
    Some(v6.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_loopback_listener_passes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        only_loopback(listener.local_addr().unwrap().port()).unwrap();
    }

    #[test]
    fn a_port_that_nobody_has_open_is_refused() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(matches!(only_loopback(port), Err(StageError::Sockets(_))));
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_listener_on_every_address_is_seen_as_such() {
        let table = "  sl  local_address rem_address   st
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F91 00000000:0000 0A 00000000:00000000
   2: 0100007F:1F90 0100007F:C001 06 00000000:00000000";
        assert_eq!(listeners(table, 8080), ["0.0.0.0:8080".parse().unwrap()]);
        assert_eq!(listeners(table, 8081), ["127.0.0.1:8081".parse().unwrap()]);
        let six = "0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A
1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A
2: 0000000000000000FFFF00000100007F:1F92 00000000000000000000000000000000:0000 0A";
        assert_eq!(listeners(six, 8080), ["[::]:8080".parse().unwrap()]);
        assert!(listeners(six, 8081)[0].ip().is_loopback());
        assert!(listeners(six, 8082)[0].ip().is_loopback());
    }
}
