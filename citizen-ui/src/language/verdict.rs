//! The verdict about a page as text.

use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::language::words::{VerdictWords, Words};
use crate::markup::{Change, Difference, Place};
use crate::proof::access::Access;
use crate::proof::complete::Claim;
use crate::proof::device::{Contradiction, Past};
use crate::proof::verdict::{Caution, Finding, Proved, Scope, ServerCheck, Unable, Verdict};

/// The verdict in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerdictText {
    /// One short sentence.
    pub title: String,
    /// What it means.
    pub lines: Vec<String>,
    /// What exactly differs.
    pub items: Vec<String>,
    /// What else the reader has to know.
    pub remarks: Vec<String>,
    /// What else there is to know, for those who want to.
    pub more: Vec<String>,
    /// What the citizen can do here.
    pub acts: Vec<Act>,
}

/// A link or button beside the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// How to check without the portal.
    Verify,
    /// A new login.
    Login,
    /// The citizen says that the number is theirs.
    Confirm,
    /// The device forgets everything.
    Forget,
}

/// The verdict in words. `accesses` are the proved ones, from which a row that differs gets its time.
pub fn verdict_text(verdict: &Verdict, scope: Scope, accesses: &[Access], lang: Lang) -> VerdictText {
    let all = lang.words();
    let words = all.verdict;
    match verdict {
        Verdict::Unchecked(check) => unchecked(check, all),
        Verdict::Pending => VerdictText {
            title: words.pending.to_owned(),
            lines: vec![words.pending_hint.to_owned()],
            ..VerdictText::default()
        },
        Verdict::Proved(proved) => {
            let title = match scope {
                Scope::List => (words.proved_list)(&proved.claim),
                Scope::Access => words.proved_access.to_owned(),
            };
            let line = (words.proved_by)(&LocalTime::of(proved.at), &proved.ending);
            with_proof(title, vec![line], vec![Act::Forget], proved, words)
        }
        Verdict::Caution(proved, caution) => {
            let (title, line, act) = cautious(*caution, proved, words);
            with_proof(title, vec![line], vec![act, Act::Forget], proved, words)
        }
        Verdict::Unable(unable) => VerdictText {
            title: words.unable.to_owned(),
            lines: vec![
                match unable {
                    Unable::Load => words.unable_load,
                    Unable::Unwitnessed => words.unable_unwitnessed,
                    Unable::TooLong => words.unable_too_long,
                }
                .to_owned(),
            ],
            acts: vec![Act::Login, Act::Verify],
            ..VerdictText::default()
        },
        Verdict::Failed(finding) => failed(finding, accesses, all),
    }
}

fn unchecked(check: &ServerCheck, all: &Words) -> VerdictText {
    let words = all.verdict;
    let server = match check {
        ServerCheck::Complete(claim) => (words.server_complete)(claim),
        ServerCheck::Unwitnessed => words.server_unwitnessed.to_owned(),
        ServerCheck::Failed(failure) => (words.server_failed)(all.reason(*failure)),
    };
    VerdictText {
        title: words.unchecked.to_owned(),
        lines: vec![server],
        remarks: vec![words.unchecked_hint.to_owned()],
        more: match check {
            ServerCheck::Complete(claim) => counted(claim, 0, words),
            ServerCheck::Unwitnessed | ServerCheck::Failed(_) => Vec::new(),
        },
        acts: vec![Act::Verify],
        ..VerdictText::default()
    }
}

/// What is counted and what is not.
fn counted(claim: &Claim, witnesses: usize, words: &VerdictWords) -> Vec<String> {
    let mut remarks = vec![(words.counted)(claim, witnesses)];
    remarks.extend(claim.since.map(|_| words.since.to_owned()));
    if claim.later > 0 {
        remarks.push((words.later)(claim.later));
    }
    remarks.push(words.not_counted.to_owned());
    remarks
}

fn with_proof(title: String, lines: Vec<String>, acts: Vec<Act>, proved: &Proved, words: &VerdictWords) -> VerdictText {
    let mut more = counted(&proved.claim, proved.witnesses, words);
    match proved.past {
        Past::First => more.push(words.first.to_owned()),
        Past::Grown(seen) => more.push((words.grown)(&LocalTime::of(seen))),
        Past::Unlinked(_) => {}
    }
    VerdictText {
        title,
        lines,
        more,
        acts,
        ..VerdictText::default()
    }
}

fn cautious(caution: Caution, proved: &Proved, words: &VerdictWords) -> (String, String, Act) {
    match caution {
        Caution::OtherPerson => (
            words.other_person.to_owned(),
            (words.other_person_hint)(&proved.ending),
            Act::Confirm,
        ),
        Caution::Old(seconds) => ((words.old)(seconds / 60), words.old_hint.to_owned(), Act::Login),
        Caution::Clock => (words.clock.to_owned(), words.clock_hint.to_owned(), Act::Verify),
        Caution::Unwitnessed => (
            words.unwitnessed.to_owned(),
            words.unwitnessed_hint.to_owned(),
            Act::Verify,
        ),
        Caution::Unlinked => {
            let seen = match proved.past {
                Past::Unlinked(seen) | Past::Grown(seen) => seen,
                Past::First => proved.claim.as_of,
            };
            let hint = (words.unlinked_hint)(&LocalTime::of(seen));
            (words.unlinked.to_owned(), hint, Act::Verify)
        }
    }
}

fn failed(finding: &Finding, accesses: &[Access], all: &Words) -> VerdictText {
    let words = all.verdict;
    let mut text = VerdictText {
        title: words.failed.to_owned(),
        remarks: vec![words.what_to_do.to_owned()],
        acts: vec![Act::Verify],
        ..VerdictText::default()
    };
    let found = |found: &[Difference]| found.iter().map(|one| difference(one, accesses, words)).collect();
    text.lines.push(match finding {
        Finding::Proof(failure) => (words.failed_proof)(all.reason(*failure)),
        Finding::Shown(differences) => {
            text.items = found(differences);
            text.remarks.insert(0, words.shown_below.to_owned());
            words.shown.to_owned()
        }
        Finding::Altered(differences) => {
            text.items = found(differences);
            text.remarks.insert(0, words.shown_below.to_owned());
            words.altered.to_owned()
        }
        Finding::TooOld(as_of) => (words.too_old)(&LocalTime::of(*as_of)),
        Finding::Device(contradiction) => {
            text.remarks.push(words.forget_hint.to_owned());
            text.acts.push(Act::Forget);
            contradicted(*contradiction, words)
        }
    });
    text
}

fn contradicted(contradiction: Contradiction, words: &VerdictWords) -> String {
    match contradiction {
        Contradiction::OtherLog => words.other_log.to_owned(),
        Contradiction::OtherPolicy => words.other_policy.to_owned(),
        Contradiction::Older(seen) => (words.older)(&LocalTime::of(seen)),
        Contradiction::Rewritten(seen) => (words.rewritten)(&LocalTime::of(seen)),
    }
}

fn difference(difference: &Difference, accesses: &[Access], words: &VerdictWords) -> String {
    let place = match &difference.place {
        Place::Row(index) => {
            let access = accesses.iter().find(|access| access.first().index == *index);
            let when = access.map(|access| LocalTime::of(access.first().time));
            (words.row)(*index, when.as_ref())
        }
        Place::Fact(label) => (words.fact)(label),
        Place::Page => words.page.to_owned(),
    };
    let change = match &difference.change {
        Change::Text { proved, shown } => (words.text)(shown, proved),
        Change::Missing(proved) => (words.missing)(proved),
        Change::Added(shown) if shown.is_empty() => words.added_unseen.to_owned(),
        Change::Added(shown) => (words.added)(shown),
        Change::Order => words.order.to_owned(),
        Change::Target { proved, shown } => (words.target)(shown, proved),
        Change::Look(_) => words.look.to_owned(),
    };
    format!("{place}: {change}")
}
