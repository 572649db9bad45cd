//! The islands' code for the browser: it loads openings, verifies them, and compares the result with the page.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::wasm_bindgen::JsCast;

use crate::islands::row::AccessRow;
use crate::language::facts::{facts, values};
use crate::language::lang::Lang;
use crate::language::sentence::sentence;
use crate::proof::complete::{self, Claim, Completeness};
use crate::proof::state::ProofState;
use crate::proof::verify::{AccessVerifier, Failure, TrustText, VerifiedAccess, compare};

/// How many seconds before the end of the session the warning appears.
const WARNING_SECONDS: u32 = 60;
/// How often a proof is fetched while the witnesses' quorum has not cosigned it.
const MAX_ATTEMPTS: u32 = 6;
/// Milliseconds between two attempts.
const RETRY_DELAY_MS: i32 = 2_000;

/// Checks the rows of a table one after the other, starting at the top.
pub(crate) fn check_rows(rows: &[AccessRow], states: &[RwSignal<ProofState>], trust: &TrustText, lang: Lang) {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| row.entries.clone())
        .zip(states.iter().copied())
        .collect();
    check(rows, trust.clone(), lang, false);
}

/// Checks the access of a detail page and every fact on the page.
pub(crate) fn check_page(entries: Vec<u64>, state: RwSignal<ProofState>, trust: &TrustText, lang: Lang) {
    check(vec![(entries, state)], trust.clone(), lang, true);
}

fn check(rows: Vec<(Vec<u64>, RwSignal<ProofState>)>, trust: TrustText, lang: Lang, facts: bool) {
    Effect::new(move |_| {
        let (rows, trust) = (rows.clone(), trust.clone());
        spawn_local(async move {
            rows.iter().for_each(|(_, state)| state.set(ProofState::Pending));
            match trust.parse() {
                Ok(trust) => check_all(rows, AccessVerifier::new(trust), lang, facts).await,
                Err(failure) => rows
                    .iter()
                    .for_each(|(_, state)| state.set(ProofState::Failed(failure))),
            }
        });
    });
}

/// Verifies all rows. Rows without the witnesses' quorum are fetched again after a pause, because witnesses cosign
/// within seconds or not at all.
async fn check_all(rows: Vec<(Vec<u64>, RwSignal<ProofState>)>, mut verifier: AccessVerifier, lang: Lang, facts: bool) {
    let mut waiting = rows;
    for _ in 0..MAX_ATTEMPTS {
        let mut unwitnessed = Vec::new();
        for (entries, state) in waiting {
            match check_access(&entries, &mut verifier, lang, facts).await {
                Ok(proved) if proved.quorum => state.set(ProofState::Browser),
                Ok(_) | Err(Failure::Witnesses) => unwitnessed.push((entries, state)),
                Err(failure) => state.set(ProofState::Failed(failure)),
            }
        }
        waiting = unwitnessed;
        if waiting.is_empty() {
            return;
        }
        pause(RETRY_DELAY_MS).await;
    }
    for (_, state) in waiting {
        state.set(ProofState::Failed(Failure::Witnesses));
    }
}

/// Checks whether the list has every access of the citizen.
pub(crate) fn check_completeness(
    listed: Vec<Vec<u64>>,
    whole: bool,
    state: RwSignal<Completeness>,
    trust: &TrustText,
    lang: Lang,
) {
    let trust = trust.clone();
    Effect::new(move |_| {
        // Without a bundle there is nothing to check.
        if state.get_untracked() == Completeness::Absent {
            return;
        }
        let (listed, trust) = (listed.clone(), trust.clone());
        state.set(Completeness::Pending);
        spawn_local(async move {
            let found = load_and_check(listed, whole, &trust, lang).await;
            state.set(found.map_or_else(Completeness::Failed, Completeness::Browser));
        });
    });
}

async fn load_and_check(listed: Vec<Vec<u64>>, whole: bool, trust: &TrustText, lang: Lang) -> Result<Claim, Failure> {
    let trust = trust.parse()?;
    let file = load(&format!("/{}/zugriffe/buendel", lang.code()))
        .await
        .ok_or(Failure::Load)?;
    let listed = if whole { rows_on_page()? } else { listed };
    complete::check(&file, &listed, &trust)
}

/// Reads the entries of each row from the page.
fn rows_on_page() -> Result<Vec<Vec<u64>>, Failure> {
    let rows = document()
        .query_selector_all("#zugriffe [data-row]")
        .map_err(|_| Failure::Shown)?;
    let entries = (0..rows.length()).map(|position| {
        let row: web_sys::Element = rows.item(position)?.dyn_into().ok()?;
        let entries = row.get_attribute("data-entries")?;
        entries
            .split(',')
            .map(|index| index.parse().ok())
            .collect::<Option<_>>()
    });
    entries.collect::<Option<_>>().ok_or(Failure::Shown)
}

/// Shows the warning a minute before the session ends. At the end, loads `over`, because the page shows personal data.
pub(crate) fn watch_session(seconds: u32, last_minute: RwSignal<bool>, over: String) {
    Effect::new(move |_| {
        let over = over.clone();
        let until_warning = Duration::from_secs(u64::from(seconds.saturating_sub(WARNING_SECONDS)));
        set_timeout(move || last_minute.set(true), until_warning);
        set_timeout(
            move || {
                let _ = window().location().assign(&over);
            },
            Duration::from_secs(u64::from(seconds)),
        );
    });
}

/// Loads and verifies an access, and compares the proved text with the text on the page.
async fn check_access(
    entries: &[u64],
    verifier: &mut AccessVerifier,
    lang: Lang,
    with_facts: bool,
) -> Result<VerifiedAccess, Failure> {
    let proved = load_and_verify(entries, verifier, lang).await?;
    let key = proved.access.first().index;
    let shown = document()
        .get_element_by_id(&format!("satz-{key}"))
        .and_then(|element| element.text_content())
        .ok_or(Failure::Shown)?;
    compare([shown.as_str()], [sentence(&proved.access, lang).text().as_str()])?;
    if with_facts {
        let elements = document()
            .query_selector_all("[data-fact]")
            .map_err(|_| Failure::Shown)?;
        let shown: Vec<String> = (0..elements.length())
            .filter_map(|position| elements.item(position)?.text_content())
            .collect();
        let groups = facts(&proved.access, lang);
        let proved = values(&groups);
        compare(shown.iter().map(String::as_str), proved.iter().map(String::as_str))?;
    }
    Ok(proved)
}

async fn load_and_verify(
    entries: &[u64],
    verifier: &mut AccessVerifier,
    lang: Lang,
) -> Result<VerifiedAccess, Failure> {
    let mut files = Vec::with_capacity(entries.len());
    for index in entries {
        files.push(
            load(&format!("/{}/zugriffe/{index}/nachweis", lang.code()))
                .await
                .ok_or(Failure::Load)?,
        );
    }
    verifier.verify(&files, entries)
}

/// Returns the body of a successful response. A redirect counts as a failure: the session has ended.
async fn load(path: &str) -> Option<Vec<u8>> {
    let response = JsFuture::from(window().fetch_with_str(path)).await.ok()?;
    let response: web_sys::Response = response.dyn_into().ok()?;
    if !response.ok() || response.redirected() {
        return None;
    }
    let body = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    Some(js_sys::Uint8Array::new(&body).to_vec())
}

async fn pause(milliseconds: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}
