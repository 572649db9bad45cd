//! What a citizen takes home: the list that is shown as PDF, CSV and JSON, and letters as PDF.
//!
//! A file has the rows that the query of its address chooses, in its order, on all pages: the same query as the page's
//! ([`citizen_ui::paper`]). It is made when it is requested, from the session's entries, and nothing of it is kept. A
//! file is complete in memory before its first byte is sent, so a reader who is slow holds no thread, and a file that
//! cannot be made is an error page and never half a file.
//!
//! | Module | |
//! | --- | --- |
//! | [`table`] | the list as CSV and as JSON |
//!
//! [`service::workers`] bounds how many files are made at the same time. [`paper`] draws documents as PDF/A-3a and
//! PDF/UA-1.

mod table;

use std::sync::Arc;

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use citizen_ui::pages::{Content, ErrorPage, Frame, ListQuery, Question};
use citizen_ui::paper::list::{BUNDLE_FILE, ListExport};
use citizen_ui::paper::{Made, letter, list};
use citizen_ui::proof::access::Access;
use paper::{Attachment, Relation};

use crate::citizen::Citizen;
use crate::download::download;
use crate::page::CitizenRequest;

/// What a file is made of.
struct Export {
    citizen: Arc<Citizen>,
    frame: Frame,
    portal: String,
    at: u64,
}

impl Export {
    fn new(request: &CitizenRequest) -> Self {
        let CitizenRequest { page, current } = request;
        Self {
            citizen: Arc::clone(&current.citizen),
            frame: page.frame(),
            portal: page.portal.config.public_url.clone(),
            at: page.portal.clock.now(),
        }
    }

    fn content(&self) -> Content<'_> {
        self.citizen.content(None)
    }

    fn made(&self) -> Made<'_> {
        Made {
            at: self.at,
            portal: &self.portal,
        }
    }
}

/// `GET /{lang}/abrufe.pdf`: the list as a document, with the bundle in it.
pub(crate) async fn list_pdf(request: CitizenRequest, RawQuery(query): RawQuery) -> Response {
    let query = ListQuery::parse(&query.unwrap_or_default());
    let export = Export::new(&request);
    let draw = move || {
        let citizen = &export.citizen;
        let paper = list::paper(&export.frame, &export.content(), &query, citizen.check, export.made());
        let bundle = citizen.bundle().map(|bundle| Attachment {
            name: BUNDLE_FILE.to_owned(),
            media: "application/octet-stream",
            description: "einsicht bundle v1".to_owned(),
            relation: Relation::Data,
            content: bundle.to_vec(),
        });
        paper::draw(&paper, bundle, export.at)
    };
    made(&request, draw, |file| download("abrufe.pdf", "application/pdf", file)).await
}

/// `GET /{lang}/abrufe.csv`: the list as a table.
pub(crate) async fn list_csv(request: CitizenRequest, RawQuery(query): RawQuery) -> Response {
    let export = Export::new(&request);
    let query = ListQuery::parse(&query.unwrap_or_default());
    let write = move || table::csv(&ListExport::new(&export.content(), &query, export.frame.lang));
    made(&request, write, |file| {
        download("abrufe.csv", "text/csv; charset=utf-8", file)
    })
    .await
}

/// `GET /{lang}/abrufe.json`: the list as data.
pub(crate) async fn list_json(request: CitizenRequest, RawQuery(query): RawQuery) -> Response {
    let export = Export::new(&request);
    let query = ListQuery::parse(&query.unwrap_or_default());
    let write = move || {
        let list = ListExport::new(&export.content(), &query, export.frame.lang);
        table::json(&list, export.at, &export.portal)
    };
    made(&request, write, |file| {
        download("abrufe.json", "application/json", file)
    })
    .await
}

/// `GET /{lang}/abrufe/{index}/brief.pdf`: a letter about an exchange, with the receipt of its first entry in it.
pub(crate) async fn letter_pdf(
    request: CitizenRequest,
    Path(index): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let question = Question::parse(&query.unwrap_or_default());
    let (Ok(index), Some(act)) = (index.parse::<u64>(), question.act) else {
        return request.page.error(ErrorPage::NotFound);
    };
    let CitizenRequest { page, current } = &request;
    let Some(receipt) = current.citizen.receipt_file(&page.portal.ledger, index).await else {
        return page.error(ErrorPage::NotFound);
    };
    let export = Export::new(&request);
    let draw = move || {
        let access = export.content().access(index);
        let Some(Access::Exchange(exchange)) = access else {
            return Ok(None);
        };
        let number = export.citizen.person().filter(|_| question.number);
        let number = number.map(|person| person.expose());
        let paper = letter::paper(&export.frame, exchange, act, number, export.made());
        let receipt = Attachment {
            name: letter::receipt_file(index),
            media: "text/plain",
            description: "c2sp.org/tlog-proof@v1".to_owned(),
            relation: Relation::Data,
            content: receipt,
        };
        paper::draw(&paper, Some(receipt), export.at).map(Some)
    };
    let respond = |file: Option<Vec<u8>>| match file {
        Some(file) => download(&format!("brief-{index}.pdf"), "application/pdf", file),
        None => page.error(ErrorPage::NotFound),
    };
    made(&request, draw, respond).await
}

/// Makes a file and responds with it, or with the page that says why not.
async fn made<T, E>(
    request: &CitizenRequest,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
    respond: impl FnOnce(T) -> Response,
) -> Response
where
    T: Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let page = &request.page;
    match page.portal.workers.run(work).await {
        Ok(Ok(file)) => respond(file).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "cannot make a citizen's file");
            page.error(ErrorPage::Internal)
        }
        Err(_busy) => page.error(ErrorPage::Busy),
    }
}
