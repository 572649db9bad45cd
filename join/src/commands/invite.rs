//! `join invite`.

use enrolment::{Dossier, Invitation, Link, Network, Purpose, Seat, Signed};
use output::Failure;
use record::SigningKey;
use serde::Deserialize;
use service::secret;
use trust::Body;

use super::arguments::Invite;
use super::describe::describe;
use super::registrar::{Acting, hand_out, now, read};

/// The file of an invitation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvitationFile {
    component: Seat,
    #[serde(default)]
    body: Option<Body>,
}

pub(crate) async fn run(arguments: &Invite) -> Result<(), Failure> {
    let acting = Acting::begin(&arguments.registrar).await?;
    let text = read(&arguments.invitation)?;
    let file: InvitationFile = toml::from_str(&text).map_err(|error| Failure::file(&arguments.invitation, error))?;
    let authorities = arguments.authorities.as_deref().map(read).transpose()?;
    let seed = secret::random().map_err(Failure::usage)?;
    let url = |url: &str| url.trim_end_matches('/').to_owned();
    let statement = Invitation {
        network: Network {
            genesis: arguments.registrar.genesis,
            policy: read(&arguments.registrar.policy)?,
            ledger: url(&arguments.registrar.ledger),
            broker: url(&arguments.broker),
            authorities,
            test: arguments.test,
        },
        seat: file.component,
        body: file.body,
        link: SigningKey::from_seed(seed).public(),
        by: acting.key.id(),
        issued: now(),
    };
    let signed = Signed::sign(statement, &acting.key);
    // The same checks as the service's, with the directory that this machine has verified.
    let dossier = Dossier::begin(signed.clone(), acting.state(), now()).map_err(Failure::refused)?;
    let link = Link::new(
        &arguments.registrar.service,
        Purpose::Apply,
        dossier.invited().id(),
        seed,
    );
    // The file comes first: an invitation whose link is lost would be of no use.
    hand_out(&arguments.link, &link.to_text())?;
    acting.remote.post("/enrolments", &signed).await?;
    describe(&dossier)?;
    output::stdout!(
        "link       {}, works once another registrar has countersigned",
        arguments.link.display()
    )?;
    Ok(())
}
