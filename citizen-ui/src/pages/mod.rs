//! The pages, as functions from what they show to HTML.
//!
//! A page gets everything it shows; it fetches nothing. [`Frame`] is what stands around every page. The result is a whole valid
//! document: every page can be read and used without JavaScript, scripts and styles are external, nothing is inline.

mod access;
mod frame;
mod list;
mod log;
mod public;

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::prelude::*;

use crate::language::lang::Lang;
use crate::language::text::Section;

pub use access::{Detail, detail};
pub use list::{Choice, Kind, List, list};
pub use log::{LogState, Witness, log};
pub use public::{Fault, accessibility, design, fault, logged_out, recorded, start, verify};

/// What stands around a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The page's language.
    pub lang: Lang,
    /// Path and query after the language, beginning with `/`: the same page in the other language.
    pub path: String,
    /// Words of the yellow bar; the built-in ones if `None`.
    pub banner: Option<String>,
    /// Who is logged in.
    pub session: Option<SessionInfo>,
    /// Whether the browser's program is there.
    pub islands: bool,
}

/// What a page says about the session.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// The citizen's name.
    pub name: String,
    /// Seconds until the session ends if nothing is done.
    pub seconds: u32,
    /// When that is: `14:35`.
    pub idle_end: String,
    /// When it ends whatever is done: `15:00`.
    pub end: String,
}

impl Frame {
    /// The address of a page in this language.
    fn href(&self, path: &str) -> String {
        format!("/{}{path}", self.lang.code())
    }
}

/// Renders a document: `title` is the page's own, `body` what stands in `<main>`.
fn document<V: IntoView + 'static>(frame: &Frame, title: &str, body: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let html = owner.with(|| frame::whole(frame, title, body().into_any()).to_html());
    format!("<!DOCTYPE html>{}", tidy(html))
}

/// The renderer's markers between neighbouring texts are not valid HTML as they are; as empty comments they are, and the
/// browser's program finds them just as well.
fn tidy(html: String) -> String {
    html.replace("<!>", "<!---->")
}

/// Sections with their headings.
fn sections(sections: &'static [Section]) -> impl IntoView {
    sections.iter().map(|one| section(one).into_any()).collect_view()
}

fn section(section: &'static Section) -> impl IntoView {
    view! {
        <section class="ec-section">
            <h2 class="kern-heading-medium">{section.title}</h2>
            {paragraphs(section.text)}
        </section>
    }
}

fn paragraphs(text: &'static [&'static str]) -> impl IntoView {
    text.iter()
        .map(|text| view! { <p class="kern-body">{*text}</p> })
        .collect_view()
}

/// The page's heading and its first sentence.
fn heading(title: String, lead: &'static str) -> impl IntoView {
    view! {
        <h1 class="kern-heading-x-large">{title}</h1>
        {(!lead.is_empty()).then(|| view! { <p class="kern-body kern-body--large">{lead}</p> })}
    }
}

#[cfg(test)]
mod tests;
