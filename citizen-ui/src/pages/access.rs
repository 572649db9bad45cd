//! The page of one access: sentence, proof, every fact of the record, and files to download.

use leptos::prelude::*;

use super::document::document;
use super::filter::AccessKind;
use super::frame::Frame;
use crate::islands::{AccessProof, phrase_view};
use crate::language::facts::{Fact, Group};
use crate::language::lang::Lang;
use crate::language::phrase::Phrase;
use crate::proof::state::ProofState;
use crate::proof::verify::TrustText;

/// The content of the page.
#[derive(Clone, Debug)]
pub struct DetailPage {
    /// Kind of the access.
    pub kind: AccessKind,
    /// Log indices of the access's entries, first entry first.
    pub entries: Vec<u64>,
    /// Day of the first entry, such as `21.11.2026`.
    pub date: String,
    /// The sentence that describes the access.
    pub phrase: Phrase,
    /// Every fact of the record.
    pub groups: Vec<Group>,
    /// The server's result.
    pub state: ProofState,
    /// The policy and genesis hash that proofs are checked against.
    pub trust: TrustText,
}

/// Renders the page of one access.
pub fn detail(frame: &Frame, detail: DetailPage) -> String {
    let text = &frame.lang.text().detail;
    let title = match detail.kind {
        AccessKind::Exchange => (text.title)(&detail.date),
        AccessKind::Inspection => (text.title_inspection)(&detail.date),
        AccessKind::Unused => (text.title_unused)(&detail.date),
    };
    let key = detail.entries.first().copied().unwrap_or_default();
    let back = frame.href("/zugriffe");
    document(frame, &title.clone(), || {
        view! {
            <p><a class="kern-link" href=back>{text.back}</a></p>
            <h1 class="kern-heading-x-large">{title}</h1>
            <p id=format!("satz-{key}") class="kern-body kern-body--large ec-sentence">{phrase_view(detail.phrase.clone(), frame.lang)}</p>
            {proof(frame, &detail, key).into_any()}
            {detail.groups.iter().map(|group| group_view(group, frame.lang).into_any()).collect_view()}
            {files(frame, &detail.entries).into_any()}
        }
    })
}

fn proof(frame: &Frame, detail: &DetailPage, key: u64) -> impl IntoView + use<> {
    let text = &frame.lang.text().detail;
    let hint = frame.lang.text().list.check_hint;
    view! {
        <section class="ec-section">
            <h2 class="kern-heading-medium">{text.proof}</h2>
            <AccessProof entries=detail.entries.clone() state=detail.state trust=detail.trust.clone() lang=frame.lang/>
            <p class="kern-body kern-body--small">{text.proof_text}</p>
            <form id="server-pruefung" class="ec-check" method="post" action=frame.href("/zugriffe/pruefen")>
                <input type="hidden" name="eintraege" value=key.to_string()/>
                <input type="hidden" name="zurueck" value=format!("/zugriffe/{key}")/>
                <button class="kern-btn kern-btn--secondary" type="submit"><span class="kern-label">{text.check_on_server}</span></button>
                <p class="kern-body kern-body--small">{hint}</p>
            </form>
        </section>
    }
}

fn group_view(group: &Group, lang: Lang) -> impl IntoView + use<> {
    view! {
        <section class="ec-section">
            <h2 class="kern-heading-medium">{group.title}</h2>
            <dl class="kern-description-list">{group.facts.iter().map(|fact| fact_view(fact, lang)).collect_view()}</dl>
        </section>
    }
}

fn fact_view(fact: &Fact, lang: Lang) -> impl IntoView + use<> {
    view! {
        <div class="kern-description-list-item">
            <dt class="kern-description-list-item__key">{phrase_view(fact.label.clone(), lang)}</dt>
            <dd class="kern-description-list-item__value" data-fact="">{phrase_view(fact.value.clone(), lang)}</dd>
        </div>
    }
}

fn files(frame: &Frame, entries: &[u64]) -> impl IntoView + use<> {
    let text = &frame.lang.text().detail;
    let links = entries.iter().flat_map(|index| {
        [
            (
                frame.href(&format!("/zugriffe/{index}/quittung")),
                (text.receipt)(*index),
                "quittung",
            ),
            (
                frame.href(&format!("/zugriffe/{index}/oeffnung")),
                (text.opening)(*index),
                "oeffnung",
            ),
        ]
    });
    view! {
        <section class="ec-section" id="dateien">
            <h2 class="kern-heading-medium">{text.files}</h2>
            <p class="kern-body">{text.files_text}</p>
            <p class="kern-body">{text.files_warning}</p>
            <ul class="kern-list kern-list--bullet">
                {links
                    .map(|(href, name, kind)| view! { <li><a class="kern-link" href=href data-file=kind download="">{name}</a></li> })
                    .collect_view()}
            </ul>
        </section>
    }
}
