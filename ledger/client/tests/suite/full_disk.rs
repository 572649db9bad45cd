//! A disk that takes no more bytes. The test runs in a process of its own, whose files may not grow.

use std::process::Command;

use ledger_client::checkpoints::{NotReady, WatchError};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::checkpoints::{Bench, run};

const CHILD: &str = "EINSICHT_FULL_DISK_CHILD";

/// Runs `test` in a child process that ignores SIGXFSZ, so that a write beyond the limit is an error (EFBIG).
fn in_a_child(name: &str, test: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return test();
    }
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The most bytes that a file of this process may have; `None` for no limit.
fn limit_files(bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

#[test]
fn a_full_disk_is_no_fork() {
    in_a_child("full_disk::a_full_disk_is_no_fork", || {
        let bench = Bench::new();
        run(async {
            let watch = bench.watch();
            watch.rely(&bench.grow(0..1)).await.unwrap();
            watch.ready().unwrap();
            limit_files(Some(0));
            for number in 1..4 {
                let relied = watch.rely(&bench.grow(number..number + 1)).await;
                assert!(matches!(relied, Err(WatchError::Store(_))), "{relied:?}");
                let ready = watch.ready();
                assert!(matches!(ready, Err(NotReady::Storage(_))), "{ready:?}");
            }
            assert_eq!(watch.unsettled(), 1, "a head that is not noted is not relied upon");
        });
        limit_files(None);
        // After a restart on a disk with room, nothing is held against the log.
        run(async {
            let watch = bench.watch();
            watch.ready().unwrap();
            watch.rely(&bench.grow(4..5)).await.unwrap();
            bench.ledger.with(crate::common::log::FakeLog::witness);
            watch.settle().await.unwrap();
            assert_eq!(watch.unsettled(), 0);
        });
    });
}
