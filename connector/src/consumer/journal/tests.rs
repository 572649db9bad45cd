//! The journal across a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::fixture::World;

#[tokio::test]
async fn request_and_answer_key_survive_a_restart_and_the_file_has_no_personal_data() {
    let directory = tempfile::tempdir().unwrap();
    let pending = World::new().request();
    let journal = Journal::open_in(directory.path()).unwrap();
    journal.keep(&pending).await.unwrap();
    drop(journal);
    let file = std::fs::read(directory.path().join(crate::state::FILE)).unwrap();
    let text = String::from_utf8_lossy(&file);
    assert!(!text.contains(crate::fixture::IDNR) && !text.contains(crate::fixture::FAMILY_NAME));
    let journal = Journal::open_in(directory.path()).unwrap();
    let open = journal.pending().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].request, pending.request);
    assert_eq!(open[0].answer_key.public(), pending.request.answer_key);
    journal.forget(pending.request.metadata.exchange).await.unwrap();
    assert!(journal.pending().await.unwrap().is_empty());
}
