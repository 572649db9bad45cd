//! What a handler extracts from a request: its language, its session, and the frame of the page.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use citizen_ui::language::lang::Lang;
use citizen_ui::pages::{self, ErrorPage, Frame, SessionInfo};

use crate::assets;
use crate::portal::Portal;
use crate::session::CurrentSession;
use service::openid::cookies;

/// The path of the proof, after the language.
pub(crate) const PROOF: &str = "/abrufe/beweis";
/// The path of the state of the session, after the language.
pub(crate) const SESSION: &str = "/sitzung";

/// A request for a page.
pub(crate) struct PageRequest {
    pub(crate) portal: Arc<Portal>,
    pub(crate) lang: Lang,
    pub(crate) session: Option<CurrentSession>,
    /// Path and query after the language.
    path: String,
}

impl PageRequest {
    /// Reads language and session of a request. A path without a language is German.
    pub(crate) fn new(portal: &Arc<Portal>, uri: &Uri, headers: &HeaderMap) -> Self {
        let segment = uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        let known = Lang::of_segment(segment);
        let whole = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
        let path = match known {
            Some(lang) => whole.get(1 + lang.code().len()..).unwrap_or_default().to_owned(),
            None => String::new(),
        };
        // The page asks for these by itself, so the requests must not extend the session.
        let touch = ![PROOF, SESSION].iter().any(|path| uri.path().ends_with(path));
        let cookie = cookies::value(headers, portal.cookies.session());
        Self {
            portal: Arc::clone(portal),
            lang: known.unwrap_or(Lang::De),
            session: cookie.and_then(|cookie| portal.sessions.current(cookie, touch)),
            path: if path.is_empty() { "/".to_owned() } else { path },
        }
    }

    /// Path and query, after the language.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The frame around the page.
    pub(crate) fn frame(&self) -> Frame {
        let now = self.portal.clock.now();
        Frame {
            lang: self.lang,
            path: self.path.clone(),
            banner: self.portal.config.banner.clone(),
            session: self.session.as_ref().map(|current| SessionInfo {
                name: current.citizen.name.clone(),
                seconds: current.idle_end.saturating_sub(now),
                idle_end: current.idle_end,
                end: current.end,
                warning: false,
            }),
            script: assets::PROGRAM.map(str::to_owned),
            island: false,
        }
    }

    /// Restarts the idle time of the session.
    pub(crate) fn prolong(&mut self, headers: &HeaderMap) {
        let cookie = cookies::value(headers, self.portal.cookies.session());
        self.session = cookie.and_then(|cookie| self.portal.sessions.current(cookie, true));
    }

    /// The path of a page in this language.
    pub(crate) fn href(&self, path: &str) -> String {
        format!("/{}{path}", self.lang.code())
    }

    /// Redirects to another page (303 See Other).
    pub(crate) fn to(&self, path: &str) -> Redirect {
        Redirect::to(&self.href(path))
    }

    /// Responds with an error page and its status.
    pub(crate) fn error(&self, error: ErrorPage) -> Response {
        let status = match error {
            ErrorPage::NotFound => StatusCode::NOT_FOUND,
            ErrorPage::LoginNeeded => StatusCode::UNAUTHORIZED,
            ErrorPage::LoginFailed | ErrorPage::Assurance | ErrorPage::IdentityRefused => StatusCode::FORBIDDEN,
            ErrorPage::LoginUnreachable
            | ErrorPage::Clock
            | ErrorPage::IdentityUnreachable
            | ErrorPage::LedgerUnreachable
            | ErrorPage::Busy => StatusCode::SERVICE_UNAVAILABLE,
            ErrorPage::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Html(pages::error(&self.frame(), error))).into_response()
    }
}

impl FromRequestParts<Arc<Portal>> for PageRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, portal: &Arc<Portal>) -> Result<Self, Infallible> {
        Ok(Self::new(portal, whole_uri(parts), &parts.headers))
    }
}

/// The URI as requested. Inside a nested router, the URI of the request lacks the language.
fn whole_uri(parts: &Parts) -> &Uri {
    parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |original| &original.0)
}

/// A request of a citizen who is logged in. Without a session, the request is rejected with [`ErrorPage::LoginNeeded`].
pub(crate) struct CitizenRequest {
    pub(crate) page: PageRequest,
    pub(crate) current: CurrentSession,
}

impl FromRequestParts<Arc<Portal>> for CitizenRequest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Arc<Portal>) -> Result<Self, Response> {
        let page = PageRequest::new(portal, whole_uri(parts), &parts.headers);
        match page.session.clone() {
            Some(current) => Ok(Self { page, current }),
            None => Err(page.error(ErrorPage::LoginNeeded)),
        }
    }
}
