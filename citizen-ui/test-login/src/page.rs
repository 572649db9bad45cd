//! The pages of the test login: HTML without scripts. A bar at the top says that the login is not real.

use std::fmt::Write;

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use crate::config::User;
use crate::request::AuthorizationRequest;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font-family:'Fira Sans',system-ui,sans-serif;margin:0;line-height:1.5}\
.mark{background:#ffd400;color:#131525;padding:1rem;font-weight:600;text-align:center}\
main{max-width:40rem;margin:0 auto;padding:1rem}\
button{font:inherit;display:block;width:100%;text-align:left;padding:.75rem 1rem;margin:.75rem 0;border:2px solid #1a3a6b;border-radius:.25rem;background:#fff;color:#131525;cursor:pointer}\
button.cancel{width:auto;border-color:transparent;text-decoration:underline}\
button:hover,button:focus-visible{background:#e6ecf7;outline:3px solid #1a3a6b;outline-offset:2px}";

/// The style sheet.
pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// Adds the security headers to a page. The policy must allow `redirect_uri`, because `form-action` also applies to the
/// redirect after the form.
pub(crate) fn page(redirect_uri: &str, html: String) -> Response {
    let origin = url::Url::parse(redirect_uri)
        .map(|url| url.origin().ascii_serialization())
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {origin}; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, Html(html)).into_response()
}

/// Renders the form that offers the invented citizens.
pub(crate) fn choose(users: &[User], request: &AuthorizationRequest) -> String {
    let mut form = String::new();
    for (name, value) in [
        ("client_id", &request.client_id),
        ("redirect_uri", &request.redirect_uri),
        ("response_type", &request.response_type),
        ("scope", &request.scope),
        ("state", &request.state),
        ("nonce", &request.nonce),
        ("code_challenge", &request.code_challenge),
        ("code_challenge_method", &request.code_challenge_method),
    ] {
        let _ = write!(
            form,
            "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
            escape(value)
        );
    }
    for user in users {
        let _ = write!(
            form,
            "<button type=\"submit\" name=\"user\" value=\"{0}\" data-user=\"{0}\"><bdi>{1}</bdi></button>",
            escape(&user.user),
            escape(&user.name)
        );
    }
    // No citizen has the empty name, so this answers with `access_denied`.
    form.push_str("<button type=\"submit\" class=\"cancel\" name=\"user\" value=\"\" id=\"abbrechen\">Abbrechen <span lang=\"en\">(Cancel)</span></button>");
    whole(
        "Testanmeldung",
        &format!(
            "<p>Wählen Sie eine erfundene Person. Niemand prüft hier, wer Sie sind. Bei einer echten Anmeldung weisen Sie sich \
             zum Beispiel mit dem Online-Ausweis aus.</p>\
             <p lang=\"en\">Choose an invented person. Nobody checks here who you are.</p>\
             <form method=\"post\" action=\"/authorize\" id=\"personen\">{form}</form>"
        ),
    )
}

/// Renders an error that is not redirected to the client.
pub(crate) fn error(reason: &str) -> String {
    whole(
        "Anmeldung nicht möglich",
        &format!("<p lang=\"en\">{}</p>", escape(reason)),
    )
}

fn whole(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"de\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/style.css\"></head><body>\
         <header><div class=\"mark\" id=\"testanmeldung\">Testanmeldung der Demonstration – keine echte Anmeldung, nur erfundene Personen</div></header>\
         <main><h1>{title}</h1>{body}</main></body></html>"
    )
}

fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut escaped, character| {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
            escaped
        })
}
