//! The list that is shown: the rows that its query chooses, on all its pages.

use paper::{Block, Code, Paper, PaperRow};
use text::phrase::Phrase;

use super::{Made, empty, name};
use crate::language::citizen::FilterText;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::language::sentence::{reason, sentence, without_stop};
use crate::pages::{Content, Frame, ListQuery, Sort, at, law, who};
use crate::proof::access::{Access, Ending};
use crate::proof::complete::Claim;
use crate::proof::verdict::ServerCheck;

/// The name of the bundle as an attachment and as a download.
pub const BUNDLE_FILE: &str = "eintraege.bundle";

/// The list as data.
#[derive(Clone, Debug)]
pub struct ListExport {
    /// What the reader has chosen: labels and values.
    pub chosen: Vec<(&'static str, String)>,
    /// Number of all exchanges.
    pub all: usize,
    /// Number of exchanges that match.
    pub matching: usize,
    /// Groups with their headings, in the order of the query.
    pub groups: Vec<ExportGroup>,
    /// Accesses that could not be opened: their entries' log indices, and the reason.
    pub unopened: Vec<(Vec<u64>, &'static str)>,
    /// What the server has found about the whole list.
    pub claim: Option<Claim>,
}

/// Rows under one heading.
#[derive(Clone, Debug)]
pub struct ExportGroup {
    /// The heading.
    pub title: String,
    /// The rows.
    pub rows: Vec<ExportRow>,
}

/// One exchange.
#[derive(Clone, Debug)]
pub struct ExportRow {
    /// The log indices of its entries.
    pub entries: Vec<u64>,
    /// When the first one was written.
    pub time: LocalTime,
    /// The sentence, as the page shows it.
    pub said: Phrase,
    /// The reason, as the page shows it.
    pub why: Option<Phrase>,
    /// The result, as the page shows it.
    pub result: &'static str,
    /// The authority that asked. This and the following are empty for an exchange that is erased.
    pub who: String,
    /// The authority that was asked.
    pub at: String,
    /// The evidence.
    pub evidence: String,
    /// The reason that the authority has given.
    pub occasion: String,
    /// The law that it names.
    pub law: String,
    /// Its reference.
    pub reference: String,
}

impl ListExport {
    /// Chooses the rows as the page does.
    pub fn new(content: &Content, query: &ListQuery, lang: Lang) -> Self {
        let chosen = query.choose_all(content.accesses, lang);
        let words = lang.words();
        let groups = chosen.groups.into_iter().map(|group| ExportGroup {
            title: group.title,
            rows: group.rows.into_iter().map(|access| row(access, lang)).collect(),
        });
        Self {
            chosen: chosen_words(query, lang),
            all: chosen.all,
            matching: chosen.matching,
            groups: groups.collect(),
            unopened: content
                .unopened
                .iter()
                .map(|(indices, failure)| (indices.clone(), words.reason(*failure)))
                .collect(),
            claim: content.claim,
        }
    }
}

fn row(access: &Access, lang: Lang) -> ExportRow {
    let (evidence, why, reference) = match access {
        Access::Exchange(exchange) => {
            let record = &exchange.record;
            let reference = record.ids.request_reference.clone();
            (record.evidence.title.clone(), Some(&record.why), reference)
        }
        Access::Release { record, .. } => {
            let titles: Vec<&str> = record.data.iter().map(|datum| datum.title.as_str()).collect();
            (titles.join(", "), Some(&record.why), String::new())
        }
        _ => Default::default(),
    };
    ExportRow {
        entries: access.indices(),
        time: LocalTime::of(access.first().time),
        said: sentence(access, lang),
        why: reason(access, lang),
        result: lang.citizen().result.name(Ending::of(access)),
        who: who(access).to_owned(),
        at: at(access).to_owned(),
        evidence,
        occasion: why
            .map(|why| without_stop(&why.occasion).to_owned())
            .unwrap_or_default(),
        law: law(access).to_owned(),
        reference,
    }
}

/// What the reader has chosen, with the labels of the form. The order is always among it.
fn chosen_words(query: &ListQuery, lang: Lang) -> Vec<(&'static str, String)> {
    let text: &FilterText = &lang.citizen().filter;
    let day = |day: &Option<String>| day.as_ref().map(|day| german_day(day));
    let ending = query.ending.map(|ending| lang.citizen().result.name(ending).to_owned());
    let order = match query.sort {
        Sort::Newest => text.newest,
        Sort::Oldest => text.oldest,
        Sort::Authority => text.by_authority,
    };
    let chosen = [
        (text.words, query.words.clone()),
        (text.who, query.who.clone()),
        (text.at, query.at.clone()),
        (text.result, ending),
        (text.law, query.law.clone()),
        (text.from, day(&query.from)),
        (text.until, day(&query.until)),
        (text.sort, Some(order.to_owned())),
    ];
    let chosen = chosen.into_iter();
    chosen.filter_map(|(label, value)| Some((label, value?))).collect()
}

/// `21.11.2026`, of `2026-11-21`.
fn german_day(day: &str) -> String {
    day.split('-').rev().collect::<Vec<_>>().join(".")
}

/// The document of the list.
pub fn paper(frame: &Frame, content: &Content, query: &ListQuery, check: ServerCheck, made: Made) -> Paper {
    let lang = frame.lang;
    let text = &lang.citizen().list;
    let words = lang.paper();
    let export = ListExport::new(content, query, lang);
    let when = LocalTime::of(made.at).full(lang);
    let footer = (words.footer)(text.title, &when);
    let mut paper = empty(frame, lang, text.title.to_owned(), footer);
    let mut lead = Phrase::said(words.of);
    lead.cite(name(frame)).say(&(words.made)(&when));
    let checked = match check {
        ServerCheck::Complete(claim) => complete(&claim, lang),
        ServerCheck::Unwitnessed => words.unchecked.to_owned(),
        ServerCheck::Failed(_) => words.failed.to_owned(),
    };
    paper.blocks.extend([
        Block::Title(text.title.to_owned()),
        Block::Paragraph(lead),
        Block::Paragraph(Phrase::said(&checked)),
        Block::Small(chosen(&export, query, lang)),
        Block::Code(code(frame, content.bundle, made)),
    ]);
    paper.blocks.extend(unopened(&export, lang));
    for group in &export.groups {
        let count = (text.group)(group.rows.len());
        paper.blocks.push(Block::Heading(format!("{} – {count}", group.title)));
        paper.blocks.extend(group.rows.iter().map(|row| block(row, lang)));
    }
    paper.blocks.extend(end(content, query, lang));
    paper
}

fn complete(claim: &Claim, lang: Lang) -> String {
    let citizen = lang.citizen();
    let exchanges = (citizen.list.group)(claim.exchanges);
    let visits = (citizen.overview.visits)(claim.inspections);
    (lang.paper().complete)(&exchanges, &visits, &LocalTime::of(claim.as_of).full(lang))
}

/// What the query has chosen, and how much of everything that is.
fn chosen(export: &ListExport, query: &ListQuery, lang: Lang) -> Phrase {
    let text = &lang.citizen().list;
    let count = match (export.all, export.matching) {
        (0, _) => text.none.to_owned(),
        (_, 0) => text.none_matching.to_owned(),
        (all, matching) if query.restricts() => (text.matching)(matching, all),
        (all, _) => format!("{}.", (text.group)(all)),
    };
    let mut phrase = Phrase::said(&count);
    for (label, value) in &export.chosen {
        phrase.say(&format!(" {}: ", label.trim_end_matches('?')));
        phrase.cite(value).say(".");
    }
    phrase
}

fn code(frame: &Frame, bundle: bool, made: Made) -> Code {
    let words = frame.lang.paper();
    let check = if bundle { words.attached } else { words.check };
    Code {
        url: format!(
            "{}/{}/selbst-pruefen",
            made.portal,
            frame.lang.public("/selbst-pruefen").code()
        ),
        alt: words.code.to_owned(),
        words: check.iter().map(|&line| line.to_owned()).collect(),
    }
}

fn unopened(export: &ListExport, lang: Lang) -> Vec<Block> {
    let text = &lang.citizen().list;
    if export.unopened.is_empty() {
        return Vec::new();
    }
    let lines = export.unopened.iter().map(|(indices, reason)| {
        let line = (text.unopened_entry)(&joined(indices), reason);
        Block::Paragraph(Phrase::said(&line))
    });
    let heading = Block::Heading(text.unopened.to_owned());
    [heading].into_iter().chain(lines).collect()
}

fn block(row: &ExportRow, lang: Lang) -> Block {
    let entries = (lang.paper().entries)(&joined(&row.entries));
    Block::Row(PaperRow {
        when: row.time.full(lang),
        said: row.said.clone(),
        why: row.why.clone(),
        result: format!("{}. {entries}", row.result),
    })
}

/// The own visits, which the list leaves out, and what lies before the oldest row.
fn end(content: &Content, query: &ListQuery, lang: Lang) -> Vec<Block> {
    let text = &lang.citizen().list;
    let mut blocks = Vec::new();
    let own = text.own(content.accesses);
    if !own.is_empty() {
        blocks.push(Block::Small(Phrase::said(&own)));
    }
    if let (Some(claim), false) = (content.claim, query.restricts()) {
        let (title, words) = match claim.since {
            Some(since) => ((text.end_since)(&LocalTime::of(since).date), text.end_since_text),
            None => (text.end_beginning.to_owned(), text.end_beginning_text),
        };
        blocks.extend([Block::Heading(title), Block::Paragraph(Phrase::said(words))]);
    }
    blocks
}

/// Log indices, as a reader sees them.
pub fn joined(indices: &[u64]) -> String {
    let indices: Vec<String> = indices.iter().map(ToString::to_string).collect();
    indices.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use record::Outcome;

    use super::*;
    use crate::proof::verify::Failure;
    use crate::samples;

    fn frame(lang: Lang) -> Frame {
        Frame {
            lang,
            path: "/abrufe".into(),
            banner: None,
            session: Some(crate::pages::SessionInfo {
                name: "Emma Muster".into(),
                seconds: 300,
                idle_end: 0,
                end: 0,
                warning: false,
            }),
            script: None,
            island: false,
        }
    }

    fn accesses() -> Vec<Access> {
        let exchange = |outcome| Access::of(vec![samples::intent(), samples::outcome(outcome)]).unwrap();
        let mut accesses = vec![exchange(Outcome::Delivered); 30];
        accesses.push(exchange(Outcome::Refused));
        accesses.push(Access::of(vec![samples::inspection()]).unwrap());
        accesses
    }

    fn content<'a>(accesses: &'a [Access], unopened: &'a [(Vec<u64>, Failure)]) -> Content<'a> {
        Content {
            accesses,
            unopened,
            claim: None,
            person: None,
            bundle: true,
            size: 0,
            path: None,
            device: None,
        }
    }

    #[test]
    fn an_export_has_the_rows_of_all_pages_and_those_alone_that_the_query_chooses() {
        let accesses = accesses();
        let content = content(&accesses, &[]);
        let rows = |query: &str| {
            let export = ListExport::new(&content, &ListQuery::parse(query), Lang::De);
            let rows: usize = export.groups.iter().map(|group| group.rows.len()).sum();
            assert_eq!(rows, export.matching);
            rows
        };
        assert_eq!(rows("seite=2"), 31);
        assert_eq!(rows("ergebnis=abgelehnt"), 1);
        assert_eq!(rows("q=gibt+es+nicht"), 0);
    }

    #[test]
    fn the_document_says_whose_list_it_is_what_was_chosen_and_what_could_not_be_opened() {
        let accesses = accesses();
        let unopened = [(vec![40, 41], Failure::Proof)];
        let content = content(&accesses, &unopened);
        let query = ListQuery::parse("wer=Stadt+Musterhausen&von=2026-11-01&sort=aelteste");
        let made = Made {
            at: samples::TIME,
            portal: "https://portal.example",
        };
        for lang in Lang::ALL {
            let paper = paper(&frame(lang), &content, &query, ServerCheck::Unwitnessed, made);
            let texts: Vec<String> = paper.blocks.iter().map(text_of).collect();
            let text = texts.join("\n");
            for expected in [
                "Emma Muster",
                "21.11.2026, 14:03",
                "Stadt Musterhausen",
                "01.11.2026",
                "40, 41",
                lang.paper().unchecked,
                lang.citizen().result.refused,
                "https://portal.example/",
            ] {
                assert!(text.contains(expected), "{lang:?}: {expected} is missing in {text}");
            }
            assert_eq!(text.matches("17, 19").count(), 31, "{text}");
        }
    }

    fn text_of(block: &Block) -> String {
        match block {
            Block::Title(text) | Block::Heading(text) => text.clone(),
            Block::Paragraph(phrase) | Block::Small(phrase) => phrase.text(),
            Block::Row(row) => format!("{} {} {}", row.when, row.said.text(), row.result),
            Block::Field(field) => format!("{} {}", field.name.text(), field.value.text()),
            Block::Code(code) => format!("{} {}", code.words.join(" "), code.url),
            Block::Gap => String::new(),
        }
    }
}
