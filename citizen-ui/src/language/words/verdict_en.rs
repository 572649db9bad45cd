//! The verdict in English.

use super::verdict::VerdictWords;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;

pub(super) const VERDICT: VerdictWords = VerdictWords {
    unchecked: "Your browser has not checked this page yet",
    unchecked_hint: "If this note stays, your browser cannot check, for example because JavaScript is off.",
    more: "What does that mean?",
    server_complete: |claim| {
        format!(
            "Only our server has checked: {}, and none is missing. You would have to take our word for it.",
            exchanges(claim.exchanges)
        )
    },
    server_unwitnessed: "Our server could not check yet either whether an entry is missing: not enough independent witnesses have confirmed the state of the log. Log in again in a few minutes.",
    server_failed: |reason| format!("Our server has found an error. This list is not proved. {reason}"),
    pending: "Your browser is checking this page …",
    pending_hint: "This usually takes less than a second.",
    proved_list: |claim| match claim.exchanges {
        0 => "No request – and none is missing".to_owned(),
        count => format!("{} – and none is missing", exchanges(count)),
    },
    proved_access: "Checked: this is what the log says",
    proved_by: |at, ending| {
        format!(
            "Your browser itself has checked this at {}, for the ID number that ends with {ending}.",
            at.clock_with_seconds(Lang::En)
        )
    },
    counted: |claim, witnesses| {
        let visits = match claim.inspections {
            1 => "1 visit".to_owned(),
            count => format!("{count} visits"),
        };
        let own = match claim.own {
            0 => String::new(),
            1 => ", 1 request of your own".to_owned(),
            count => format!(", {count} requests of your own"),
        };
        let unused = match claim.unused {
            0 => String::new(),
            1 => " and 1 request that was prepared".to_owned(),
            count => format!(" and {count} requests that were prepared"),
        };
        let since = claim.since.map(|since| format!(" since {}", LocalTime::of(since).date));
        let confirmed = match witnesses {
            0 => String::new(),
            1 => ", confirmed by 1 witness".to_owned(),
            count => format!(", confirmed by {count} witnesses"),
        };
        format!(
            "These are all{}: {}, {visits}{own}{unused}. As of {}{confirmed}.",
            since.unwrap_or_default(),
            exchanges(claim.exchanges),
            LocalTime::of(claim.as_of).full(Lang::En)
        )
    },
    since: "What came before is erased, as the law says. It can no longer be attributed to a person.",
    later: |count| match count {
        1 => "1 entry of the list is newer than that. Whether more came after it you will see when you log in again."
            .to_owned(),
        count => format!(
            "{count} entries of the list are newer than that. Whether more came after them you will see when you log in again."
        ),
    },
    not_counted: "Not counted: requests that the law lets us show you only later.",
    first: "Your device sees this log for the first time. It remembers the state, to compare it next time, but no entry.",
    grown: |seen| {
        format!(
            "Your device knows this log as of {}. Since then it has only grown.",
            seen.full(Lang::En)
        )
    },
    other_person: "Is this your number?",
    other_person_hint: |ending| {
        format!(
            "This page shows the entries of the person whose identification number ends with {ending}. On this device it was another person before. If it is not your number, the server shows you the list of another person: report it to the data protection authority."
        )
    },
    old: |minutes| match minutes {
        0..120 => format!("This page is {minutes} minutes old"),
        minutes => format!("This page is {} hours old", minutes / 60),
    },
    old_hint: "It is checked up to then. What came later you will see when you log in again.",
    clock: "The clock of your device is slow",
    clock_hint: "This page is checked. Because the clock is wrong, your browser cannot say how old the page is. Set the clock and reload the page.",
    unwitnessed: "The newest entries are not confirmed yet",
    unwitnessed_hint: "Not enough independent witnesses have seen them. This usually takes only seconds. Then reload the page.",
    unlinked: "The comparison with last time is missing",
    unlinked_hint: |seen| {
        format!(
            "Your device knows this log as of {}. The server has not shown that it has only grown since. Reload the page. If this note stays, report it to the data protection authority.",
            seen.full(Lang::En)
        )
    },
    unable: "Your browser could not check this page",
    unable_load: "The proof has not arrived. What you see here is not checked. Are you still logged in? Reload the page, or log in again.",
    unable_unwitnessed: "Not enough independent witnesses have confirmed the state of the log yet. What you see here is not checked. Log in again in a few minutes.",
    unable_too_long: "The list is too long for a proof in one file. What you see here is not checked. You can download each entry and check it without us.",
    failed: "Attention: this page is not right",
    failed_proof: |reason| format!("{reason} What you see here is not proved."),
    shown: "The server showed something else than the log:",
    shown_below: "Your browser has corrected the page: below is what the log proves. If a translation program or an extension of your browser has changed the page, switch it off and reload the page.",
    altered: "The page was changed after your browser had checked it:",
    too_old: |as_of| {
        format!(
            "The server shows the state of {}. That is more than a day ago. What came later is missing here.",
            as_of.full(Lang::En)
        )
    },
    other_log: "This is another log than the one that your device knows. Nothing here is proved.",
    other_policy: "The server wants to be checked by other rules than before: with another key, other witnesses, or fewer of them. Nothing here is proved.",
    older: |seen| {
        format!(
            "The server shows an old state. Your device has already checked a newer one, of {}. What came later is missing here.",
            seen.full(Lang::En)
        )
    },
    rewritten: |seen| {
        format!(
            "The log does not continue the one that your device knows (as of {}). Someone has rewritten the past, or shows you a second log.",
            seen.full(Lang::En)
        )
    },
    what_to_do: "What you can do: take a picture of this page and, if possible, download all entries with their proof. Report it to the data protection authority. You can try again on another device.",
    forget_hint: "If the operator has announced in public that the log or its witnesses change, compare the new keys elsewhere. Then your device can forget the old ones.",
    alert: "Attention, not right",
    row: |index, when| match when {
        Some(when) => format!("Entry {index} of {}", when.full(Lang::En)),
        None => format!("Entry {index}"),
    },
    fact: |label| format!("Statement “{label}”"),
    page: "On the page",
    text: |shown, proved| format!("Shown was “{shown}”. Proved is “{proved}”."),
    missing: |proved| format!("This was missing: “{proved}”."),
    added: |shown| format!("This does not belong here: “{shown}”."),
    added_unseen: "Something was inserted here that has no text, but can change what is seen.",
    order: "The order was another one.",
    target: |shown, proved| format!("It led to “{shown}”. Right is “{proved}”."),
    look: "It was hidden or looked different.",
    verify: "Check without us: Verify it yourself",
    login: "Log in again",
    confirm: "Yes, this is my number",
    forget: "This device shall remember nothing",
};

fn exchanges(count: usize) -> String {
    match count {
        1 => "1 request".to_owned(),
        count => format!("{count} requests"),
    }
}
