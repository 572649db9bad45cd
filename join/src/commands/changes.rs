//! `join changes`.

use output::Failure;
use serde_json::json;
use service::durable;

use super::arguments::Changes;
use super::describe::describe;
use super::registrar::Acting;

pub(crate) async fn run(arguments: &Changes) -> Result<(), Failure> {
    let acting = Acting::begin(&arguments.registrar).await?;
    let dossier = acting.remote.dossier(arguments.enrolment).await?;
    if dossier.invited().network.genesis != arguments.registrar.genesis {
        return Err(Failure::Refused("the enrolment is for another log".into()));
    }
    let addition = dossier.addition(acting.state()).map_err(Failure::refused)?;
    let body = addition.body.map(|body| json!({ "body": body }));
    let put: Vec<_> = body
        .into_iter()
        .chain([json!({ "component": addition.component })])
        .collect();
    let text = toml::to_string(&json!({ "put": put })).map_err(Failure::usage)?;
    let path = &arguments.changes;
    durable::write_atomic(path, text.as_bytes()).map_err(|error| Failure::file(path, error))?;
    describe(&dossier)?;
    output::stdout!("changes    {}, for `directory propose`", path.display())?;
    Ok(())
}
