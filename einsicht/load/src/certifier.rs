//! The TLS certificates of one run. They are stored where each process looks for that of an earlier run, so a run needs
//! no issuer: it is over before one has to be renewed.

use std::path::Path;

use anyhow::{Context as _, Result};
use certificates::{Admission, Authority, CertificateRequest, Engine as _, Names, Subject};
use record::{SigningKey, Timestamp};
use serde_json::{Value, json};
use service::durable::write_private;
use trust::History;

/// How a process gets certificates, in its configuration file. There is no issuer at this address.
pub(crate) fn tls() -> Value {
    json!({ "issuer": "http://127.0.0.1:1", "authorities": "../authority.pem" })
}

/// Issues certificates to those whom a directory lists.
pub(crate) struct Certifier<'a> {
    folder: &'a Path,
    history: &'a History,
    authority: Authority,
    admission: Admission,
    now: Timestamp,
}

impl<'a> Certifier<'a> {
    /// Creates the certificate authority of the run in `folder`.
    pub(crate) fn new(folder: &'a Path, history: &'a History, now: Timestamp) -> Result<Self> {
        let (key, certificate) = (folder.join("authority.tls.key"), folder.join("authority.pem"));
        Ok(Self {
            folder,
            history,
            authority: Authority::create(&key, &certificate, "Load", now)?,
            admission: Admission::default(),
            now,
        })
    }

    /// Stores a certificate in the folder of each process, for its subject, which has this signing key.
    pub(crate) async fn certify<'b>(
        &self,
        all: impl IntoIterator<Item = (&'b str, Subject, &'b SigningKey)>,
    ) -> Result<()> {
        let directory = self.history.state().directory();
        for (name, subject, key) in all {
            let names = Names::listed(&subject, directory, &[]).with_context(|| name.to_owned())?;
            let prepared = CertificateRequest::prepare(&names, key, directory.version(), self.now)?;
            let order = self.admission.check(&prepared.request, directory, &[], self.now)?;
            let chain = self.authority.issue(&order).await?;
            let pem = format!("{}{}", chain.0, prepared.key.as_str());
            write_private(&self.folder.join(name).join("tls.pem"), pem.as_bytes())?;
        }
        Ok(())
    }
}
