//! One citizen's entries, opened for one session.
//!
//! After the login, identity discloses which entries are the citizen's, and the keys of their records. The portal
//! fetches the entries and their sealed records from the ledger ([`Materials`]). It verifies them exactly as the
//! browser will. Accesses that verify are shown. Accesses that do not verify are shown as not proved, with their
//! indices and the reason, so that no entry is left out silently.
//!
//! Identity also sends the proof of completeness, without the entries and records. The portal adds them and verifies
//! the resulting bundle ([`citizen_ui::proof::statement`]). The bundle proves every access that it covers, so only the
//! newer ones are proved by their openings, for which the portal fetches receipts. Without a bundle that verifies, all
//! of them are.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use citizen_ui::pages::Content;
use citizen_ui::proof::access::Access;
use citizen_ui::proof::complete::{self, Claim};
use citizen_ui::proof::statement::{self, ListProof, MAX_LATER};
use citizen_ui::proof::verdict::ServerCheck;
use citizen_ui::proof::verify::{AccessVerifier, Failure, Trust};
use messages::{DisclosedEntry, Disclosure};
use proof::bundle::{Bundle, CompletenessProof, EntryPath};
use proof::opening::{Anchor, Opening};
use record::{Idnr, Kind, Period, Phase, Receipt, Series};
use service::http::CallError;
use text::PartialDate;
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};

use crate::anchor::CheckedAnchor;
use crate::ledger::LedgerReader;
use crate::materials::Materials;

/// How long a login waits for a published `map` entry after the newest entry of the list. The ledger writes one a
/// second after an entry, and the witnesses confirm it.
const ANCHOR_WAIT: Duration = Duration::from_secs(3);
/// How long the proof of a page waits for cosigned receipts.
const REFRESH_WAIT: Duration = Duration::from_secs(2);

/// The content of a citizen's session.
pub(crate) struct Citizen {
    /// Name of the citizen, for display.
    pub(crate) name: String,
    /// Proved accesses, newest first.
    pub(crate) accesses: Vec<Access>,
    /// Accesses that could not be opened or proved: their entries' log indices, and the reason.
    pub(crate) unopened: Vec<(Vec<u64>, Failure)>,
    /// The result of checking that the list is complete.
    pub(crate) check: ServerCheck,
    idnr: Option<Idnr>,
    /// As in [`Disclosure`].
    pub(crate) date_of_birth: Option<PartialDate>,
    /// The bundle; `None` if identity sent no proof of completeness.
    bundle: Option<KeptBundle>,
    materials: Materials,
}

/// A bundle, whether it has verified or not.
struct KeptBundle {
    bundle: Bundle,
    checkpoint: Checkpoint,
    /// Its file, which is made when something needs it: compressing costs as much as a third of verifying.
    file: OnceLock<Result<Vec<u8>, Failure>>,
}

impl KeptBundle {
    fn file(&self) -> Result<&[u8], Failure> {
        let made = self
            .file
            .get_or_init(|| self.bundle.to_bytes().map_err(complete::failure));
        made.as_deref().map_err(|failure| *failure)
    }
}

/// Why a citizen's entries cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The ledger does not respond.
    #[error("ledger: {0}")]
    Ledger(#[from] CallError),
    /// Identity's disclosure does not verify against the log.
    #[error("the disclosure does not verify: {0}")]
    Disclosure(&'static str),
    /// The verification has stopped, because of a fault in the portal.
    #[error("the verification has stopped: {0}")]
    Stopped(tokio::task::JoinError),
}

impl Citizen {
    /// Fetches and verifies everything that identity has disclosed.
    ///
    /// # Errors
    /// [`LoadError`] if the ledger does not respond or the disclosure does not verify. A single access that does not
    /// verify is no error.
    pub(crate) async fn load(
        ledger: &Arc<LedgerReader>,
        trust: &Trust,
        disclosure: Disclosure,
    ) -> Result<Self, LoadError> {
        check_inspection(&disclosure, trust)?;
        check_checkpoint(&disclosure, trust)?;
        let anchor = ledger.anchors.reaching(newest_entry(&disclosure), ANCHOR_WAIT).await?;
        let groups = group_by_access(&disclosure.entries);
        let mut citizen = Self {
            name: disclosure.display_name,
            accesses: Vec::new(),
            unopened: Vec::new(),
            check: ServerCheck::Unwitnessed,
            idnr: Some(disclosure.idnr),
            date_of_birth: disclosure.date_of_birth,
            bundle: None,
            materials: Materials::fetch(ledger, disclosure.entries, disclosure.periods).await?,
        };
        let (proof, trust) = (disclosure.complete, trust.clone());
        let covered = blocking(move || {
            let rest = citizen.prove_covered(groups, proof, &anchor, &trust);
            (citizen, rest, anchor, trust)
        });
        let (mut citizen, rest, anchor, trust) = covered.await?;
        let unproved: Vec<u64> = rest.iter().flatten().copied().collect();
        citizen.materials.fetch_receipts(ledger, &unproved).await?;
        blocking(move || {
            citizen.prove_rest(rest, &anchor, &trust);
            citizen
        })
        .await
    }

    /// Proves the accesses that the bundle covers, out of `groups`, which are the log indices of the entries of each
    /// access. Returns the others: those that are newer than the bundle, or all without a bundle that verifies.
    fn prove_covered(
        &mut self,
        groups: Vec<Vec<u64>>,
        proof: Option<CompletenessProof<()>>,
        anchor: &CheckedAnchor,
        trust: &Trust,
    ) -> Vec<Vec<u64>> {
        let mut covered = HashMap::new();
        match proof.map(|proof| self.make_bundle(anchor, proof, &groups, trust)) {
            None => {}
            Some(Err(failure)) => self.check = ServerCheck::Failed(failure),
            Some(Ok((claim, accesses))) => {
                self.check = ServerCheck::Complete(claim);
                covered.extend(accesses.into_iter().map(|access| (access.indices(), access)));
            }
        }
        let mut rest = Vec::new();
        for indices in groups {
            // An access whose outcome is newer than the bundle has another index there, so its opening proves it.
            match covered.remove(&indices) {
                Some(access) => self.accesses.push(access),
                None => rest.push(indices),
            }
        }
        rest
    }

    /// Proves the other accesses by their openings, and sorts them into those that are proved and those that are not.
    fn prove_rest(&mut self, rest: Vec<Vec<u64>>, anchor: &CheckedAnchor, trust: &Trust) {
        let mut verifier = AccessVerifier::new(trust.clone());
        for indices in rest {
            match self.verify(&mut verifier, &indices, &anchor.anchor) {
                Ok(access) => self.accesses.push(access),
                Err(failure) => self.unopened.push((indices, failure)),
            }
        }
        self.accesses
            .sort_by_key(|access| std::cmp::Reverse(access.first().index));
    }

    /// Makes the bundle, verifies it and compares it with the list. A bundle that does not verify is kept, so that the
    /// browser reaches the same result.
    fn make_bundle(
        &mut self,
        anchor: &CheckedAnchor,
        proof: CompletenessProof<()>,
        listed: &[Vec<u64>],
        trust: &Trust,
    ) -> Result<(Claim, Vec<Access>), Failure> {
        let proof = proof.fill(|index, ()| self.materials.disclosed(index))?;
        let idnr = self.idnr.clone().ok_or(Failure::Load)?;
        let proved = &anchor.proved;
        let anchor = Anchor::clone(&anchor.anchor);
        let verdict = trust.policy.verify_checkpoint(&proof.checkpoint);
        let checkpoint = verdict.map_err(|_| Failure::Proof)?.checkpoint().clone();
        let kept = self.bundle.insert(KeptBundle {
            bundle: Bundle { idnr, anchor, proof },
            checkpoint,
            file: OnceLock::new(),
        });
        statement::prove_listed(&kept.bundle, listed, &trust.policy, proved)
    }

    /// Whether both are the same person's.
    pub(crate) fn is_same_person(&self, other: &Self) -> bool {
        (&self.idnr, &self.name) == (&other.idnr, &other.name)
    }

    /// Makes the bundle file, beside the requests of others. Does nothing if it is made already.
    pub(crate) async fn make_file(self: &Arc<Self>) {
        if self.bundle.as_ref().is_none_or(|kept| kept.file.get().is_some()) {
            return;
        }
        let citizen = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || citizen.bundle().is_some()).await;
        if let Err(error) = made {
            tracing::error!(%error, "making a bundle file has stopped");
        }
    }

    /// The person.
    pub(crate) fn idnr(&self) -> Option<&Idnr> {
        self.idnr.as_ref()
    }

    /// The bundle file, if there is one.
    pub(crate) fn bundle(&self) -> Option<&[u8]> {
        self.bundle.as_ref()?.file().ok()
    }

    /// The person, if there is a bundle.
    pub(crate) fn person(&self) -> Option<&Idnr> {
        self.idnr.as_ref().filter(|_| self.bundle.is_some())
    }

    /// The size of the log as of the bundle; 0 without one.
    pub(crate) fn log_size(&self) -> u64 {
        self.bundle.as_ref().map_or(0, |bundle| bundle.checkpoint.size.get())
    }

    /// What a page or a file of this session is made of, as the server knows it.
    pub(crate) fn content<'a>(&'a self, path: Option<&'a EntryPath>) -> Content<'a> {
        Content {
            accesses: &self.accesses,
            unopened: &self.unopened,
            claim: match self.check {
                ServerCheck::Complete(claim) => Some(claim),
                ServerCheck::Unwitnessed | ServerCheck::Failed(_) => None,
            },
            person: self.person(),
            bundle: self.bundle.is_some(),
            size: self.log_size(),
            path,
            device: None,
        }
    }

    /// The way of an entry to the root of the log, if the bundle has it.
    pub(crate) fn path(&self, index: u64) -> Option<EntryPath> {
        let bundle = self.bundle.as_ref()?;
        bundle.bundle.path(index, &bundle.checkpoint)
    }

    /// Everything that proves the pages of this session: the bundle, openings of newer entries, with cosigned receipts
    /// if the ledger has them by now, and the proof that the log has only grown since it had `from` entries.
    ///
    /// # Errors
    /// Why there is nothing to prove them with.
    pub(crate) async fn list_proof(&self, ledger: &LedgerReader, from: u64) -> Result<ListProof, Failure> {
        let Some(bundle) = &self.bundle else {
            return Err(match self.check {
                ServerCheck::Failed(failure) => failure,
                ServerCheck::Complete(_) | ServerCheck::Unwitnessed => Failure::Witnesses,
            });
        };
        let newer = |index: &u64| *index > bundle.bundle.proof.map.index;
        let later: Vec<u64> = self.listed().into_iter().flatten().filter(newer).collect();
        if later.len() > MAX_LATER {
            return Err(Failure::Witnesses);
        }
        // What has not arrived by then is sent without cosignatures, and the page says so.
        let refresh = async {
            for index in &later {
                self.materials.refresh(ledger, *index).await;
            }
        };
        let _ = tokio::time::timeout(REFRESH_WAIT, refresh).await;
        let openings = later
            .iter()
            .map(|index| self.opening(*index, None).ok_or(Failure::Load));
        Ok(ListProof {
            bundle: bundle.file()?.to_vec(),
            later: openings.collect::<Result<_, _>>()?,
            consistency: ledger.consistency(from, &bundle.checkpoint).await,
        })
    }

    /// Log indices of the entries of all accesses, including those that could not be opened.
    pub(crate) fn listed(&self) -> Vec<Vec<u64>> {
        let indices = |access: &Access| access.stamps().iter().map(|stamp| stamp.index).collect();
        let opened = self.accesses.iter().map(indices);
        let unopened = self.unopened.iter().map(|(indices, _)| indices.clone());
        opened.chain(unopened).collect()
    }

    fn verify(&self, verifier: &mut AccessVerifier, indices: &[u64], anchor: &Anchor) -> Result<Access, Failure> {
        let files: Option<Vec<Vec<u8>>> = indices
            .iter()
            .map(|index| Some(self.opening(*index, Some(anchor))?.to_bytes()))
            .collect();
        verifier
            .verify(&files.ok_or(Failure::Load)?, indices)
            .map(|proved| proved.access)
    }

    /// The opening of one of the citizen's entries. `None` for any other entry.
    fn opening(&self, index: u64, anchor: Option<&Anchor>) -> Option<Opening> {
        self.materials.opening(self.idnr.as_ref()?, index, anchor)
    }

    /// The opening file of an entry, with cosigned receipts if the ledger has them by now. `None` for an entry that is
    /// not the citizen's.
    pub(crate) async fn opening_file(&self, ledger: &LedgerReader, index: u64) -> Result<Option<Vec<u8>>, CallError> {
        if !self.materials.contains(index) {
            return Ok(None);
        }
        let anchor = ledger.anchors.reaching(index, Duration::ZERO).await?;
        self.materials.refresh(ledger, index).await;
        Ok(self
            .opening(index, Some(&anchor.anchor))
            .map(|opening| opening.to_bytes()))
    }

    /// The receipt of one of the citizen's entries, cosigned if the ledger has it by now. `None` for any other entry.
    pub(crate) async fn receipt_file(&self, ledger: &LedgerReader, index: u64) -> Option<Vec<u8>> {
        self.materials.receipt(ledger, index).await
    }

    /// A citizen without entries.
    #[cfg(test)]
    pub(crate) fn for_tests(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            accesses: Vec::new(),
            unopened: Vec::new(),
            check: ServerCheck::Unwitnessed,
            idnr: None,
            date_of_birth: None,
            bundle: None,
            materials: Materials::default(),
        }
    }
}

/// Runs the verification beside the requests of others.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work).await.map_err(LoadError::Stopped)
}

/// Groups entries by access: intent, outcome and preview of one number are one access.
fn group_by_access(entries: &[DisclosedEntry]) -> Vec<Vec<u64>> {
    let mut groups: BTreeMap<(Period, Series, u32), BTreeMap<Phase, u64>> = BTreeMap::new();
    for entry in entries {
        let key = (entry.period, entry.series, entry.number);
        groups.entry(key).or_default().insert(entry.phase, entry.index);
    }
    groups
        .into_values()
        .map(|phases| phases.into_values().collect())
        .collect()
}

/// Checks the receipt of the inspection. Identity may disclose keys only after the inspection is in the log.
fn check_inspection(disclosure: &Disclosure, trust: &Trust) -> Result<(), LoadError> {
    let verified = Receipt::parse(&disclosure.inspection_receipt)
        .and_then(|receipt| receipt.verify(&trust.policy))
        .map_err(|_| LoadError::Disclosure("inspection receipt"))?;
    if verified.entry().entry().body.kind() == Kind::Inspection {
        Ok(())
    } else {
        Err(LoadError::Disclosure("kind of the inspection entry"))
    }
}

/// The newest entry whose writer's right the list and the bundle must prove.
fn newest_entry(disclosure: &Disclosure) -> u64 {
    let entries = disclosure.entries.iter().map(|entry| entry.index);
    let map = disclosure.complete.iter().map(|proof| proof.map.index);
    entries.chain(map).max().unwrap_or_default()
}

fn check_checkpoint(disclosure: &Disclosure, trust: &Trust) -> Result<(), LoadError> {
    let policy = &trust.policy;
    let mut origins = policy.logs().iter().map(|log| log.origin());
    let signed = |origin| SignedCheckpoint::open(&disclosure.checkpoint, &origin, &policy.log_keys(&origin)).is_ok();
    if origins.any(signed) {
        Ok(())
    } else {
        Err(LoadError::Disclosure("checkpoint"))
    }
}
