//! Logins at a real OpenID provider: the package `oidc-provider` from the npm registry, which is certified and has
//! nothing in common with the test login. The lock file of `tests/browser` pins it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use reqwest::blocking::{Client, Response};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use tests::processes::Processes;
use tests::{Process, http, wait_for};

/// More redirects than any login has.
const MAX_REDIRECTS: usize = 10;

#[test]
fn citizens_log_in_at_a_real_openid_provider() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("demo");
    let mut processes = Processes::start(&data, "127.0.0.1:23300")?;
    processes.all_healthy()?;
    let log = data.join("openid-provider.log");
    let _provider = start_provider(&data, &log)?;
    let portal = processes.info.portal.clone();
    processes.up("portal", "portal", &portal)?;
    processes.healthy(&portal)?;

    a_citizen_logs_in(&portal, &log)?;
    cancelling_is_an_ordinary_answer(&portal)?;
    two_tabs_do_not_disturb_each_other(&portal)?;
    a_stray_callback_leaves_the_session_alone(&portal)?;
    the_session_with_the_provider_can_be_ended(&portal)
}

/// Starts the provider at the address of the test login, which is the issuer that portal and identity expect.
fn start_provider(data: &Path, log: &Path) -> Result<Process> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    ensure!(
        folder.join("node_modules/oidc-provider").is_dir(),
        "the package oidc-provider is missing: run `npm ci --ignore-scripts` in {}",
        folder.display()
    );
    let config: serde_json::Value = serde_json::from_slice(&std::fs::read(data.join("test-login/config.json"))?)?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned).context("a text in the configuration");
    let issuer = text(&config["issuer"])?;
    let mut node = Command::new("node");
    node.current_dir(&folder).arg("openid-provider.mjs").arg(&issuer);
    node.args([
        text(&config["clients"][0]["client_id"])?,
        text(&config["clients"][0]["redirect_uris"][0])?,
        text(&config["acr"])?,
    ]);
    let mut process = Process::start(&mut node, log)?;
    let (client, discovery) = (http()?, format!("{issuer}/.well-known/openid-configuration"));
    wait_for(Duration::from_secs(30), || {
        ensure!(!process.ended()?, "{}", std::fs::read_to_string(log)?);
        Ok(client.get(&discovery).send().is_ok_and(|answer| answer.status() == 200))
    })?;
    Ok(process)
}

/// The page after the logout leads to the provider's own logout, without anything about the person in the address.
fn the_session_with_the_provider_can_be_ended(portal: &str) -> Result<()> {
    let mut browser = Browser::logged_in(portal, "emma")?;
    let over = browser.go(Url::parse(&format!("{portal}/de/abgemeldet"))?)?;
    let link = over.text.split("id=\"anmeldedienst\" href=\"").nth(1);
    let link = link
        .and_then(|rest| rest.split('"').next())
        .context("no link to the provider's logout")?;
    let link = Url::parse(&link.replace("&amp;", "&"))?;
    let names: Vec<String> = link.query_pairs().map(|(name, _)| name.into_owned()).collect();
    ensure!(names == ["client_id"], "{link}");
    let logout = browser.go(link)?;
    ensure!(logout.status == 200, "{logout:?}");
    Ok(())
}

/// Code flow with PKCE and RS256. The token also has members in forms that the portal must not parse.
fn a_citizen_logs_in(portal: &str, log: &Path) -> Result<()> {
    // Until the witnesses have cosigned, identity has no list to prove.
    wait_for(Duration::from_secs(40), || {
        let mut browser = Browser::new()?;
        let login = browser.begin_login(portal)?;
        Ok(browser.choose(&login, "emma")?.shows("Emma Mustermann"))
    })?;
    let log = std::fs::read_to_string(log)?;
    for member in [r#""email_verified":"true""#, r#""address":["none"]"#] {
        ensure!(log.contains(member), "{member}: {log}");
    }
    Ok(())
}

fn cancelling_is_an_ordinary_answer(portal: &str) -> Result<()> {
    let mut stranger = Browser::new()?;
    let login = stranger.begin_login(portal)?;
    let cancelled = stranger.choose(&login, "")?;
    ensure!(
        cancelled.status == 200 && cancelled.shows("abgebrochen"),
        "{cancelled:?}"
    );

    let mut emma = Browser::logged_in(portal, "emma")?;
    let login = emma.begin_login(portal)?;
    let cancelled = emma.choose(&login, "")?;
    ensure!(
        cancelled.status == 200 && cancelled.shows("abgebrochen"),
        "{cancelled:?}"
    );
    ensure!(emma.list(portal)?.shows("Emma Mustermann"), "the session has ended");
    Ok(())
}

fn two_tabs_do_not_disturb_each_other(portal: &str) -> Result<()> {
    let mut browser = Browser::new()?;
    let (first, second) = (browser.begin_login(portal)?, browser.begin_login(portal)?);
    for tab in [second, first] {
        let list = browser.choose(&tab, "emma")?;
        ensure!(list.status == 200 && list.shows("Emma Mustermann"), "{list:?}");
        ensure!(browser.list(portal)?.shows("Emma Mustermann"), "the session has ended");
    }
    Ok(())
}

/// The back button repeats a callback, and anybody can send the citizen to one.
fn a_stray_callback_leaves_the_session_alone(portal: &str) -> Result<()> {
    let mut emma = Browser::new()?;
    let login = emma.begin_login(portal)?;
    emma.choose(&login, "emma")?;
    let used = emma
        .visited
        .iter()
        .find(|url| url.query().is_some_and(|query| query.contains("code=")));
    let used = used.context("the browser has seen a callback")?.clone();
    ensure!(
        used.query().is_some_and(|query| query.contains("iss=")),
        "no iss (RFC 9207): {used}"
    );
    let mut forged = used.clone();
    forged.set_query(Some("code=other&state=other"));
    for stray in [used, forged] {
        let page = emma.go(stray)?;
        ensure!(page.status == 200 && page.shows("Emma Mustermann"), "{page:?}");
        ensure!(emma.list(portal)?.shows("Emma Mustermann"), "the session has ended");
    }
    Ok(())
}

/// A browser without a screen: it keeps cookies and follows redirects. Portal and provider have one host, and cookies
/// do not tell ports apart, only paths.
struct Browser {
    client: Client,
    /// Values by path and name.
    cookies: BTreeMap<(String, String), String>,
    visited: Vec<Url>,
}

/// The page on which a redirect chain ended.
#[derive(Debug)]
struct Page {
    url: Url,
    status: u16,
    text: String,
}

impl Page {
    fn shows(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

impl Browser {
    fn new() -> Result<Self> {
        Ok(Self {
            client: http()?,
            cookies: BTreeMap::new(),
            visited: Vec::new(),
        })
    }

    fn logged_in(portal: &str, user: &str) -> Result<Self> {
        let mut browser = Self::new()?;
        let login = browser.begin_login(portal)?;
        let list = browser.choose(&login, user)?;
        ensure!(list.status == 200 && list.url.path() == "/de/uebersicht", "{list:?}");
        Ok(browser)
    }

    /// Goes from the portal to the provider's login page, and returns its address.
    fn begin_login(&mut self, portal: &str) -> Result<Url> {
        let page = self.go(Url::parse(&format!("{portal}/de/anmelden"))?)?;
        ensure!(page.status == 200 && page.shows("prompt login"), "{page:?}");
        Ok(page.url)
    }

    /// Logs in at the provider, or cancels with the empty user, and returns to the portal.
    fn choose(&mut self, login: &Url, user: &str) -> Result<Page> {
        let mut url = login.clone();
        url.query_pairs_mut().append_pair("user", user);
        self.go(url)
    }

    fn list(&mut self, portal: &str) -> Result<Page> {
        self.go(Url::parse(&format!("{portal}/de/abrufe"))?)
    }

    fn go(&mut self, mut url: Url) -> Result<Page> {
        for _ in 0..MAX_REDIRECTS {
            let fitting = self
                .cookies
                .iter()
                .filter(|((path, _), _)| url.path().starts_with(path));
            let cookies: Vec<String> = fitting.map(|((_, name), value)| format!("{name}={value}")).collect();
            let answer = self.client.get(url.clone()).header(COOKIE, cookies.join("; ")).send()?;
            self.visited.push(url.clone());
            self.keep_cookies(&answer)?;
            if answer.status().is_redirection() {
                let to = answer.headers().get(LOCATION).context("a redirect without Location")?;
                url = url.join(to.to_str()?)?;
                continue;
            }
            let status = answer.status().as_u16();
            return Ok(Page {
                url,
                status,
                text: answer.text()?,
            });
        }
        bail!("more than {MAX_REDIRECTS} redirects, the last one to {url}")
    }

    fn keep_cookies(&mut self, answer: &Response) -> Result<()> {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str()?;
            let mut parts = cookie.split("; ");
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).context("a cookie")?;
            let path = parts.find_map(|part| part.strip_prefix("Path=").or(part.strip_prefix("path=")));
            let key = (path.unwrap_or("/").to_owned(), name.to_owned());
            if value.is_empty() || cookie.contains("Max-Age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
        Ok(())
    }
}
