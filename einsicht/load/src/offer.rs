//! Sends requests to one address, in an open or in a closed loop.
//!
//! *Open loop*: requests are due at fixed intervals, whatever the other side does, and the time of each counts from
//! when it was due. *Closed loop*: each of some callers sends its next request when it has the answer to the last one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

/// Makes the body of the request with this number.
type Bodies = Box<dyn Fn(usize) -> Vec<u8> + Send + Sync>;

/// Where requests go, with the connections that are free.
pub(crate) struct Target {
    address: SocketAddr,
    authorization: Option<String>,
    bodies: Bodies,
    /// What an answer must contain to count.
    expected: &'static str,
    free: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    next: AtomicUsize,
}

impl Target {
    /// Requests `POST /evidence` at this base URL.
    pub(crate) fn new(
        url: &str,
        authorization: Option<String>,
        expected: &'static str,
        bodies: Bodies,
    ) -> Result<Self> {
        let address = url.strip_prefix("http://").context("the URL has no http://")?.parse()?;
        Ok(Self {
            address,
            authorization,
            bodies,
            expected,
            free: Mutex::default(),
            next: AtomicUsize::new(0),
        })
    }

    async fn connection(&self) -> Result<SendRequest<Full<Bytes>>> {
        loop {
            let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match free {
                Some(connection) if connection.is_closed() => {}
                Some(connection) => return Ok(connection),
                None => break,
            }
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Sends the next request. Returns false if the other side had no place for it.
    pub(crate) async fn send(&self) -> Result<bool> {
        let body = (self.bodies)(self.next.fetch_add(1, Ordering::Relaxed));
        let mut request = hyper::Request::post("/evidence")
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let mut connection = self.connection().await?;
        connection.ready().await?;
        let response = connection
            .send_request(request.body(Full::new(Bytes::from(body)))?)
            .await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        let text = String::from_utf8_lossy(&body);
        ensure!(matches!(status, 200 | 503), "status {status}: {text}");
        ensure!(
            status == 503 || text.contains(self.expected),
            "an unexpected answer: {text}"
        );
        Ok(status == 200)
    }
}

/// Sends requests at this rate and returns the milliseconds that each took, in order of size. A request for which there
/// was no place is an error: the rate is one that must be met.
pub(crate) async fn open_loop(target: &Arc<Target>, rate: f64, length: Duration) -> Result<Vec<f64>> {
    let count = (rate * length.as_secs_f64()) as usize;
    let start = Instant::now() + Duration::from_millis(20);
    let mut sent = Vec::with_capacity(count);
    for number in 0..count {
        let due = start + Duration::from_secs_f64(number as f64 / rate);
        sleep_until(due).await;
        let target = target.clone();
        sent.push(tokio::spawn(async move {
            let answered = target.send().await?;
            ensure!(answered, "there is no place for {rate} requests a second");
            Ok::<_, anyhow::Error>(due.elapsed().as_secs_f64() * 1000.0)
        }));
    }
    let mut times = Vec::with_capacity(count);
    for one in sent {
        times.push(one.await??);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// What a closed loop has done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loop {
    /// Requests that were answered.
    pub(crate) answered: usize,
    /// Requests for which there was no place, which were repeated.
    pub(crate) repeated: usize,
    pub(crate) seconds: f64,
}

/// Lets `callers` send requests one after another until `until` requests are answered.
pub(crate) async fn closed_loop(target: &Arc<Target>, callers: usize, until: usize) -> Result<Loop> {
    let (answered, repeated) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (target, answered, repeated) = (target.clone(), answered.clone(), repeated.clone());
        tasks.push(tokio::spawn(async move {
            while answered.load(Ordering::Relaxed) < until {
                if target.send().await? {
                    answered.fetch_add(1, Ordering::Relaxed);
                } else {
                    repeated.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Ok::<_, anyhow::Error>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(Loop {
        answered: answered.load(Ordering::Relaxed),
        repeated: repeated.load(Ordering::Relaxed),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// The time within which this share of the requests was answered. `sorted` must not be empty.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_percentile_is_the_time_within_which_that_share_was_answered() {
        let times: Vec<f64> = (1..=200).map(f64::from).collect();
        let at = |share| super::percentile(&times, share);
        assert_eq!([at(0.5), at(0.99), at(1.0), at(0.0)], [100.0, 198.0, 200.0, 1.0]);
    }
}
