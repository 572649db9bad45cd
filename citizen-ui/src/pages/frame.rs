//! The frame around every page, as data.

use crate::language::lang::Lang;

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
    pub(super) fn href(&self, path: &str) -> String {
        format!("/{}{path}", self.lang.code())
    }
}
