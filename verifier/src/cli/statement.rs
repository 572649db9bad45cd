//! The result of `verifier verify` in sentences.

use std::fmt;

use proof::bundle::{Complete, ProvedEntry, ProvedRecord};
use proof::opening::Proved;
use record::{ExchangeRecord, ExpiryDay, ReleaseRecord, SharedPart, VerifiedReceipt};
use serde::Serialize;
use tlog::policy::WitnessCosignature;

/// The result of `verifier verify`.
#[derive(Debug, Serialize)]
pub(crate) struct Statement {
    pub(crate) sound: bool,
    /// What was proved, one sentence each.
    proved: Vec<String>,
    /// What was not checked, one sentence each.
    not_checked: Vec<String>,
    /// The content of the opened records, one line each.
    content: Vec<String>,
    /// Why nothing is proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Whether the policy's quorum has cosigned the checkpoint.
    quorum: bool,
    index: Option<u64>,
    kind: Option<&'static str>,
    time: Option<u64>,
}

impl Statement {
    pub(crate) fn refused(error: String) -> Statement {
        Statement {
            sound: false,
            proved: Vec::new(),
            not_checked: Vec::new(),
            content: Vec::new(),
            error: Some(error),
            quorum: false,
            index: None,
            kind: None,
            time: None,
        }
    }

    pub(crate) fn of_receipt(verified: &VerifiedReceipt, genesis: bool) -> Statement {
        let entry = verified.entry().entry();
        let mut not_checked =
            vec!["whether its writer may write this kind, which only the log's directory states".to_owned()];
        if genesis && verified.index().get() != 0 {
            not_checked.push("the genesis hash: a receipt of another entry does not prove entry 0".to_owned());
        }
        Statement {
            proved: inclusion(
                verified.index().get(),
                entry.body.kind().as_str(),
                &entry.time.to_string(),
                verified.checkpoint(),
                verified.cosignatures(),
            ),
            not_checked,
            quorum: verified.quorum(),
            index: Some(verified.index().get()),
            kind: Some(entry.body.kind().as_str()),
            time: Some(entry.time.0),
            error: None,
            ..Statement::refused(String::new())
        }
    }

    pub(crate) fn of_opening(proved: &Proved, genesis: bool) -> Statement {
        let kind = proved.kind.as_str();
        let time = proved.time.to_string();
        let mut sentences = inclusion(
            proved.index.get(),
            kind,
            &time,
            &proved.checkpoint,
            &proved.cosignatures,
        );
        let mut not_checked = Vec::new();
        sentences.push(match proved.shared {
            Some(_) => "the sealed record is the one that the entry committed to, and opens with the keys".to_owned(),
            None => "the sealed record is the one that the entry committed to, and has expired".to_owned(),
        });
        match &proved.person {
            Some(person) => sentences.push(format!(
                "the entry's label belongs to the person named in the file: number {} of period {}",
                person.number, person.period
            )),
            None => not_checked.push("whose entry it is: the file has no label proof".to_owned()),
        }
        match &proved.anchored {
            Some(writer) => {
                sentences.push(format!(
                    "it was signed by {writer}, which the directory in force at its index permits"
                ));
                if !genesis {
                    not_checked.push("the genesis hash: none was given (--genesis)".to_owned());
                }
            }
            None => not_checked
                .push("the writer's right and the genesis hash: the file does not carry the directory".to_owned()),
        }
        Statement {
            proved: sentences,
            not_checked,
            content: proved.shared.as_ref().map_or_else(|| expired(proved.expiry), content),
            quorum: proved.quorum,
            index: Some(proved.index.get()),
            kind: Some(kind),
            time: Some(proved.time.0),
            error: None,
            ..Statement::refused(String::new())
        }
    }

    pub(crate) fn of_bundle(complete: &Complete, genesis: bool) -> Statement {
        let (first, last) = complete.periods;
        let since = complete.since.map_or(String::new(), |since| format!(" since {since}"));
        let mut sentences = vec![
            format!(
                "complete{since} as of {}: {} exchanges, {} inspections in periods {first}–{last}",
                complete.as_of, complete.exchanges, complete.inspections
            ),
            format!(
                "all of them are in the log {}, in the tree of {} entries with the root {}",
                complete.checkpoint.origin, complete.checkpoint.size, complete.checkpoint.root
            ),
            format!(
                "no others are in the maps whose roots entry {} has published",
                complete.map
            ),
            "the log has signed this tree".to_owned(),
        ];
        sentences.extend(cosigned(&complete.cosignatures));
        let mut not_checked = vec!["what the law discloses later, and what was recorded after that time".to_owned()];
        if complete.since.is_some() {
            not_checked.push(format!(
                "periods before {first}: the log states that their secrets are destroyed"
            ));
        }
        if !genesis {
            not_checked.push("the genesis hash: none was given (--genesis)".to_owned());
        }
        Statement {
            proved: sentences,
            not_checked,
            content: complete.entries.iter().flat_map(entry_lines).collect(),
            quorum: complete.quorum,
            time: Some(complete.as_of.0),
            error: None,
            ..Statement::refused(String::new())
        }
    }

    /// Decides whether the statement is sound: without a quorum only if `allow_unwitnessed` is set.
    pub(crate) fn require_quorum(mut self, allow_unwitnessed: bool) -> Statement {
        self.sound = self.quorum || allow_unwitnessed;
        if !self.sound {
            self.error = Some("the policy's quorum of witnesses has not cosigned (--allow-unwitnessed)".to_owned());
        }
        self
    }
}

fn inclusion(
    index: u64,
    kind: &str,
    time: &str,
    checkpoint: &tlog::checkpoint::Checkpoint,
    cosignatures: &[WitnessCosignature],
) -> Vec<String> {
    let mut sentences = vec![
        format!(
            "entry {index} of the log {} is of kind {kind}, written {time}",
            checkpoint.origin
        ),
        format!(
            "it is in the tree of {} entries with the root {}",
            checkpoint.size, checkpoint.root
        ),
        "the log has signed this tree".to_owned(),
    ];
    sentences.extend(cosigned(cosignatures));
    sentences
}

fn cosigned(cosignatures: &[WitnessCosignature]) -> impl Iterator<Item = String> {
    cosignatures.iter().map(|cosignature| {
        let at = record::Timestamp(cosignature.timestamp);
        format!("{} has cosigned it at {at}", cosignature.witness)
    })
}

fn entry_lines(entry: &ProvedEntry) -> Vec<String> {
    let head = format!(
        "{} {}, entry {} by {}",
        entry.time, entry.kind, entry.index, entry.writer
    );
    let content = match &entry.record {
        ProvedRecord::Open { shared, .. } => content(shared),
        ProvedRecord::Expired => expired(entry.expiry),
    };
    let lines = content.into_iter().map(|line| format!("  {line}"));
    std::iter::once(head).chain(lines).collect()
}

fn expired(day: ExpiryDay) -> Vec<String> {
    vec![format!(
        "erased: the record was kept until the end of {day} and can no longer be opened"
    )]
}

fn content(shared: &SharedPart) -> Vec<String> {
    match shared {
        SharedPart::Exchange(exchange) => exchange_lines(exchange),
        SharedPart::Inspection(inspection) => {
            vec![format!("{} opened records: {}", inspection.reader, inspection.reason)]
        }
        SharedPart::Release(release) => release_lines(release),
        SharedPart::Void(void) => vec![format!("a request of {} was prepared and not sent", void.consumer)],
        SharedPart::Denied => Vec::new(),
    }
}

fn release_lines(release: &ReleaseRecord) -> Vec<String> {
    let mut lines = vec![
        format!("{} received data from identity", release.receiver.name),
        format!("because: {}", release.why.occasion),
    ];
    lines.extend(release.data.iter().map(|datum| {
        let (title, law) = (&datum.title, &datum.legal_basis);
        format!("data: {title}; by law: {law}; permission: {}", datum.permission)
    }));
    lines
}

fn exchange_lines(exchange: &ExchangeRecord) -> Vec<String> {
    let mut lines = vec![
        format!("{} asked {}", exchange.consumer.name, exchange.provider.name),
        format!("for: {}", exchange.evidence.title),
        format!("data: {}", exchange.evidence.categories.join(", ")),
        format!("because: {}", exchange.why.occasion),
        format!("by law: {}", exchange.why.legal_basis),
        format!("permission: {}", exchange.allowed_by.permission),
    ];
    if let Some(result) = &exchange.result {
        lines.push(format!("result: {:?}; told: {}", result.outcome, result.told));
    }
    lines
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in &self.proved {
            writeln!(f, "proved       {sentence}")?;
        }
        for line in &self.content {
            writeln!(f, "recorded     {line}")?;
        }
        for sentence in &self.not_checked {
            writeln!(f, "not checked  {sentence}")?;
        }
        if let Some(error) = &self.error {
            writeln!(f, "FINDING      {error}")?;
        }
        f.write_str(if self.sound { "sound" } else { "NOT SOUND" })
    }
}
