//! Witnesses that lie, outsiders who use honest ones, and old backups.

use service::Impairment;

use super::*;
use crate::engine::rows::TreeHead;
use crate::http::sequencer_health as health;

/// What a witness does besides its duty.
#[derive(Clone, Default)]
pub(super) enum Behaviour {
    #[default]
    Honest,
    /// It is far away: before every second request arrives, an outsider has it cosign the newest public head.
    Overtaken(Arc<Outsider>),
    /// It has no key, and names the newest public head as its own.
    NamesTheHead(Arc<Outsider>),
    /// It names a size.
    Claims(u64),
    /// It answers with this status.
    Refuses(u16),
}

/// Reads the public log, while the log grows.
pub(super) struct Outsider {
    shared: Arc<Shared>,
    broker: tokio::sync::Mutex<(TimedWriter, u8)>,
}

impl Outsider {
    fn of(shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            shared: shared.clone(),
            broker: tokio::sync::Mutex::new((TimedWriter::new(BROKER), 0)),
        })
    }

    /// The newest head, after the log has grown once more (a label is one byte, so it stops growing at last).
    async fn newest_head(&self) -> Arc<Snapshot> {
        let mut broker = self.broker.lock().await;
        if let Some(label) = broker.1.checked_add(1) {
            broker.1 = label;
            let entry = broker.0.write(intent(label));
            submit(&self.shared, vec![raw(&entry, label)]).await.remove(0).unwrap();
        }
        self.shared.log.snapshot()
    }
}

impl Behaviour {
    /// Acts before the witness answers; returns the answer of a liar.
    pub(super) async fn before(&self, witness: &TestWitness, asked: u64) -> Option<(StatusCode, String)> {
        match self {
            Self::Honest => None,
            Self::Overtaken(outsider) => {
                if asked % 2 == 1 {
                    let head = outsider.newest_head().await;
                    push(witness, &head);
                }
                tokio::time::sleep(Duration::from_millis(60)).await;
                None
            }
            Self::NamesTheHead(outsider) => {
                let head = outsider.newest_head().await;
                *witness.shown.lock().unwrap() = vec![head.note.clone()];
                Some((StatusCode::CONFLICT, format!("{}\n", head.head.size)))
            }
            Self::Claims(size) => Some((StatusCode::CONFLICT, format!("{size}\n"))),
            Self::Refuses(status) => Some((StatusCode::from_u16(*status).unwrap(), String::new())),
        }
    }
}

/// Sends a public head to a witness, as anybody can, and shows it at the monitoring path.
fn push(witness: &TestWitness, head: &Snapshot) {
    let old = witness.stored.lock().unwrap().map_or(Size::ZERO, |(size, _)| size);
    let request = AddCheckpoint {
        old,
        proof: head.consistency(old.get(), head.head.size).unwrap(),
        checkpoint: head.note.clone(),
    };
    witness.decide(&request).unwrap();
    *witness.shown.lock().unwrap() = vec![head.note.clone()];
}

fn behave(witness: &TestWitness, behaviour: Behaviour) {
    *witness.behaviour.lock().unwrap() = behaviour;
}

/// A checkpoint that this log's key has signed, of another tree.
fn signed(size: u64) -> String {
    let root = Hash([9; 32]);
    let signer = crate::engine::Signer::new(log_key()).unwrap();
    signer.sign(&TreeHead { size, root }).unwrap()
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within ten seconds: {what}");
}

/// Starts a log of four entries that needs `quorum` of these witnesses. The client is not running yet.
async fn idle(lines: &[String], quorum: u8) -> Arc<Shared> {
    let world = witnessed_by(lines, quorum);
    world.started(Arc::new(MemoryStore::new())).await.0
}

/// Runs the client until the returned value is dropped.
fn run(shared: &Shared) -> Running {
    let shutdown = Shutdown::new();
    tokio::spawn(client_of(shared, LONG).run(shutdown.clone()));
    Running(shutdown)
}

struct Running(Shutdown);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.trigger();
    }
}

fn asked(witness: &TestWitness) -> u64 {
    witness.asked.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_witness_without_a_key_that_names_the_newest_public_head_does_not_stop_the_log() {
    let (witnesses, lines) = witnesses(2).await;
    let shared = idle(&lines, 1).await;
    behave(&witnesses[0], Behaviour::NamesTheHead(Outsider::of(&shared)));
    client_of(&shared, LONG).check_at_start().await.unwrap();
    let _running = run(&shared);
    eventually("it is asked", || asked(&witnesses[0]) >= 4).await;
    let size = shared.log.snapshot().head.size;
    published(&shared, |published| published.size >= size).await;
    assert_eq!(shared.publication.refusal_reason(), None);
}

#[tokio::test]
async fn an_outsider_who_pushes_heads_to_a_distant_witness_neither_stops_the_log_nor_its_publication() {
    let (witnesses, lines) = witnesses(3).await;
    let shared = idle(&lines, 3).await;
    let outsider = Outsider::of(&shared);
    behave(&witnesses[2], Behaviour::Overtaken(outsider.clone()));
    let _running = run(&shared);
    for size in 5..=10 {
        outsider.newest_head().await;
        published(&shared, |published| published.size >= size).await;
    }
    assert_eq!(shared.publication.refusal_reason(), None);
}

#[tokio::test]
async fn claims_without_a_proof_do_not_stop_a_log_whose_quorum_is_met() {
    let (witnesses, lines) = witnesses(3).await;
    let shared = idle(&lines, 1).await;
    behave(&witnesses[0], Behaviour::Claims(1 << 40));
    behave(&witnesses[1], Behaviour::Claims(1 << 40));
    let _running = run(&shared);
    eventually("both have lied", || asked(&witnesses[0]).min(asked(&witnesses[1])) >= 1).await;
    published(&shared, |published| published.size == 4).await;
    Outsider::of(&shared).newest_head().await;
    published(&shared, |published| published.size == 5).await;
    assert_eq!(shared.publication.refusal_reason(), None);
}

#[tokio::test]
async fn an_old_backup_is_refused_without_a_proof_too_and_a_claim_expires_with_a_cosignature() {
    let (witnesses, lines) = witnesses(2).await;
    let shared = idle(&lines, 2).await;
    for witness in &witnesses {
        behave(witness, Behaviour::Claims(99));
    }
    client_of(&shared, LONG).check_at_start().await.unwrap();
    let told = shared.publication.refusal_reason().unwrap();
    assert!(
        told.contains("99 entries") && told.contains("restore a newer one"),
        "{told}"
    );
    let _running = run(&shared);
    eventually("both claim it again", || {
        witnesses.iter().all(|witness| asked(witness) >= 2)
    })
    .await;
    assert!(shared.publication.refusal_reason().is_some());
    assert_eq!(shared.publication.latest(&shared.log.snapshot()), None);
    for witness in &witnesses {
        behave(witness, Behaviour::Honest);
    }
    published(&shared, |published| published.size == 4).await;
    eventually("the claims expire", || shared.publication.refusal_reason().is_none()).await;
    assert_eq!(health(&shared), Ok(()));
}

#[tokio::test]
async fn a_checkpoint_that_the_log_has_signed_and_does_not_have_stops_it() {
    for (seen, behaviour) in [(99, Behaviour::Claims(99)), (4, Behaviour::Refuses(422))] {
        let (witnesses, lines) = witnesses(2).await;
        let shared = idle(&lines, 1).await;
        let running = run(&shared);
        published(&shared, |published| published.size == 4).await;
        drop(running);
        *witnesses[1].shown.lock().unwrap() = vec![signed(seen)];
        behave(&witnesses[1], behaviour);
        let _running = run(&shared);
        let reason = refusal(&shared).await;
        assert!(
            reason.contains("signed by the log's own key") && reason.contains(&format!("at least {seen} entries")),
            "{reason}"
        );
        assert_eq!(reason.contains("with another tree"), seen == 4, "{reason}");
        assert_eq!(health(&shared), Err(Impairment::Halted(reason.clone())));
        // Nothing that a witness does later takes the proof back.
        behave(&witnesses[1], Behaviour::Honest);
        let refused = client_of(&shared, LONG).check_at_start().await.unwrap_err();
        assert_eq!(reason, refused.to_string());
    }
}

#[tokio::test]
async fn a_contradiction_must_be_there_at_the_second_fetch_too() {
    let (witnesses, lines) = witnesses(1).await;
    let shared = idle(&lines, 1).await;
    let own = shared.log.snapshot().note.clone();
    *witnesses[0].shown.lock().unwrap() = vec![signed(99), own];
    client_of(&shared, LONG).check_at_start().await.unwrap();
    assert_eq!(witnesses[0].shown.lock().unwrap().len(), 1, "it was fetched twice");
    *witnesses[0].shown.lock().unwrap() = vec![signed(99)];
    let refused = client_of(&shared, LONG).check_at_start().await.unwrap_err();
    assert_eq!((refused.seen, refused.size), (99, 4));
}
