//! The problems that the broker returns. Their details are uniform, so that a refusal does not reveal its reason.

use ledger_client::writer::AppendError;
use messages::MessageError;
use service::problem::Problem;

use crate::authenticate::AuthenticationError;

/// 403: the one answer to every refused request.
pub(crate) fn not_permitted() -> Problem {
    Problem::forbidden("not-permitted", "")
}

/// 400 if both signatures of the request are valid and only its time is not: that is no secret from its sender, who can
/// correct the clock. 403 otherwise.
pub(crate) fn not_authenticated(error: &AuthenticationError) -> Problem {
    match error {
        AuthenticationError::Message(MessageError::Expired) => Problem::bad_request(
            "clock",
            "the times of the request and of the broker differ by more than five minutes",
        ),
        _ => not_permitted(),
    }
}

/// 503: a task is working on the exchange.
pub(crate) fn under_way() -> Problem {
    Problem::unavailable("under-way", 1, "the exchange is in progress")
}

/// 409: the consumer has the completion already.
pub(crate) fn acknowledged() -> Problem {
    Problem::conflict("acknowledged", "the completion has been acknowledged")
}

/// 503: another compartment does not answer at present.
pub(crate) fn try_again(why: &str) -> Problem {
    Problem::unavailable("try-again", 2, why)
}

/// Whether the problem is [`try_again`].
pub(crate) fn is_try_again(problem: &Problem) -> bool {
    problem.slug == "try-again"
}

/// 503: the broker is ending; the next start continues from the journal.
pub(crate) fn ending() -> Problem {
    Problem::unavailable("ending", 2, "the broker is ending")
}

/// 503: the journal or the writer has failed. The reason goes to the operator's log only.
pub(crate) fn stopped(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the broker cannot record: it refuses exchanges until an operator acts");
    Problem::unavailable("stopped", 60, "the broker cannot record exchanges at the moment")
}

/// The problem for an entry that was not recorded.
pub(crate) fn not_recorded(error: &AppendError) -> Problem {
    match error {
        AppendError::Ended => ending(),
        AppendError::GivenUp => try_again("the log does not take entries at the moment"),
        _ => stopped(error),
    }
}
