//! A citizen's browser without a screen: it logs in at the portal, reads pages, and downloads files.

use anyhow::{Context, Result, ensure};
use reqwest::blocking::{Client, Response};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};

use crate::{DemoInfo, http};

/// A citizen who is logged in.
pub struct Citizen {
    client: Client,
    portal: String,
    cookie: String,
}

impl Citizen {
    /// Logs in as one of the demonstration's people.
    pub fn log_in(info: &DemoInfo, user: &str) -> Result<Self> {
        Ok(Self {
            cookie: Self::log_in_at(&format!("{}/de/anmelden", info.portal), user)?,
            client: http()?,
            portal: info.portal.clone(),
        })
    }

    /// The cookie of the session.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Logs in at another program that uses the test login, from the address that begins it. Returns the session's
    /// cookie.
    pub fn log_in_at(begin: &str, user: &str) -> Result<String> {
        let client = http()?;
        let begun = client.get(begin).send()?;
        let pending = cookie(&begun)?;
        let login = location(&begun)?;
        let (page, request) = login.split_once('?').context("the login's parameters")?;
        let chosen = client
            .post(page)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{request}&user={user}"))
            .send()?;
        let back = client.get(location(&chosen)?).header(COOKIE, pending).send()?;
        ensure!(back.status().is_redirection(), "not logged in: {}", back.status());
        let cookies = back.headers().get_all(SET_COOKIE).iter();
        let mut cookies = cookies.filter_map(|value| Some(value.to_str().ok()?.split(';').next()?.to_owned()));
        cookies.find(|cookie| !cookie.ends_with('=')).context("no session")
    }

    /// Status and body of a page, named without the language.
    pub fn get(&self, path: &str) -> Result<(u16, Vec<u8>)> {
        let url = format!("{}/de{path}", self.portal);
        let answer = self.client.get(url).header(COOKIE, &self.cookie).send()?;
        Ok((answer.status().as_u16(), answer.bytes()?.to_vec()))
    }

    /// Sends the form of a page, named without the language. The answer may still be coming.
    pub fn post(&self, path: &str, form: String) -> Result<Response> {
        let request = self.client.post(format!("{}/de{path}", self.portal));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin");
        Ok(request.header(COOKIE, &self.cookie).body(form).send()?)
    }

    /// What the server says about the list: `server` (it has proved it), `server-failed` or `absent`.
    pub fn completeness(&self) -> Result<String> {
        let (status, page) = self.get("/abrufe")?;
        ensure!(status == 200, "the list: {status}");
        let page = String::from_utf8(page)?;
        let (_, rest) = page.split_once("data-verdict=\"").context("the page has no verdict")?;
        Ok(rest.split('"').next().unwrap_or_default().to_owned())
    }

    /// Downloads the bundle.
    pub fn bundle(&self) -> Result<Vec<u8>> {
        let (status, file) = self.get("/abrufe/buendel")?;
        ensure!(status == 200, "the bundle: {status}");
        Ok(file)
    }
}

fn location(answer: &Response) -> Result<String> {
    let header = answer.headers().get(LOCATION);
    Ok(header
        .with_context(|| format!("no redirect: {}", answer.status()))?
        .to_str()?
        .to_owned())
}

fn cookie(answer: &Response) -> Result<String> {
    let header = answer.headers().get(SET_COOKIE).context("no cookie")?.to_str()?;
    Ok(header.split(';').next().unwrap_or_default().to_owned())
}
