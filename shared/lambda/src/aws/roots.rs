//! Whom we believe to be AWS.
//!
//! AWS's endpoints in the partitions `aws` and `aws-us-gov` have certificates that lead to Amazon Trust Services (AWS
//! Security Blog, "How to Prepare for AWS's Move to Its Own Certificate Authority"). Its operator advises against
//! trusting less than the roots, and recommends all five of them to whoever has a trust store of his own (Amazon Trust
//! Services, "Repository", <https://www.amazontrust.com/repository/>, "Trust store and pinning recommendations"). So
//! that is our store. The system's roots are some hundred and forty, any of which could speak for AWS; where a function
//! comes up in 3.8 ms of CPU time, parsing them takes another 1.0 ms from one file and 3.3 ms from Debian's folder,
//! which on the 0.07 of a CPU that the smallest function has are 14 and 47 ms. Where the endpoint may be somebody
//! else's, or whoever deploys us names other certificates, those count.

use std::path::PathBuf;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::environment::Environment;
use crate::settings::SettingsError;

/// Amazon Root CA 1 to 4 and Starfield Services Root Certificate Authority - G2, as in Debian's `ca-certificates`.
const AMAZON: &str = include_str!("amazon-roots.pem");

/// The root certificates to trust.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// Amazon Trust Services.
    Amazon,
    /// The system's, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR` in their place.
    Native,
    /// Those of `AWS_CA_BUNDLE`, each as PEM.
    Bundle(Vec<String>),
}

impl Roots {
    pub(super) fn for_function(environment: &Environment, region: &str) -> Result<Self, SettingsError> {
        let elsewhere = environment.beginning("AWS_ENDPOINT_URL").any(|url| url.starts_with("https://"));
        let proxied = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
            .iter()
            .filter_map(|name| environment.get(name))
            .any(|url| url.starts_with("https://"));
        if elsewhere || proxied || !is_amazons(region) || named_by_system(environment) {
            return Self::for_operator(environment);
        }
        Ok(bundle(environment)?.unwrap_or(Self::Amazon))
    }

    pub(super) fn for_operator(environment: &Environment) -> Result<Self, SettingsError> {
        Ok(bundle(environment)?.unwrap_or(Self::Native))
    }

    pub(super) fn into_context(self) -> TlsContext {
        let store = match self {
            Self::Native => return TlsContext::default(),
            Self::Amazon => TrustStore::empty().with_pem_certificate(AMAZON),
            Self::Bundle(certificates) => {
                certificates.into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate)
            }
        };
        // A context that is built of nothing but a store cannot fail; were it ever to, no connection would be trusted
        // that the system does not trust.
        TlsContext::builder().with_trust_store(store).build().unwrap_or_default()
    }
}

/// Whether the region is in `aws` or `aws-us-gov`: China, the isolated and the sovereign partitions have roots of their
/// own.
fn is_amazons(region: &str) -> bool {
    !["cn-", "us-iso", "eu-iso", "eusc-"].iter().any(|prefix| region.starts_with(prefix))
}

/// Read by `rustls-native-certs`, which takes them in place of the system's.
fn named_by_system(environment: &Environment) -> bool {
    environment.get("SSL_CERT_FILE").is_some() || environment.get("SSL_CERT_DIR").is_some()
}

fn bundle(environment: &Environment) -> Result<Option<Roots>, SettingsError> {
    const NAME: &str = "AWS_CA_BUNDLE";
    let Some(path) = environment.get(NAME).map(PathBuf::from) else { return Ok(None) };
    let text = match std::fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(source) => return Err(SettingsError::Certificates { name: NAME, path, source }),
    };
    let usable: Vec<_> = certificates(&text).filter(|certificate| is_usable(certificate)).collect();
    if usable.is_empty() {
        return Err(SettingsError::NoCertificates { name: NAME, path });
    }
    Ok(Some(Roots::Bundle(usable)))
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates of a PEM file, one by one and without the text between them.
fn certificates(text: &str) -> impl Iterator<Item = String> {
    text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END)).map(|(body, _)| format!("{BEGIN}{body}{END}\n"))
}

/// The HTTP client panics over a certificate it cannot use, and bundles made by hand hold such.
fn is_usable(certificate: &str) -> bool {
    CertificateDer::from_pem_slice(certificate.as_bytes()).is_ok_and(|der| RootCertStore::empty().add(der).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(region: &str, name: &str, value: &str) -> Roots {
        Roots::for_function(&[(name, value)].into(), region).unwrap()
    }

    #[test]
    fn aws_and_govcloud_are_known_by_amazons_roots() {
        for region in ["eu-central-1", "us-gov-west-1", "us-east-1", "il-central-1"] {
            assert_eq!(chosen(region, "AWS_ENDPOINT_URL", "http://127.0.0.1:1"), Roots::Amazon, "{region}");
        }
    }

    #[test]
    fn everything_else_is_known_by_the_systems() {
        for region in ["cn-north-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "eusc-de-east-1"] {
            assert_eq!(chosen(region, "X", ""), Roots::Native, "{region}");
        }
        assert_eq!(chosen("eu-west-1", "SSL_CERT_FILE", "/x.pem"), Roots::Native);
        assert_eq!(chosen("eu-west-1", "AWS_ENDPOINT_URL_STS", "https://sts.lab"), Roots::Native);
    }

    #[test]
    fn the_five_roots_can_all_be_used() {
        assert_eq!(certificates(AMAZON).filter(|certificate| is_usable(certificate)).count(), 5);
    }

    #[test]
    fn a_bundle_counts_alone_and_without_what_cannot_be_used() {
        let path = std::env::temp_dir().join(format!("countermand-bundle-{}.pem", std::process::id()));
        let unusable = format!("# ours\n{BEGIN}\nnot base64!\n{END}\n{BEGIN}\nAAAA\n{END}\n");
        std::fs::write(&path, format!("{unusable}{AMAZON}")).unwrap();
        let roots = Roots::for_operator(&[("AWS_CA_BUNDLE", path.to_str().unwrap())].into()).unwrap();
        std::fs::remove_file(&path).unwrap();
        let Roots::Bundle(usable) = roots else { panic!("a bundle was named") };
        assert_eq!(usable.len(), 5);
        drop(Roots::Bundle(usable).into_context());
    }

    #[test]
    fn a_bundle_that_is_not_there_is_an_error() {
        let refusal = |path| Roots::for_operator(&[("AWS_CA_BUNDLE", path)].into()).unwrap_err().to_string();
        assert!(refusal("/nowhere.pem").starts_with("the certificates of `AWS_CA_BUNDLE` cannot be read"));
        assert!(refusal(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).contains("holds no certificate"));
    }
}
