//! The addresses of the online services. Every change is a form of the session that it changes.
//!
//! | Address | Does |
//! | --- | --- |
//! | `GET /` | lists the services |
//! | `GET /{service}` | the application; without a login, what it needs. Without `neuladen=aus` it reloads |
//! | `GET /anmelden?dienst=`, `GET /anmeldung/rueckkehr`, `POST /abmelden` | login and logout |
//! | `POST /{service}/{need}/abrufen` | has the evidence fetched |
//! | `POST /{service}/{need}/zurueckziehen` | withdraws a request that its register answers later |
//! | `POST /{service}/{need}/hochladen` | takes a file instead |
//! | `GET /{service}/{need}/vorschau`, `POST /{service}/{need}/entscheidung` | shows a preview, takes the decision |
//! | `GET /{service}/{need}/dokument` | the evidence as its register's PDF document, at the preview and afterwards |
//! | `POST /{service}/absenden`, `POST /{service}/neu` | sends the application, begins another one |

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use maud::Markup;
use record::Timestamp;
use serde::Deserialize;
use service::Clock;
use service::openid::{CallbackParameters, Cookies, LoginError, PendingLogins, RelyingParty, cookies};

use crate::application::{Decision, Stage};
use crate::config::{Config, Need, Service};
use crate::error::Error;
use crate::fetch::Connector;
use crate::login::{Applicant, BegunHere, ProvedLogin};
use crate::page::Page;
use crate::session::{Session, Sessions};
use crate::{assets, document, fetch, pages};

/// The largest file that a person may upload, in bytes, with its form.
const MAX_UPLOAD: usize = 5 * 1024 * 1024 + 4096;
const NAME: &str = "Online-Dienste";

/// What all handlers share.
pub(crate) struct Desk {
    config: Config,
    connectors: Vec<Connector>,
    sessions: Sessions,
    relying_party: RelyingParty,
    pending: PendingLogins,
    cookies: Cookies,
    clock: Arc<dyn Clock>,
}

impl Desk {
    pub(crate) fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let cookies = Cookies::new("antrag", &config.public_url);
        Ok(Self {
            connectors: config.services.iter().map(Connector::new).collect::<Result<_, _>>()?,
            sessions: Sessions::default(),
            relying_party: RelyingParty::new(&config.login, config.redirect_uri())?,
            pending: PendingLogins::new(cookies.clone())?,
            cookies,
            clock,
            config,
        })
    }

    #[cfg(test)]
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    fn service(&self, id: &str) -> Option<(&Service, &Connector)> {
        let mut both = self.config.services.iter().zip(&self.connectors);
        both.find(|(service, _)| service.id == id)
    }

    fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let token = cookies::value(headers, self.cookies.session())?;
        self.sessions.of(token, self.now())
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now())
    }
}

type Shared = State<Arc<Desk>>;

/// The routes.
pub(crate) fn routes(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/", get(start))
        .route("/anmelden", get(begin_login))
        .route("/anmeldung/rueckkehr", get(finish_login))
        .route("/abmelden", post(log_out))
        .route("/{service}", get(show))
        .route("/{service}/absenden", post(send))
        .route("/{service}/neu", post(begin_again))
        .route("/{service}/{need}/abrufen", post(begin_fetch))
        .route("/{service}/{need}/zurueckziehen", post(withdraw))
        .route(
            "/{service}/{need}/hochladen",
            post(upload).layer(DefaultBodyLimit::max(MAX_UPLOAD)),
        )
        .route("/{service}/{need}/vorschau", get(preview))
        .route("/{service}/{need}/dokument", get(document))
        .route("/{service}/{need}/entscheidung", post(decide))
        .merge(assets::routes())
        .fallback(async || not_found())
        .with_state(desk)
}

fn respond(title: &str, authority: &str, session: Option<&Session>, content: &Markup) -> Response {
    let page = Page {
        title,
        authority,
        session,
        reload: None,
    };
    page.response(content)
}

fn problem(status: StatusCode, title: &str, text: &str, back: &str) -> Response {
    let mut response = respond(title, NAME, None, &pages::problem(title, text, back));
    *response.status_mut() = status;
    response
}

fn not_found() -> Response {
    let text = "Diese Adresse gibt es nicht.";
    problem(StatusCode::NOT_FOUND, "Seite nicht gefunden", text, "/")
}

fn logged_out(service: &str) -> Response {
    let text = "Sie sind nicht mehr angemeldet, oder das Formular war zu alt. Es wurde nichts geändert.";
    problem(
        StatusCode::FORBIDDEN,
        "Bitte neu anmelden",
        text,
        &format!("/{service}"),
    )
}

/// Back to the application, which says what happened.
fn back(service: &str, need: Option<usize>) -> Response {
    let anchor = need.map_or_else(String::new, |need| format!("#unterlage-{need}"));
    Redirect::to(&format!("/{service}{anchor}")).into_response()
}

async fn start(State(desk): Shared, headers: HeaderMap) -> Response {
    let session = desk.session(&headers);
    respond(NAME, NAME, session.as_ref(), &pages::start(&desk.config.services))
}

/// Whether the page reloads itself.
#[derive(Deserialize)]
struct ReloadQuery {
    neuladen: Option<String>,
}

async fn show(
    State(desk): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(reload): Query<ReloadQuery>,
) -> Response {
    let Some((service, connector)) = desk.service(&id) else {
        return not_found();
    };
    let Some(session) = desk.session(&headers) else {
        return respond(&service.title, &service.authority, None, &pages::introduction(service));
    };
    look_at_what_waits(connector, &session, &id, desk.now());
    let application = session.application(&id, service.needs.len());
    let reloads = reload.neuladen.as_deref() != Some("aus");
    let seconds = pages::reload_seconds(&application, desk.now()).filter(|_| reloads);
    let content = if application.sent {
        pages::sent(service, &application, &desk.config.cockpit, &session)
    } else {
        pages::application(service, &application, seconds, &session)
    };
    let page = Page {
        title: &service.title,
        authority: &service.authority,
        session: Some(&session),
        reload: seconds.map(|seconds| (seconds, format!("/{id}"))),
    };
    page.response(&content)
}

/// Asks the connector how the requests stand that wait, and collects their answers. The page does not wait for it.
fn look_at_what_waits(connector: &Connector, session: &Session, id: &str, now: Timestamp) {
    for due in session.due(id) {
        let (connector, session, id) = (connector.clone(), session.clone(), id.to_owned());
        tokio::spawn(async move {
            let (awaited, next) = match due.stage() {
                Stage::Pending(awaited) => (awaited, connector.look(awaited, now).await),
                Stage::Withdrawing(awaited) => (awaited, connector.withdraw(awaited).await),
                _ => return,
            };
            if let Some(next) = next {
                session.settle(&id, due.need(), &awaited.key, next);
            }
        });
    }
}

#[derive(Deserialize)]
struct LoginQuery {
    dienst: String,
}

async fn begin_login(State(desk): Shared, headers: HeaderMap, Query(query): Query<LoginQuery>) -> Response {
    if desk.service(&query.dienst).is_none() {
        return not_found();
    }
    let begun = match desk.relying_party.begin().await {
        Ok(begun) => begun,
        Err(error) => return login_failed(&error),
    };
    let here = BegunHere {
        login: begun.pending,
        service: query.dienst,
    };
    let Ok(cookies) = desk.pending.begin(&headers, &begun.state, here) else {
        return unavailable();
    };
    let mut response = Redirect::to(&begun.url).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn finish_login(State(desk): Shared, headers: HeaderMap, Query(answer): Query<CallbackParameters>) -> Response {
    let state = answer.state.clone().unwrap_or_default();
    let Some((here, removal)) = desk.pending.take::<BegunHere>(&headers, &state) else {
        let text = "Diese Anmeldung ist zu alt oder wurde in einem anderen Browser begonnen.";
        return problem(StatusCode::BAD_REQUEST, "Anmeldung nicht möglich", text, "/");
    };
    let mut response = match log_in(&desk, here, answer).await {
        Ok(response) | Err(response) => response,
    };
    response.headers_mut().append(header::SET_COOKIE, removal);
    response
}

async fn log_in(desk: &Desk, here: BegunHere, answer: CallbackParameters) -> Result<Response, Response> {
    let finished = desk.relying_party.finish(here.login, answer, || desk.clock.now()).await;
    let verified = finished.map_err(|error| login_failed(&error))?;
    let applicant = Applicant::of_token(&verified.token).map_err(|missing| {
        let text = format!(
            "Ihre Anmeldung hat diese Angaben nicht geliefert: {}.",
            missing.0.join(", ")
        );
        problem(StatusCode::BAD_REQUEST, "Angaben fehlen", &text, "/")
    })?;
    let proved = ProvedLogin::of_token(&verified.token);
    let token = desk
        .sessions
        .begin(applicant, proved, desk.now())
        .map_err(|_| unavailable())?;
    let mut response = back(&here.service, None);
    let cookie = desk.cookies.set(desk.cookies.session(), &token, None);
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

fn unavailable() -> Response {
    let text = "Gerade sind zu viele Menschen angemeldet. Versuchen Sie es in ein paar Minuten noch einmal.";
    problem(StatusCode::SERVICE_UNAVAILABLE, "Gerade nicht möglich", text, "/")
}

fn login_failed(error: &LoginError) -> Response {
    tracing::warn!(%error, "a login failed");
    let (status, text) = match error {
        LoginError::Cancelled => (StatusCode::OK, "Sie haben die Anmeldung abgebrochen."),
        LoginError::Unreachable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Der Anmeldedienst ist gerade nicht zu erreichen. Versuchen Sie es in ein paar Minuten noch einmal.",
        ),
        LoginError::Assurance => (
            StatusCode::FORBIDDEN,
            "Bitte melden Sie sich mit dem Online-Ausweis an.",
        ),
        LoginError::Refused(_) | LoginError::Clock => (StatusCode::BAD_REQUEST, "Die Anmeldung hat nicht geklappt."),
    };
    problem(status, "Nicht angemeldet", text, "/")
}

/// What every form contains.
#[derive(Deserialize)]
struct Own {
    form: String,
}

/// The session that a form belongs to.
fn owned(desk: &Desk, headers: &HeaderMap, form: &str) -> Option<Session> {
    desk.session(headers).filter(|session| session.owns(form))
}

async fn log_out(State(desk): Shared, headers: HeaderMap, Form(own): Form<Own>) -> Response {
    if owned(&desk, &headers, &own.form).is_none() {
        return logged_out("");
    }
    if let Some(token) = cookies::value(&headers, desk.cookies.session()) {
        desk.sessions.end(token, desk.now());
    }
    let mut response = Redirect::to("/").into_response();
    let removal = desk.cookies.set(desk.cookies.session(), "", Some(0));
    response
        .headers_mut()
        .extend(removal.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

async fn send(State(desk): Shared, headers: HeaderMap, Path(id): Path<String>, Form(own): Form<Own>) -> Response {
    let Some(session) = owned(&desk, &headers, &own.form) else {
        return logged_out(&id);
    };
    session.change(&id, |application| application.send());
    back(&id, None)
}

async fn begin_again(
    State(desk): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(own): Form<Own>,
) -> Response {
    let Some(session) = owned(&desk, &headers, &own.form) else {
        return logged_out(&id);
    };
    session.forget(&id);
    back(&id, None)
}

/// A need of a service, by the address.
fn need_of<'a>(desk: &'a Desk, (id, number): &(String, usize)) -> Option<(&'a Service, &'a Connector, &'a Need)> {
    let (service, connector) = desk.service(id)?;
    Some((service, connector, service.needs.get(*number)?))
}

async fn begin_fetch(
    State(desk): Shared,
    headers: HeaderMap,
    Path(place): Path<(String, usize)>,
    Form(own): Form<Own>,
) -> Response {
    let Some((service, connector, need)) = need_of(&desk, &place) else {
        return not_found();
    };
    let Some(session) = owned(&desk, &headers, &own.form) else {
        return logged_out(&place.0);
    };
    let (id, number) = place;
    // A second click finds that the request is under way.
    if let Some((reference, key)) = session.begin_fetch(&id, number) {
        let (service, connector) = (service.clone(), connector.clone());
        let (query, now) = (fetch::query(&service, need, &session, &reference), desk.now());
        // The person's browser polls, so the request is not bound to its connection.
        tokio::spawn(async move {
            let stage = connector.fetch(&query, &key, now).await;
            session.settle(&service.id, number, &key, stage);
        });
    }
    back(&id, Some(number))
}

async fn withdraw(
    State(desk): Shared,
    headers: HeaderMap,
    Path(place): Path<(String, usize)>,
    Form(own): Form<Own>,
) -> Response {
    let Some((_, connector, _)) = need_of(&desk, &place) else {
        return not_found();
    };
    let (id, number) = place;
    let Some(session) = owned(&desk, &headers, &own.form) else {
        return logged_out(&id);
    };
    if session.withdraw(&id, number) {
        look_at_what_waits(connector, &session, &id, desk.now());
    }
    back(&id, Some(number))
}

async fn upload(
    State(desk): Shared,
    headers: HeaderMap,
    Path(place): Path<(String, usize)>,
    form: Multipart,
) -> Response {
    if need_of(&desk, &place).is_none() {
        return not_found();
    }
    let (id, number) = place;
    let Ok((own, bytes)) = read_upload(form).await else {
        let text = "Die Datei ist größer als 5 MB, oder sie ist nicht ganz angekommen.";
        return problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Nicht hochgeladen",
            text,
            &format!("/{id}"),
        );
    };
    let Some(session) = owned(&desk, &headers, &own) else {
        return logged_out(&id);
    };
    if bytes > 0 {
        session.advance(&id, number, Stage::may_upload, Stage::Uploaded(bytes));
    }
    back(&id, Some(number))
}

/// The form's token, and the length of its file, which is thrown away.
async fn read_upload(mut form: Multipart) -> Result<(String, usize), axum::extract::multipart::MultipartError> {
    let (mut own, mut bytes) = (String::new(), 0);
    while let Some(mut field) = form.next_field().await? {
        match field.name() {
            Some("form") => own = field.text().await?,
            Some("datei") => {
                while let Some(chunk) = field.chunk().await? {
                    bytes += chunk.len();
                }
            }
            _ => {}
        }
    }
    Ok((own, bytes))
}

/// The exchange whose preview is due.
fn previewed(session: &Session, service: &Service, number: usize) -> Option<uuid::Uuid> {
    let application = session.application(&service.id, service.needs.len());
    match application.pieces.get(number).map(|piece| &piece.stage) {
        Some(Stage::Preview(exchange)) => Some(*exchange),
        _ => None,
    }
}

async fn preview(State(desk): Shared, headers: HeaderMap, Path(place): Path<(String, usize)>) -> Response {
    let Some((service, connector, need)) = need_of(&desk, &place) else {
        return not_found();
    };
    let (id, number) = place;
    let Some(session) = desk.session(&headers) else {
        return back(&id, None);
    };
    let Some(exchange) = previewed(&session, service, number) else {
        return back(&id, Some(number));
    };
    match connector.preview(exchange, &session).await {
        Ok(evidence) => {
            let content = pages::preview(service, (number, need), &evidence, &session);
            respond("Stimmt das so?", &service.authority, Some(&session), &content)
        }
        Err(error) => {
            tracing::warn!(%error, "a preview is not shown");
            let text = "Die Angaben lassen sich gerade nicht zeigen. Vielleicht ist die Zeit dafür abgelaufen.";
            problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "Keine Vorschau",
                text,
                &format!("/{id}"),
            )
        }
    }
}

/// The evidence as a document: before the decision from the connector, which shows it to its person alone, and
/// afterwards from the application, if the person has accepted.
async fn document(State(desk): Shared, headers: HeaderMap, Path(place): Path<(String, usize)>) -> Response {
    let Some((service, connector, _)) = need_of(&desk, &place) else {
        return not_found();
    };
    let (id, number) = place;
    let Some(session) = desk.session(&headers) else {
        return back(&id, None);
    };
    let application = session.application(&id, service.needs.len());
    let stage = application.pieces.get(number).map(|piece| &piece.stage);
    let evidence = match stage {
        Some(Stage::Preview(exchange)) => connector.preview(*exchange, &session).await.ok(),
        Some(Stage::Received(evidence)) => Some(evidence.clone()),
        _ => None,
    };
    let downloaded = evidence.as_ref().and_then(document::download);
    downloaded.unwrap_or_else(|| back(&id, Some(number)))
}

#[derive(Deserialize)]
struct DecisionForm {
    form: String,
    entscheidung: Decision,
}

async fn decide(
    State(desk): Shared,
    headers: HeaderMap,
    Path(place): Path<(String, usize)>,
    Form(decision): Form<DecisionForm>,
) -> Response {
    let Some((service, connector, _)) = need_of(&desk, &place) else {
        return not_found();
    };
    let (id, number) = place;
    let Some(session) = owned(&desk, &headers, &decision.form) else {
        return logged_out(&id);
    };
    let waits = |stage: &Stage| matches!(stage, Stage::Preview(_));
    if let Some(exchange) = previewed(&session, service, number)
        && session.advance(&id, number, waits, Stage::Deciding)
    {
        let (connector, id) = (connector.clone(), id.clone());
        tokio::spawn(async move {
            let stage = connector.decide(exchange, decision.entscheidung, &session).await;
            session.advance(&id, number, |stage| matches!(stage, Stage::Deciding), stage);
        });
    }
    back(&id, Some(number))
}
