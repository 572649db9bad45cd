//! `join rotations`.

use enrolment::{PAGE, Rotation, RotationQuery, Signed};
use output::Failure;
use serde_json::json;
use service::durable;

use super::arguments::Rotations;
use super::registrar::{Acting, now};

pub(crate) async fn run(arguments: &Rotations) -> Result<(), Failure> {
    let acting = Acting::begin(&arguments.registrar).await?;
    let genesis = arguments.registrar.genesis;
    let mut after = None;
    let mut changes = Vec::new();
    loop {
        let query = RotationQuery {
            genesis,
            by: acting.key.id(),
            sent: now(),
            after,
        };
        let answer = acting
            .remote
            .post("/rotations/list", &Signed::sign(query, &acting.key))
            .await?;
        let page: Vec<Rotation> = record::cbor::from_slice(&answer).map_err(Failure::refused)?;
        for rotation in &page {
            let content = rotation.content();
            rotation
                .check(genesis, acting.state().directory())
                .map_err(|error| Failure::Refused(format!("{}: {error}", content.component)))?;
            let sealing_key = hex::encode(content.sealing_key);
            output::stdout!("component  {}", content.component)?;
            output::stdout!("signing    {}", hex::encode(content.signing_key.as_bytes()))?;
            output::stdout!("sealing    {sealing_key}")?;
            changes.push(json!({
                "component": content.component, "signing_key": content.signing_key, "sealing_key": sealing_key,
            }));
        }
        after = page.last().map(|rotation| rotation.content().component.clone());
        if page.len() < PAGE {
            break;
        }
    }
    if changes.is_empty() {
        output::stdout!("no component asks for new keys")?;
        return Ok(());
    }
    let text = toml::to_string(&json!({ "rotate-key": changes })).map_err(Failure::usage)?;
    let path = &arguments.changes;
    durable::write_atomic(path, text.as_bytes()).map_err(|error| Failure::file(path, error))?;
    output::stdout!("changes    {}, for `directory propose`", path.display())?;
    Ok(())
}
