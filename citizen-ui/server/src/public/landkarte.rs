//! The handlers of the Registerlandkarte.

use std::sync::Arc;

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use citizen_ui::pages::ErrorPage;
use citizen_ui::pages::landkarte::{self, Landkarte, LandkarteQuery, PermissionPage, Place};
use record::Timestamp;
use registerlandkarte::{Consumer, Norm, Provider, Rule};
use serde_json::{Value, json};

use crate::csv_file;
use crate::download::download;
use crate::page::PageRequest;

/// What every file with norms says.
const NOTICE: &str = "Dies ist eine Lesart der Gesetze und keine Rechtsberatung.";

/// A request with the version that it asks for.
struct Asked {
    map: Arc<Landkarte>,
    query: LandkarteQuery,
    at: Timestamp,
}

/// Reads the query and chooses the version; otherwise the page for a day before the first one.
fn asked(page: &PageRequest, query: Option<String>) -> Result<Asked, Html<String>> {
    let query = LandkarteQuery::parse(&query.unwrap_or_default());
    let at = query.instant(Timestamp(page.portal.clock.now()));
    match page.portal.versions.at(at) {
        Ok(map) => Ok(Asked { map, query, at }),
        Err(first) => Err(Html(landkarte::not_yet(&page.frame(), first))),
    }
}

/// `GET /{lang}/registerlandkarte`
pub(super) async fn list(page: PageRequest, RawQuery(query): RawQuery) -> Response {
    match asked(&page, query) {
        Ok(Asked { map, query, at }) => Html(landkarte::list(&page.frame(), &map, &query, at)).into_response(),
        Err(not_yet) => not_yet.into_response(),
    }
}

/// `GET /{lang}/registerlandkarte/register/{id}`
pub(super) async fn register(page: PageRequest, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    place(&page, query, |map| map.register(&id).map(Place::Register))
}

/// `GET /{lang}/registerlandkarte/behoerdenart/{id}`
pub(super) async fn class(page: PageRequest, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    place(&page, query, |map| map.class(&id).map(Place::Class))
}

/// `GET /{lang}/registerlandkarte/behoerde/{id}`
pub(super) async fn body(page: PageRequest, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    place(&page, query, |map| map.body(&id).map(Place::Body))
}

fn place(page: &PageRequest, query: Option<String>, find: impl FnOnce(&Landkarte) -> Option<Place<'_>>) -> Response {
    let Asked { map, query, at } = match asked(page, query) {
        Ok(asked) => asked,
        Err(not_yet) => return not_yet.into_response(),
    };
    match find(&map) {
        Some(place) => Html(landkarte::place(&page.frame(), &map, place, &query, at)).into_response(),
        None => page.error(ErrorPage::NotFound),
    }
}

/// `GET /{lang}/registerlandkarte/erlaubnis/{id}`: `id` alone, `id@version`, and either with `.json`.
pub(super) async fn permission(page: PageRequest, Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Asked { map, query, at } = match asked(&page, query) {
        Ok(asked) => asked,
        Err(not_yet) => return not_yet.into_response(),
    };
    let (id, as_json) = match name.strip_suffix(".json") {
        Some(id) => (id, true),
        None => (name.as_str(), false),
    };
    let Some(rule) = find_rule(&map, id, at) else {
        return page.error(ErrorPage::NotFound);
    };
    if as_json {
        let file =
            json!({ "notice": NOTICE, "source": source(&map), "as_of": at.to_string(), "permission": row(&map, rule) });
        return json_file(&format!("erlaubnis-{}.json", rule.id), &file);
    }
    let events = page.portal.versions.events(rule.id.as_str());
    let content = PermissionPage {
        map: &map,
        rule,
        events: &events,
        query: &query,
        at,
    };
    Html(landkarte::permission(&page.frame(), &content)).into_response()
}

/// A permission by `id@version`, or the version of `id` that is valid, else the last one.
fn find_rule<'a>(map: &'a Landkarte, id: &str, at: Timestamp) -> Option<&'a Rule> {
    let rules = &map.tables().permissions;
    if id.contains('@') {
        return rules.iter().find(|rule| rule.reference() == id);
    }
    let of_id = || rules.iter().filter(|rule| rule.id.as_str() == id);
    let valid = of_id().find(|rule| rule.valid.contains(at) && rule.recorded.contains(at));
    valid.or_else(|| of_id().max_by_key(|rule| rule.version))
}

/// `GET /{lang}/registerlandkarte.json`: the permissions that a search has found.
pub(super) async fn json(page: PageRequest, RawQuery(query): RawQuery) -> Response {
    let Asked { map, query, at } = match asked(&page, query) {
        Ok(asked) => asked,
        Err(not_yet) => return not_yet.into_response(),
    };
    let rows: Vec<Value> = map.found(&query, at).into_iter().map(|rule| row(&map, rule)).collect();
    let file = json!({ "notice": NOTICE, "source": source(&map), "as_of": at.to_string(), "permissions": rows });
    json_file("registerlandkarte.json", &file)
}

/// `GET /{lang}/registerlandkarte.csv`: the same as a table.
pub(super) async fn csv(page: PageRequest, RawQuery(query): RawQuery) -> Response {
    let Asked { map, query, at } = match asked(&page, query) {
        Ok(asked) => asked,
        Err(not_yet) => return not_yet.into_response(),
    };
    let columns = [
        "erlaubnis",
        "wer",
        "bei",
        "unterlage",
        "daten",
        "anlass",
        "zweck",
        "gesetz",
        "gilt_ab",
        "gilt_bis",
        "fassung",
        "hinweis",
    ];
    let rows = map.found(&query, at).into_iter().map(|rule| {
        let evidence = map.evidence_of(rule);
        let categories = evidence
            .map(|evidence| join(evidence.categories.iter()))
            .unwrap_or_default();
        let norms: Vec<String> = map.norms_of(rule).iter().map(|norm| norm.citation()).collect();
        [
            rule.reference(),
            map.name_of_consumer(rule),
            map.name_of_provider(rule),
            evidence.map_or_else(|| rule.evidence.to_string(), |evidence| evidence.title.to_string()),
            categories,
            rule.occasion.to_string(),
            rule.purpose.to_string(),
            norms.join(", "),
            rule.valid.from.to_string(),
            rule.valid.until.map(|until| until.to_string()).unwrap_or_default(),
            map.source.header.to_string(),
            NOTICE.to_owned(),
        ]
    });
    match csv_file::write(columns, rows) {
        Ok(file) => download("registerlandkarte.csv", "text/csv; charset=utf-8", file),
        Err(error) => {
            tracing::error!(%error, "cannot write the Registerlandkarte as CSV");
            page.error(ErrorPage::Internal)
        }
    }
}

fn join(texts: impl Iterator<Item = impl ToString>) -> String {
    texts.map(|text| text.to_string()).collect::<Vec<_>>().join(", ")
}

fn source(map: &Landkarte) -> Value {
    let source = &map.source;
    json!({
        "version": source.version,
        "header": source.header.to_string(),
        "root": source.root.to_string(),
        "entry": source.entry,
        "published": source.published.to_string(),
    })
}

fn row(map: &Landkarte, rule: &Rule) -> Value {
    let (consumer, provider) = (
        match &rule.consumer {
            Consumer::Class(class) => json!({ "class": class.to_string(), "name": map.name_of_consumer(rule) }),
            Consumer::Body(body) => json!({ "body": body.to_string(), "name": map.name_of_consumer(rule) }),
        },
        match &rule.provider {
            Provider::Register(register) => {
                json!({ "register": register.to_string(), "name": map.name_of_provider(rule) })
            }
            Provider::Component(component) => {
                json!({ "component": component.to_string(), "name": map.name_of_provider(rule) })
            }
        },
    );
    let evidence = map.evidence_of(rule).map(|evidence| {
        let categories: Vec<String> = evidence.categories.iter().map(ToString::to_string).collect();
        json!({ "id": evidence.identifier(), "title": evidence.title.to_string(), "categories": categories })
    });
    let norms: Vec<Value> = map.norms_of(rule).into_iter().map(norm).collect();
    json!({
        "id": rule.id.to_string(),
        "version": rule.version,
        "consumer": consumer,
        "provider": provider,
        "evidence": evidence,
        "occasion": rule.occasion.to_string(),
        "purpose": rule.purpose.to_string(),
        "procedure": rule.procedure.as_ref().map(ToString::to_string),
        "norms": norms,
        "area": rule.area.as_str(),
        "subjects": rule.subjects.as_str(),
        "idnr": rule.idnr,
        "preview": rule.preview,
        "representation": rule.representation,
        "retention": rule.retention,
        "disclosure": rule.disclosure,
        "valid_from": rule.valid.from.to_string(),
        "valid_until": rule.valid.until.map(|until| until.to_string()),
    })
}

fn norm(norm: &Norm) -> Value {
    json!({
        "citation": norm.citation(),
        "heading": norm.heading.as_ref().map(ToString::to_string),
        "permits": norm.permits.to_string(),
        "source": { "repository": norm.source.repository.to_string(), "path": norm.source.path.to_string(),
            "commit": norm.source.commit.to_string(), "read": norm.source.read.to_string() },
    })
}

fn json_file(name: &str, file: &Value) -> Response {
    match serde_json::to_vec_pretty(file) {
        Ok(bytes) => download(name, "application/json", bytes),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
