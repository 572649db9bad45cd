//! Prints an enrolment for people.

use std::io;

use enrolment::{Dossier, Role, Stage};
use tlog::Hash;

/// Prints what the invitation and the application say.
pub(crate) fn describe(dossier: &Dossier) -> io::Result<()> {
    let invited = dossier.invited();
    let seat = &invited.seat;
    let role = match seat.role {
        Role::Consumer => "requests evidence",
        Role::Provider => "provides evidence",
    };
    output::stdout!("enrolment  {}", invited.id())?;
    output::stdout!("component  {} ({}), {role}", seat.id, seat.name)?;
    output::stdout!("body       {}", seat.body)?;
    if let Some(body) = &invited.body {
        let classes: Vec<&str> = body.classes.iter().map(|class| class.as_str()).collect();
        output::stdout!("           new: {}, classes: {}", body.name, classes.join(", "))?;
    }
    if let Some(operator) = &seat.operator {
        output::stdout!("operator   {operator}")?;
    }
    for served in &seat.serves {
        let areas: Vec<&str> = served.areas.iter().map(|area| area.as_str()).collect();
        output::stdout!("serves     {} in {}", served.register, areas.join(", "))?;
    }
    if let Some(application) = dossier.application()
        && let Some(endpoint) = &application.content().endpoint
    {
        output::stdout!("endpoint   {endpoint}")?;
    }
    let network = &invited.network;
    output::stdout!("network    ledger {}, broker {}", network.ledger, network.broker)?;
    if let Some(authorities) = &network.authorities {
        output::stdout!(
            "           certificate authorities: SHA-256 {}",
            Hash::of(authorities.as_bytes())
        )?;
    }
    match &dossier.stage {
        Stage::Ended(end) => output::stdout!("stage      ended: {end}"),
        stage => output::stdout!("stage      {}, until {}", stage.name(), invited.expires()),
    }
}
