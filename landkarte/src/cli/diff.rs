//! `landkarte diff`.

use std::path::{Path, PathBuf};

use landkarte::content;
use landkarte::decisions;
use landkarte::file::MAX_FILE;
use landkarte::sentences::{count, sentences};
use record::Timestamp;
use registerlandkarte::{Registerlandkarte, View, difference};

use super::outcome::{Failure, Verdict, relation};

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The files before: a file or folder
    old: PathBuf,
    /// The files after: a file or folder
    new: PathBuf,
    /// The time whose law counts, such as 2026-11-29T12:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Timestamp,
    /// The time whose knowledge counts; without it, everything that the files record until further notice
    #[arg(long, value_name = "TIME", default_value_t = Timestamp(u64::MAX), hide_default_value = true)]
    known: Timestamp,
    /// Recorded decisions (JSON): also print how many NEW would have made otherwise
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
}

impl Diff {
    pub(crate) fn run(self) -> Result<Verdict, Failure> {
        let (Some(old), Some(new)) = (
            relation(std::slice::from_ref(&self.old))?,
            relation(std::slice::from_ref(&self.new))?,
        ) else {
            return Ok(Verdict::Bad);
        };
        let view = |relation| View {
            relation,
            valid_at: self.at,
            known_at: self.known,
        };
        let changes = difference(view(&old), view(&new));
        for line in sentences(&changes) {
            output::stdout!("{line}")?;
        }
        let decided_otherwise = match &self.decisions {
            Some(path) => self.decide_again(path, &new)?,
            None => false,
        };
        Ok(if changes.is_empty() && !decided_otherwise {
            Verdict::Good
        } else {
            Verdict::Bad
        })
    }

    /// Prints which recorded decisions would differ, and returns whether one would.
    fn decide_again(&self, path: &Path, new: &Registerlandkarte) -> Result<bool, Failure> {
        let usage = |error: String| Failure::Usage(format!("{}: {error}", path.display()));
        let file = content::load(&[path.to_owned()])?;
        let json = file.first().map(|file| file.bytes.as_slice()).unwrap_or_default();
        if json.len() > MAX_FILE {
            return Err(usage(format!("the file is longer than {MAX_FILE} bytes")));
        }
        let recorded = decisions::parse(json).map_err(|error| usage(error.detail()))?;
        let changes = decisions::changed(&recorded, new, self.known);
        for ((then, now), number) in &changes {
            let decisions = count(*number, "decision");
            match (then, now) {
                (Some(then), Some(now)) => output::stdout!("! {decisions} by {then} would be by {now}")?,
                (Some(then), None) => output::stdout!("! {decisions} by {then} would be denials")?,
                (None, Some(now)) => output::stdout!("! {} would be permitted by {now}", count(*number, "denial"))?,
                (None, None) => {}
            }
        }
        let differ: u64 = changes.values().sum();
        output::stdout!("recorded decisions: {}, of which {differ} would differ", recorded.len())?;
        Ok(differ > 0)
    }
}
