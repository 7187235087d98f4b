//! Whom to believe: the certificate authorities of the system, and those that were given.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tracing::warn;

use super::RemoteError;

/// A configuration that trusts the system's authorities and, if there are any, these.
pub(super) fn trusting(given: Option<&[u8]>) -> Result<Arc<ClientConfig>, RemoteError> {
    let mut roots = RootCertStore::empty();
    let of_system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(of_system.certs);
    for error in of_system.errors {
        warn!(%error, "some certificate authorities of the system cannot be read");
    }
    if let Some(pem) = given {
        add(&mut roots, pem).map_err(RemoteError::Authorities)?;
    }
    if roots.is_empty() {
        return Err(RemoteError::NothingTrusted);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| RemoteError::Authorities(error.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.len() == before { Err("there is none".to_owned()) } else { Ok(()) }
}
