//! A writer that follows the rules of a journal: it keeps the exact bytes before it sends them, and sends the same
//! bytes again until there is an answer.

use anyhow::{Context, Result, bail};
use fixtures::TestWriter;
use record::{Body, Commitment, Label, LabelledKind, Phase, Sequence, label};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;

use crate::random::Random;
use crate::wire::{EntryAnswer, Posted, post};
use crate::world::{PERIOD, Submission, World, broker, now};

/// How many old acknowledged entries are compared with the log again at every check.
const MAX_RETAINED: usize = 200;

/// An entry that the log has acknowledged.
#[derive(Clone)]
pub(crate) struct Acknowledged {
    pub(crate) index: u64,
    pub(crate) submission: Submission,
    pub(crate) checkpoint: Checkpoint,
}

/// A broker, which writes intents, and outcomes of its own acknowledged intents.
pub(crate) struct Writer {
    pen: TestWriter,
    random: Random,
    /// The size of a record in bytes.
    pub(crate) record: usize,
    /// Sent and not answered; they may or may not be in the log.
    pub(crate) unanswered: Vec<Submission>,
    /// The last error of the ledger or the network.
    pub(crate) why_unanswered: String,
    /// Where the last ledger has sent this writer.
    pub(crate) elsewhere: Option<String>,
    open_intents: Vec<(u64, Label)>,
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// How many of `acknowledged` were already checked.
    checked: usize,
}

impl Writer {
    pub(crate) fn new(number: u8, random: Random) -> Self {
        Self {
            pen: TestWriter::new(broker(number)),
            random,
            record: 96,
            unanswered: Vec::new(),
            why_unanswered: String::new(),
            elsewhere: None,
            open_intents: Vec::new(),
            acknowledged: Vec::new(),
            checked: 0,
        }
    }

    /// The sequence number of the next entry, and the previous leaf hash.
    pub(crate) fn chain(&self) -> (Sequence, Hash) {
        (self.pen.sequence, self.pen.previous)
    }

    pub(crate) fn key(&self) -> record::WriterId {
        self.pen.key.id()
    }

    /// Writes until the ledger no longer answers.
    pub(crate) async fn write(&mut self, client: &reqwest::Client, url: &str, world: &World) -> Result<()> {
        while self.write_once(client, url, world).await? {}
        Ok(())
    }

    /// Sends one request; returns whether it was answered.
    pub(crate) async fn write_once(&mut self, client: &reqwest::Client, url: &str, world: &World) -> Result<bool> {
        if self.unanswered.is_empty() {
            for _ in 0..1 + self.random.below(4) {
                let submission = self.next()?;
                self.unanswered.push(submission);
            }
        }
        let answers = match post(client, url, world, &self.unanswered).await? {
            Posted::Answered(answers) => answers,
            Posted::Unanswered(why) => {
                self.why_unanswered = why;
                return Ok(false);
            }
            Posted::Elsewhere(address) => {
                self.elsewhere = Some(address);
                return Ok(false);
            }
        };
        for (submission, answer) in std::mem::take(&mut self.unanswered).into_iter().zip(answers) {
            match answer {
                EntryAnswer::Recorded(index, checkpoint) => self.acknowledge(index, submission, checkpoint),
                EntryAnswer::Refused(why) => bail!("an honest entry was refused: {why}"),
            }
        }
        Ok(true)
    }

    fn acknowledge(&mut self, index: u64, submission: Submission, checkpoint: Checkpoint) {
        if let Body::Labelled {
            kind: LabelledKind::Intent,
            label,
            ..
        } = submission.entry.entry().body
        {
            self.open_intents.push((index, label));
        }
        self.acknowledged.push(Acknowledged {
            index,
            submission,
            checkpoint,
        });
    }

    fn next(&mut self) -> Result<Submission> {
        let closes = self.random.below(2) == 0;
        let intent = if closes { self.open_intents.pop() } else { None };
        match intent {
            Some((intent, label)) => {
                let label = label::of_phase(&label, Phase::Outcome);
                self.labelled(LabelledKind::Outcome, label.0, Some(intent))
            }
            None => {
                let label = self.random.bytes();
                self.labelled(LabelledKind::Intent, label, None)
            }
        }
    }

    fn labelled(&mut self, kind: LabelledKind, label: [u8; 32], refers: Option<u64>) -> Result<Submission> {
        let record = self.random.bytes().repeat(self.record / 32);
        let body = Body::Labelled {
            kind,
            period: PERIOD,
            label: Label(label),
            commitment: Commitment(Hash::of(&record)),
            refers: refers.map(Index::new).transpose()?,
        };
        Ok(Submission {
            entry: self.pen.write(now(), body)?,
            record: Some(record),
            document: None,
        })
    }

    /// Drops all but the newest acknowledged entries, after they have been checked; returns how many were checked for
    /// the first time.
    pub(crate) fn drop_checked(&mut self) -> u64 {
        let new = self.acknowledged.len() - self.checked;
        let keep = self.acknowledged.len().saturating_sub(MAX_RETAINED);
        self.acknowledged.drain(..keep);
        self.checked = self.acknowledged.len();
        new as u64
    }

    /// Checks that a used label is refused, and that an acknowledged entry sent again gets the same index.
    pub(crate) async fn check_refusals(&mut self, client: &reqwest::Client, url: &str, world: &World) -> Result<()> {
        if self.acknowledged.is_empty() {
            return Ok(());
        }
        let chosen = self.random.below(self.acknowledged.len() as u64) as usize;
        let old = self.acknowledged[chosen].clone();
        let Body::Labelled { label, .. } = old.submission.entry.entry().body else {
            bail!("brokers write labelled entries");
        };
        let honest = self.pen.clone();
        let twice = self.labelled(LabelledKind::Intent, label.0, None)?;
        self.pen = honest;
        let Posted::Answered(answers) = post(client, url, world, &[old.submission.clone(), twice]).await? else {
            bail!("the ledger stopped answering during the check");
        };
        match answers.as_slice() {
            [EntryAnswer::Recorded(index, _), EntryAnswer::Refused(why)] if why.contains("label-used") => (*index
                == old.index)
                .then_some(())
                .context("an acknowledged entry now has another index"),
            other => bail!("a used label was not refused: {other:?}"),
        }
    }
}
