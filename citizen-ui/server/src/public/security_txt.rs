//! `GET /.well-known/security.txt` (RFC 9116): where to report a vulnerability of the portal and what is behind it.
//!
//! The operator's address is in the configuration. Without it the file does not exist, because a wrong address is worse
//! than none. The file says that it holds for 30 days, counted from the request, so a portal that is no longer operated
//! leaves no old file that looks valid.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use citizen_ui::pages::ErrorPage;
use record::Timestamp;

use crate::page::PageRequest;
use crate::security_contact::SecurityContact;

/// The path, which RFC 9116 prescribes.
pub(crate) const PATH: &str = "/.well-known/security.txt";
/// How long the file holds, in seconds.
const VALID: u64 = 30 * 86_400;

/// Answers with the file, or 404 without a contact.
pub(crate) async fn file(page: PageRequest) -> Response {
    let config = &page.portal.config;
    let Some(contact) = &config.security_contact else {
        return page.error(ErrorPage::NotFound);
    };
    let text = text_of(contact, &config.public_url, Timestamp(page.portal.clock.now()));
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn text_of(contact: &SecurityContact, public_url: &str, now: Timestamp) -> String {
    let expires = now.after(VALID);
    format!(
        "Contact: {contact}\r\nExpires: {expires}\r\nPreferred-Languages: de, en\r\nCanonical: {public_url}{PATH}\r\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_file_has_the_fields_of_the_rfc() {
        let contact = SecurityContact::try_from("mailto:sicherheit@stadt.example".to_owned()).unwrap();
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        assert_eq!(
            text_of(&contact, "https://einsicht.example", now),
            "Contact: mailto:sicherheit@stadt.example\r\nExpires: 2026-12-30T12:00:00Z\r\n\
             Preferred-Languages: de, en\r\nCanonical: https://einsicht.example/.well-known/security.txt\r\n"
        );
    }
}
