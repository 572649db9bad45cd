//! The data of the frame around every page.

use crate::language::lang::Lang;

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
    /// Whether the server has the browser's program.
    pub islands: bool,
}

/// What a page shows about the session.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// The citizen's name.
    pub name: String,
    /// Seconds until the session ends if the citizen requests no further page.
    pub seconds: u32,
    /// The local time of that end, such as `14:35`.
    pub idle_end: String,
    /// The local time at which the session ends in any case, such as `15:00`.
    pub end: String,
}

impl Frame {
    /// The address of a page in this language.
    pub(super) fn href(&self, path: &str) -> String {
        format!("/{}{path}", self.lang.code())
    }
}
