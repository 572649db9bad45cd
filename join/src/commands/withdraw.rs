//! `join withdraw`.

use enrolment::{Signed, Withdrawal};
use output::Failure;

use super::arguments::Withdraw;
use super::describe::describe;
use super::registrar::key;
use super::remote::Remote;

pub(crate) async fn run(arguments: &Withdraw) -> Result<(), Failure> {
    let key = key(&arguments.registrar)?;
    let invitation = arguments.enrolment;
    let by = key.id();
    let withdrawal = Signed::sign(Withdrawal { invitation, by }, &key);
    let remote = Remote::new(&arguments.registrar.service)?;
    Ok(describe(&remote.step(invitation, "withdrawal", &withdrawal).await?)?)
}
