//! The page about the state of the log: size, root, witnesses and checkpoint.

use leptos::prelude::*;

use super::frame::Frame;
use super::views::{heading, page};
use crate::proof::verify::TrustText;

/// The state of the log, as the portal has read and checked it.
#[derive(Clone, Debug)]
pub enum LogState {
    /// The log's signature on the checkpoint is valid.
    Checked {
        /// Origin of the log.
        origin: String,
        /// Number of entries.
        size: u64,
        /// Root hash in 64 hexadecimal digits.
        root: String,
        /// Whether the policy's quorum of witnesses has cosigned.
        quorum: bool,
        /// All witnesses of the policy.
        witnesses: Vec<Witness>,
        /// Text of the checkpoint, as the log serves it.
        checkpoint: String,
    },
    /// The log does not respond.
    Unreachable,
    /// The checkpoint is malformed, or a signature on it is invalid.
    Invalid,
}

/// A witness of the policy.
#[derive(Clone, Debug)]
pub struct Witness {
    /// Name of the witness in the policy.
    pub name: String,
    /// When the witness cosigned this checkpoint (`21.11.2026, 14:03 Uhr`), if it did.
    pub signed: Option<String>,
}

/// Renders the page.
pub fn log(frame: &Frame, state: LogState, trust: &TrustText) -> String {
    let text = &frame.lang.text().log;
    let (policy, genesis) = (trust.policy.clone(), trust.genesis.clone());
    page(frame, text.title, || {
        view! {
            {heading(text.title.to_owned(), text.lead)}
            {state_view(frame, state)}
            <section class="ec-section">
                <h2 class="kern-heading-medium">{text.policy}</h2>
                <p class="kern-body">{text.policy_text}</p>
                <pre class="ec-code" id="policy" tabindex="0">{policy}</pre>
                <p class="kern-body">{text.genesis}</p>
                <pre class="ec-code" id="genesis" tabindex="0">{genesis}</pre>
            </section>
        }
    })
}

fn state_view(frame: &Frame, state: LogState) -> AnyView {
    let text = &frame.lang.text().log;
    match state {
        LogState::Unreachable => alert("unreachable", text.unreachable),
        LogState::Invalid => alert("invalid", text.invalid),
        LogState::Checked {
            origin,
            size,
            root,
            quorum,
            witnesses,
            checkpoint,
        } => {
            let met = if quorum { text.quorum_met } else { text.quorum_missing };
            view! {
                <dl class="kern-description-list" id="stand" data-log="checked" data-quorum=quorum.to_string()>
                    {item(text.origin, view! { <bdi>{origin}</bdi> }, "origin")}
                    {item(text.size, size.to_string(), "size")}
                    {item(text.root, root, "root")}
                    {item(text.quorum, met, "quorum")}
                </dl>
                {witness_table(frame, witnesses).into_any()}
                <section class="ec-section">
                    <h2 class="kern-heading-medium">{text.checkpoint}</h2>
                    <p class="kern-body">{text.checkpoint_text}</p>
                    <pre class="ec-code" id="checkpoint" tabindex="0"><bdi>{checkpoint}</bdi></pre>
                </section>
            }
            .into_any()
        }
    }
}

fn alert(state: &'static str, words: &'static str) -> AnyView {
    view! {
        <div class="kern-alert kern-alert--danger" id="stand" role="alert" data-log=state>
            <div class="kern-alert__header">
                <span class="kern-icon kern-icon--danger" aria-hidden="true"></span>
                <span class="kern-title">{words}</span>
            </div>
        </div>
    }
    .into_any()
}

fn item(label: &'static str, value: impl IntoView, name: &'static str) -> impl IntoView {
    view! {
        <div class="kern-description-list-item">
            <dt class="kern-description-list-item__key">{label}</dt>
            <dd class="kern-description-list-item__value" data-value=name>{value}</dd>
        </div>
    }
}

fn witness_table(frame: &Frame, witnesses: Vec<Witness>) -> impl IntoView + use<> {
    let text = &frame.lang.text().log;
    view! {
        <table class="kern-table ec-table" id="zeugen">
            <caption class="kern-title">{text.witnesses}</caption>
            <thead class="kern-table__header">
                <tr class="kern-table__row">
                    <th class="kern-table__header" scope="col">{text.witness}</th>
                    <th class="kern-table__header" scope="col">{text.signed_at}</th>
                </tr>
            </thead>
            <tbody class="kern-table__body">
                {witnesses
                    .into_iter()
                    .map(|witness| {
                        let signed = witness.signed.is_some().to_string();
                        let name = witness.name.clone();
                        view! {
                            <tr class="kern-table__row" data-witness=name data-signed=signed>
                                <th class="kern-table__cell" scope="row"><bdi>{witness.name}</bdi></th>
                                <td class="kern-table__cell">{witness.signed.unwrap_or_else(|| text.not_signed.to_owned())}</td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
}
