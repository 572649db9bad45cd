//! The ledger program with a log key in SoftHSM2 (Debian's package `softhsm2`, which `cargo xtask test` installs).
//!
//! An environment variable configures the module, so only the program uses the module, not this process.
#![cfg(feature = "pkcs11")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// What was measured or not tested, for the person who runs the tests.
#![allow(clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use service::durable::create_private;
use tlog::checkpoint::SignedCheckpoint;
use tlog::encoding::to_base64;
use tlog::note::{SignerKey, VerifierKey};

const ORIGIN: &str = "log.example/hsm";
const SEED: [u8; 32] = [7; 32];
const MODULES: [&str; 2] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
];

struct Token {
    dir: tempfile::TempDir,
    module: &'static str,
}

impl Token {
    /// A token with one Ed25519 key; `None` where SoftHSM2 is not installed.
    fn new() -> Option<Self> {
        let module = MODULES.into_iter().find(|path| Path::new(path).is_file())?;
        let dir = tempfile::tempdir().unwrap();
        let token = Self { dir, module };
        std::fs::create_dir(token.path("tokens")).unwrap();
        let config = format!("directories.tokendir = {}\n", token.path("tokens").display());
        std::fs::write(token.path("softhsm2.conf"), config).unwrap();
        create_private(&token.path("pin"), b"1234\n").unwrap();
        create_private(&token.path("wrong-pin"), b"4321\n").unwrap();
        let seed = create_private(&token.path("writer.key"), hex::encode([8; 32]).as_bytes());
        seed.unwrap();
        // RFC 8410: the PKCS #8 form of an Ed25519 private key.
        let prefix = hex::decode("302e020100300506032b657004220420").unwrap();
        let pem = to_base64(&[&prefix[..], &SEED].concat());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n");
        std::fs::write(token.path("key.pem"), pem).unwrap();
        let key = token.path("key.pem").display().to_string();
        token.util(&["--init-token", "--free", "--label", "einsicht", "--so-pin", "5678"]);
        token.util(&["--import", &key, "--token", "einsicht", "--label", "log", "--id", "01"]);
        Some(token)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn util(&self, arguments: &[&str]) {
        let mut command = self.command(Path::new("softhsm2-util"));
        let output = command.args(arguments).args(["--pin", "1234"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("SOFTHSM2_CONF", self.path("softhsm2.conf"));
        command
    }

    fn ledger(&self, token: &str, label: &str, pin: &str) -> Command {
        let config = serde_json::json!({
            "data": "data",
            "origin": ORIGIN,
            "log_keys": [{"pkcs11": {"module": self.module, "token": token, "label": label, "pin_file": pin}}],
            "writer_key": "writer.key",
            "genesis": "00".repeat(32),
        });
        std::fs::write(self.path("config.json"), config.to_string()).unwrap();
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_ledger")));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn expected() -> VerifierKey {
    let key = SignerKey::for_notes(ORIGIN.parse().unwrap(), &SEED);
    key.verifier_key().unwrap()
}

#[tokio::test]
async fn a_key_in_a_module_signs_checkpoints() {
    let Some(token) = Token::new() else {
        eprintln!("SKIPPED: SoftHSM2 is not installed (apt-get install softhsm2); keys in modules were NOT tested");
        return;
    };
    let config = token.path("config.json");
    let keys = |place: &str, label: &str, pin: &str| {
        let mut command = token.ledger(place, label, pin);
        let output = command.arg("keys").arg("--config").arg(&config).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    assert_eq!(keys("einsicht", "log", "pin"), (true, format!("log {}\n", expected())));
    for (place, label, pin, why) in [
        ("other", "log", "pin", "there is no token"),
        ("einsicht", "other", "pin", "0 objects"),
        ("einsicht", "log", "wrong-pin", "PIN"),
        ("einsicht", "log", "no-pin", "no-pin"),
    ] {
        let (success, output) = keys(place, label, pin);
        assert!(!success && output.contains(why), "{output}");
    }

    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut serve = token.ledger("einsicht", "log", "pin");
    serve
        .args(["serve", "--listen", &free.to_string(), "--config"])
        .arg(&config);
    let _process = Process(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let client = service::http::Client::new().unwrap();
    let mut head = None;
    for _ in 0..200 {
        head = client.get_bytes(&format!("http://{free}/head")).await.ok();
        if head.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let signed = SignedCheckpoint::open(&head.unwrap(), &ORIGIN.parse().unwrap(), &[expected()]).unwrap();
    assert_eq!(signed.checkpoint().size.get(), 0);
}
