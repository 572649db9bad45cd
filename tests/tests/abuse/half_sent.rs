//! Clients without any credential open connections and send half of something: half a head, or most of a large body.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::harness::{Flood, Scenario};

const SCENARIO: Scenario = Scenario {
    name: "half-sent requests",
    listen: "127.0.0.1:23100",
    prepare: |_| Ok(()),
    flood,
};
/// What a client announces, and most of what it sends.
const ANNOUNCED: usize = 24_000_000;
const SENT: usize = 20 << 20;
const CONNECTIONS: usize = 24;

fn flood(flood: &Flood<'_>) -> Result<()> {
    let info = &flood.processes.info;
    let targets = [
        (&info.ledger, "/entries", "application/cbor-seq"),
        (&info.broker, "/exchanges", "application/cbor"),
        (&info.identity, "/labels", "application/cbor"),
        (&info.connectors["kba"], "/forward", "application/cbor"),
    ];
    flood.in_threads(targets.len(), |number| {
        let (url, path, content_type) = targets[number];
        let address: SocketAddr = url.strip_prefix("http://").context("url")?.parse()?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: flood\r\ncontent-type: {content_type}\r\ncontent-length: {ANNOUNCED}\r\n\r\n"
        );
        while flood.continues() {
            let mut open = Vec::new();
            for number in 0..CONNECTIONS {
                let mut stream = TcpStream::connect(address)?;
                stream.set_write_timeout(Some(Duration::from_millis(100)))?;
                // The process may refuse or stop reading at any point.
                let sent = if number % 2 == 0 {
                    head.as_bytes()
                } else {
                    &head.as_bytes()[..20]
                };
                if stream.write_all(sent).is_ok() && number % 2 == 0 {
                    send_body(&mut stream);
                }
                open.push(stream);
            }
        }
        Ok(())
    })
}

/// Sends as much of a body as the process takes.
fn send_body(stream: &mut TcpStream) {
    let chunk = vec![0x83; 1 << 20];
    for _ in 0..SENT / chunk.len() {
        if stream.write_all(&chunk).is_err() {
            return;
        }
    }
}

#[test]
fn half_sent_requests_take_little_memory() -> Result<()> {
    SCENARIO.briefly()
}

#[test]
#[ignore = "takes a minute: `cargo xtask test --long`"]
fn half_sent_requests_take_little_memory_for_a_minute() -> Result<()> {
    SCENARIO.for_a_minute()
}
