//! The routes of the portal. Paths are German in both languages; `{lang}` is `de` or `en`.
//!
//! | Path | Login | Purpose |
//! | --- | --- | --- |
//! | `GET /` | | redirects to the language that the browser prefers |
//! | `GET /{lang}/` | | start page |
//! | `GET /{lang}/registerlandkarte`, `.csv`, `.json` | | the permissions, searched, as of a day ([`crate::public`]) |
//! | `GET` … `/erlaubnis/{id}`, `/register/{id}`, `/behoerdenart/{id}`, `/behoerde/{id}` | | one of them |
//! | `GET /{lang}/protokoll`, `/zeugen`, `/loeschungen` | | state and numbers of the log; witnesses; erasures |
//! | `GET`, `POST /{lang}/protokoll/widersprueche` | | contradictions; compares a checkpoint from elsewhere |
//! | `GET /{lang}/protokoll/fassung` | | the checkpoint, for the browser's program |
//! | `GET`, `POST /{lang}/protokoll/eintrag`, `GET` … `/{index}`, `.tlog-proof` | | one entry, by number or receipt |
//! | `GET /{lang}/selbst-pruefen`, `/verifier` | | how to verify; the program |
//! | `GET /{lang}/was-wird-aufgezeichnet`, `/hilfe` | | what is recorded; help |
//! | `GET /{lang}/impressum`, `/datenschutz`, `/barrierefreiheit`, `/gestaltung` | | the portal itself |
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
use citizen_ui::pages::{self, ErrorPage, Frame};
use tower_http::csrf::CsrfLayer;

use crate::config::CALLBACK_PATH;
use crate::page::PageRequest;
use crate::portal::Portal;
use crate::{accesses, account, assets, headers, public};

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
        .route(
            "/was-wird-aufgezeichnet",
            get(|page: PageRequest| shown(page, pages::recorded)),
        )
        .merge(public::routes())
        .route(
            "/barrierefreiheit",
            get(|page: PageRequest| shown(page, pages::accessibility)),
        )
        .route("/gestaltung", get(|page: PageRequest| shown(page, pages::design)))
        .route("/anmelden", get(account::login))
        .route("/abmelden", post(account::logout))
        .route("/abgemeldet", get(|page: PageRequest| shown(page, pages::logged_out)))
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
    shown(page, pages::start).await
}

async fn to_start(page: PageRequest) -> Redirect {
    page.to("/")
}

async fn shown(page: PageRequest, render: fn(&Frame) -> String) -> Response {
    Html(render(&page.frame())).into_response()
}

async fn not_found(page: PageRequest) -> Response {
    page.error(ErrorPage::NotFound)
}
