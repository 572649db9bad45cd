//! One connection, from the accept to its close.

use std::convert::Infallible;
use std::io::{IoSlice, Result};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use super::body::{LimitedBody, Share};
use super::crowd::Place;
use super::server::Server;
use super::turn::Turn;
use crate::problem::Problem;
use crate::tls::{self, MAX_CONNECTION_AGE, PeerName};

/// The most bytes of a request's head, and of a body that arrived before its handler asked for it.
const MAX_HEAD: usize = 64 << 10;
/// Requests of one HTTP/2 connection at the same time.
const MAX_STREAMS: u32 = 64;
/// So many bytes of an answer must be taken in each idle period.
const PART: usize = 256 << 10;

/// Serves the connection: over TLS, if the listener is secured, otherwise in plain HTTP.
pub(super) async fn serve(server: Arc<Server>, stream: TcpStream, place: Place) {
    let Some(config) = server.tls.clone() else {
        return serve_stream(server, stream, None, place).await;
    };
    let handshake = TlsAcceptor::from(config).accept(stream);
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(server.limits.idle, handshake) => accepted,
        () = place.taken() => return,
        () = server.shutdown.wait() => return,
    };
    let stream = accepted.ok().and_then(std::result::Result::ok);
    let name = stream.as_ref().and_then(peer_name);
    match (stream, name) {
        (Some(stream), Some(name)) => serve_stream(server, stream, Some(name), place).await,
        _ => metrics::counter!("http_closed_connections_total", "reason" => "handshake").increment(1),
    }
}

/// The name in the client's certificate, which the handshake has verified.
fn peer_name(stream: &TlsStream<TcpStream>) -> Option<PeerName> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    tls::name_of(certificate).ok().map(PeerName)
}

/// Serves until the client closes the connection, its place is taken, it is of no use, or shutdown is complete.
async fn serve_stream<S>(server: Arc<Server>, stream: S, name: Option<PeerName>, place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let place = Arc::new(place);
    let aged = name.is_some().then(|| Instant::now() + MAX_CONNECTION_AGE);
    let service = service_fn({
        let (server, place) = (server.clone(), place.clone());
        move |mut request: Request<Incoming>| {
            if let Some(name) = &name {
                request.extensions_mut().insert(name.clone());
            }
            answer(server.clone(), place.clone(), request)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(MAX_HEAD as u32)
        .initial_connection_window_size(MAX_HEAD as u32)
        .max_header_list_size(MAX_HEAD as u32);
    let io = TokioIo::new(ProgressStream {
        stream,
        place: place.clone(),
        part: 0,
    });
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut ending = false;
    loop {
        let deadline =
            Instant::from_std(place.waiting_since().unwrap_or_else(std::time::Instant::now)) + server.limits.idle;
        tokio::select! {
            // An error is the client's: it sent no HTTP, or has disconnected.
            _ = connection.as_mut() => return,
            () = place.taken() => return,
            () = ended(&server, aged), if !ending => {
                connection.as_mut().graceful_shutdown();
                ending = true;
            }
            () = tokio::time::sleep_until(deadline) => {
                if place.waiting_since().is_some_and(|since| since.elapsed() >= server.limits.idle) {
                    metrics::counter!("http_closed_connections_total", "reason" => "idle").increment(1);
                    return;
                }
            }
        }
    }
}

/// Returns when the connection must not begin another request: at shutdown, or when it is too old.
async fn ended(server: &Server, aged: Option<Instant>) {
    let shutdown = server.shutdown.wait();
    match aged {
        None => shutdown.await,
        Some(aged) => tokio::select! {
            () = shutdown => {}
            () = tokio::time::sleep_until(aged) => {}
        },
    }
}

/// Answers one request within the limits.
async fn answer(
    server: Arc<Server>,
    place: Arc<Place>,
    mut request: Request<Incoming>,
) -> std::result::Result<Response, Infallible> {
    let _working = place.request();
    let Some(turn) = Turn::take(&server.requests) else {
        return Ok(Problem::unavailable("busy", 1, "too many requests are in progress").into_response());
    };
    // The clone is for the handler. This one keeps the place until the response begins, unless it is given back.
    request.extensions_mut().insert(turn.clone());
    if request.body().is_end_stream() {
        return server.routes.clone().oneshot(request.map(Body::new)).await;
    }
    let share = Share::new(server.budget.clone(), place.peer());
    let limited = |body| Body::new(LimitedBody::new(body, share.clone(), server.limits.body_grace));
    let response = server.routes.clone().oneshot(request.map(limited)).await;
    match share.refused() {
        // The handler only saw a body that could not be read.
        Some(refused) => Ok(refused.problem().into_response()),
        None => response,
    }
}

/// The client's socket. It tells the connection's place when the client has taken a part of an answer.
struct ProgressStream<S> {
    stream: S,
    place: Arc<Place>,
    part: usize,
}

impl<S> ProgressStream<S> {
    fn wrote(&mut self, result: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if let Poll::Ready(Ok(written)) = result {
            self.part += written;
            if self.part >= PART {
                self.part = 0;
                self.place.progress();
            }
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ProgressStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ProgressStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
