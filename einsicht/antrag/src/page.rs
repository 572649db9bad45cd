//! The frame of every page, in KERN: yellow bar, authority, who is logged in, content, footer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use crate::session::Session;

/// What a page needs besides its content.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    /// The authority, or the services' common name.
    pub(crate) authority: &'a str,
    pub(crate) session: Option<&'a Session>,
    /// If the page waits for something: after how many seconds the browser loads it again, and its own address without
    /// a fragment. A browser does not reload the same address with a fragment.
    pub(crate) reload: Option<(u64, String)>,
}

impl Page<'_> {
    /// The page with its headers. It has personal data, so nobody may store it, and no other site may frame it.
    pub(crate) fn response(&self, content: &Markup) -> Response {
        let headers: [(HeaderName, HeaderValue); 5] = [
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ),
        ];
        // A header, as browsers read it (HTML, "Refresh"): it needs no script.
        let reload = self
            .reload
            .as_ref()
            .map(|(seconds, address)| format!("{seconds}; url={address}"));
        let reload = reload.and_then(|value| HeaderValue::try_from(value).ok());
        let reload: HeaderMap = reload.map(|value| (header::REFRESH, value)).into_iter().collect();
        (headers, reload, Html(self.html(content).into_string())).into_response()
    }

    fn html(&self, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="de" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " – " (self.authority) }
                    link rel="icon" type="image/svg+xml" href="/assets/icon.svg";
                    link rel="stylesheet" href="/assets/kern.css";
                    link rel="stylesheet" href="/assets/antrag.css";
                }
                body {
                    a.an-skip.kern-link href="#inhalt" { "Zum Inhalt" }
                    header {
                        p.an-banner role="note" { "Demonstrator – keine offizielle Website, alle Personen sind erfunden" }
                        div.an-head {
                            p.an-product { a.kern-link href="/" { (self.authority) } }
                            (self.who())
                        }
                    }
                    main.an-page #inhalt tabindex="-1" { (content) }
                    footer {
                        div.an-foot {
                            p.kern-body.kern-body--small {
                                "Diese Seite speichert nichts auf einer Festplatte und setzt nur das Cookie Ihrer Anmeldung."
                            }
                        }
                    }
                }
            }
        }
    }

    fn who(&self) -> Markup {
        let Some(session) = self.session else { return html! {} };
        html! {
            div.an-who {
                p.kern-body { "Angemeldet: " bdi { (session.applicant().name()) } }
                form method="post" action="/abmelden" {
                    (token(session))
                    button.kern-btn.kern-btn--secondary.kern-btn--x-small #abmelden type="submit" {
                        span.kern-label { "Abmelden" }
                    }
                }
            }
        }
    }
}

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The hidden field that proves that a form is one of this session.
pub(crate) fn token(session: &Session) -> Markup {
    html! { input type="hidden" name="form" value=(session.form()); }
}

/// A box with a heading: `info`, `success`, `warning` or `danger`.
pub(crate) fn alert(kind: &str, title: &str, content: &Markup) -> Markup {
    let role = if kind == "danger" { "alert" } else { "status" };
    html! {
        div class={ "kern-alert kern-alert--" (kind) } role=(role) {
            div.kern-alert__header {
                span class={ "kern-icon kern-icon--" (kind) " kern-icon--default" } aria-hidden="true" {}
                span.kern-title { (title) }
            }
            div.kern-alert__body { (content) }
        }
    }
}

/// A button that sends a form of a session to an address.
pub(crate) fn act(session: &Session, address: &str, id: &str, class: &str, label: &str) -> Markup {
    html! {
        form method="post" action=(address) {
            (token(session))
            button class={ "kern-btn kern-btn--" (class) } id=(id) type="submit" { span.kern-label { (label) } }
        }
    }
}
