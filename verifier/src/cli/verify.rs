//! `verifier verify`: one file, offline.

use std::path::PathBuf;

use proof::bundle::{self, Bundle};
use proof::opening::{self, Opening, VerifyError};
use record::Receipt;
use text::Damage;
use tlog::policy::Policy;

use super::outcome::{Failure, Verdict, print_json};
use super::statement::Statement;
use super::trust::{TrustArguments, usage};

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// A receipt (.tlog-proof), an opening of one entry, or a bundle of all
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArguments,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// First line of a receipt (c2sp.org/tlog-proof).
const RECEIPT: &[u8] = b"c2sp.org/tlog-proof@v1\n";

impl Verify {
    pub(crate) fn run(self) -> Result<Verdict, Failure> {
        let bytes = std::fs::read(&self.file).map_err(|error| usage(&self.file, error))?;
        let statement = self.check(&bytes)?;
        if self.json {
            print_json(&statement)?;
        } else {
            output::stdout!("{statement}")?;
        }
        Ok(if statement.sound {
            Verdict::Sound
        } else {
            Verdict::NotSound
        })
    }

    /// Checks the file. Its first bytes determine its format. A file that is not sound because it was damaged on its
    /// way gets no verdict.
    fn check(&self, bytes: &[u8]) -> Result<Statement, Failure> {
        let policy = self.trust.policy()?;
        let result = if bytes.starts_with(RECEIPT) {
            self.receipt(bytes, &policy).map_err(|error| error.to_string())
        } else if bytes.starts_with(bundle::FORMAT) {
            Bundle::parse(bytes)
                .and_then(|bundle| bundle.verify(&policy, self.trust.genesis.as_ref()))
                .map(|complete| Statement::of_bundle(&complete, self.trust.genesis.is_some()))
                .map_err(|error| error.to_string())
        } else {
            self.opening(bytes, &policy)
        };
        Ok(match result {
            Ok(statement) => statement.require_quorum(self.trust.allow_unwitnessed),
            Err(error) => match Damage::of_binary(bytes) {
                Some(damage) => return Err(usage(&self.file, damage)),
                None => Statement::refused(error),
            },
        })
    }

    fn receipt(&self, bytes: &[u8], policy: &Policy) -> Result<Statement, VerifyError> {
        let verified = Receipt::parse(bytes)
            .and_then(|receipt| receipt.verify(policy))
            .map_err(VerifyError::Receipt)?;
        match self.trust.genesis {
            Some(genesis) if verified.index().get() == 0 && verified.entry().leaf_hash() != genesis => {
                Err(VerifyError::Genesis)
            }
            genesis => Ok(Statement::of_receipt(&verified, genesis.is_some())),
        }
    }

    fn opening(&self, bytes: &[u8], policy: &Policy) -> Result<Statement, String> {
        Opening::parse(bytes)
            .and_then(|opening| opening.verify(policy, self.trust.genesis.as_ref()))
            .map(|proved| Statement::of_opening(&proved, self.trust.genesis.is_some()))
            .map_err(|error| match error {
                VerifyError::Format(what) => format!(
                    "neither a receipt (c2sp.org/tlog-proof), nor a bundle (einsicht/bundle/v1), nor an opening ({}): \
                     {what}",
                    opening::FORMAT
                ),
                error => error.to_string(),
            })
    }
}
