//! `Retry-After` (RFC 9110 §10.2.3): how long a server asks its client to wait, as seconds or as a date.
//!
//! A date is compared with the `Date` of the same response, so that a difference between the two clocks does not
//! matter. Skylight spells the zone of its date `UTC` where the RFC says `GMT`; both are read.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use axum::http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The time that a response asks the client to wait, zero for a date in the past. `None` if the response does not ask,
/// or asks in a form that cannot be read. `now` is used when the response has no date. The caller must limit the time:
/// a server can ask for any.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let asked = text(headers, RETRY_AFTER)?;
    if asked.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    let from = text(headers, DATE).and_then(date).unwrap_or(now);
    date(asked).map(|until| until.duration_since(from).unwrap_or_default())
}

/// [`retry_after`] in whole seconds, by the machine's clock.
#[must_use]
pub fn retry_after_seconds(headers: &HeaderMap) -> Option<u32> {
    let asked = retry_after(headers, SystemTime::now())?;
    Some(u32::try_from(asked.as_secs()).unwrap_or(u32::MAX))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then_some(value)
}

fn date(text: &str) -> Option<SystemTime> {
    let text = match text.strip_suffix("UTC") {
        Some(start) => Cow::Owned(format!("{start}GMT")),
        None => Cow::Borrowed(text),
    };
    httpdate::parse_http_date(&text).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        // 2026-11-29T06:00:00Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_932_000);
        super::retry_after(&headers, now).map(|time| time.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(asked("7", None), Some(7));
        assert_eq!(asked(" 0 ", None), Some(0));
        assert_eq!(asked("99999999999999999999999", None), Some(u64::MAX));
        assert_eq!(asked("Sun, 29 Nov 2026 06:00:30 GMT", None), Some(30));
        assert_eq!(asked("Sun, 29 Nov 2026 06:00:30 UTC", None), Some(30));
        assert_eq!(asked("Sunday, 29-Nov-26 06:00:30 GMT", None), Some(30));
        assert_eq!(asked("Sun Nov 29 06:00:30 2026", None), Some(30));
        assert_eq!(asked("Sun, 29 Nov 2026 05:59:30 GMT", None), Some(0));
    }

    #[test]
    fn a_date_is_compared_with_the_servers_clock() {
        let date = Some("Sun, 29 Nov 2026 07:00:00 GMT");
        assert_eq!(asked("Sun, 29 Nov 2026 07:00:05 GMT", date), Some(5));
        assert_eq!(asked("5", date), Some(5));
    }

    #[test]
    fn what_cannot_be_read_asks_for_nothing() {
        for unreadable in ["", "-1", "1.5", "soon", "Sun, 29 Nov 2026 06:00:30 CET"] {
            assert_eq!(asked(unreadable, None), None, "{unreadable:?}");
        }
        assert_eq!(super::retry_after(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
    }
}
