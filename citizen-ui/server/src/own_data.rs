//! The citizen asks registers what they have about them ([`citizen_ui::pages::own_data`]).
//!
//! Each question is an exchange ([`crate::own_requests`]), so it is recorded before a register is asked.
//!
//! The answers are written into the response as they come and are kept nowhere. Whom the portal may ask follows from
//! the directory and the Registerlandkarte in force, which it reads from the log.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use citizen_ui::pages::{
    self, ErrorPage, OWN_DATA, OwnAnswer, OwnAnswers, OwnCounts, OwnRegister, OwnRegisters, REGISTER,
};
use record::Timestamp;
use service::secret::{self, SecretError};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

use crate::citizen::Citizen;
use crate::own_requests::Person;
use crate::page::CitizenRequest;
use crate::portal::Portal;

/// The most registers that one request asks.
const MAX_REGISTERS: usize = 64;
/// How many of them are asked at the same time.
const MAX_CONCURRENT: usize = 8;

/// `GET /{lang}/meine-daten`: whom the citizen can ask.
pub(crate) async fn question(request: CitizenRequest) -> Response {
    let CitizenRequest { page, current } = &request;
    Html(pages::own_data(
        &page.frame(),
        &registers(&page.portal, &current.citizen),
    ))
    .into_response()
}

/// `GET /{lang}/meine-daten/antwort`: to the question, because only a press on its button asks.
pub(crate) async fn to_question(request: CitizenRequest) -> Response {
    request.page.to(OWN_DATA).into_response()
}

/// `POST /{lang}/meine-daten/antwort`: asks the chosen registers and sends their answers as they come.
pub(crate) async fn answers(request: CitizenRequest, form: Bytes) -> Response {
    let CitizenRequest { page, current } = &request;
    let chosen = chosen(&form);
    let (OwnRegisters::Known(mut registers), Some(person), Some(own)) = (
        registers(&page.portal, &current.citizen),
        Person::of(&current.citizen),
        &page.portal.own_requests,
    ) else {
        return page.to(OWN_DATA).into_response();
    };
    registers.retain(|register| chosen.contains(&register.component));
    if registers.is_empty() {
        return page.to(OWN_DATA).into_response();
    }
    let Some(permit) = own.begin() else {
        return page.error(ErrorPage::Busy);
    };
    let reference = match reference() {
        Ok(reference) => reference,
        Err(error) => {
            tracing::error!(%error, "no reference for a request");
            return page.error(ErrorPage::Internal);
        }
    };
    let answers = OwnAnswers::new(&page.frame(), registers.len());
    let asking = Asking {
        portal: Arc::clone(&page.portal),
        registers,
        person,
        reference,
        _permit: permit,
    };
    (
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        streamed(asking, answers),
    )
        .into_response()
}

/// The components that the form names.
fn chosen(form: &[u8]) -> Vec<String> {
    let fields = form_urlencoded::parse(form);
    let chosen = fields.filter(|(name, _)| name == REGISTER);
    chosen
        .take(MAX_REGISTERS)
        .map(|(_, value)| value.into_owned())
        .collect()
}

/// The registers that the portal may ask now.
fn registers(portal: &Portal, citizen: &Citizen) -> OwnRegisters {
    if citizen.date_of_birth.is_none() {
        return OwnRegisters::Blocked;
    }
    let now = Timestamp(portal.clock.now());
    let known = portal.own_requests.as_ref().and_then(|own| {
        let landkarte = portal.versions.at(now).ok()?;
        Some(own.registers(&landkarte, now))
    });
    let mut registers = known.unwrap_or_default();
    registers.truncate(MAX_REGISTERS);
    OwnRegisters::Known(registers)
}

/// A reference that the records of all registers of one request have, so that they can be told to belong together.
fn reference() -> Result<String, SecretError> {
    let random: [u8; 32] = secret::random()?;
    Ok(format!(
        "MEINE-DATEN-{}",
        hex::encode_upper(random.get(..4).unwrap_or_default())
    ))
}

/// A request whose registers are being asked.
struct Asking {
    portal: Arc<Portal>,
    registers: Vec<OwnRegister>,
    person: Person,
    reference: String,
    _permit: OwnedSemaphorePermit,
}

/// The response: the beginning of the page at once, each answer when it is there, the counters at the end. When the
/// citizen leaves, no further register is asked; the connector completes what it has begun.
fn streamed(asking: Asking, page: OwnAnswers) -> Body {
    let (sender, receiver) = mpsc::channel::<String>(1);
    tokio::spawn(async move {
        // An error means that the citizen has left.
        let _ = send_all(asking, &page, &sender).await;
    });
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, Infallible>(piece), receiver))
    });
    Body::from_stream(pieces)
}

async fn send_all(
    asking: Asking,
    page: &OwnAnswers,
    sender: &mpsc::Sender<String>,
) -> Result<(), mpsc::error::SendError<String>> {
    let mut counts = OwnCounts {
        asked: asking.registers.len(),
        ..OwnCounts::default()
    };
    sender.send(page.begin.clone()).await?;
    let mut waiting = (1..).zip(asking.registers.clone());
    let mut running = JoinSet::new();
    loop {
        while running.len() < MAX_CONCURRENT {
            let Some((number, register)) = waiting.next() else {
                break;
            };
            let (portal, person) = (Arc::clone(&asking.portal), asking.person.clone());
            let reference = asking.reference.clone();
            running.spawn(async move {
                let answer = match &portal.own_requests {
                    Some(own) => own.ask(&register, &person, &reference).await,
                    None => OwnAnswer::Unreachable,
                };
                (number, register, answer)
            });
        }
        let joined = tokio::select! {
            joined = running.join_next() => joined,
            () = sender.closed() => return Ok(()),
        };
        let Some(joined) = joined else { break };
        if let Ok((number, register, answer)) = joined {
            counts.add(&answer);
            sender.send(page.answer(number, &register, &answer)).await?;
        }
    }
    // A question that has stopped by a fault of the portal has no answer.
    counts.unreachable = counts.asked - counts.found - counts.nothing;
    sender.send(page.counts(counts)).await?;
    sender.send(page.end.clone()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_registers_of_the_form_are_chosen() {
        let form = b"register=bund%3Akba%3Azfzr&other=x&register=land%3Alam";
        assert_eq!(chosen(form), ["bund:kba:zfzr", "land:lam"]);
        assert!(chosen(b"").is_empty());
    }

    #[test]
    fn a_reference_tells_nothing_and_is_new_each_time() {
        let [one, other] = [reference(), reference()].map(Result::ok);
        assert!(one.is_some() && one != other);
    }
}
