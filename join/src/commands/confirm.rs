//! `join confirm`.

use std::path::Path;

use enrolment::{Confirmation, Link, Purpose, Signed};
use output::Failure;
use service::secret;

use super::arguments::Confirm;
use super::describe::describe;
use super::remote::Remote;

pub(crate) async fn run(arguments: &Confirm) -> Result<(), Failure> {
    let code = read(&arguments.code)?;
    let remote = Remote::new(&code.service)?;
    if arguments.words.is_empty() {
        let dossier = remote.dossier(code.invitation).await?;
        return Ok(describe(&dossier)?);
    }
    let words = arguments.words.join(" ").parse().map_err(Failure::usage)?;
    let statement = Confirmation {
        invitation: code.invitation,
        words,
    };
    let signed = Signed::sign(statement, &code.key());
    let dossier = remote.step(code.invitation, "confirmation", &signed).await?;
    Ok(describe(&dossier)?)
}

/// The code itself, or what a file has.
fn read(text: &str) -> Result<Link, Failure> {
    if text.starts_with("http") {
        return Link::parse(text, Purpose::Confirm).map_err(Failure::usage);
    }
    let text = secret::read_private(Path::new(text)).map_err(Failure::usage)?;
    Link::parse(&text, Purpose::Confirm).map_err(Failure::usage)
}
