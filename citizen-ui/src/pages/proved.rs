//! Proves a page: from the answer to the one request, what the browser shows, and what the device remembers, to the
//! verdict and the page as it must be. The browser's program reads and writes; every decision is here.
//!
//! 1. The root of trust is the one of the build and of the device ([`check_trust`]).
//! 2. The answer proves all accesses of a person ([`prove`]).
//! 3. The checkpoint is not older than the one that the device has proved, and the log has only grown
//!    ([`check_past`]).
//! 4. The page that follows from the accesses and the address, made with the server's own code, is the one that is
//!    shown, in every element, attribute and text ([`differences`]). A proof says nothing about [`Frame::of_shown`].
//! 5. The list is fresh, and its person is known to the device ([`judge`]).

use super::access::detail;
use super::filter::ListQuery;
use super::frame::Frame;
use super::list::{ListPage, list};
use super::verdict::verdict_box;
use crate::language::lang::Lang;
use crate::language::verdict::verdict_text;
use crate::markup::{Element, differences};
use crate::proof::access::Access;
use crate::proof::device::{Memory, Past, Pins, check_past, check_trust};
use crate::proof::statement::{ListProof, PageProof, ProvedList, prove};
use crate::proof::verdict::{Finding, Scope, ServerCheck, Unable, Verdict, judge};
use crate::proof::verify::{Failure, Trust};

/// The address of a page that is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A page of the list.
    List(ListQuery),
    /// The access whose first entry has this log index.
    Access(u64),
}

impl Target {
    /// Reads path and query, after the language. `None` for all other pages.
    pub fn of(path: &str) -> Option<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        match path.strip_prefix("/zugriffe")? {
            "" => Some(Self::List(ListQuery::parse(query))),
            rest => rest.strip_prefix('/')?.parse().ok().map(Self::Access),
        }
    }

    /// What the page proves.
    pub fn scope(&self) -> Scope {
        match self {
            Self::List(_) => Scope::List,
            Self::Access(_) => Scope::Access,
        }
    }
}

/// What a browser shows, and where.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The element `html`.
    pub document: &'a Element,
    /// The language of the address.
    pub lang: Lang,
    /// Path and query of the address, after the language.
    pub path: &'a str,
    /// What the address names.
    pub target: &'a Target,
}

/// What the device has to do with it.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    /// What it remembers.
    pub memory: Option<&'a Memory>,
    /// What the build has been given.
    pub pins: Pins,
    /// POSIX seconds by its clock.
    pub now: u64,
    /// Random bytes, for a memory that begins.
    pub salt: [u8; 16],
}

/// The result of checking a page.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The verdict.
    pub verdict: Verdict,
    /// The proved accesses and the frame; `None` if nothing is proved.
    pub proved: Option<(ProvedList, Frame)>,
    /// What the device remembers from now on, if that changes.
    pub memory: Option<Memory>,
}

/// Checks a page.
pub fn check(shown: &Shown, answer: &[u8], device: &Device) -> Checked {
    match check_list(answer, device) {
        Ok((trust, proof, list)) => check_shown(shown, &trust, &proof, list, device),
        Err(verdict) => Checked {
            verdict: *verdict,
            proved: None,
            memory: None,
        },
    }
}

/// Steps 1 and 2.
fn check_list(answer: &[u8], device: &Device) -> Result<(Trust, ListProof, ProvedList), Box<Verdict>> {
    let failed = |failure| {
        Box::new(match failure {
            Failure::Witnesses => Verdict::Unable(Unable::Unwitnessed),
            Failure::TooLong => Verdict::Unable(Unable::TooLong),
            Failure::Load => Verdict::Unable(Unable::Load),
            failure => Verdict::Failed(Finding::Proof(failure)),
        })
    };
    let answer = PageProof::parse(answer).map_err(failed)?;
    let trust = answer.trust.parse().map_err(failed)?;
    check_trust(&trust, device.memory, device.pins)
        .map_err(|contradiction| Box::new(Verdict::Failed(Finding::Device(contradiction))))?;
    let proof = answer.list.map_err(failed)?;
    let list = prove(&proof.bundle, &proof.later, &trust).map_err(failed)?;
    Ok((trust, proof, list))
}

/// Steps 3 to 5.
fn check_shown(shown: &Shown, trust: &Trust, proof: &ListProof, list: ProvedList, device: &Device) -> Checked {
    let frame = Frame::of_shown(shown.document, shown.lang, shown.path.to_owned());
    let consistency = proof
        .consistency
        .as_ref()
        .map(|consistency| consistency.hashes.as_slice());
    let past = check_past(&list, consistency, device.memory);
    let knows_person = device.memory.is_none_or(|memory| memory.knows(&list.person));
    let verdict = match past {
        Err(contradiction) => Verdict::Failed(Finding::Device(contradiction)),
        Ok(past) => match judge(&list, past, knows_person, device.now) {
            Verdict::Failed(finding) => Verdict::Failed(finding),
            verdict => compared(shown, &frame, &list).unwrap_or(verdict),
        },
    };
    Checked {
        memory: remembered(&verdict, trust, &list, device),
        verdict,
        proved: Some((list, frame)),
    }
}

/// What the device remembers after a verdict. A list that the citizen has not said to be theirs changes nothing, or
/// else the citizen's own list of a moment ago would look old afterwards.
fn remembered(verdict: &Verdict, trust: &Trust, list: &ProvedList, device: &Device) -> Option<Memory> {
    let (Verdict::Proved(proved) | Verdict::Caution(proved, _)) = verdict else {
        return None;
    };
    let Some(memory) = device.memory else {
        return Some(Memory::begin(trust, list, device.salt));
    };
    let mut memory = memory.clone();
    if matches!(proved.past, Past::Grown(_)) && memory.knows(&list.person) {
        memory.advance(list);
    }
    Some(memory)
}

/// Step 4: the verdict if the page differs. Until now the page must have the server's own statement.
fn compared(shown: &Shown, frame: &Frame, list: &ProvedList) -> Option<Verdict> {
    let server = Verdict::Unchecked(ServerCheck::Complete(list.claim));
    let Some(page) = page(frame, shown.target, list, &server) else {
        return Some(Verdict::Failed(Finding::Proof(Failure::Entry)));
    };
    let found = differences(&page, shown.document);
    (!found.is_empty()).then_some(Verdict::Failed(Finding::Shown(found)))
}

/// The page with a verdict. `None` if the person has no access with the index of the address.
pub fn page(frame: &Frame, target: &Target, proved: &ProvedList, verdict: &Verdict) -> Option<Element> {
    let text = verdict_text(verdict, target.scope(), &proved.accesses, frame.lang);
    let boxed = verdict_box(frame, verdict, &text);
    let mut page = content(frame, target, proved, boxed)?;
    if matches!(verdict, Verdict::Failed(_)) {
        retitle(&mut page, frame.lang.words().verdict.alert);
    }
    Some(page)
}

/// Says in the title of the window, too, that the page is refused.
fn retitle(page: &mut Element, alert: &str) {
    if let Some(title) = page.first_mut("title") {
        let before = title.text_content();
        title.children.clear();
        title.push_text(&format!("{alert}: {before}"));
    }
}

fn content(frame: &Frame, target: &Target, proved: &ProvedList, verdict: Element) -> Option<Element> {
    match target {
        Target::List(query) => {
            let content = ListPage {
                accesses: &proved.accesses,
                unopened: &[],
                query,
                bundle: true,
            };
            Some(list(frame, &content, verdict))
        }
        Target::Access(index) => {
            let is_it = |access: &&Access| access.first().index == *index;
            let access = proved.accesses.iter().find(is_it)?;
            Some(detail(frame, access, verdict))
        }
    }
}

#[cfg(test)]
#[path = "proved_tests.rs"]
mod tests;
