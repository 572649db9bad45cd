//! Clients without any credential open connections and send half of something: half a head, most of a large body, or
//! half a TLS handshake.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Result;
use tests::processes::address;

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
/// The head of a TLS record with a client's hello of the greatest length, which never comes.
const HELLO: &[u8] = &[0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc];

fn flood(flood: &Flood<'_>) -> Result<()> {
    let info = &flood.processes.info;
    let targets = [&info.ledger, &info.broker, &info.identity, &info.connectors["kba"]];
    flood.in_threads(targets.len(), |number| {
        let url = targets[number];
        let address: SocketAddr = address(url)?.parse()?;
        let head = format!(
            "POST /entries HTTP/1.1\r\nhost: flood\r\ncontent-type: application/cbor-seq\r\n\
             content-length: {ANNOUNCED}\r\n\r\n"
        );
        let head = if url.starts_with("https") {
            HELLO
        } else {
            head.as_bytes()
        };
        while flood.continues() {
            let mut open = Vec::new();
            for number in 0..CONNECTIONS {
                let mut stream = TcpStream::connect(address)?;
                stream.set_write_timeout(Some(Duration::from_millis(100)))?;
                // The process may refuse or stop reading at any point.
                let sent = if number % 2 == 0 { head } else { &head[..HELLO.len()] };
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
