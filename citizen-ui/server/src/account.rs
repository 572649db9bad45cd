//! The handlers for login and logout.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use citizen_ui::language::lang::Lang;
use citizen_ui::pages::{self, ErrorPage, FIRST_PAGE, OWN_DATA, Target};
use messages::{Disclosure, DisclosureRequest};
use serde::{Deserialize, Serialize};
use service::http::CallError;
use service::openid::{CallbackParameters, LoginError, PendingLogin, VerifiedLogin, cookies};

use crate::citizen::{Citizen, LoadError};
use crate::page::PageRequest;
use crate::portal::Portal;

/// The longest address that a login continues with, in bytes.
const MAX_NEXT: usize = 500;

/// The query of the request for a login.
#[derive(Debug, Deserialize)]
pub(crate) struct LoginParameters {
    /// The page after the login: path and query after the language.
    #[serde(rename = "weiter")]
    next: Option<String>,
}

/// A login that has begun, with the page after it.
#[derive(Serialize, Deserialize)]
struct BegunHere {
    login: PendingLogin,
    /// The language of that page.
    lang: Lang,
    /// Its path and query after the language.
    next: String,
}

/// The page after a login: the wanted one if it is a citizen's page, or else the first one. So a link to the login can
/// lead nowhere else.
fn next_page(wanted: Option<String>) -> String {
    let wanted = wanted.filter(|path| path.len() <= MAX_NEXT);
    if wanted.as_deref() == Some(OWN_DATA) {
        return OWN_DATA.to_owned();
    }
    let target = wanted.and_then(|path| Target::of(&path));
    target.map_or_else(|| FIRST_PAGE.to_owned(), |target| target.path())
}

/// `GET /{lang}/anmelden`: redirects to the OpenID provider. The page links here instead of posting a form, because
/// `form-action` of the content security policy also applies to the redirect after a form. A session of the browser
/// continues until the new login is completed.
pub(crate) async fn login(
    page: PageRequest,
    headers: HeaderMap,
    parameters: Result<Query<LoginParameters>, QueryRejection>,
) -> Response {
    let portal = &page.portal;
    let next = parameters.ok().and_then(|Query(parameters)| parameters.next);
    let begun = match portal.login.begin().await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::warn!(%error, "cannot begin a login");
            return page.error(ErrorPage::LoginUnreachable);
        }
    };
    let here = BegunHere {
        login: begun.pending,
        lang: page.lang,
        next: next_page(next),
    };
    match portal.pending.begin(&headers, &begun.state, here) {
        Ok(cookies) => with_cookies(cookies, Redirect::to(&begun.url).into_response()),
        Err(error) => {
            tracing::error!(%error, "cannot begin a login");
            page.error(ErrorPage::Internal)
        }
    }
}

/// `GET /anmeldung/rueckkehr`: the OpenID provider redirects the browser here.
pub(crate) async fn callback(
    State(portal): State<Arc<Portal>>,
    headers: HeaderMap,
    answer: Result<Query<CallbackParameters>, QueryRejection>,
) -> Response {
    let answer = answer.ok().map(|Query(answer)| answer);
    let begun = answer.and_then(|answer| {
        let (here, removal) = portal.pending.take::<BegunHere>(&headers, answer.state.as_deref()?)?;
        Some((answer, here, removal))
    });
    let Some((answer, BegunHere { login, lang, next }, removal)) = begun else {
        return stray(&portal, &headers);
    };
    let finished = match portal.login.finish(login, answer, || portal.clock.now()).await {
        Ok(verified) => open(&portal, verified).await,
        Err(LoginError::Cancelled) => {
            let page = page_in(&portal, &headers, lang);
            let cancelled = Html(pages::login_cancelled(&page.frame()));
            return with_cookies([removal], cancelled.into_response());
        }
        Err(error) => Err(login_error(&error)),
    };
    match finished {
        Ok(cookie) => {
            if let Some(old) = session_cookie(&portal, &headers) {
                portal.sessions.end(old);
            }
            let cookie = portal.cookies.set(portal.cookies.session(), &cookie, None);
            let page = Redirect::to(&format!("/{}{next}", lang.code()));
            with_cookies(cookie.into_iter().chain([removal]), page.into_response())
        }
        Err(error) => with_cookies([removal], page_in(&portal, &headers, lang).error(error)),
    }
}

/// Responds to a callback that fits no login of this browser: after the back button, after ten minutes, or forged. It
/// changes nothing. A citizen who is logged in gets the first page.
fn stray(portal: &Arc<Portal>, headers: &HeaderMap) -> Response {
    let page = page_in(portal, headers, Lang::De);
    match &page.session {
        Some(_) => page.to(FIRST_PAGE).into_response(),
        None => page.error(ErrorPage::LoginFailed),
    }
}

fn login_error(error: &LoginError) -> ErrorPage {
    match error {
        LoginError::Clock => tracing::error!(%error, "login refused"),
        _ => tracing::info!(%error, "login refused"),
    }
    match error {
        LoginError::Unreachable(_) => ErrorPage::LoginUnreachable,
        LoginError::Assurance => ErrorPage::Assurance,
        LoginError::Clock => ErrorPage::Clock,
        LoginError::Refused(_) | LoginError::Cancelled => ErrorPage::LoginFailed,
    }
}

/// Requests the disclosure from identity, loads the citizen's entries, and opens the session.
async fn open(portal: &Arc<Portal>, verified: VerifiedLogin) -> Result<String, ErrorPage> {
    let request = DisclosureRequest {
        id_token: verified.id_token,
        nonce: verified.nonce,
    };
    let url = format!("{}/disclosures", portal.config.identity);
    let answer = portal.identity.post_cbor(&url, record::cbor::to_vec(&request)).await;
    let disclosure: Disclosure = match answer {
        Ok(bytes) => record::cbor::from_slice(&bytes).map_err(|_| ErrorPage::Internal)?,
        Err(error) => {
            tracing::warn!(%error, "cannot get the disclosure");
            return Err(identity_error(&error));
        }
    };
    let citizen = Citizen::load(&portal.ledger, &portal.trust, disclosure)
        .await
        .map_err(|error| {
            tracing::warn!(%error, "cannot load the entries");
            match error {
                LoadError::Ledger(_) => ErrorPage::LedgerUnreachable,
                LoadError::Disclosure(_) | LoadError::Stopped(_) => ErrorPage::Internal,
            }
        })?;
    portal.sessions.open(citizen).map_err(|error| {
        tracing::error!(%error, "cannot open a session");
        ErrorPage::Internal
    })
}

fn identity_error(error: &CallError) -> ErrorPage {
    match error {
        // The token was issued just now, so its times differ from identity's clock and not from what is allowed.
        CallError::Refused(problem) if problem.status == 403 && problem.slug == "login-time" => ErrorPage::Clock,
        CallError::Refused(problem) if problem.status == 403 => ErrorPage::IdentityRefused,
        error if error.retryable() => ErrorPage::IdentityUnreachable,
        _ => ErrorPage::Internal,
    }
}

/// What the script of a page needs to know about the session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionState {
    /// Seconds until the session ends if the citizen requests no further page.
    seconds: u64,
    /// POSIX seconds of that end.
    idle_end: u64,
    /// POSIX seconds at which the session ends in any case.
    end: u64,
    /// The same in words.
    text: String,
}

/// `GET /{lang}/sitzung`: when the session ends. It does not prolong it.
pub(crate) async fn session(page: PageRequest) -> Response {
    let frame = page.frame();
    match frame.session {
        Some(session) => Json(SessionState {
            seconds: session.seconds,
            idle_end: session.idle_end,
            end: session.end,
            text: session.notice(frame.lang),
        })
        .into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// `POST /{lang}/sitzung`: prolongs the session up to its longest duration.
pub(crate) async fn prolong(mut page: PageRequest, headers: HeaderMap) -> Response {
    page.prolong(&headers);
    session(page).await
}

/// `POST /{lang}/abmelden`: ends the session.
pub(crate) async fn logout(page: PageRequest, headers: HeaderMap) -> Response {
    let portal = &page.portal;
    if let Some(cookie) = session_cookie(portal, &headers) {
        portal.sessions.end(cookie);
    }
    let removal = portal.cookies.set(portal.cookies.session(), "", Some(0));
    with_cookies(removal, page.to("/abgemeldet").into_response())
}

/// `GET /{lang}/abgemeldet`: what is gone, and where the session with the provider ends.
pub(crate) async fn logged_out(page: PageRequest) -> Response {
    let provider = page.portal.login.end_session().await;
    Html(pages::logged_out(&page.frame(), provider)).into_response()
}

fn session_cookie<'a>(portal: &Portal, headers: &'a HeaderMap) -> Option<&'a str> {
    cookies::value(headers, portal.cookies.session())
}

/// The callback's path has no language, so its pages are rendered as if for the start page in the login's language.
fn page_in(portal: &Arc<Portal>, headers: &HeaderMap, lang: Lang) -> PageRequest {
    let path = match lang {
        Lang::De => Uri::from_static("/de/"),
        Lang::En => Uri::from_static("/en/"),
        Lang::Leicht => Uri::from_static("/leicht/"),
    };
    PageRequest::new(portal, &path, headers)
}

fn with_cookies(cookies: impl IntoIterator<Item = HeaderValue>, mut response: Response) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
