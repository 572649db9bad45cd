//! Rows: one access each, as the overview, the list and the visits show it.

use super::frame::Frame;
use super::phrase::Phrased;
use crate::language::citizen::ResultText;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::language::sentence::{reason, sentence};
use crate::markup::{Element, el};
use crate::proof::access::{Access, AccessKind, Ending};

/// Makes a list of rows.
pub(super) fn rows<'a>(frame: &Frame, accesses: impl IntoIterator<Item = &'a Access>) -> Element {
    let rows = accesses.into_iter().map(|access| row(frame, access));
    el("ul").class("ec-rows").children(rows)
}

/// One row: time, sentence as the link, reason, and result. A row says nothing about its proof: if one is not proved,
/// the verdict names it.
fn row(frame: &Frame, access: &Access) -> Element {
    let lang = frame.lang;
    let first = access.first();
    let when = LocalTime::of(first.time);
    let time = el("time").attr("datetime", &*when.iso).text(&when.short(lang));
    let link = el("a")
        .class("kern-link")
        .attr("href", frame.href(&format!("/abrufe/{}", first.index)));
    let link = link.phrase(&sentence(access, lang), lang);
    let said = el("p").attr("id", format!("satz-{}", first.index)).class("ec-said");
    let why = reason(access, lang).map(|reason| el("p").class("ec-why").phrase(&reason, lang));
    el("li")
        .attr("data-row", first.index.to_string())
        .child(el("p").class("ec-when").child(time))
        .child(said.child(link))
        .children(why)
        .children(badge(access, lang))
}

/// The result in two words, or that the citizen has caused it. Only the verdict of the page is green: a green result
/// could be taken for one.
pub(super) fn badge(access: &Access, lang: Lang) -> Option<Element> {
    let text = &lang.citizen().result;
    let ending = Ending::of(access);
    let (name, colour) = match (AccessKind::of(access), ending) {
        (AccessKind::OwnRequest, _) => (text.own, "info"),
        (AccessKind::Release, _) | (AccessKind::Exchange, Ending::Delivered | Ending::Erased) => {
            (text.name(ending), "info")
        }
        (AccessKind::Exchange, _) => (text.name(ending), "warning"),
        (AccessKind::Inspection | AccessKind::Unused, _) => return None,
    };
    let icon = el("span").class(&format!("kern-icon kern-icon--{colour}"));
    let label = el("span").class("kern-label kern-label--small").text(name);
    let badge = el("span").class(&format!("kern-badge kern-badge--{colour}"));
    let badge = badge.child(icon.attr("aria-hidden", "true")).child(label);
    Some(el("p").class("ec-tag").child(badge))
}

/// The text of a row, as a reader sees it.
pub(super) fn row_text(access: &Access, lang: Lang) -> String {
    let mut texts = vec![
        LocalTime::of(access.first().time).short(lang),
        LocalTime::of(access.first().time).date,
        sentence(access, lang).text(),
    ];
    texts.extend(reason(access, lang).map(|reason| reason.text()));
    texts.push(lang.citizen().result.name(Ending::of(access)).to_owned());
    texts.join(" ")
}

impl ResultText {
    /// The name of an ending.
    pub fn name(&self, ending: Ending) -> &'static str {
        match ending {
            Ending::Delivered => self.delivered,
            Ending::Nothing => self.nothing,
            Ending::Refused => self.refused,
            Ending::Failed => self.failed,
            Ending::TimedOut => self.timed_out,
            Ending::Withdrawn => self.withdrawn,
            Ending::Open => self.open,
            Ending::Erased => self.erased,
        }
    }
}
