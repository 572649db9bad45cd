//! An issuer of logins on loopback: discovery, one Ed25519 key, and hand-made tokens, so that tests can produce every
//! fault.

use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

pub(crate) const CLIENT: &str = "cockpit";
pub(crate) const ACR: &str = "hoch";
pub(crate) const NONCE: &str = "nonce-of-this-login";

pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) key: SigningKey,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::from_bytes(&[55; 32]);
        let metadata = json!({
            "issuer": url, "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"), "jwks_uri": format!("{url}/jwks"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
        });
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let jwks =
            json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "1", "alg": "EdDSA", "use": "sig"}]});
        let routes = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move || async move { Json(metadata) }),
            )
            .route("/jwks", get(move || async move { Json(jwks) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, key }
    }

    pub(crate) fn claims(&self, subject: &str, now: u64) -> Value {
        json!({
            "iss": self.url, "aud": CLIENT, "sub": subject, "nonce": NONCE, "acr": ACR,
            "iat": now, "exp": now + 300, "given_name": "Token", "family_name": "Tokenson",
        })
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.signed(&json!({"alg": "EdDSA", "kid": "1", "typ": "JWT"}), claims, &self.key)
    }

    pub(crate) fn signed(&self, header: &Value, claims: &Value, key: &SigningKey) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes());
        format!("{message}.{signature}")
    }
}
