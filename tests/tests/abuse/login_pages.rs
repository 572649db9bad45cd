//! Visitors who begin a login and never finish it, as fast as they can. A citizen can still log in, and her list is
//! proved.

use anyhow::{Result, ensure};
use tests::citizen::Citizen;
use tests::http;

use crate::harness::{Flood, Scenario};

const SCENARIO: Scenario = Scenario {
    name: "begun logins",
    listen: "127.0.0.1:24000",
    prepare: |processes| processes.start_portal(),
    flood,
};

fn flood(flood: &Flood<'_>) -> Result<()> {
    let info = &flood.processes.info;
    let url = format!("{}/de/anmelden", info.portal);
    flood.in_threads(16, |number| {
        let client = http()?;
        while flood.continues() {
            let answer = client.get(&url).send()?;
            let status = answer.status();
            ensure!(status.is_redirection() || status == 429 || status == 503, "{status}");
            // One citizen among them.
            if number == 0 {
                let citizen = Citizen::log_in(info, "emma")?;
                ensure!(citizen.completeness()? == "server");
            }
        }
        Ok(())
    })
}

#[test]
fn begun_logins_lock_nobody_out() -> Result<()> {
    SCENARIO.briefly()
}

#[test]
#[ignore = "takes a minute: `cargo xtask test --long`"]
fn begun_logins_lock_nobody_out_for_a_minute() -> Result<()> {
    SCENARIO.for_a_minute()
}
