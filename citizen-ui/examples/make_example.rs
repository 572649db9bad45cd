//! Writes the invented list of the page "how it is checked" to standard output: a log with invented exchanges, and the
//! proof of one person's list in the form in which a citizen's page gets it ([`PageProof`]).
//!
//! ```sh
//! cargo run -p citizen-ui --example make_example > citizen-ui/assets/example.page-proof
//! ```
//!
//! Needed when the format of entries, records or bundles changes: the page's test then fails.

use std::io::{self, Write as _};

use citizen_ui::proof::statement::{ListProof, PageProof};
use citizen_ui::proof::verify::TrustText;
use fixtures::sample_log::{SampleLog, idnr};

/// Exchanges of the list. Few, so that the picture of the way to the root stays small.
const EXCHANGES: usize = 3;

fn main() -> io::Result<()> {
    let mut log = SampleLog::new();
    for _ in 0..EXCHANGES {
        log.exchange();
    }
    log.inspection(0);
    log.map();
    let bundle = log.bundle(&idnr()).to_bytes().map_err(io::Error::other)?;
    let proof = PageProof {
        trust: TrustText {
            policy: log.policy(),
            genesis: log.genesis().to_string(),
        },
        list: Ok(ListProof {
            bundle,
            later: Vec::new(),
            consistency: None,
        }),
    };
    io::stdout().write_all(&proof.to_bytes())
}
