//! The parts of a page that run in the browser: the table of accesses, the proof of completeness, the proof of one
//! access, and the notice before a session ends.
//!
//! Without JavaScript, each island is plain HTML, which can show every state except "checked in your browser". With
//! JavaScript, an island loads the proofs of its rows from the portal, verifies them in WebAssembly, and compares the
//! proved text with the text on the page.

// The code that `#[island]` generates serialises properties with `expect` and leaves types without documentation.
#![allow(clippy::expect_used, missing_docs)]

mod appearance;
#[cfg(target_arch = "wasm32")]
mod browser;
mod row;

use leptos::prelude::*;

use crate::language::lang::Lang;
use crate::language::phrase::{Origin, Phrase};
use crate::proof::complete::Completeness;
use crate::proof::state::ProofState;
use crate::proof::verify::TrustText;

pub use row::AccessRow;

/// The table of accesses. One island verifies all rows of a page, so that they share one [`TrustText`].
#[island]
pub fn AccessTable(
    /// The rows, newest first.
    rows: Vec<AccessRow>,
    /// The policy and genesis hash that proofs are checked against.
    trust: TrustText,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let words = lang.words();
    let states: Vec<RwSignal<ProofState>> = rows.iter().map(|row| RwSignal::new(row.state)).collect();
    #[cfg(target_arch = "wasm32")]
    browser::check_rows(&rows, &states, &trust, lang);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = trust;
    let summary = {
        let states = states.clone();
        move || summary(&states, lang)
    };
    let body = rows
        .into_iter()
        .zip(states)
        .map(|(row, state)| row_view(row, state, lang).into_any())
        .collect_view();
    view! {
        <p id="pruefergebnis" class="kern-body" role="status">{summary}</p>
        <div class="ec-scroll">
            <table id="zugriffe" class="kern-table kern-table--responsive ec-table">
                <caption class="kern-title">{words.caption}</caption>
                <thead class="kern-table__header">
                    <tr class="kern-table__row">
                        <th class="kern-table__header" scope="col">{words.column_when}</th>
                        <th class="kern-table__header" scope="col">{words.column_what}</th>
                        <th class="kern-table__header" scope="col">{words.column_proof}</th>
                    </tr>
                </thead>
                <tbody class="kern-table__body">{body}</tbody>
            </table>
        </div>
    }
}

/// Whether the list is complete: the server's result at first, replaced by the browser's own result.
#[island]
pub fn CompletenessProof(
    /// The server's result.
    state: Completeness,
    /// The entries of all accesses of the list.
    listed: Vec<Vec<u64>>,
    /// Whether all of them are on this page. The browser then reads them from the table instead of trusting `listed`.
    whole: bool,
    /// The policy and genesis hash that proofs are checked against.
    trust: TrustText,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let words = lang.words();
    let state = RwSignal::new(state);
    #[cfg(target_arch = "wasm32")]
    browser::check_completeness(listed, whole, state, &trust, lang);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (listed, whole, trust);
    view! {
        <div
            id="vollstaendigkeit"
            class=move || format!("kern-alert kern-alert--{}", state.get().kern())
            role="status"
            data-complete=move || state.get().attribute()
        >
            <div class="kern-alert__header">
                <span class=move || format!("kern-icon kern-icon--{}", state.get().kern()) aria-hidden="true"></span>
                <span class="kern-title">{words.complete_title}</span>
            </div>
            <div class="kern-alert__body">
                <p class="kern-body">{move || words.completeness(state.get())}</p>
                <p class="kern-body kern-body--small ec-remark">{move || words.completeness_remark(state.get())}</p>
            </div>
        </div>
    }
}

fn row_view(row: AccessRow, state: RwSignal<ProofState>, lang: Lang) -> impl IntoView {
    let words = lang.words();
    let key = row.key();
    let entries: Vec<String> = row.entries.iter().map(u64::to_string).collect();
    view! {
        <tr
            class="kern-table__row"
            data-row=key.to_string()
            data-proof=move || state.get().attribute()
            data-entries=entries.join(",")
        >
            <th class="kern-table__cell ec-when" scope="row">
                <time datetime=row.iso>{row.when}</time>
            </th>
            <td class="kern-table__cell">
                <p id=format!("satz-{key}") class="kern-body ec-sentence">{phrase_view(row.phrase, lang)}</p>
                <a class="kern-link" href=format!("/{}/zugriffe/{key}", lang.code()) aria-label=(words.details_of)(key)>
                    {words.details}
                </a>
            </td>
            <td class="kern-table__cell" id=format!("nachweis-{key}")>{badge(state, lang)}</td>
        </tr>
    }
}

fn summary(states: &[RwSignal<ProofState>], lang: Lang) -> String {
    let words = lang.words();
    let states: Vec<ProofState> = states.iter().map(|state| state.get()).collect();
    if states.contains(&ProofState::Pending) {
        return words.summary_pending.to_owned();
    }
    let proved = states.iter().filter(|state| **state == ProofState::Browser).count();
    let by_browser = states
        .iter()
        .any(|state| !matches!(state, ProofState::Unchecked | ProofState::Server { .. }));
    if by_browser {
        (words.summary)(proved, states.len())
    } else {
        String::new()
    }
}

/// The proof of the access on a detail page. The browser compares the sentence and every fact on the page.
#[island]
pub fn AccessProof(
    /// Log indices of the access's entries, first entry first.
    entries: Vec<u64>,
    /// The server's result.
    state: ProofState,
    /// The policy and genesis hash that proofs are checked against.
    trust: TrustText,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let state = RwSignal::new(state);
    let key = entries.first().copied().unwrap_or_default();
    #[cfg(target_arch = "wasm32")]
    browser::check_page(entries, state, &trust, lang);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = trust;
    view! {
        <div id=format!("nachweis-{key}") role="status" data-row=key.to_string() data-proof=move || state.get().attribute()>
            {badge(state, lang)}
        </div>
    }
}

/// Says when the session ends, and warns the reader a minute before.
#[island]
pub fn SessionNotice(
    /// Seconds until the session ends if the citizen requests no further page.
    seconds: u32,
    /// The text that is shown from the start.
    notice: String,
    /// The text that is shown in the last minute.
    warning: String,
    /// The text of the link that extends the session.
    stay: String,
    /// The address of the link: this page.
    here: String,
    /// The address to load when the session has ended.
    over: String,
) -> impl IntoView {
    let last_minute = RwSignal::new(false);
    #[cfg(target_arch = "wasm32")]
    browser::watch_session(seconds, last_minute, over);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (seconds, over);
    view! {
        <div id="sitzung" class="ec-session" data-warning=move || last_minute.get().to_string()>
            <p class="kern-body kern-body--small" hidden=move || last_minute.get()>{notice}</p>
            <div role="alert" hidden=move || !last_minute.get()>
                <p class="kern-body">{warning}</p>
                <a class="kern-link" href=here>{stay}</a>
            </div>
        </div>
    }
}

fn badge(state: RwSignal<ProofState>, lang: Lang) -> impl IntoView {
    let words = lang.words();
    view! {
        <span class=move || format!("kern-badge kern-badge--{}", state.get().kern())>
            <span class=move || format!("kern-icon kern-icon--{}", state.get().kern()) aria-hidden="true"></span>
            <span class="kern-label kern-label--small" data-label="">{move || words.proof_label(state.get())}</span>
        </span>
        <p class="kern-body kern-body--small ec-remark" data-remark="">{move || words.proof_remark(state.get())}</p>
    }
}

/// Renders a phrase. Each quoted part is isolated (`<bdi>`), so that it cannot turn around the words beside it, and is
/// marked as German where that is not the language of the page.
pub fn phrase_view(phrase: Phrase, lang: Lang) -> impl IntoView {
    phrase
        .0
        .into_iter()
        .map(|part| match part.origin {
            Origin::Page => view! { <span>{part.text}</span> }.into_any(),
            Origin::German if lang != Lang::De => view! { <bdi lang="de">{part.text}</bdi> }.into_any(),
            Origin::German | Origin::Identifier => view! { <bdi>{part.text}</bdi> }.into_any(),
        })
        .collect_view()
}
