//! Sends the load. Each writer has one connection and one task, because its entries must arrive in the order of its
//! chain.
//!
//! *Closed loop* (no rate): each writer sends its next request when it has the answer to the last one. *Open loop* (a
//! rate): requests are due at fixed intervals, whatever the ledger does, and the time of an entry counts from when it
//! was due. Waiting for a stalled ledger is therefore part of the measured time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use ledger_client::Trust;
use ledger_client::api::{AppendAnswer, wire};
use record::Receipt;
use service::http::CBOR_SEQ;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use crate::entries::Request;

/// How the load is sent.
#[derive(Clone, Copy)]
pub(crate) struct OfferOptions {
    /// Entries per second of all writers together; `None` is the closed loop.
    pub(crate) rate: Option<f64>,
    /// Whether every receipt is verified: signature, inclusion, entry.
    pub(crate) check: bool,
}

/// The result of a round.
pub(crate) struct RoundResult {
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// The recorded entries, in no particular order.
    pub(crate) recorded: Vec<Recorded>,
}

/// An entry that was recorded.
#[derive(Clone, Copy)]
pub(crate) struct Recorded {
    pub(crate) index: u64,
    /// When its receipt arrived.
    pub(crate) at: Instant,
    /// The time to its receipt, in microseconds.
    pub(crate) micros: u32,
}

/// A persistent connection, driven by the sending task. A separate task for it would be woken twice for each request.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<TcpStream>, Full<Bytes>>,
    host: String,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            sender,
            driver,
            host: address.to_string(),
        })
    }

    /// Sends a request and returns indices and receipts; anything but a receipt for each entry is an error.
    pub(crate) async fn send(&mut self, request: Request) -> Result<Vec<(u64, Vec<u8>)>> {
        let message = hyper::Request::post("/entries")
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, CBOR_SEQ)
            .header(ACCEPT, CBOR_SEQ)
            .body(Full::new(Bytes::from(request.body)))?;
        let exchange = async {
            let response = self.sender.send_request(message).await?;
            let status = response.status();
            Ok::<_, hyper::Error>((status, response.into_body().collect().await?.to_bytes()))
        };
        let (status, body) = tokio::select! {
            // A complete answer counts, even if the ledger then closes the connection.
            biased;
            answered = exchange => answered?,
            ended = &mut self.driver => bail!("the ledger closed the connection: {ended:?}"),
        };
        if !status.is_success() {
            bail!("the ledger answered {status}: {}", String::from_utf8_lossy(&body));
        }
        let answers = wire::decode(&body, request.entries)?.into_iter();
        answers
            .map(|answer| match answer {
                AppendAnswer::Recorded { index, receipt } => Ok((index, receipt)),
                AppendAnswer::Refused { problem, .. } => bail!("the ledger refused an entry: {problem}"),
            })
            .collect()
    }
}

/// Sends all requests; `requests` has a list for each writer.
pub(crate) async fn offer(
    connections: Vec<Connection>,
    requests: Vec<Vec<Request>>,
    pace: OfferOptions,
    trust: &Arc<Trust>,
) -> Result<RoundResult> {
    let writers = requests.len().max(1);
    let start = Instant::now() + Duration::from_millis(20);
    let mut tasks = Vec::new();
    for (number, (connection, requests)) in connections.into_iter().zip(requests).enumerate() {
        // The interval between a writer's entries. The first requests of all writers are spread evenly over one
        // interval.
        let apart = pace.rate.map(|rate| Duration::from_secs_f64(writers as f64 / rate));
        let entries = requests.first().map_or(0, |request| request.entries);
        let share = entries as f64 * number as f64 / writers as f64;
        let first = start + apart.unwrap_or_default().mul_f64(share);
        let trust = pace.check.then(|| trust.clone());
        tasks.push(tokio::spawn(write(connection, requests, first, apart, trust)));
    }
    let mut recorded = Vec::new();
    for task in tasks {
        recorded.extend(task.await.context("a writer ended early")??);
    }
    Ok(RoundResult {
        elapsed: start.elapsed(),
        recorded,
    })
}

async fn write(
    mut connection: Connection,
    requests: Vec<Request>,
    first: Instant,
    apart: Option<Duration>,
    trust: Option<Arc<Trust>>,
) -> Result<Vec<Recorded>> {
    let mut recorded = Vec::new();
    let mut due = first;
    sleep_until(first).await;
    for request in requests {
        let from = match apart {
            Some(apart) => {
                sleep_until(due).await;
                let from = due;
                due += apart.mul_f64(request.entries as f64);
                from
            }
            None => Instant::now(),
        };
        let receipts = connection.send(request).await?;
        if let Some(trust) = &trust {
            for (_, receipt) in &receipts {
                Receipt::parse(receipt)?.verify(&trust.policy)?;
            }
        }
        let at = Instant::now();
        let micros = u32::try_from(at.duration_since(from).as_micros()).unwrap_or(u32::MAX);
        let its = receipts.into_iter().map(|(index, _)| Recorded { index, at, micros });
        recorded.extend(its);
    }
    Ok(recorded)
}
