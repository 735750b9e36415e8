//! The time and the identifiers that only a running stage can make up.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

use chrono::{DateTime, Utc};

/// The stage plays AWS, and AWS stamps its own time on what it records.
#[expect(clippy::disallowed_methods, reason = "the stage is the world outside: its clock is AWS's clock")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// An identifier nobody else has. `RandomState` is seeded by the operating system, which is
/// random enough to tell calls apart and saves a crate.
pub(crate) fn fresh_id() -> String {
    let state = RandomState::new();
    uuid(state.hash_one(0_u8), state.hash_one(1_u8))
}

/// The identifier that always belongs to `parts`: the same call recorded twice is the same event,
/// as it is when CloudTrail delivers twice.
pub(crate) fn derived_id(parts: &[&str]) -> String {
    uuid(digest(parts, 0), digest(parts, 1))
}

/// `length` characters of the alphabet AWS uses for its unique ids (`AIDA…`, `AROA…`).
pub(crate) fn derived_unique_id(prefix: &str, of: &str, length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut id = String::from(prefix);
    for position in 0..length {
        let pick = digest(&[of], position) % 32;
        id.extend(usize::try_from(pick).ok().and_then(|pick| ALPHABET.get(pick)).map(|letter| char::from(*letter)));
    }
    id
}

/// `length` lower-case hexadecimal digits that always belong to `of`, as in a finding's id.
pub(crate) fn derived_hex(of: &str) -> String {
    format!("{:016x}{:016x}", digest(&[of], 0), digest(&[of], 1))
}

fn digest(parts: &[&str], salt: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    salt.hash(&mut hasher);
    parts.hash(&mut hasher);
    hasher.finish()
}

fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0x0fff,
        ((low >> 48) & 0x3fff) | 0x8000,
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_ids_differ_and_derived_ids_do_not() {
        assert_ne!(fresh_id(), fresh_id());
        assert_eq!(derived_id(&["a", "b"]), derived_id(&["a", "b"]));
        assert_ne!(derived_id(&["a", "b"]), derived_id(&["ab"]));
    }

    #[test]
    fn ids_have_the_shape_of_a_version_4_uuid() {
        let id = derived_id(&["a"]);
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(id.chars().nth(14), Some('4'), "{id}");
    }

    #[test]
    fn unique_ids_are_as_long_as_those_of_iam() {
        assert_eq!(derived_unique_id("AIDA", "bob", 17).len(), 21);
    }
}
