//! `join countersign`. The same command again, with the same file, continues with the code that the file has.

use enrolment::{Countersignature, Dossier, Link, Purpose, Signed};
use output::Failure;
use service::secret;

use super::arguments::Countersign;
use super::describe::describe;
use super::registrar::{Acting, hand_out, handed_out, now, read};

pub(crate) async fn run(arguments: &Countersign) -> Result<(), Failure> {
    let acting = Acting::begin(&arguments.registrar).await?;
    let id = arguments.enrolment;
    let known = acting.remote.dossier(id).await?;
    let network = &known.invited().network;
    if network.genesis != arguments.registrar.genesis {
        return Err(Failure::Refused("the invitation is for another log".into()));
    }
    // The component will trust this policy, so it must not come from one registrar alone.
    if network.policy != read(&arguments.registrar.policy)? {
        return Err(Failure::Refused(
            "the invitation has another trust policy than your file".into(),
        ));
    }
    // The service is not trusted: the invitation is checked as if it were new.
    let mut dossier = Dossier::begin(known.invitation, acting.state(), now()).map_err(Failure::refused)?;
    let before = handed_out(&arguments.code, Purpose::Confirm, id)?;
    let code = match &before {
        Some(code) => code.clone(),
        None => {
            let seed = secret::random().map_err(Failure::usage)?;
            Link::new(&arguments.registrar.service, Purpose::Confirm, id, seed)
        }
    };
    let statement = Countersignature {
        invitation: id,
        code: code.key().public(),
        by: acting.key.id(),
    };
    let opened = Signed::sign(statement, &acting.key);
    let countersigned = dossier.countersign(opened.clone(), acting.state());
    countersigned.map_err(Failure::refused)?;
    if before.is_none() {
        hand_out(&arguments.code, &code.to_text())?;
    }
    let dossier = acting.remote.step(id, "countersignature", &opened).await?;
    describe(&dossier)?;
    output::stdout!("code       {}", arguments.code.display())?;
    Ok(())
}
