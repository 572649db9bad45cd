//! The public pages: the Registerlandkarte, the log, and the pages about the portal. None needs a login.
//!
//! | Module | |
//! | --- | --- |
//! | [`versions`], [`landkarte`] | versions of the Registerlandkarte; their pages and files |
//! | [`tally`], [`watch`] | what is counted of the log; the task that follows and compares it |
//! | [`log`] | the pages about the log |
//! | [`example`] | an invented list that anybody may check and change |
//! | [`about`], [`verifier_file`] | help, imprint, privacy, verifying without the portal; the program for it |
//! | [`security_txt`] | where to report a vulnerability |

mod about;
mod example;
mod landkarte;
mod log;
pub(crate) mod security_txt;
mod tally;
mod verifier_file;
mod versions;
pub(crate) mod watch;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;

use crate::portal::Portal;

pub(crate) use verifier_file::VerifierDownload;
pub(crate) use versions::Versions;

/// The most bytes of a form: a pasted receipt.
const MAX_FORM: usize = 64 << 10;

/// The routes below the language.
pub(crate) fn routes() -> Router<Arc<Portal>> {
    Router::new()
        .route("/registerlandkarte", get(landkarte::list))
        .route("/registerlandkarte.csv", get(landkarte::csv))
        .route("/registerlandkarte.json", get(landkarte::json))
        .route("/registerlandkarte/erlaubnis/{id}", get(landkarte::permission))
        .route("/registerlandkarte/register/{id}", get(landkarte::register))
        .route("/registerlandkarte/behoerdenart/{id}", get(landkarte::class))
        .route("/registerlandkarte/behoerde/{id}", get(landkarte::body))
        .route("/protokoll", get(log::overview))
        .route("/protokoll/zeugen", get(log::witnesses))
        .route("/protokoll/loeschungen", get(log::erasures))
        .route("/protokoll/widersprueche", get(log::contradictions).post(log::compare))
        .route("/protokoll/fassung", get(log::state))
        .route("/protokoll/eintrag", get(log::lookup).post(log::receipt))
        .route("/protokoll/eintrag/{name}", get(log::entry))
        .merge(in_every_language())
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

/// The routes below easy German. It has what the log and the Registerlandkarte are, and not their pages.
pub(crate) fn easy_routes() -> Router<Arc<Portal>> {
    Router::new()
        .route("/registerlandkarte", get(about::easy_landkarte))
        .route("/protokoll", get(about::easy_log))
        .merge(in_every_language())
}

/// The pages that are in every language, with what belongs to them.
fn in_every_language() -> Router<Arc<Portal>> {
    Router::new()
        .route("/so-wird-geprueft", get(example::page))
        .route("/so-wird-geprueft/beweis", get(example::proof))
        .route("/selbst-pruefen", get(about::verify))
        .route("/selbst-pruefen/verifier", get(about::download))
        .route("/hilfe", get(about::help))
        .route("/impressum", get(about::imprint))
        .route("/datenschutz", get(about::privacy))
}
