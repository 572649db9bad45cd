//! The cookies of a web application with a login.
//!
//! SPEC: RFC 6265bis §4.1.3.2: a `__Host-` cookie is `Secure`, has no `Domain`, and has the path `/`. `SameSite=Lax`
//! lets the browser send it with the redirect from the OpenID provider, and with no form of another site.

use axum::http::{HeaderMap, HeaderValue, header};

/// The names and attributes of an application's cookies, which depend on whether it is reached over https.
#[derive(Clone, Debug)]
pub struct Cookies {
    session: String,
    secure: bool,
}

impl Cookies {
    /// The cookies of the application with this name, which is reached at `public_url`.
    pub fn new(application: &str, public_url: &str) -> Self {
        let secure = public_url.starts_with("https:");
        let prefix = if secure { "__Host-" } else { "" };
        Self {
            session: format!("{prefix}{application}"),
            secure,
        }
    }

    /// Whether the application is reached over https.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// The name of the session cookie.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// What the names of all cookies of pending logins begin with.
    pub fn login_prefix(&self) -> String {
        format!("{}-login-", self.session)
    }

    /// The header `Set-Cookie`, for as long as the browser runs or for some seconds; 0 removes the cookie.
    pub fn set(&self, name: &str, value: &str, max_age: Option<u64>) -> Option<HeaderValue> {
        let age = max_age
            .map(|seconds| format!("; Max-Age={seconds}"))
            .unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")).ok()
    }
}

/// The cookies of a request, name and value.
pub fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// The value of a cookie in a request.
pub fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    all(headers).find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cookies_are_found_and_set_by_name() {
        let [plain, secure] = ["http://", "https://"].map(|url| Cookies::new("einsicht", url));
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; einsicht=xyz"));
        assert_eq!(value(&headers, plain.session()), Some("xyz"));
        assert_eq!(plain.login_prefix(), "einsicht-login-");
        assert_eq!(value(&headers, secure.session()), None);
        assert_eq!(
            secure.set(secure.session(), "x", None).unwrap(),
            "__Host-einsicht=x; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            plain.set("a", "", Some(0)).unwrap(),
            "a=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
