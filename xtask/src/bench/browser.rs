//! Times the check of a bundle of 100 entries in headless Chromium. The check is the portal's
//! (`citizen-ui/browser/examples/check_bundle.rs`), compiled as the portal compiles it. The page holds all its data and
//! writes the times into itself.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::figures::{Figures, scratch};
use crate::{dist, sh};

const PAGE: &str = include_str!("bundle.html");
/// Checks that are not timed, in which the browser optimises the program, and checks that are.
const WARM_UP: usize = 5;
const RUNS: usize = 31;

/// Times the check of the bundle that `formats/proof/examples/bundle.rs --keep` left in `kept`.
///
/// The median is the result; `first` is the very first check, which a citizen experiences: the browser has not
/// optimised the program yet.
pub(crate) fn run(kept: &Path) -> Result<Figures> {
    let folder = scratch("browser")?;
    let program = dist::compile(&["--example", "check_bundle"])?.join("examples/check_bundle.wasm");
    dist::bind(&program, "check", &folder, |bindgen| bindgen.no_modules(true).map(drop))?;
    let page = folder.join("bundle.html");
    std::fs::write(&page, page_of(&folder, kept)?)?;
    let dom = sh::output(
        Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .arg("--dump-dom")
            .arg(&page),
    )?;
    let times = times_in(&dom).with_context(|| format!("{} has measured nothing", page.display()))?;
    let mut figures = Figures::new();
    for (name, figure) in [
        ("median", "bundle_100_verify_browser_ms"),
        ("first", "bundle_100_verify_browser_first_ms"),
        ("max", "bundle_100_verify_browser_max_ms"),
    ] {
        figures.insert(figure.into(), times[name].clone());
    }
    Ok(figures)
}

/// The page with the program, the bundle, the policy and the genesis hash.
fn page_of(bound: &Path, kept: &Path) -> Result<String> {
    let text = |path: &Path| std::fs::read_to_string(path).with_context(|| path.display().to_string());
    let base64 = |path: &Path| -> Result<String> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        Ok(STANDARD.encode(bytes))
    };
    let listed = text(&kept.join("listed"))?;
    let input = json!({
        "program": base64(&bound.join("check_bg.wasm"))?,
        "bundle": base64(&kept.join("mine.bundle"))?,
        "listed": listed.lines().collect::<Vec<_>>(),
        "policy": text(&kept.join("trust.policy"))?,
        "genesis": text(&kept.join("genesis"))?,
    });
    Ok(PAGE
        .replace("/*WARM_UP*/", &WARM_UP.to_string())
        .replace("/*RUNS*/", &RUNS.to_string())
        .replace("/*INPUT*/", &input.to_string())
        .replace("/*GLUE*/", &text(&bound.join("check.js"))?))
}

/// Reads what the page wrote into itself.
fn times_in(dom: &str) -> Option<Value> {
    let (_, rest) = dom.split_once("<pre id=\"figures\">")?;
    let (figures, _) = rest.split_once("</pre>")?;
    serde_json::from_str(figures).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn figures_are_read_from_the_page_and_an_empty_page_has_none() {
        let dom = |figures: &str| format!("<html><body><pre id=\"figures\">{figures}</pre></body></html>");
        let times = super::times_in(&dom(r#"{"first":80.5,"median":60,"max":70}"#));
        assert_eq!(times.map(|times| times["median"].clone()), Some(60.into()));
        assert_eq!(super::times_in(&dom("")), None);
    }
}
