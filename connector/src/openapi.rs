//! The description of the interface to the authority's systems (OpenAPI 3.1), generated from its handlers and messages.
//!
//! Connector and mock serve it at `GET /openapi.json`, and the repository has it in `docs/connector.openapi.json`. A
//! test compares the two; `cargo run -p connector -- openapi > docs/connector.openapi.json` writes it after a change.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::consumer::interface;

const PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Connector of a consumer",
        description = "What an authority's own systems ask their connector (Sicherer Anschlussknoten): evidence about a \
            person, the preview, and the person's decision. A connector without a credential listens on the loopback \
            interface alone.",
    ),
    paths(interface::evidence, interface::state_of, interface::withdraw, interface::show, interface::decide, description),
    modifiers(&Credential)
)]
struct Description;

/// The bearer credential of the authority's systems.
struct Credential;

impl Modify for Credential {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("credential", bearer);
        // A connector on the loopback interface needs none.
        let none = SecurityRequirement::default();
        openapi.security = Some(vec![SecurityRequirement::new("credential", Vec::<String>::new()), none]);
    }
}

/// The description as JSON text, with a line feed at its end.
pub static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = Description::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
});

/// The route of the description. It needs no credential: the interface is no secret.
pub(crate) fn routes() -> Router {
    Router::new().route(PATH, get(description))
}

/// This description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = serde_json::Value))
)]
async fn description() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_in_the_repository_is_that_of_the_code() {
        let checked_in = include_str!("../../docs/connector.openapi.json");
        assert!(
            checked_in == TEXT.as_str(),
            "cargo run -p connector -- openapi > docs/connector.openapi.json"
        );
    }
}
