//! A certificate authority for one run, and whom each process trusts.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::error::{BenchError, file};

/// What the functions trust in AWS.
const AMAZON: &str = include_str!("../../shared/lambda/src/aws/amazon-roots.pem");

/// The stub's TLS, and the certificate of the authority that vouches for it.
pub(crate) fn set_up() -> Result<(TlsAcceptor, String), BenchError> {
    let mut authority = named("countermand benchmark authority", Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority_key = KeyPair::generate()?;
    let vouching = authority.self_signed(&authority_key)?.pem();

    let mut server = named("countermand benchmark", vec!["127.0.0.1".to_owned()])?;
    server.use_authority_key_identifier_extension = true;
    let server_key = KeyPair::generate()?;
    let certificate = server.signed_by(&server_key, &Issuer::new(authority, authority_key))?;

    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), vouching))
}

fn named(name: &str, addresses: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(addresses)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// A bundle for the functions: they parse the five roots that they trust in AWS, and the stub's.
pub(crate) fn bundle_of_functions(path: &Path, authority: &str) -> Result<(), BenchError> {
    std::fs::write(path, format!("{AMAZON}\n{authority}")).map_err(file(path))
}

/// A bundle for boto3: it parses the roots that it trusts in AWS, which come with it, and the stub's.
pub(crate) fn bundle_of_boto3(path: &Path, its_own: &Path, authority: &str) -> Result<(), BenchError> {
    let roots = std::fs::read_to_string(its_own).map_err(file(its_own))?;
    std::fs::write(path, format!("{roots}\n{authority}")).map_err(file(path))
}
