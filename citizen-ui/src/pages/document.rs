//! A complete document: head, yellow bar, navigation, content, and footer with the end of the session.

use super::frame::{Frame, SessionInfo};
use super::phrase::Phrased;
use crate::language::lang::Lang;
use crate::language::text::FrameText;
use crate::markup::{Element, Node, el};
use text::phrase::Phrase;

/// Path and digest (Subresource Integrity) of the style sheet and of the icon. The browser's program has them too, so a
/// page with another style sheet is not proved.
pub const FILES: [(&str, &str); 2] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The path of the browser's script, which has a part of its digest.
pub fn script_path(digest: &str) -> String {
    let (_, base64) = digest.split_once('-').unwrap_or_default();
    let part = base64.chars().filter(char::is_ascii_alphanumeric).take(12);
    format!("/assets/portal.{}.js", part.collect::<String>())
}

/// Makes a document. `title` is the page's own title; `content` is that of `<main>`.
pub(super) fn document(frame: &Frame, title: &str, content: impl IntoIterator<Item = Node>) -> Element {
    let mut main = el("main").attr("id", "inhalt").class("ec-page").attr("tabindex", "-1");
    main.children.extend(content);
    let skip = frame.lang.frame().skip;
    let skip = el("a").class("ec-skip kern-link").attr("href", "#inhalt").text(skip);
    let body = el("body")
        .child(skip)
        .child(header(frame))
        .child(main)
        .child(footer(frame));
    let html = el("html").attr("lang", frame.lang.tag());
    html.child(head(frame, title)).child(body)
}

/// Writes a document as HTML.
#[cfg(feature = "ssr")]
pub fn html(document: &Element) -> String {
    format!("<!DOCTYPE html>{}", document.to_html())
}

/// The title of a document whose page has this title.
fn full_title(frame: &Frame, title: &str) -> String {
    format!("{title} – {}", frame.lang.frame().product)
}

fn head(frame: &Frame, title: &str) -> Element {
    let meta = |name: &str, content: &str| el("meta").attr("name", name).attr("content", content);
    let alternates = other_languages(frame).map(|(lang, path)| {
        let alternate = el("link").attr("rel", "alternate").attr("hreflang", lang.tag());
        alternate.attr("href", path)
    });
    let [(style, digest), (icon, _)] = FILES;
    let icon = el("link").attr("rel", "icon").attr("href", icon);
    let style = el("link").attr("rel", "stylesheet").attr("href", style);
    let style = style.attr("integrity", digest);
    let script = frame
        .script
        .iter()
        .filter(|_| frame.session.is_some() || frame.island)
        .map(|digest| {
            let script = el("script").attr("type", "module").attr("src", script_path(digest));
            script.attr("integrity", digest)
        });
    el("head")
        .child(el("meta").attr("charset", "utf-8"))
        .child(meta("viewport", "width=device-width, initial-scale=1"))
        .child(meta("color-scheme", "light dark"))
        .child(el("title").text(&full_title(frame, title)))
        .children(alternates)
        .child(icon.attr("type", "image/svg+xml"))
        .child(style)
        .children(script)
}

/// The other languages that have this page, each with its address.
fn other_languages(frame: &Frame) -> impl Iterator<Item = (Lang, String)> {
    let easy = frame.session.is_some() || Lang::is_easy(&frame.path);
    let langs = frame.lang.others().filter(move |lang| easy || *lang != Lang::Leicht);
    langs.map(|lang| (lang, format!("/{}{}", lang.code(), frame.path)))
}

/// The pages of the navigation, each with its path and link text. After the login they are the citizen's own; the
/// public ones are in the footer then.
fn main_pages(frame: &Frame) -> Vec<(&'static str, &'static str)> {
    let text = frame.lang.frame();
    if frame.session.is_some() {
        vec![
            ("/uebersicht", text.nav_overview),
            ("/abrufe", text.nav_list),
            ("/meine-daten", text.nav_own_data),
            ("/besuche", text.nav_visits),
        ]
    } else {
        vec![
            ("/", text.nav_start),
            ("/registerlandkarte", text.nav_landkarte),
            ("/protokoll", text.nav_log),
            ("/hilfe", text.nav_help),
        ]
    }
}

/// The pages of the footer.
fn further_pages(text: &'static FrameText) -> [(&'static str, &'static str); 10] {
    [
        ("/registerlandkarte", text.nav_landkarte),
        ("/protokoll", text.nav_log),
        ("/was-wird-aufgezeichnet", text.nav_recorded),
        ("/so-wird-geprueft", text.nav_checked),
        ("/selbst-pruefen", text.nav_verify),
        ("/hilfe", text.nav_help),
        ("/barrierefreiheit", text.nav_accessibility),
        ("/datenschutz", text.nav_privacy),
        ("/impressum", text.nav_imprint),
        ("/gestaltung", text.nav_design),
    ]
}

fn header(frame: &Frame) -> Element {
    let text = frame.lang.frame();
    let banner = frame.banner.as_deref().unwrap_or(text.banner);
    let bar = el("div")
        .class("ec-banner")
        .attr("id", "demonstrator")
        .attr("role", "note");
    let bar = bar.attr("aria-label", text.banner_label).child(el("p").text(banner));
    let home = if frame.session.is_some() { "/uebersicht" } else { "/" };
    let home = el("a").attr("href", frame.href(home)).text(text.product);
    let claim = el("span").class("ec-claim").text(text.claim);
    let product = el("p").class("ec-product").child(home).child(claim);
    let row = el("div").class("ec-head").child(product).child(languages(frame));
    let row = row.child(navigation(frame)).child(login_or_logout(frame));
    el("header").child(bar).child(row)
}

fn languages(frame: &Frame) -> Element {
    let links = other_languages(frame).map(|(lang, path)| {
        let link = el("a")
            .class("kern-link")
            .attr("id", format!("sprache-{}", lang.code()));
        let link = link
            .attr("href", path)
            .attr("lang", lang.tag())
            .attr("hreflang", lang.tag());
        el("li").child(link.text(lang.frame().language))
    });
    el("ul").class("ec-tools").children(links)
}

/// The links of the navigation in a row, and again in a menu for narrow screens. The style sheet shows one of them.
fn navigation(frame: &Frame) -> Element {
    let text = frame.lang.frame();
    let links = |class: &str| {
        let pages = main_pages(frame).into_iter();
        let links = pages.map(|(path, name)| nav_link(frame, path, name));
        el("ul").class(class).children(links)
    };
    let menu = el("details").class("ec-menu");
    let menu = menu.child(el("summary").text(text.menu)).child(links("ec-menu-links"));
    el("nav")
        .attr("aria-label", text.nav_label)
        .child(links("ec-nav"))
        .child(menu)
}

fn nav_link(frame: &Frame, path: &str, name: &str) -> Element {
    let is_own = frame.session.is_some() && main_pages(frame).iter().any(|(own, _)| own == &path);
    let href = if is_own {
        frame.href(path)
    } else {
        frame.public_href(path)
    };
    let mut link = el("a").attr("href", href);
    if frame.path.split('?').next() == Some(path) {
        link = link.attr("aria-current", "page");
    }
    el("li").child(link.text(name))
}

/// The link to the login; after it, who is logged in, and the button that logs out.
fn login_or_logout(frame: &Frame) -> Element {
    let text = frame.lang.frame();
    let who = el("div").class("ec-who");
    let Some(session) = &frame.session else {
        let link = el("a").class("kern-link").attr("href", frame.href("/anmelden"));
        return who.child(link.text(text.login));
    };
    let mut logged_in = Phrase::said(text.logged_in);
    logged_in.cite(&session.name);
    let button = el("button").attr("id", "abmelden").attr("type", "submit");
    let button = button.class("kern-btn kern-btn--tertiary kern-btn--x-small");
    let button = button.child(el("span").class("kern-label").text(text.logout));
    let form = el("form").attr("method", "post");
    let form = form.attr("action", frame.href("/abmelden")).child(button);
    who.child(el("p").attr("id", "angemeldet").phrase(&logged_in, frame.lang))
        .child(form)
}

/// Says when the session ends. A minute before, the script shows the warning instead, which stays in view.
fn session_box(frame: &Frame, session: &SessionInfo) -> Element {
    let text = frame.lang.frame();
    let notice = session.notice(frame.lang);
    let stay = || {
        let link = el("a").class("kern-link").attr("href", frame.href(&frame.path));
        link.text(text.session_stay)
    };
    let notice = el("p").text(&format!("{notice} ")).child(stay());
    let warning = el("div").attr("role", "alert").flag("hidden", !session.warning);
    let warning = warning.child(el("p").text(&format!("{} ", text.session_warning)).child(stay()));
    el("div")
        .attr("id", "sitzung")
        .class("ec-session")
        .attr("data-seconds", session.seconds.to_string())
        .attr("data-idle-end", session.idle_end.to_string())
        .attr("data-end", session.end.to_string())
        .attr("data-over", frame.href("/abgemeldet"))
        .child(notice.flag("hidden", session.warning))
        .child(warning)
}

fn footer(frame: &Frame) -> Element {
    let text = frame.lang.frame();
    let links = further_pages(text).map(|(path, name)| nav_link(frame, path, name));
    let links = el("ul").class("ec-foot-links").children(links);
    let nav = el("nav").attr("aria-label", text.footer_label).child(links);
    let session = frame.session.as_ref().map(|session| session_box(frame, session));
    el("footer").class("ec-foot").child(nav).children(session)
}
