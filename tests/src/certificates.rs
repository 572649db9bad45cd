//! The certificates of a demonstration's processes, as their operators have them: each process has stored its own, with
//! its key, in its folder. A test that calls in the place of a process presents it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use reqwest::blocking::Client;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use service::Clock;
use service::clock::{ManualClock, SystemClock};
use service::tls::{TlsIdentity, name_of};
use time::OffsetDateTime;

/// For how many seconds a certificate is valid.
const LIFETIME: i64 = 86_400;

/// The certificates below a demonstration's folder.
#[derive(Clone, Debug)]
pub struct Certificates(PathBuf);

impl Certificates {
    /// The certificates below `data`.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self(data.to_path_buf())
    }

    /// The certificate of the demonstration's authority, which all processes trust.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.0.join("join/authority.pem")
    }

    /// Certificate and key of the process in this folder: `broker`.
    ///
    /// # Errors
    /// The process has no valid certificate.
    pub fn identity(&self, name: &str) -> Result<TlsIdentity> {
        let identity = self.nobody(SystemClock::shared())?;
        identity.present(&self.stored(name)?)?;
        Ok(identity)
    }

    /// Who trusts the authority and has no certificate.
    fn nobody(&self, clock: Arc<dyn Clock>) -> Result<TlsIdentity> {
        Ok(TlsIdentity::new(&std::fs::read_to_string(self.authority())?, clock)?)
    }

    /// Certificate and key that the process in this folder has stored, in PEM.
    fn stored(&self, name: &str) -> Result<String> {
        let file = self.0.join(name).join("tls.pem");
        std::fs::read_to_string(&file).with_context(|| file.display().to_string())
    }

    /// A certificate of the authority for one name, valid from `age` seconds ago for a day, with its key, in PEM.
    ///
    /// # Errors
    /// The authority's files cannot be read, or `uri` is no URI.
    pub fn issue(&self, uri: &str, age: i64) -> Result<String> {
        let authority = std::fs::read_to_string(self.authority())?;
        let key = std::fs::read_to_string(self.authority().with_extension("key"))?;
        let issuer = Issuer::from_ca_cert_pem(&authority, KeyPair::from_pem(&key)?)?;
        let mut params = CertificateParams::default();
        params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        let from = i64::try_from(UNIX_EPOCH.elapsed()?.as_secs())? - age;
        params.not_before = OffsetDateTime::from_unix_timestamp(from)?;
        params.not_after = OffsetDateTime::from_unix_timestamp(from + LIFETIME)?;
        let key = KeyPair::generate()?;
        Ok(params.signed_by(&key, &issuer)?.pem() + &key.serialize_pem())
    }

    /// A client that presents the certificate of the process in this folder, and calls every process that has a
    /// certificate.
    ///
    /// # Errors
    /// As [`Certificates::identity`].
    pub fn client(&self, name: &str) -> Result<Client> {
        client(&self.identity(name)?)
    }

    /// A client that has no certificate.
    ///
    /// # Errors
    /// The authority's certificate cannot be read.
    pub fn client_without(&self) -> Result<Client> {
        client(&self.nobody(SystemClock::shared())?)
    }

    /// A client that presents a certificate of the authority for another name.
    ///
    /// # Errors
    /// As [`Certificates::issue`].
    pub fn client_named(&self, uri: &str) -> Result<Client> {
        let identity = self.nobody(SystemClock::shared())?;
        identity.present(&self.issue(uri, 60)?)?;
        client(&identity)
    }

    /// A client that presents a certificate which names the process in this folder and expired some seconds ago.
    ///
    /// # Errors
    /// As [`Certificates::identity`] and [`Certificates::issue`].
    pub fn expired_client(&self, name: &str) -> Result<Client> {
        let own = CertificateDer::from_pem_slice(self.stored(name)?.as_bytes())?;
        let pem = self.issue(&name_of(&own)?, LIFETIME + 5)?;
        // By this client's own clock, its certificate and those of the servers are valid.
        let identity = self.nobody(ManualClock::new(UNIX_EPOCH.elapsed()?.as_secs() - 10))?;
        identity.present(&pem)?;
        client(&identity)
    }
}

/// A client that presents the certificate of `identity`.
fn client(identity: &TlsIdentity) -> Result<Client> {
    // This fails only if a provider is already installed, which is just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder()
        .timeout(Duration::from_secs(60))
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(identity.client(|_| true)?)
        .no_proxy()
        .build()?)
}
