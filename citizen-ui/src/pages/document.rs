//! A complete document: head, yellow bar, navigation, session notice, content and footer.

use super::frame::{Frame, SessionInfo};
use super::phrase::Phrased;
use crate::language::local_time::LocalTime;
use crate::language::phrase::Phrase;
use crate::language::text::Text;
use crate::markup::{Element, Node, el};

/// Path and digest (Subresource Integrity) of each style sheet. The browser's program has them too, so a page with
/// another style sheet is not proved.
const STYLES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/styles.rs"));

/// Makes a document. `title` is the page's own title; `content` follows the session notice in `<main>`.
pub(super) fn document(frame: &Frame, title: &str, content: impl IntoIterator<Item = Node>) -> Element {
    let mut main = el("main").attr("id", "inhalt").class("ec-page").attr("tabindex", "-1");
    if let Some(session) = &frame.session {
        main = main.child(session_box(frame, session));
    }
    main.children.extend(content);
    let skip = frame.lang.text().frame.skip;
    let skip = el("a").class("ec-skip kern-link").attr("href", "#inhalt").text(skip);
    let body = el("body")
        .child(skip)
        .child(header(frame))
        .child(main)
        .child(footer(frame));
    let html = el("html").attr("lang", frame.lang.code());
    html.child(head(frame, title)).child(body)
}

/// Writes a document as HTML.
#[cfg(feature = "ssr")]
pub fn html(document: &Element) -> String {
    format!("<!DOCTYPE html>{}", document.to_html())
}

/// The title of a document whose page has this title.
fn full_title(frame: &Frame, title: &str) -> String {
    format!("{title} – {}", frame.lang.text().frame.product)
}

fn head(frame: &Frame, title: &str) -> Element {
    let meta = |name: &str, content: &str| el("meta").attr("name", name).attr("content", content);
    let other = frame.lang.other();
    let alternate = el("link").attr("rel", "alternate").attr("hreflang", other.code());
    let icon = el("link").attr("rel", "icon").attr("href", "/assets/icon.svg");
    let styles = STYLES.iter().map(|(path, digest)| {
        let style = el("link").attr("rel", "stylesheet").attr("href", *path);
        style.attr("integrity", *digest)
    });
    let script = frame
        .script
        .iter()
        .filter(|_| frame.session.is_some() || frame.island)
        .map(|digest| {
            let script = el("script").attr("type", "module").attr("src", "/assets/portal.js");
            script.attr("integrity", digest)
        });
    el("head")
        .child(el("meta").attr("charset", "utf-8"))
        .child(meta("viewport", "width=device-width, initial-scale=1"))
        .child(meta("color-scheme", "light dark"))
        .child(el("title").text(&full_title(frame, title)))
        .child(alternate.attr("href", other_language(frame)))
        .child(icon.attr("type", "image/svg+xml"))
        .children(styles)
        .children(script)
}

fn other_language(frame: &Frame) -> String {
    format!("/{}{}", frame.lang.other().code(), frame.path)
}

/// The public pages of the navigation, each with its path and link text.
fn public_pages(text: &'static Text) -> [(&'static str, &'static str); 3] {
    [
        ("/registerlandkarte", text.frame.nav_landkarte),
        ("/protokoll", text.frame.nav_log),
        ("/hilfe", text.frame.nav_help),
    ]
}

fn header(frame: &Frame) -> Element {
    let text = frame.lang.text();
    let other = frame.lang.other();
    let banner = frame.banner.as_deref().unwrap_or(text.frame.banner);
    let mut links = vec![("/", text.frame.nav_start)];
    if frame.session.is_some() {
        links.push(("/zugriffe", text.frame.nav_list));
    }
    links.extend(public_pages(text));
    let bar = el("div")
        .class("ec-banner")
        .attr("id", "demonstrator")
        .attr("role", "note");
    let bar = bar
        .attr("aria-label", text.frame.banner_label)
        .child(el("p").text(banner));
    let home = el("a").class("kern-link").attr("href", frame.href("/"));
    let language = el("a").class("kern-link").attr("id", "sprache");
    let language = language.attr("href", other_language(frame)).attr("lang", other.code());
    let language = language.attr("hreflang", other.code()).text(text.frame.other_language);
    let tools = el("ul").class("ec-nav").child(el("li").child(language));
    let tools = tools.child(el("li").child(login_or_logout(frame)));
    let links = el("ul")
        .class("ec-nav")
        .children(links.into_iter().map(|(path, name)| nav_link(frame, path, name)));
    let row = el("div")
        .class("ec-head")
        .child(el("p").class("ec-product").child(home.text(text.frame.product)))
        .child(tools)
        .child(el("nav").attr("aria-label", text.frame.nav_label).child(links));
    el("header").child(bar).child(row)
}

fn nav_link(frame: &Frame, path: &str, name: &str) -> Element {
    let mut link = el("a").class("kern-link").attr("href", frame.href(path));
    if frame.path.split('?').next() == Some(path) {
        link = link.attr("aria-current", "page");
    }
    el("li").child(link.text(name))
}

fn login_or_logout(frame: &Frame) -> Element {
    let text = frame.lang.text();
    if frame.session.is_none() {
        let link = el("a").class("kern-link").attr("href", frame.href("/anmelden"));
        return link.text(text.frame.login);
    }
    let button = el("button").attr("id", "abmelden").attr("type", "submit");
    let button = button.class("kern-btn kern-btn--secondary kern-btn--x-small");
    let button = button.child(el("span").class("kern-label").text(text.frame.logout));
    let form = el("form").attr("method", "post");
    form.attr("action", frame.href("/abmelden")).child(button)
}

/// Says who is logged in and when the session ends. A minute before, the script shows the warning instead.
fn session_box(frame: &Frame, session: &SessionInfo) -> Element {
    let text = frame.lang.text();
    let mut logged_in = Phrase::said(text.frame.logged_in);
    logged_in.cite(&session.name);
    let clock = |time: u64| LocalTime::of(time).clock(frame.lang);
    let notice = (text.frame.session)(&clock(session.idle_end), &clock(session.end));
    let small = || el("p").class("kern-body kern-body--small");
    let stay = el("a").class("kern-link").attr("href", frame.href(&frame.path));
    let warning = el("div").attr("role", "alert").flag("hidden", !session.warning);
    let warning = warning
        .child(el("p").class("kern-body").text(text.frame.session_warning))
        .child(stay.text(text.frame.session_stay));
    let ends = el("div")
        .attr("id", "sitzung")
        .class("ec-session")
        .attr("data-seconds", session.seconds.to_string())
        .attr("data-idle-end", session.idle_end.to_string())
        .attr("data-end", session.end.to_string())
        .attr("data-over", frame.href("/abgemeldet"))
        .child(small().flag("hidden", session.warning).text(&notice))
        .child(warning);
    el("div")
        .class("ec-session-box")
        .child(small().attr("id", "angemeldet").phrase(&logged_in, frame.lang))
        .child(ends)
}

fn footer(frame: &Frame) -> Element {
    let text = frame.lang.text();
    let links = [
        ("/was-wird-aufgezeichnet", text.frame.nav_recorded),
        ("/selbst-pruefen", text.frame.nav_verify),
        ("/barrierefreiheit", text.frame.nav_accessibility),
        ("/datenschutz", text.frame.nav_privacy),
        ("/impressum", text.frame.nav_imprint),
        ("/gestaltung", text.frame.nav_design),
    ];
    let links = links.map(|(path, name)| nav_link(frame, path, name));
    let links = el("ul").class("ec-nav").children(links);
    let nav = el("nav").attr("aria-label", text.frame.footer_label).child(links);
    el("footer").class("ec-foot").child(nav)
}
