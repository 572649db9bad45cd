//! Renders a complete document: head, yellow bar, navigation, session notice, body and footer.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::prelude::*;

use super::frame::{Frame, SessionInfo};
use crate::islands::{SessionNotice, phrase_view};
use crate::language::phrase::Phrase;
use crate::language::text::Text;

/// Renders a document. `title` is the page's own title; `body` returns the content of `<main>`.
pub(super) fn document<V: IntoView + 'static>(frame: &Frame, title: &str, body: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let html = owner.with(|| whole(frame, title, body().into_any()).to_html());
    format!("<!DOCTYPE html>{}", tidy(html))
}

/// Replaces the renderer's markers between adjacent texts, which are not valid HTML, by empty comments, which hydration
/// accepts as well.
fn tidy(html: String) -> String {
    html.replace("<!>", "<!---->")
}

/// The public pages of the navigation, each with its path and link text.
fn public_pages(text: &'static Text) -> [(&'static str, &'static str); 3] {
    [
        ("/protokoll", text.frame.nav_log),
        ("/was-wird-aufgezeichnet", text.frame.nav_recorded),
        ("/selbst-pruefen", text.frame.nav_verify),
    ]
}

fn whole(frame: &Frame, title: &str, body: AnyView) -> impl IntoView + use<> {
    let text = frame.lang.text();
    let title = format!("{title} – {}", text.frame.product);
    let other = frame.lang.other();
    let other_href = format!("/{}{}", other.code(), frame.path);
    view! {
        <html lang=frame.lang.code()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title}</title>
                <link rel="alternate" hreflang=other.code() href=other_href.clone()/>
                <link rel="icon" href="/assets/icon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href="/assets/kern.css"/>
                <link rel="stylesheet" href="/assets/portal.css"/>
                {frame.islands.then(|| view! { <script type="module" src="/assets/islands.js"></script> })}
            </head>
            <body>
                <a class="ec-skip kern-link" href="#inhalt">{text.frame.skip}</a>
                {header(frame, other_href).into_any()}
                <main id="inhalt" class="ec-page" tabindex="-1">
                    {frame.session.clone().map(|session| notice(frame, session).into_any())}
                    {body}
                </main>
                {footer(frame).into_any()}
            </body>
        </html>
    }
}

fn header(frame: &Frame, other_href: String) -> impl IntoView + use<> {
    let text = frame.lang.text();
    let other = frame.lang.other();
    let banner = frame.banner.clone().unwrap_or_else(|| text.frame.banner.to_owned());
    let mut links = vec![(frame.href("/"), text.frame.nav_start)];
    if frame.session.is_some() {
        links.push((frame.href("/zugriffe"), text.frame.nav_list));
    }
    links.extend(public_pages(text).map(|(path, name)| (frame.href(path), name)));
    let here = frame.href(frame.path.split('?').next().unwrap_or_default());
    view! {
        <header>
            <div class="ec-banner" id="demonstrator" role="note" aria-label=text.frame.banner_label>
                <p>{banner}</p>
            </div>
            <div class="ec-head">
                <p class="ec-product"><a class="kern-link" href=frame.href("/")>{text.frame.product}</a></p>
                <ul class="ec-nav">
                    <li><a class="kern-link" id="sprache" href=other_href lang=other.code() hreflang=other.code()>{text.frame.other_language}</a></li>
                    <li>{login_or_logout(frame)}</li>
                </ul>
                <nav aria-label=text.frame.nav_label>
                    <ul class="ec-nav">
                        {links.into_iter().map(|(href, name)| nav_link(href, name, &here)).collect_view()}
                    </ul>
                </nav>
            </div>
        </header>
    }
}

fn nav_link(href: String, name: &'static str, here: &str) -> impl IntoView + use<> {
    let current = (href == here).then_some("page");
    view! { <li><a class="kern-link" href=href aria-current=current>{name}</a></li> }
}

fn login_or_logout(frame: &Frame) -> AnyView {
    let text = frame.lang.text();
    if frame.session.is_some() {
        view! {
            <form method="post" action=frame.href("/abmelden")>
                <button id="abmelden" class="kern-btn kern-btn--secondary kern-btn--x-small" type="submit">
                    <span class="kern-label">{text.frame.logout}</span>
                </button>
            </form>
        }
        .into_any()
    } else {
        view! { <a class="kern-link" href=frame.href("/anmelden")>{text.frame.login}</a> }.into_any()
    }
}

fn notice(frame: &Frame, session: SessionInfo) -> impl IntoView + use<> {
    let text = frame.lang.text();
    let mut logged_in = Phrase::said(text.frame.logged_in);
    logged_in.cite(&session.name);
    view! {
        <div class="ec-session-box">
            <p class="kern-body kern-body--small" id="angemeldet">{phrase_view(logged_in, frame.lang)}</p>
            <SessionNotice
                seconds=session.seconds
                notice=(text.frame.session)(&session.idle_end, &session.end)
                warning=text.frame.session_warning.to_owned()
                stay=text.frame.session_stay.to_owned()
                here=frame.href(&frame.path)
                over=frame.href("/abgemeldet")
            />
        </div>
    }
}

fn footer(frame: &Frame) -> impl IntoView + use<> {
    let text = frame.lang.text();
    let links = [
        ("/barrierefreiheit", text.frame.nav_accessibility),
        ("/gestaltung", text.frame.nav_design),
    ];
    let here = frame.href(&frame.path);
    view! {
        <footer class="ec-foot">
            <nav aria-label=text.frame.footer_label>
                <ul class="ec-nav">
                    {links
                        .into_iter()
                        .map(|(path, name)| nav_link(frame.href(path), name, &here))
                        .collect_view()}
                </ul>
            </nav>
        </footer>
    }
}
