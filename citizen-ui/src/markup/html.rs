//! Writes elements as HTML.

use super::{Element, Node, SVG};

/// The elements without an end tag that the pages use.
const VOID: [&str; 4] = ["meta", "link", "input", "br"];

impl Element {
    /// Writes the element as HTML. Texts and values are escaped.
    pub fn to_html(&self) -> String {
        let mut html = String::new();
        self.write(&mut html);
        html
    }

    fn write(&self, html: &mut String) {
        let name = self.name.strip_prefix(SVG).unwrap_or(&self.name);
        html.push('<');
        html.push_str(name);
        for (name, value) in &self.attributes {
            html.push(' ');
            html.push_str(name);
            if !value.is_empty() {
                html.push_str("=\"");
                escape(value, html);
                html.push('"');
            }
        }
        html.push('>');
        if VOID.contains(&name) {
            return;
        }
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(html),
                Node::Text(text) => escape(text, html),
                Node::Html(other) => html.push_str(other),
            }
        }
        html.push_str("</");
        html.push_str(name);
        html.push('>');
    }
}

/// Escapes what could end a text or a value in double quotes.
fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            character => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::markup::el;

    #[test]
    fn texts_and_values_are_escaped() {
        let element = el("p")
            .attr("title", "\"a\" & <b>")
            .flag("hidden", true)
            .flag("open", false)
            .text("a ")
            .text("<b> & \"c\"")
            .child(el("br"))
            .child(el("b").text("d"));
        assert_eq!(
            element.to_html(),
            "<p title=\"&quot;a&quot; &amp; &lt;b&gt;\" hidden>a &lt;b&gt; &amp; &quot;c&quot;<br><b>d</b></p>"
        );
        assert_eq!(element.text_content(), "a <b> & \"c\"d");
    }
}
