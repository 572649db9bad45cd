//! Parts of the public pages, which need no proof. They are views of Leptos, rendered into the document.

use hydration_context::SsrSharedContext;
use leptos::prelude::*;
use std::sync::Arc;

use super::document::{document, html};
use super::frame::Frame;
use crate::language::text::Section;
use crate::markup::Node;

/// Renders a page whose content is a view.
pub(super) fn page<V: IntoView + 'static>(frame: &Frame, title: &str, body: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new())));
    let content = owner.with(|| body().into_any().to_html());
    // Markers between adjacent texts serve hydration alone.
    html(&document(frame, title, [Node::Html(content.replace("<!>", ""))]))
}

/// Renders sections with their headings.
pub(super) fn sections(sections: &'static [Section]) -> impl IntoView {
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

pub(super) fn paragraphs(text: &'static [&'static str]) -> impl IntoView {
    text.iter()
        .map(|text| view! { <p class="kern-body">{*text}</p> })
        .collect_view()
}

/// Renders the page's heading and, if it is not empty, the first sentence.
pub(super) fn heading(title: String, lead: &'static str) -> impl IntoView {
    view! {
        <h1 class="kern-heading-x-large">{title}</h1>
        {(!lead.is_empty()).then(|| view! { <p class="kern-body kern-body--large">{lead}</p> })}
    }
}
