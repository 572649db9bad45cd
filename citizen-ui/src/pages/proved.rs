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

use super::citizen::citizen_page;
use super::content::{Content, DeviceView, Input};
use super::frame::Frame;
use super::target::Target;
use super::verdict::verdict_box;
use crate::language::lang::Lang;
use crate::language::verdict::verdict_text;
use crate::markup::{Element, differences};
use crate::proof::device::{Memory, Past, Pins, check_past, check_trust};
use crate::proof::statement::{ListProof, PageProof, ProvedList, prove};
use crate::proof::verdict::{Finding, ServerCheck, Unable, Verdict, judge};
use crate::proof::verify::{Failure, Trust};

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
    let last = device.memory.and_then(|memory| memory.last_before(&list));
    let verdict = match past {
        Err(contradiction) => Verdict::Failed(Finding::Device(contradiction)),
        Ok(past) => match judge(&list, past, last, knows_person, device.now) {
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
    let Some(page) = page(frame, shown.target, list, &server, Input::default()) else {
        return Some(Verdict::Failed(Finding::Proof(Failure::Entry)));
    };
    let found = differences(&page, shown.document);
    (!found.is_empty()).then_some(Verdict::Failed(Finding::Shown(found)))
}

/// The page with a verdict. `input` is what the citizen has done on it. `None` if the person has no
/// access with the index of the address.
pub fn page(frame: &Frame, target: &Target, proved: &ProvedList, verdict: &Verdict, input: Input) -> Option<Element> {
    let text = verdict_text(verdict, target.scope(), &proved.accesses, frame.lang);
    let boxed = verdict_box(frame, verdict, &text);
    let path = match target {
        Target::Proof(index) => proved.path(*index),
        _ => None,
    };
    let content = Content {
        accesses: &proved.accesses,
        unopened: &[],
        claim: Some(proved.claim),
        person: Some(&proved.person),
        bundle: true,
        size: proved.checkpoint.size.get(),
        path: path.as_ref(),
        device: device_view(verdict, input),
    };
    let mut page = citizen_page(frame, target, &content, boxed)?;
    if matches!(verdict, Verdict::Failed(_)) {
        retitle(&mut page, frame.lang.words().verdict.alert);
    }
    Some(page)
}

/// What the page shows of the device. Nothing on the page as the server sends it.
fn device_view<'a>(verdict: &Verdict, input: Input<'a>) -> Option<DeviceView<'a>> {
    let (proved, last) = match verdict {
        Verdict::Unchecked(_) => return None,
        Verdict::Proved(proved) => (true, proved.last),
        Verdict::Caution(proved, _) => (false, proved.last),
        Verdict::Pending | Verdict::Unable(_) | Verdict::Failed(_) => (false, None),
    };
    Some(DeviceView { proved, last, input })
}

/// Says in the title of the window, too, that the page is refused.
fn retitle(page: &mut Element, alert: &str) {
    if let Some(title) = page.first_mut("title") {
        let before = title.text_content();
        title.children.clear();
        title.push_text(&format!("{alert}: {before}"));
    }
}

#[cfg(test)]
#[path = "proved_tests/mod.rs"]
mod tests;
