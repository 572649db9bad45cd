//! The routes of the portal. Paths are German in all languages; `{lang}` is `de`, `en` or `leicht`, and
//! `leicht` has the first page of each public topic.
//!
//! | Path | Login | Purpose |
//! | --- | --- | --- |
//! | `GET /` | | redirects to the language that the browser prefers |
//! | `GET /.well-known/security.txt` | | where to report a vulnerability ([`crate::public::security_txt`]) |
//! | `GET /{lang}/` | | start page |
//! | `GET /{lang}/registerlandkarte`, `.csv`, `.json` | | the permissions, searched, as of a day ([`crate::public`]) |
//! | `GET` … `/erlaubnis/{id}`, `/register/{id}`, `/behoerdenart/{id}`, `/behoerde/{id}` | | one of them |
//! | `GET /{lang}/protokoll`, `/zeugen`, `/loeschungen` | | state and numbers of the log; witnesses; erasures |
//! | `GET`, `POST /{lang}/protokoll/widersprueche` | | contradictions; compares a checkpoint from elsewhere |
//! | `GET /{lang}/protokoll/fassung` | | the checkpoint, for the browser's program |
//! | `GET`, `POST /{lang}/protokoll/eintrag`, `GET` … `/{index}`, `.tlog-proof` | | one entry, by number or receipt |
//! | `GET /{lang}/so-wird-geprueft`, `/beweis` | | an invented list that anybody may change; its proof |
//! | `GET /{lang}/selbst-pruefen`, `/verifier` | | how to verify; the program |
//! | `GET /{lang}/was-wird-aufgezeichnet`, `/hilfe` | | what is recorded; help |
//! | `GET /{lang}/impressum`, `/datenschutz`, `/barrierefreiheit`, `/gestaltung` | | the portal itself |
//! | `GET /{lang}/anmelden?weiter=`, `GET /anmeldung/rueckkehr` | | login ([`crate::account`]) |
//! | `POST /{lang}/abmelden`, `GET /{lang}/abgemeldet` | | logout |
//! | `GET`, `POST /{lang}/sitzung` | yes | when the session ends; prolongs it |
//! | `GET /{lang}/uebersicht` | yes | the first page after the login |
//! | `GET /{lang}/abrufe?q=&wer=&bei=&von=&bis=&ergebnis=&recht=&sort=&seite=` | yes | the list |
//! | `GET /{lang}/abrufe.pdf`, `.csv`, `.json` with the same query | yes | the list as a file ([`crate::export`]) |
//! | `GET /{lang}/meine-daten` | yes | asks whom to ask ([`crate::own_data`]) |
//! | `POST /{lang}/meine-daten/antwort` | yes | registers tell what they have about the citizen |
//! | `GET /{lang}/besuche?seite=` | yes | the citizen's own visits |
//! | `GET /{lang}/abrufe/beweis` | yes | everything that proves the pages, for the browser's program |
//! | `GET /{lang}/abrufe/buendel` | yes | the bundle: all entries with the proof of completeness |
//! | `GET /{lang}/abrufe/{index}` | yes | one access |
//! | `GET /{lang}/abrufe/{index}/pruefung`, `/fragen` | yes | how it is proved; a letter about it |
//! | `GET /{lang}/abrufe/{index}/brief.pdf?was=&nummer=` | yes | the letter as a file |
//! | `GET /{lang}/abrufe/{index}/oeffnung`, `/quittung` | yes | opening and receipt as downloads |
//! | `GET /{lang}/zugriffe…` | | redirects to `/abrufe…` |
//! | `GET /assets/…` | | static files, the browser's program among them |

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use citizen_ui::language::lang::Lang;
use citizen_ui::pages::{self, ErrorPage, Frame, OWN_ANSWERS, OWN_DATA};
use tower_http::csrf::CsrfLayer;

use crate::config::CALLBACK_PATH;
use crate::page::{PROOF, PageRequest, SESSION};
use crate::portal::Portal;
use crate::public::security_txt;
use crate::{accesses, account, assets, export, headers, own_data, public};

/// Builds all routes.
pub(crate) fn routes(portal: Arc<Portal>) -> Router {
    let mut router = Router::new()
        .route("/", get(root))
        .route(security_txt::PATH, get(security_txt::file))
        .route(CALLBACK_PATH, get(account::callback));
    for lang in Lang::ALL {
        let pages = if Lang::PUBLIC.contains(&lang) {
            in_language().merge(text_pages()).merge(public::routes())
        } else {
            in_language()
                .merge(text_pages())
                .merge(public::easy_routes())
                .fallback(to_public)
        };
        router = router.nest(&format!("/{}", lang.code()), pages);
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

/// The public pages that have text alone, besides the start page.
fn text_pages() -> Router<Arc<Portal>> {
    Router::new()
        .route(
            "/was-wird-aufgezeichnet",
            get(|page: PageRequest| shown(page, pages::recorded)),
        )
        .route(
            "/barrierefreiheit",
            get(|page: PageRequest| shown(page, pages::accessibility)),
        )
        .route("/gestaltung", get(|page: PageRequest| shown(page, pages::design)))
}

/// The start page, login and logout, and the pages of a citizen.
fn in_language() -> Router<Arc<Portal>> {
    Router::new()
        .route("/", get(to_start))
        .route("/anmelden", get(account::login))
        .route("/abmelden", post(account::logout))
        .route("/abgemeldet", get(account::logged_out))
        .route(SESSION, get(account::session).post(account::prolong))
        .route("/uebersicht", get(accesses::page))
        .route("/besuche", get(accesses::page))
        .route(OWN_DATA, get(own_data::question))
        .route(OWN_ANSWERS, get(own_data::to_question).post(own_data::answers))
        .route("/abrufe", get(accesses::page))
        .route("/abrufe.pdf", get(export::list_pdf))
        .route("/abrufe.csv", get(export::list_csv))
        .route("/abrufe.json", get(export::list_json))
        .route(PROOF, get(accesses::proof))
        .route("/abrufe/buendel", get(accesses::bundle))
        .route("/abrufe/{index}", get(accesses::page))
        .route("/abrufe/{index}/pruefung", get(accesses::page))
        .route("/abrufe/{index}/fragen", get(accesses::page))
        .route("/abrufe/{index}/brief.pdf", get(export::letter_pdf))
        .route("/abrufe/{index}/oeffnung", get(accesses::opening))
        .route("/abrufe/{index}/quittung", get(accesses::receipt))
        .route("/zugriffe", get(moved))
        .route("/zugriffe/{*rest}", get(moved))
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

/// What is not in easy German is in German.
async fn to_public(page: PageRequest) -> Redirect {
    Redirect::to(&format!("/{}{}", Lang::De.code(), page.path()))
}

/// The pages of a citizen have been below `/zugriffe`.
async fn moved(page: PageRequest) -> Redirect {
    let rest = page.path().strip_prefix("/zugriffe").unwrap_or_default();
    Redirect::permanent(&page.href(&format!("/abrufe{rest}")))
}

async fn shown(page: PageRequest, render: fn(&Frame) -> String) -> Response {
    Html(render(&page.frame())).into_response()
}

async fn not_found(page: PageRequest) -> Response {
    page.error(ErrorPage::NotFound)
}
