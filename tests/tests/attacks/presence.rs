//! An authority that fetches evidence for a person who is not at its online service. Its request has no proof of a
//! login, one that is too old, or one that another exchange has used. The provider's connector refuses it (P10) before
//! its register is asked. The broker notices nothing: it sees neither that there is a proof nor which.

use anyhow::{Context, Result, ensure};
use messages::{ExchangeRequest, LoginProof, RequestContent, SealingKey};
use record::cbor;
use tests::keys::Keys;
use tests::resealed::change_content;
use tests::surrounded::Surrounded;

/// What the authority does with the proof of an honest request.
type Change = Box<dyn Fn(LoginProof) -> Option<LoginProof> + Send + Sync>;

/// With the provider's key the test looks into requests.
struct Stage {
    around: Surrounded,
    provider: SealingKey,
}

#[test]
fn evidence_for_a_person_who_is_not_there_is_refused() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let around = Surrounded::start(&scratch.path().join("demo"), "127.0.0.1:26400", |_| Ok(()))?;
    let keys = Keys::of(&around.processes.data);
    let stage = Stage {
        provider: keys.sealing("connector-kba/sealing.key")?,
        around,
    };
    let used = stage.proof_of_the_last()?;
    stage.is_refused("no proof", Box::new(|_| None))?;
    let old = |proof: LoginProof| {
        let at = proof.at.before(4 * 3600);
        Some(LoginProof { at, ..proof })
    };
    stage.is_refused("an old proof", Box::new(old))?;
    stage.is_refused("a used proof", Box::new(move |_| Some(used.clone())))?;
    // With its own proof the same request gets evidence.
    stage.around.consumer.honest();
    stage.around.processes.ask_until_delivered()?;
    Ok(())
}

impl Stage {
    /// The last request, as the broker has received it.
    fn last(&self) -> Result<ExchangeRequest> {
        let passed = self.around.consumer.last("/exchanges").context("asked")?;
        Ok(cbor::from_slice(&passed.request)?)
    }

    fn proof_of_the_last(&self) -> Result<LoginProof> {
        let request = self.last()?;
        let content = RequestContent::open(&request.sealed_request, &self.provider, &request.s1.digest())?;
        let proof = content.login.context("a login")?;
        let visible = cbor::to_vec(&request);
        let seen = |secret: &[u8]| visible.windows(secret.len()).any(|window| window == secret);
        ensure!(
            !seen(&proof.token.0) && !seen(&proof.nonce),
            "the broker sees the proof"
        );
        Ok(proof)
    }

    /// The request with another proof gets no evidence, and the register is not asked.
    fn is_refused(&self, name: &str, change: Change) -> Result<()> {
        let asked = self.around.processes.register_asked()?;
        change_content(&self.around, move |content| {
            content.login = change(content.login.take().expect("a login"));
        })?;
        let (status, body) = self.around.processes.ask()?;
        self.around.consumer.honest();
        ensure!(status == 403, "{name}: {status} {body:#}");
        ensure!(body["type"].to_string().contains("refused"), "{name}: {body:#}");
        ensure!(
            self.around.processes.register_asked()? == asked,
            "{name}: the register was asked"
        );
        Ok(())
    }
}
