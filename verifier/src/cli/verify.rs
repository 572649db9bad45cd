//! `verifier verify`: one file, offline.

use std::path::PathBuf;

use record::Receipt;
use verifier::opening::{FORMAT, Opening, VerifyError};

use super::words::Statement;
use super::{Failure, TrustArguments, Verdict, print_json, read};

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// A receipt (.tlog-proof) or an opening
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
        let bytes = read(&self.file)?;
        let statement = self.check(&bytes)?;
        if self.json {
            print_json(&statement)?;
        } else {
            println!("{statement}");
        }
        Ok(if statement.sound {
            Verdict::Sound
        } else {
            Verdict::NotSound
        })
    }

    fn check(&self, bytes: &[u8]) -> Result<Statement, Failure> {
        let policy = self.trust.policy()?;
        let result = if bytes.starts_with(RECEIPT) {
            let verified = Receipt::parse(bytes).and_then(|receipt| receipt.verify(&policy));
            verified
                .map_err(VerifyError::Receipt)
                .and_then(|verified| match self.trust.genesis {
                    Some(genesis) if verified.index().get() == 0 && verified.entry().leaf_hash() != genesis => {
                        Err(VerifyError::Genesis)
                    }
                    genesis => Ok(Statement::of_receipt(&verified, genesis.is_some())),
                })
        } else {
            Opening::parse(bytes)
                .and_then(|opening| opening.verify(&policy, self.trust.genesis.as_ref()))
                .map(|proved| Statement::of_opening(&proved, self.trust.genesis.is_some()))
        };
        Ok(match result {
            Ok(statement) => statement.judge(self.trust.allow_unwitnessed),
            Err(VerifyError::Format(what)) => Statement::refused(format!(
                "neither a receipt (c2sp.org/tlog-proof) nor an opening ({FORMAT}): {what}"
            )),
            Err(error) => Statement::refused(error.to_string()),
        })
    }
}
