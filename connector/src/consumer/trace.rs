//! The trace id of an exchange (W3C Trace Context).

use messages::MessageError;

/// The trace id of a W3C `traceparent` (version 00), or a random one if there is no valid one.
///
/// # Errors
/// When the operating system has no randomness.
pub(super) fn trace_id(traceparent: Option<&str>) -> Result<String, MessageError> {
    let given = traceparent.and_then(|text| {
        let mut parts = text.split('-');
        let (Some("00"), Some(id), Some(_), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let hex = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hex && id.bytes().any(|byte| byte != b'0')).then(|| id.to_owned())
    });
    match given {
        Some(id) => Ok(id),
        None => Ok(messages::random::<16>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_trace_id_is_that_of_traceparent() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace_id(Some(&format!("00-{id}-b7ad6b7169203331-01"))).unwrap(), id);
        let all_zero = "0".repeat(32);
        for bad in [
            "",
            "00",
            &format!("01-{id}-x-01"),
            &format!("00-{all_zero}-b7-01"),
            "00-ABC-b7-01",
        ] {
            let fresh = trace_id(Some(bad)).unwrap();
            assert!(fresh.len() == 32 && fresh != id, "{bad}");
        }
    }
}
