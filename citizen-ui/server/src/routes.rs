//! The routes of the portal. Paths are German in both languages; `{lang}` is `de` or `en`.
//!
//! | Path | Login | Purpose |
//! | --- | --- | --- |
//! | `GET /` | | redirects to the language that the browser prefers |
//! | `GET /{lang}/` | | start page |
//! | `GET /{lang}/protokoll` | | state of the log |
//! | `GET /{lang}/was-wird-aufgezeichnet`, `/selbst-pruefen` | | what is recorded; how to verify |
//! | `GET /{lang}/barrierefreiheit`, `/gestaltung` | | accessibility statement; design and licences |
//! | `GET /{lang}/anmelden`, `GET /anmeldung/rueckkehr` | | login ([`crate::account`]) |
//! | `POST /{lang}/abmelden`, `GET /{lang}/abgemeldet` | | logout |
//! | `GET /{lang}/zugriffe` | yes | the list |
//! | `GET /{lang}/zugriffe/beweis` | yes | everything that proves the pages, for the browser's program |
//! | `GET /{lang}/zugriffe/buendel` | yes | the bundle: all entries with the proof of completeness |
//! | `GET /{lang}/zugriffe/{index}` | yes | one access |
//! | `GET /{lang}/zugriffe/{index}/oeffnung`, `/quittung` | yes | opening and receipt as downloads |
//! | `GET /assets/…` | | static files, the browser's program among them |

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use citizen_ui::language::lang::Lang;
use citizen_ui::language::local_time::LocalTime;
use citizen_ui::pages::{self, ErrorPage, Frame, LogState, Witness};
use tower_http::csrf::CsrfLayer;

use crate::config::CALLBACK_PATH;
use crate::page::PageRequest;
use crate::portal::Portal;
use crate::{accesses, account, assets, headers};

/// Builds all routes.
pub(crate) fn routes(portal: Arc<Portal>) -> Router {
    let mut router = Router::new()
        .route("/", get(root))
        .route(CALLBACK_PATH, get(account::callback));
    for lang in Lang::ALL {
        router = router.nest(&format!("/{}", lang.code()), in_language());
        // The nested route "/" matches the path without a trailing slash; the start page has one.
        router = router.route(&format!("/{}/", lang.code()), get(start));
    }
    router
        .merge(assets::routes())
        .fallback(not_found)
        .layer(CsrfLayer::new())
        .layer(middleware::from_fn_with_state(Arc::clone(&portal), headers::add))
        .with_state(portal)
}

fn in_language() -> Router<Arc<Portal>> {
    Router::new()
        .route("/", get(to_start))
        .route("/protokoll", get(log))
        .route(
            "/was-wird-aufgezeichnet",
            get(|page: PageRequest| public(page, pages::recorded)),
        )
        .route("/selbst-pruefen", get(verify))
        .route(
            "/barrierefreiheit",
            get(|page: PageRequest| public(page, pages::accessibility)),
        )
        .route("/gestaltung", get(|page: PageRequest| public(page, pages::design)))
        .route("/anmelden", get(account::login))
        .route("/abmelden", post(account::logout))
        .route("/abgemeldet", get(|page: PageRequest| public(page, pages::logged_out)))
        .route("/zugriffe", get(accesses::list))
        .route("/zugriffe/beweis", get(accesses::proof))
        .route("/zugriffe/buendel", get(accesses::bundle))
        .route("/zugriffe/{index}", get(accesses::detail))
        .route("/zugriffe/{index}/oeffnung", get(accesses::opening))
        .route("/zugriffe/{index}/quittung", get(accesses::receipt))
}

async fn root(request_headers: HeaderMap) -> Redirect {
    let wanted = request_headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Redirect::to(&format!("/{}/", Lang::preferred(wanted).code()))
}

async fn start(page: PageRequest) -> Response {
    public(page, pages::start).await
}

async fn to_start(page: PageRequest) -> Redirect {
    page.to("/")
}

async fn public(page: PageRequest, render: fn(&Frame) -> String) -> Response {
    Html(render(&page.frame())).into_response()
}

async fn verify(page: PageRequest) -> Response {
    let config = &page.portal.config;
    let log = config.ledger_public.as_ref().unwrap_or(&config.ledger);
    let trust = &page.portal.trust_text;
    Html(pages::verify(&page.frame(), log, &trust.policy, &trust.genesis)).into_response()
}

async fn log(page: PageRequest) -> Response {
    let state = log_state(&page.portal, page.lang).await;
    Html(pages::log(&page.frame(), state, &page.portal.trust_text)).into_response()
}

async fn log_state(portal: &Portal, lang: Lang) -> LogState {
    let bytes = match portal.ledger.checkpoint().await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!(%error, "cannot read the checkpoint");
            return LogState::Unreachable;
        }
    };
    let (Ok(verdict), Ok(checkpoint)) = (
        portal.trust.policy.verify_checkpoint(&bytes),
        String::from_utf8(bytes.to_vec()),
    ) else {
        return LogState::Invalid;
    };
    let witnesses = portal.trust.policy.witnesses().iter().map(|witness| {
        let cosigned = verdict.cosignatures().iter().find(|line| line.witness == witness.name);
        Witness {
            name: witness.name.to_string(),
            signed: cosigned.map(|line| LocalTime::of(line.timestamp).full(lang)),
        }
    });
    LogState::Checked {
        origin: verdict.checkpoint().origin.to_string(),
        size: verdict.checkpoint().size.get(),
        root: verdict.checkpoint().root.to_string(),
        quorum: verdict.quorum(),
        witnesses: witnesses.collect(),
        checkpoint,
    }
}

async fn not_found(page: PageRequest) -> Response {
    page.error(ErrorPage::NotFound)
}
