//! The handlers for login and logout.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use citizen_ui::language::lang::Lang;
use citizen_ui::pages::ErrorPage;
use messages::{Disclosure, DisclosureRequest};
use service::http::CallError;

use crate::citizen::{Citizen, LoadError};
use crate::login::{CallbackParameters, LoginError, VerifiedLogin};
use crate::page::PageRequest;
use crate::portal::Portal;
use crate::session;

/// `GET /{lang}/anmelden`: redirects to the OpenID provider. The page links here instead of posting a form, because
/// `form-action` of the content security policy also applies to the redirect after a form.
pub(crate) async fn login(page: PageRequest, headers: HeaderMap) -> Response {
    let portal = &page.portal;
    if let Some(old) = session::cookie_of(&headers, portal.secure()) {
        portal.sessions.end(&old);
    }
    let (url, pending) = match portal.login.begin(page.lang).await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::warn!(%error, "cannot begin a login");
            return page.error(ErrorPage::LoginUnreachable);
        }
    };
    match portal.sessions.begin(pending) {
        Ok(cookie) => with_cookie(portal, Some(&cookie), Redirect::to(&url).into_response()),
        Err(error) => {
            tracing::error!(%error, "cannot open a session");
            page.error(ErrorPage::Internal)
        }
    }
}

/// `GET /anmeldung/rueckkehr`: the OpenID provider redirects the browser here.
pub(crate) async fn callback(
    State(portal): State<Arc<Portal>>,
    headers: HeaderMap,
    answer: Result<Query<CallbackParameters>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let cookie = session::cookie_of(&headers, portal.secure());
    let pending = cookie.and_then(|cookie| portal.sessions.take_pending(&cookie));
    let (Some(pending), Ok(Query(answer))) = (pending, answer) else {
        return refused(&portal, Lang::De, ErrorPage::LoginFailed);
    };
    let lang = pending.lang;
    let finished = match portal.login.finish(pending, answer).await {
        Ok(verified) => open(&portal, verified).await,
        Err(error) => {
            tracing::info!(%error, "login refused");
            Err(match error {
                LoginError::Unreachable(_) => ErrorPage::LoginUnreachable,
                LoginError::Assurance => ErrorPage::Assurance,
                LoginError::Refused(_) => ErrorPage::LoginFailed,
            })
        }
    };
    match finished {
        Ok(cookie) => {
            let list = Redirect::to(&format!("/{}/zugriffe", lang.code()));
            with_cookie(&portal, Some(&cookie), list.into_response())
        }
        Err(error) => refused(&portal, lang, error),
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
    let citizen = Citizen::load(&portal.ledger, &portal.trust, portal.clock.now(), disclosure)
        .await
        .map_err(|error| {
            tracing::warn!(%error, "cannot load the entries");
            match error {
                LoadError::Ledger(_) => ErrorPage::LedgerUnreachable,
                LoadError::Disclosure(_) => ErrorPage::Internal,
            }
        })?;
    portal.sessions.open(citizen).map_err(|error| {
        tracing::error!(%error, "cannot open a session");
        ErrorPage::Internal
    })
}

fn identity_error(error: &CallError) -> ErrorPage {
    match error {
        CallError::Refused(problem) if problem.status == 403 => ErrorPage::IdentityRefused,
        error if error.retryable() => ErrorPage::IdentityUnreachable,
        _ => ErrorPage::Internal,
    }
}

/// `POST /{lang}/abmelden`: ends the session.
pub(crate) async fn logout(page: PageRequest, headers: HeaderMap) -> Response {
    let portal = &page.portal;
    if let Some(cookie) = session::cookie_of(&headers, portal.secure()) {
        portal.sessions.end(&cookie);
    }
    with_cookie(portal, None, page.to("/abgemeldet").into_response())
}

fn refused(portal: &Arc<Portal>, lang: Lang, error: ErrorPage) -> Response {
    // The path of the callback has no language, so the page is rendered as if for the start page in the login's
    // language.
    let path = match lang {
        Lang::De => Uri::from_static("/de/"),
        Lang::En => Uri::from_static("/en/"),
    };
    let page = PageRequest::new(portal, &path, &HeaderMap::new());
    with_cookie(portal, None, page.error(error))
}

fn with_cookie(portal: &Portal, value: Option<&str>, mut response: Response) -> Response {
    if let Some(cookie) = session::set_cookie(value, portal.secure()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
