//! The data of the frame around every page.

use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::markup::Element;

/// The data of the frame around a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The page's language.
    pub lang: Lang,
    /// Path and query after the language, beginning with `/`. The link to the other language needs them.
    pub path: String,
    /// Text of the yellow bar; the built-in text if `None`.
    pub banner: Option<String>,
    /// The session of the citizen who is logged in.
    pub session: Option<SessionInfo>,
    /// The digest of the browser's program (Subresource Integrity), if the server has it.
    pub script: Option<String>,
    /// Whether the browser's program proves something on this page although nobody needs to be logged in.
    pub island: bool,
}

/// What a page shows about the session.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// The citizen's name.
    pub name: String,
    /// Seconds until the session ends if the citizen requests no further page.
    pub seconds: u64,
    /// POSIX seconds of that end.
    pub idle_end: u64,
    /// POSIX seconds at which the session ends in any case.
    pub end: u64,
    /// Whether the last minute has begun.
    pub warning: bool,
}

impl SessionInfo {
    /// When the session ends, in words.
    pub fn notice(&self, lang: Lang) -> String {
        let clock = |time: u64| LocalTime::of(time).clock(lang);
        (lang.frame().session)(&clock(self.idle_end), &clock(self.end))
    }
}

impl Frame {
    /// The address of a page in this language.
    pub(super) fn href(&self, path: &str) -> String {
        format!("/{}{path}", self.lang.code())
    }

    /// The address of a public page, in a language that has it.
    pub(super) fn public_href(&self, path: &str) -> String {
        format!("/{}{path}", self.lang.public(path).code())
    }

    /// The address of a login that returns to this page.
    pub(super) fn login_href(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("weiter", &self.path);
        self.href(&format!("/anmelden?{}", query.finish()))
    }

    /// Reads from a page that is shown what no proof can say: the name of the citizen, the text of the yellow bar, the
    /// end of the session, and the digest of the script. Language and path come from the address.
    pub fn of_shown(document: &Element, lang: Lang, path: String) -> Self {
        let text = |id: &str| document.by_id(id).map(Element::text_content);
        let session = document.by_id("sitzung");
        let number = |name: &str| session?.attribute(name)?.parse().ok();
        let name = text("angemeldet").unwrap_or_default();
        let name = name.strip_prefix(lang.frame().logged_in).unwrap_or_default();
        let notice = session.and_then(|session| session.elements().next());
        let warning = notice.is_some_and(|notice| notice.attribute("hidden").is_some());
        Self {
            lang,
            path,
            banner: text("demonstrator"),
            session: Some(SessionInfo {
                name: name.to_owned(),
                seconds: number("data-seconds").unwrap_or_default(),
                idle_end: number("data-idle-end").unwrap_or_default(),
                end: number("data-end").unwrap_or_default(),
                warning,
            }),
            script: document
                .first("script")
                .and_then(|script| script.attribute("integrity"))
                .map(str::to_owned),
            island: false,
        }
    }
}
