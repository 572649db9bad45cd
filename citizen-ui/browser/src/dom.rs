//! The document of the browser as elements, and back.
//!
//! A page that is proved is built again in whole. So nothing of the served document stays that its elements do not
//! show: shadow roots, states of fields, properties.

use citizen_ui::markup::{Element, Node, SVG};
use web_sys::wasm_bindgen::JsCast;

/// The name space of HTML. Elements of others get it as part of their name, so that they equal none of a page.
const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Stands for a shadow root. One that is closed cannot be seen, but it goes when the page is built again.
const SHADOW: &str = "#shadow-root";

/// The window, whose document is the page.
pub(crate) fn window() -> Option<web_sys::Window> {
    web_sys::window()
}

/// The document.
pub(crate) fn document() -> Option<web_sys::Document> {
    window()?.document()
}

/// Stands for a style sheet that no element has brought: a header or a script has.
const STYLE_SHEET: &str = "#style-sheet";

/// Reads the whole document. Comments are left out, since they show nothing.
pub(crate) fn read() -> Option<Element> {
    let document = document()?;
    let mut read = element(&document.document_element()?);
    let sheets = document.style_sheets();
    let sheets = (0..sheets.length()).filter_map(|at| sheets.item(at));
    let foreign = sheets.filter(|sheet| sheet.owner_node().is_none());
    let foreign = foreign.map(|_| Node::Element(Element::new(STYLE_SHEET.into())));
    read.children.extend(foreign);
    Some(read)
}

fn element(shown: &web_sys::Element) -> Element {
    let mut name = shown.local_name();
    if let Some(space) = shown.namespace_uri().filter(|space| space != HTML) {
        name = format!("{space}:{name}");
    }
    let mut read = Element::new(name.into());
    let attributes = shown.attributes();
    for at in 0..attributes.length() {
        if let Some(attribute) = attributes.item(at) {
            read.attributes.push((attribute.name().into(), attribute.value()));
        }
    }
    if shown.shadow_root().is_some() {
        // What it contains is shown instead of the children.
        read.children.push(Node::Element(Element::new(SHADOW.into())));
    }
    let children = shown.child_nodes();
    for at in 0..children.length() {
        let Some(child) = children.item(at) else { continue };
        if let Some(child) = child.dyn_ref::<web_sys::Element>() {
            read.children.push(Node::Element(element(child)));
        } else if child.node_type() == web_sys::Node::TEXT_NODE {
            read.push_text(&child.text_content().unwrap_or_default());
        }
    }
    read
}

/// Makes an element of the browser.
pub(crate) fn build(page: &Element) -> Option<web_sys::Element> {
    let document = document()?;
    let built = match page.name.strip_prefix(SVG) {
        Some(name) => document.create_element_ns(SVG.strip_suffix(':'), name).ok()?,
        None => document.create_element(&page.name).ok()?,
    };
    for (name, value) in &page.attributes {
        built.set_attribute(name, value).ok()?;
    }
    for child in &page.children {
        match child {
            Node::Element(child) => built.append_child(&build(child)?.into()).ok()?,
            Node::Text(text) => built.append_child(&document.create_text_node(text)).ok()?,
            Node::Html(_) => return None,
        };
    }
    Some(built)
}

/// Replaces the body, and removes from the head what does not belong there. Keeps the focus, if its element has an id.
pub(crate) fn show(page: &Element) -> Option<()> {
    let document = document()?;
    let focused = document.active_element().map(|element| element.id());
    let body = build(page.first("body")?)?;
    document.set_body(Some(&body.dyn_into().ok()?));
    let expected = page.first("head")?;
    if let Some(head) = document.head() {
        let children = head.children_list();
        for child in children {
            let read = element(&child);
            if read.name != "title" && !expected.elements().any(|known| *known == read) {
                child.remove();
            }
        }
    }
    document.set_title(&page.first("title")?.text_content());
    if let Some(focused) = focused.filter(|id| !id.is_empty()) {
        let element = document.get_element_by_id(&focused);
        let element = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
        element.map(|element| element.focus());
    }
    Some(())
}

/// Makes the style sheet count that shows a green box. A served page cannot bring it, because only a script can.
pub(crate) fn allow_green() -> Option<()> {
    let sheet = web_sys::CssStyleSheet::new().ok()?;
    sheet.replace_sync(".kern-alert--success { display: block }").ok()?;
    let sheets = js_sys::Array::of1(&sheet);
    js_sys::Reflect::set(&document()?.into(), &"adoptedStyleSheets".into(), &sheets).ok()?;
    Some(())
}

/// Puts the box with the verdict in place of the one that is shown, or at the beginning of the content.
pub(crate) fn place(verdict: &Element, id: &str) -> Option<()> {
    let document = document()?;
    let built = build(verdict)?;
    if let Some(shown) = document.get_element_by_id(id) {
        shown.replace_with_with_node_1(&built).ok()?;
    } else {
        let content = document.get_element_by_id("inhalt");
        let around = content.or_else(|| document.body().map(Into::into))?;
        around.prepend_with_node_1(&built).ok()?;
    }
    Some(())
}

trait ChildElements {
    fn children_list(&self) -> Vec<web_sys::Element>;
}

impl ChildElements for web_sys::HtmlHeadElement {
    fn children_list(&self) -> Vec<web_sys::Element> {
        let children = self.children();
        (0..children.length()).filter_map(|at| children.item(at)).collect()
    }
}
