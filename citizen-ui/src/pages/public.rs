//! The pages that need no login, and the error pages.

use leptos::prelude::*;

use super::frame::Frame;
use super::verdict::ERROR;
use super::views::{heading, page, paragraphs, sections};
use crate::language::lang::Lang;
use crate::language::text::{Section, SectionsText};

/// Renders the start page.
pub fn start(frame: &Frame) -> String {
    let text = &frame.lang.text().start;
    let (href, words) = if frame.session.is_some() {
        (frame.href("/abrufe"), text.to_list)
    } else {
        (frame.href("/anmelden"), text.login)
    };
    page(frame, text.title, || {
        view! {
            {heading(text.title.to_owned(), text.lead)}
            <p><a id="anmelden" class="kern-btn kern-btn--primary" href=href><span class="kern-label">{words}</span></a></p>
            <p class="kern-body kern-body--small">{text.login_hint}</p>
            {sections(text.sections)}
        }
    })
}

/// Renders the page after logout. `provider` is where the session with the OpenID provider ends.
pub fn logged_out(frame: &Frame, provider: Option<String>) -> String {
    let text = frame.lang.text();
    let href = frame.href("/anmelden");
    page(frame, text.start.over_title, || {
        view! {
            <div id="abgemeldet">{heading(text.start.over_title.to_owned(), "")} {paragraphs(text.start.over)}</div>
            {provider
                .map(|href| {
                    view! {
                        <p class="kern-body">
                            {text.start.over_provider} " "
                            <a class="kern-link" id="anmeldedienst" href=href>{text.start.over_provider_link}</a>
                        </p>
                    }
                })}
            <p><a class="kern-link" href=href>{text.errors.again}</a></p>
        }
    })
}

/// Renders the page after a login that the citizen cancelled at the provider.
pub fn login_cancelled(frame: &Frame) -> String {
    let text = frame.lang.text();
    let href = frame.href("/anmelden");
    page(frame, text.start.cancelled_title, || {
        view! {
            <div id="abgebrochen">
                {heading(text.start.cancelled_title.to_owned(), "")} {paragraphs(text.start.cancelled)}
            </div>
            <p><a class="kern-link" href=href>{text.errors.again}</a></p>
        }
    })
}

/// Renders the page about what is recorded.
pub fn recorded(frame: &Frame) -> String {
    let text = &frame.lang.text().recorded;
    page(frame, text.title, || {
        view! {
            {heading(text.title.to_owned(), text.lead)}
            <table class="kern-table ec-table">
                <caption class="kern-title">{text.caption}</caption>
                <thead class="kern-table__header">
                    <tr class="kern-table__row">
                        <th class="kern-table__header" scope="col">{text.column_who}</th>
                        <th class="kern-table__header" scope="col">{text.column_sees}</th>
                    </tr>
                </thead>
                <tbody class="kern-table__body">
                    {text
                        .rows
                        .iter()
                        .map(|(who, what)| {
                            view! {
                                <tr class="kern-table__row">
                                    <th class="kern-table__cell" scope="row">{*who}</th>
                                    <td class="kern-table__cell">{*what}</td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
            {sections(text.sections)}
        }
    })
}

/// Renders the accessibility statement.
pub fn accessibility(frame: &Frame) -> String {
    plain(frame, &frame.lang.text().accessibility)
}

/// Renders the page about design and licences.
pub fn design(frame: &Frame) -> String {
    plain(frame, &frame.lang.text().design)
}

fn plain(frame: &Frame, text: &'static SectionsText) -> String {
    page(frame, text.title, || {
        view! {
            {heading(text.title.to_owned(), text.lead)}
            {sections(text.sections)}
        }
    })
}

/// The error pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorPage {
    /// The page does not exist, or the entry is not the citizen's.
    NotFound,
    /// The page needs a login.
    LoginNeeded,
    /// The login took too long, was finished already, or is not genuine.
    LoginFailed,
    /// The login's level of assurance is too low.
    Assurance,
    /// The OpenID provider does not respond.
    LoginUnreachable,
    /// The clocks of the portal or of identity and of the OpenID provider differ.
    Clock,
    /// Identity refuses the login.
    IdentityRefused,
    /// Identity does not respond.
    IdentityUnreachable,
    /// The ledger does not respond.
    LedgerUnreachable,
    /// Too many files are being made.
    Busy,
    /// The portal itself fails, or a response from identity is invalid.
    Internal,
}

impl ErrorPage {
    fn section(self, lang: Lang) -> &'static Section {
        let text = &lang.text().errors;
        match self {
            Self::NotFound => &text.not_found,
            Self::LoginNeeded => &text.login_needed,
            Self::LoginFailed => &text.login_failed,
            Self::Assurance => &text.assurance,
            Self::LoginUnreachable => &text.login_unreachable,
            Self::Clock => &text.clock,
            Self::IdentityRefused => &text.identity_refused,
            Self::IdentityUnreachable => &text.identity_unreachable,
            Self::LedgerUnreachable => &text.ledger_unreachable,
            Self::Busy => &text.busy,
            Self::Internal => &text.internal,
        }
    }
}

/// Renders an error page.
pub fn error(frame: &Frame, error: ErrorPage) -> String {
    let section = error.section(frame.lang);
    let again = !matches!(error, ErrorPage::NotFound | ErrorPage::Busy);
    let href = match error {
        ErrorPage::LoginNeeded => frame.login_href(),
        _ => frame.href("/anmelden"),
    };
    let words = frame.lang.text().errors.again;
    page(frame, section.title, || {
        view! {
            <div id=ERROR data-fault=format!("{error:?}")>
                {heading(section.title.to_owned(), "")}
                {paragraphs(section.text)}
            </div>
            {again.then(|| view! { <p><a class="kern-link" href=href>{words}</a></p> })}
        }
    })
}
