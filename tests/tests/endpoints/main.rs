//! The matrix of endpoints, roles and answers (`tests/endpoints.md`), against the sources and the real processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod collection;
mod enrolments;
mod matrix;
mod signed;
mod stage;

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use tests::routes::{Route, routes};

use matrix::{Row, Way, is_signed, matrix};
use stage::Stage;

#[test]
fn every_route_of_every_process_is_in_the_matrix() -> Result<()> {
    let listed: Vec<Route> = matrix().into_iter().map(|row| row.route).collect();
    let unique: BTreeSet<Route> = listed.iter().cloned().collect();
    ensure!(unique.len() == listed.len(), "a route is listed twice");
    let built = routes()?;
    let missing: Vec<_> = built.difference(&unique).collect();
    let gone: Vec<_> = unique.difference(&built).collect();
    ensure!(
        missing.is_empty() && gone.is_empty(),
        "not in the matrix: {missing:#?}; not in the sources: {gone:#?}"
    );
    Ok(())
}

#[test]
fn every_endpoint_gives_each_role_what_the_matrix_says() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut stage = Stage::start(scratch.path())?;
    stage.log_in()?;
    let mut differences = stage.differences(|row, way| !is_signed(row) && !matches!(way, Way::Right | Way::Revoked))?;
    // Logging out is one of the calls, so it comes last.
    let logs_out = |row: &Row| row.route.path == "/abmelden";
    differences.extend(stage.differences(|row, way| !is_signed(row) && way == Way::Right && !logs_out(row))?);
    differences.extend(stage.let_in_without_the_right_certificate()?);
    stage.revoke()?;
    // The credentials and sessions that were right are presented again.
    for row in matrix() {
        if let Some(expected) = row.expected.get(&Way::Revoked)
            && (row.who.starts_with("bearer") || row.who == "session")
        {
            let status = stage.status(&row, stage.presented(&row, Way::Right)?)?;
            if status != *expected {
                differences.push(format!("{:?} revoked: {status}, not {expected}", row.route));
            }
        }
    }
    differences.extend(stage.after_a_change_of_the_directory()?);
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}
