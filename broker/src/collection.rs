//! Calls to connectors that the broker cannot reach: each waits here until its connector collects it.
//!
//! A provider without an endpoint collects its calls ([`messages::collection`]). Its connector keeps a request for
//! a call open ([`Mailboxes::collect`]), and a new call goes to the one that waits longest, or waits [`PICKUP`] for the
//! next one. So the caller learns the same as from a connection of its own:
//!
//! | What happens | What the caller gets |
//! | --- | --- |
//! | nobody collects the call | [`CallError::NotConnected`]: the provider has certainly not served it |
//! | the connector collects it, and does not answer in time | [`CallError::Unreachable`]: it may have served it |
//! | the connector answers | the body, or [`CallError::Refused`] |
//!
//! A call is handed out once, and taken back only while it is not. Everything is in memory: a broker that starts again
//! continues from its journal, sends the same forward once more, and gets the kept reply.
//!
//! Bounds: [`MAX_CALLS`] calls and [`MAX_COLLECTORS`] open requests for each component. Only components of the newest
//! directory have a mailbox, and an empty one is removed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use messages::limits::MAX_COLLECTION_SECONDS;
use messages::{CallAnswer, CallKind, CollectedCall};
use record::ParticipantId;
use service::http::{CallError, RawResponse};
use service::nonces::Nonces;
use service::shutdown::Shutdown;
use tokio::sync::oneshot;
use uuid::Uuid;

/// The most calls of one component that wait or are not answered.
const MAX_CALLS: usize = 1024;
/// The most requests of one component that wait for a call: its connector keeps one open.
const MAX_COLLECTORS: usize = 16;
/// How long a call waits for its connector to collect it.
const PICKUP: Duration = Duration::from_secs(2);
/// How long a request for a call stays open. Proxies close a connection on which nothing happens for longer.
const WAIT: Duration = Duration::from_secs(MAX_COLLECTION_SECONDS);
/// The most nonces of collections that are kept: a thousand collections a second.
const MAX_NONCES: usize = 1 << 17;

/// The mailboxes of all components. Cheap to clone; clones share them.
#[derive(Clone)]
pub(crate) struct Mailboxes {
    boxes: Arc<Mutex<HashMap<ParticipantId, Mailbox>>>,
    ending: Shutdown,
    /// The nonces of the collections that were accepted lately.
    pub(crate) nonces: Arc<Nonces>,
}

/// The calls of one component.
#[derive(Default)]
struct Mailbox {
    /// The calls that nobody has collected yet.
    waiting: VecDeque<CollectedCall>,
    /// The open requests for a call.
    collectors: VecDeque<oneshot::Sender<CollectedCall>>,
    /// Where the answers of the calls go, whether collected or not.
    answers: HashMap<Uuid, oneshot::Sender<CallAnswer>>,
}

/// Why a request for a call is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyCollectors;

impl Default for Mailboxes {
    fn default() -> Self {
        Self {
            boxes: Arc::default(),
            ending: Shutdown::new(),
            nonces: Arc::new(Nonces::new(MAX_NONCES)),
        }
    }
}

impl Mailboxes {
    /// Leaves a call for `to`, and waits until it is answered: at most [`PICKUP`] until it is collected, and at most
    /// `limit` from then on. Returns the body of a success.
    pub(crate) async fn call(
        &self,
        to: &ParticipantId,
        (kind, authorization): (CallKind, String),
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let id = record::random::random().map_err(|error| CallError::NotConnected(error.to_string()))?;
        let call = CollectedCall {
            id: Uuid::from_bytes(id),
            kind,
            authorization,
            body,
        };
        let (left, mut answer) = self.leave(to, call)?;
        if let Ok(answer) = tokio::time::timeout(PICKUP, &mut answer).await {
            return response(answer);
        }
        if left.take_back() {
            return Err(CallError::NotConnected("the connector collects no calls".into()));
        }
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => response(answer),
            Err(_) => Err(CallError::Unreachable("no answer to a collected call".into())),
        }
    }

    /// Hands the call to the request that waits longest, or keeps it for the next one.
    fn leave(
        &self,
        to: &ParticipantId,
        call: CollectedCall,
    ) -> Result<(LeftCall, oneshot::Receiver<CallAnswer>), CallError> {
        let mut boxes = self.lock();
        let mailbox = boxes.entry(to.clone()).or_default();
        if mailbox.answers.len() >= MAX_CALLS {
            return Err(CallError::NotConnected("too many calls wait for the connector".into()));
        }
        let (sender, receiver) = oneshot::channel();
        let left = LeftCall {
            mailboxes: self.clone(),
            to: to.clone(),
            id: call.id,
        };
        mailbox.answers.insert(call.id, sender);
        mailbox.hand_out(call);
        Ok((left, receiver))
    }

    /// Lets all open requests for a call end, so that a shutdown does not wait for them.
    pub(crate) fn end(&self) {
        self.ending.trigger();
    }

    /// Waits for a call of this component. `None` if there is none for `wait`, or for [`WAIT`] if that is shorter, or
    /// the broker is ending.
    ///
    /// # Errors
    /// [`TooManyCollectors`].
    pub(crate) async fn collect(
        &self,
        component: &ParticipantId,
        wait: Duration,
    ) -> Result<Option<CollectedCall>, TooManyCollectors> {
        let receiver = {
            let mut boxes = self.lock();
            let mailbox = boxes.entry(component.clone()).or_default();
            if let Some(call) = mailbox.waiting.pop_front() {
                return Ok(Some(call));
            }
            mailbox.collectors.retain(|collector| !collector.is_closed());
            if mailbox.collectors.len() >= MAX_COLLECTORS {
                return Err(TooManyCollectors);
            }
            let (sender, receiver) = oneshot::channel();
            mailbox.collectors.push_back(sender);
            receiver
        };
        let mut open = OpenRequest {
            mailboxes: self.clone(),
            component: component.clone(),
            receiver,
        };
        tokio::select! {
            call = &mut open.receiver => Ok(call.ok()),
            () = tokio::time::sleep(wait.min(WAIT)) => Ok(None),
            () = self.ending.wait() => Ok(None),
        }
    }

    /// Delivers an answer to the caller that waits for it. Returns whether there is one.
    pub(crate) fn answer(&self, component: &ParticipantId, answer: CallAnswer) -> bool {
        let mut boxes = self.lock();
        let Some(mailbox) = boxes.get_mut(component) else {
            return false;
        };
        let call = answer.statement.call;
        let collected = mailbox.waiting.iter().all(|waiting| waiting.id != call);
        let sender = collected.then(|| mailbox.answers.remove(&call)).flatten();
        sender.is_some_and(|sender| sender.send(answer).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ParticipantId, Mailbox>> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the component's mailbox if nothing is in it.
    fn tidy(boxes: &mut HashMap<ParticipantId, Mailbox>, component: &ParticipantId) {
        if boxes.get(component).is_some_and(Mailbox::is_empty) {
            boxes.remove(component);
        }
    }
}

impl Mailbox {
    /// Gives the call to the first request whose connector is still there, or keeps it.
    fn hand_out(&mut self, mut call: CollectedCall) {
        while let Some(collector) = self.collectors.pop_front() {
            match collector.send(call) {
                Ok(()) => return,
                Err(back) => call = back,
            }
        }
        self.waiting.push_back(call);
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.collectors.is_empty() && self.answers.is_empty()
    }
}

/// A call in a mailbox. Dropping it removes the call, so that a caller that gives up leaves nothing behind.
struct LeftCall {
    mailboxes: Mailboxes,
    to: ParticipantId,
    id: Uuid,
}

impl LeftCall {
    /// Takes the call back. Returns whether nobody has collected it, and nobody can any more.
    fn take_back(&self) -> bool {
        let mut boxes = self.mailboxes.lock();
        let Some(mailbox) = boxes.get_mut(&self.to) else {
            return false;
        };
        let before = mailbox.waiting.len();
        mailbox.waiting.retain(|call| call.id != self.id);
        mailbox.waiting.len() < before
    }
}

impl Drop for LeftCall {
    fn drop(&mut self) {
        self.take_back();
        let mut boxes = self.mailboxes.lock();
        if let Some(mailbox) = boxes.get_mut(&self.to) {
            mailbox.answers.remove(&self.id);
        }
        Mailboxes::tidy(&mut boxes, &self.to);
    }
}

/// An open request for a call. A call that it got and did not deliver goes to another request.
struct OpenRequest {
    mailboxes: Mailboxes,
    component: ParticipantId,
    receiver: oneshot::Receiver<CollectedCall>,
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.receiver.close();
        let mut boxes = self.mailboxes.lock();
        if let Some(mailbox) = boxes.get_mut(&self.component) {
            // Received by this request, whose connection was closed or whose time was over, and sent to nobody.
            if let Ok(call) = self.receiver.try_recv()
                && mailbox.answers.contains_key(&call.id)
            {
                mailbox.hand_out(call);
            }
            mailbox.collectors.retain(|collector| !collector.is_closed());
        }
        Mailboxes::tidy(&mut boxes, &self.component);
    }
}

/// What an answer says, as the client of a connection of its own would.
fn response(answer: Result<CallAnswer, oneshot::error::RecvError>) -> Result<Vec<u8>, CallError> {
    let answer = answer.map_err(|_| CallError::Unreachable("the call was given up".into()))?;
    let statement = answer.statement;
    let response = RawResponse {
        status: statement.status,
        content_type: String::new(),
        retry_after: statement.retry_after,
        body: answer.body,
    };
    response.success()
}

#[cfg(test)]
#[path = "collection_tests.rs"]
mod tests;
