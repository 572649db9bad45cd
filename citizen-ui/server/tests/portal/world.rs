//! The portal and the services around it: the real test login, and the fakes of ledger and identity
//! ([`crate::backend`]).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::Request as Incoming;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::middleware;
use certificates::TlsConfig;
use citizen_ui::proof::verify::{AccessVerifier, TrustText};
use citizen_ui_server::{ComponentConfig, Config, SessionLimits};
use http_body_util::BodyExt;
use service::openid::LoginConfig;
use service::{Clock, Shutdown, SystemClock};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::backend::{Backend, Mode, SharedBackend, backend, identity_routes, ledger_routes, lock};

const PUBLIC: &str = "http://portal.test";
const CLIENT: &str = "cockpit";

pub(crate) struct World {
    pub portal: Router,
    pub backend: SharedBackend,
    pub shutdown: Shutdown,
    /// How many requests the OpenID provider has received.
    pub provider_calls: Arc<AtomicUsize>,
    _dir: TempDir,
}

pub(crate) struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl TestResponse {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The page as it is read: without its tags and comments.
    pub(crate) fn read(&self) -> String {
        let text = self.text();
        let parts = text.split('<');
        parts
            .map(|part| part.split_once('>').map_or(part, |(_, text)| text))
            .collect()
    }

    pub(crate) fn location(&self) -> String {
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    /// The session cookie that the response sets, in the form in which a request sends it.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

impl World {
    /// Starts the services with `exchanges` closed exchanges and one inspection. The login's tokens claim `acr`.
    pub(crate) async fn new(exchanges: usize, acr: &str) -> Self {
        Self::at(exchanges, acr, Arc::new(SystemClock)).await
    }

    /// The same, with a portal that has this clock.
    pub(crate) async fn at(exchanges: usize, acr: &str, clock: Arc<dyn Clock>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shutdown = Shutdown::new();
        let backend = Arc::new(Mutex::new(backend(exchanges)));
        let ledger = serve(ledger_routes(Arc::clone(&backend)), &shutdown).await;
        let identity = serve(identity_routes(Arc::clone(&backend)), &shutdown).await;
        let provider_calls = Arc::default();
        let issuer = login(acr, &shutdown, &provider_calls).await;
        let (policy, genesis) = {
            let backend = lock(&backend);
            (backend.log.policy(), backend.log.genesis().to_string())
        };
        std::fs::write(dir.path().join("trust.policy"), policy).unwrap();
        let config = Config {
            public_url: PUBLIC.into(),
            ledger: ledger.clone(),
            ledger_public: Some("https://log.example".into()),
            identity,
            component: ComponentConfig {
                id: "portal".parse().unwrap(),
                signing_key: "signing.key".into(),
                data: ".".into(),
                tls: TlsConfig {
                    issuer: String::new(),
                    authorities: "authorities.pem".into(),
                    hosts: Vec::new(),
                },
                ledger_writing: ledger,
            },
            policy: "trust.policy".into(),
            genesis,
            login: LoginConfig {
                issuer,
                client_id: CLIENT.into(),
                client_secret: None,
                acr: test_login::ACR_HIGH.into(),
            },
            banner: None,
            sessions: SessionLimits::default(),
            operator: None,
            security_contact: None,
            witness_operators: std::collections::BTreeMap::new(),
            keys_published: Vec::new(),
            verifier: None,
            own_requests: None,
        };
        let portal = citizen_ui_server::router(config.resolved(dir.path()), clock, &shutdown);
        let portal = portal.await.unwrap();
        Self {
            portal,
            backend,
            shutdown,
            provider_calls,
            _dir: dir,
        }
    }

    pub(crate) fn backend(&self) -> MutexGuard<'_, Backend> {
        lock(&self.backend)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.backend().mode = mode;
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> TestResponse {
        self.get_with(path, cookie, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, cookie: &str, headers: &[(&str, &str)]) -> TestResponse {
        self.send(Method::GET, path, cookie, Body::empty(), headers).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str, form: &str, headers: &[(&str, &str)]) -> TestResponse {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, cookie, Body::from(form.to_owned()), &all)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        cookie: &str,
        body: Body,
        headers: &[(&str, &str)],
    ) -> TestResponse {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "portal.test");
        if !cookie.is_empty() {
            request = request.header(header::COOKIE, cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.portal.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        TestResponse {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// Begins a login and chooses the citizen. Returns the login's cookie, and path and query of the callback.
    pub(crate) async fn choose(&self, lang: &str) -> (String, String) {
        self.choose_as("emma", lang, "").await
    }

    /// The same in a browser that has cookies; an unknown citizen cancels.
    pub(crate) async fn choose_as(&self, user: &str, lang: &str, cookies: &str) -> (String, String) {
        self.choose_at(user, &format!("/{lang}/anmelden"), cookies).await
    }

    /// The same at another address of the login.
    async fn choose_at(&self, user: &str, path: &str, cookies: &str) -> (String, String) {
        let begun = self.get(path, cookies).await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
        let url = url::Url::parse(&begun.location()).unwrap();
        let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        form.push(("user".into(), user.into()));
        let client = service::http::client(|builder| builder).unwrap();
        let page = client.get(url.clone()).send().await.unwrap();
        assert!(page.text().await.unwrap().contains("Testanmeldung"));
        let chosen = client.post(url).form(&form).send().await.unwrap();
        assert_eq!(chosen.status(), StatusCode::SEE_OTHER);
        let location = chosen.headers()[header::LOCATION.as_str()].to_str().unwrap().to_owned();
        let back = url::Url::parse(&location).unwrap();
        assert_eq!(back.origin().ascii_serialization(), PUBLIC);
        (begun.cookie(), format!("{}?{}", back.path(), back.query().unwrap()))
    }

    /// Logs in at an address of the login. Returns the response of the callback.
    pub(crate) async fn login_at(&self, path: &str) -> TestResponse {
        let (cookie, callback) = self.choose_at("emma", path, "").await;
        self.get(&callback, &cookie).await
    }

    /// Logs in. Returns the response of the callback.
    pub(crate) async fn login(&self, lang: &str) -> TestResponse {
        let (cookie, callback) = self.choose(lang).await;
        self.get(&callback, &cookie).await
    }

    pub(crate) fn verifier(&self) -> AccessVerifier {
        let backend = self.backend();
        let trust = TrustText {
            policy: backend.log.policy(),
            genesis: backend.log.genesis().to_string(),
        };
        AccessVerifier::new(trust.parse().unwrap())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

async fn serve(routes: Router, shutdown: &Shutdown) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    serve_on(listener, routes, shutdown);
    url
}

fn serve_on(listener: TcpListener, routes: Router, shutdown: &Shutdown) {
    let end = shutdown.clone();
    tokio::spawn(async move {
        axum::serve(listener, routes)
            .with_graceful_shutdown(async move { end.wait().await })
            .await
    });
}

async fn login(acr: &str, shutdown: &Shutdown, calls: &Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let config = test_login::Config {
        issuer: issuer.clone(),
        users: vec![test_login::User {
            sub: "sub-emma".into(),
            user: "emma".into(),
            name: "Emma Mustermann".into(),
            person: None,
        }],
        clients: vec![test_login::Client {
            client_id: CLIENT.into(),
            redirect_uris: vec![format!("{PUBLIC}/anmeldung/rueckkehr")],
            person: false,
        }],
        acr: acr.into(),
    };
    let calls = Arc::clone(calls);
    let count = middleware::map_request(move |request: Incoming| {
        calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(request)
    });
    let routes = test_login::routes(config, Arc::new(SystemClock)).unwrap().layer(count);
    serve_on(listener, routes, shutdown);
    issuer
}
