//! The programs that play AWS.

/// A server, what it needs and how it is set up.
#[derive(Debug)]
pub(super) struct Software {
    /// Its package, for the name of its environment.
    pub(super) package: &'static str,
    /// Every package it needs, pinned.
    pub(super) requirements: &'static str,
    /// The Python program that serves it.
    pub(super) server: &'static str,
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// Where it is asked to forget everything.
    pub(super) reset: &'static str,
}

pub(super) const ROOT_KEY: &str = "AKIASTAGEROOT0000000";
pub(super) const ROOT_SECRET: &str = "stage";

pub(super) static MOTO: Software = Software {
    package: "moto",
    requirements: include_str!("../../requirements.txt"),
    server: include_str!("server.py"),
    environment: &[("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")],
    reset: "/moto-api/reset",
};

pub(super) static MINISTACK: Software = Software {
    package: "ministack",
    requirements: include_str!("../../ministack.requirements.txt"),
    server: include_str!("ministack.py"),
    environment: &[
        ("AUTH", "true"),
        ("MINISTACK_ACCOUNT_ID", crate::ACCOUNT),
        // It would open a port for each of these, beyond loopback.
        ("IOT_MTLS_ENABLED", "0"),
        ("SFTP_ENABLED", "0"),
        ("LOG_LEVEL", "WARNING"),
    ],
    reset: "/_ministack/reset",
};

impl Software {
    /// The version of its package that is pinned.
    pub(super) fn version(&self) -> &'static str {
        let pinned = |line: &'static str| line.strip_prefix(self.package)?.strip_prefix("==");
        self.requirements.lines().find_map(pinned).unwrap_or("unpinned")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned() {
        for software in [&MOTO, &MINISTACK] {
            let loose: Vec<&str> =
                software.requirements.lines().filter(|line| !line.starts_with('#') && !line.contains("==")).collect();
            assert!(loose.is_empty(), "{loose:?}");
        }
        assert!(MOTO.version().starts_with("5."), "{}", MOTO.version());
        assert!(MINISTACK.version().starts_with("1."), "{}", MINISTACK.version());
    }
}
