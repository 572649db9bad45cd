//! The matrix: `tests/endpoints.md`, and what its paths stand for.

use std::collections::BTreeMap;

use tests::routes::Route;

const MATRIX: &str = include_str!("../../endpoints.md");

/// In which way a caller presents a credential: a column of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    None,
    Foreign,
    Expired,
    Revoked,
    Right,
}

pub(crate) const WAYS: [Way; 5] = [Way::None, Way::Foreign, Way::Expired, Way::Revoked, Way::Right];

/// A row of the matrix.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) route: Route,
    pub(crate) who: String,
    pub(crate) expected: BTreeMap<Way, u16>,
}

/// In place of a status: a TLS alert, so no request is answered.
pub(crate) const ALERT: u16 = 0;

fn status_of(cell: &str) -> u16 {
    match cell {
        "alert" => ALERT,
        status => status.parse().unwrap(),
    }
}

pub(crate) fn matrix() -> Vec<Row> {
    let mut rows = Vec::new();
    for line in MATRIX.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line
            .trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let expected = WAYS.iter().zip(&cells[4..]).filter(|(_, cell)| **cell != "–");
        rows.push(Row {
            route: Route {
                file: cells[0].to_owned(),
                method: cells[1].to_owned(),
                path: cells[2].to_owned(),
            },
            who: cells[3].to_owned(),
            expected: expected.map(|(way, cell)| (*way, status_of(cell))).collect(),
        });
    }
    rows
}

/// The path with values for its parameters.
pub(crate) fn path_of(row: &Row) -> String {
    let nobody = uuid::Uuid::nil().to_string();
    let digest = "00".repeat(32);
    let language = matches!(row.route.file.as_str(), file if file.starts_with("citizen-ui/server/src/routes")
        || file.starts_with("citizen-ui/server/src/public"));
    let path = match row.route.path.as_str() {
        "PATH" => "/openapi.json".to_owned(),
        "security_txt::PATH" => return "/.well-known/security.txt".to_owned(),
        "CALLBACK_PATH" => return "/anmeldung/rueckkehr?code=x&state=y".to_owned(),
        "SESSION" => "/sitzung".to_owned(),
        "PROOF" => "/abrufe/beweis".to_owned(),
        "OWN_DATA" => "/meine-daten".to_owned(),
        "OWN_ANSWERS" => "/meine-daten/antwort".to_owned(),
        "path" if row.route.file.starts_with("einsicht") => "/assets/antrag.css".to_owned(),
        "path" => "/assets/fira-sans-5.3.0-latin-400.woff2".to_owned(),
        path if path.starts_with("&format!") => return "/de/".to_owned(),
        path => path.to_owned(),
    };
    let path = path
        .replace(
            "{index}",
            if row.route.file.starts_with("ledger") {
                "0"
            } else {
                "99999999"
            },
        )
        .replace("{kind}", "directory")
        .replace("{version}", "1")
        .replace("{*key}", "component/none")
        .replace("{digest}", &digest)
        .replace("{kid}", &digest)
        .replace("{size}", "1")
        .replace("{*path}", "0/000.p/1")
        .replace("{exchange}", &nobody)
        .replace("{id}", &nobody)
        .replace("{origin}", &digest)
        .replace("{name}", &nobody)
        .replace("{*rest}", "1")
        .replace("{service}", "bewohnerparken")
        .replace("{need}", "0");
    let path = if path == "/trust/directory/1/search" {
        format!("{path}?q=a")
    } else {
        path
    };
    if language { format!("/de{path}") } else { path }
}

/// The media type that a route expects.
pub(crate) fn media_of(row: &Row) -> &'static str {
    if row.route.path.ends_with("/hochladen") {
        return "multipart/form-data; boundary=b";
    }
    match row.route.file.split('/').next() {
        Some("citizen-ui" | "einsicht") => "application/x-www-form-urlencoded",
        Some("ledger") => "application/cbor-seq",
        Some("register") => "application/json",
        _ if row.route.file.contains("/consumer/") => "application/json",
        _ => "application/cbor",
    }
}

/// The rows of requests that a participant signs.
pub(crate) fn is_signed(row: &Row) -> bool {
    row.who == "signed"
}
