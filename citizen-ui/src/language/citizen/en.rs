//! English.

use super::tables::{
    ActText, AskText, CitizenText, DetailText, FilterText, ListText, OverviewText, ProofText, ResultText, VisitsText,
};

pub(super) const TEXT: CitizenText = CitizenText {
    overview: OverviewText {
        title: "Overview",
        greeting: "Hello, ",
        newest: "The newest requests",
        new_since: |day| format!("New since your last visit on {day}"),
        nothing_new: "There has been no request since then.",
        none: "There is no request for your data.",
        all: |count| match count {
            1 => "See the request in the list".to_owned(),
            count => format!("See all {count} requests"),
        },
        picture: "Two years at a glance",
        picture_title: "Requests of the last 24 months",
        picture_hint: "The table below says the same.",
        lane: |name, count, refused| {
            let without = match refused {
                0 => String::new(),
                refused => format!(", {refused} of them without data"),
            };
            format!("{name}: {}{without}.", exchanges(count))
        },
        others: "others",
        own_visits: "You",
        erased: "erased",
        gapless: |from, until| format!("From {from} to {until} no request is missing."),
        bar_proved: "Checked without a gap",
        bar_server: "Not checked yet",
        legend_delivered: "data sent",
        legend_nothing: "nothing found",
        legend_refused: "refused, failed or still open",
        legend_visit: "your visit here",
        edge: "The picture ends on the left where the law ends: what is older than two years is erased (§ 9 (3) IDNrG).",
        table: "The same as a table",
        column_month: "Month",
        column_who: "Who asked?",
        column_count: "How often?",
        count: |count, without| match without {
            0 => exchanges(count),
            without => format!("{}, {without} of them without data", exchanges(count)),
        },
        visits,
        acts: "What would you like to do?",
        act_understand: "Understand a request or object to it",
        act_permissions: "See what is recorded",
        act_take: "Take everything with you",
    },
    list: ListText {
        title: "All requests",
        range: |first, last, matching| match matching {
            1 => "1 request".to_owned(),
            matching => format!("{first}–{last} of {matching} requests"),
        },
        matching: |matching, all| format!("{matching} of {all} requests match your search."),
        none: "There is no request for your data.",
        none_matching: "No request matches your search.",
        group: exchanges,
        own_visits: |count| match count {
            1 => "Your own visit is not in this list.".to_owned(),
            count => format!("Your own {count} visits are not in this list."),
        },
        own_requests: |count| match count {
            1 => "Once you asked a register yourself.".to_owned(),
            count => format!("You asked registers yourself {count} times."),
        },
        to_visits: "See the visits",
        end_since: |day| format!("Until {day}"),
        end_since_text: "What was before is erased: § 9 (3) of the Identification Number Act demands it.",
        end_beginning: "End of the list",
        end_beginning_text: "There was no request before: the list reaches back to the beginning of the log.",
        take: "Take it with you",
        pdf: "This list as a PDF file, with the proof in it",
        csv: "This list as a table (CSV)",
        json: "This list as data (JSON)",
        bundle: "File with proof for another program",
        bundle_hint: "The proof shows that nothing is missing. The PDF file and the file with proof contain your ID number: do not pass them on.",
        unopened: "Requests that could not be opened",
        unopened_entry: |indices, reason| format!("Entry {indices}: {reason}"),
        pages: "Pages of the list",
        page: |page| format!("Page {page}"),
        previous: "Previous page",
        next: "Next page",
    },
    filter: FilterText {
        title: "Search the requests",
        words: "Search",
        who: "Who asked?",
        at: "From whom?",
        result: "Result",
        law: "Law",
        from: "From",
        until: "Until",
        sort: "Order",
        newest: "Newest first",
        oldest: "Oldest first",
        by_authority: "By authority",
        all: |count| format!("all ({count})"),
        more: "More filters: register, time, law",
        submit: "Search",
        reset: "Show all",
    },
    visits: VisitsText {
        title: "Your visits",
        lead: "What you do is in the log, too: your visit here, and your questions to registers. So you can see whether another person was here in your name.",
        count: visits,
        and_requests: |count| match count {
            1 => " and 1 question to a register".to_owned(),
            count => format!(" and {count} questions to registers"),
        },
        not_you: "Was it not you?",
        not_you_text: &[
            "Then another person has logged in with your ID card. Block the card: the number of the emergency line is 116 116.",
            "Each day has at most one entry for visits. If you log in more often on a day, there is still one visit here.",
        ],
        technical: "Technical entries",
        technical_text: "These requests were prepared and not made. They are here so that no gap remains.",
        back: "Back to all requests",
    },
    detail: DetailText {
        title: |date| format!("Request on {date}"),
        kicker: |date, time| format!("Request on {date}, {time} (German time)"),
        visit_kicker: |date, time| format!("Entry of {date}, {time} (German time)"),
        back: "Back to all requests",
        back_to_visits: "Back to your visits",
        how_proved: "How it was checked",
        who: "Who?",
        who_own: "You",
        at: "From whom?",
        what: "What?",
        values: "The data themselves are not in the log.",
        why: "Why?",
        reference: "Reference: ",
        law: "Under which law?",
        allowed: "Was it allowed?",
        allowed_yes: "Yes.",
        allowed_no: "No. So no data were sent.",
        allowed_open: "The result of the check is still to come.",
        permission: "Permission: ",
        permission_then: "as it was on that day",
        permission_page: "See the permission and its law",
        only_you: "Only you and the supervisory authority learn this:",
        course: "What happened",
        step_asked: "The body that asks signs its request.",
        step_entered: "The request is in the log.",
        step_entered_note: |index| format!("Entry {index}. Data may be sent only after it."),
        step_checked: |passed, all| match (passed, all) {
            (passed, all) if passed == all => format!("The broker checks {all} points. All are in order."),
            (passed, all) => format!("The broker checks {all} points. {passed} are in order."),
        },
        step_unchecked: "No check has been entered yet.",
        step_sent: "The data are sent to the authority, encrypted.",
        step_sent_own: "The data are sent here, encrypted. Only you get to see them.",
        step_not_sent: "No data are sent.",
        step_closed: "The result is in the log.",
        step_closed_note: |index| format!("Entry {index}."),
        step_open: "The result is not in the log yet.",
        right: "Is that right?",
        right_yes: "Yes, it belongs to my application: then you need not do anything.",
        right_ask: "I do not understand it: ask the authority",
        right_object: "It was not necessary: object or complain",
        unknown: "Why do I not recognise this?",
        unknown_reasons: &[
            "You applied weeks ago, and the authority handles it now.",
            "You acted for another person, for example for your child.",
            "You appear in the data of another person: the car or the flat is yours, or you live there.",
            "There was an error the first time, and the authority tried again.",
            "The authority has another name for the document.",
        ],
        retention: "How long is this kept?",
        technical: |facts| format!("Technical details and signatures ({facts})"),
        files: "Take the proof with you",
        files_text: "The receipt shows that the entry is in the log. The proof also shows what it says and that it is yours.",
        files_warning: "The proof contains your ID number and the key of this entry. Pass it on only if you want that.",
        receipt: |index| format!("Receipt for entry {index}"),
        opening: |index| format!("Proof for entry {index}"),
    },
    proof: ProofText {
        title: "How this request is checked",
        back: "Back to the request",
        lead: "Imagine a book from which no page can be torn without it being noticed. Your browser checks three things:",
        in_log: "It is in the log.",
        in_log_text: |index, size| format!("Entry {index} of {size}."),
        unchanged: "It is unchanged.",
        unchanged_text: "What you read was entered exactly like this.",
        yours: "It is yours.",
        yours_text: |number| {
            format!("Computed with the ID number {number}. Is that not your number? Then something is wrong.")
        },
        picture: "The way to the state of the log",
        picture_title: "From the request to the fingerprint of the whole log",
        picture_text: |steps| {
            format!(
                "The entry becomes a fingerprint. It is combined {steps} times with a neighbour. At the end is the fingerprint of the whole log, which the witnesses have confirmed."
            )
        },
        your_entry: "This retrieval",
        neighbour: "neighbour",
        whole: "Whole log",
        caption: "Two fingerprints make a new one. If a letter is changed, something else comes out at the end. And the witnesses have confirmed something else.",
        try_title: "Try it",
        try_text: "Change a letter here. Your browser computes again.",
        try_label: "Reason of the request, as it was entered",
        try_hint: "This stays on your device.",
        same: |digest| format!("Fingerprint {digest}: this version is in the log."),
        changed: |changed, digest| {
            format!("Fingerprint {changed} instead of {digest}: this version is not in the log.")
        },
        not_proved: "What this does not prove",
        limits: &[
            "Whether an authority has passed on your data in another way.",
            "Whether the reason is true. But the authority has signed it.",
            "That this program is genuine: it comes from us.",
        ],
        without_us: "Check without us",
        no_picture: "The content of this entry is erased. The entry itself is still in the log.",
    },
    ask: AskText {
        title: "Write about this request",
        back: "Back to the request",
        lead: "Here you get a letter, in German. We do not send it and do not store it.",
        choose: "What would you like?",
        understand: ActText {
            name: "Understand: why was that?",
            next: "The authority can explain the case to you. If it does not answer, demand access under Article 15 GDPR.",
            ..super::de::TEXT.ask.understand
        },
        access: ActText {
            name: "Access: which data do you have? (Article 15 GDPR)",
            next: MONTH,
            ..super::de::TEXT.ask.access
        },
        rectify: ActText {
            name: "Rectify: something is wrong. (Article 16 GDPR)",
            next: MONTH,
            ..super::de::TEXT.ask.rectify
        },
        object: ActText {
            name: "Object: I do not want this. (Article 21 GDPR)",
            next: MONTH,
            ..super::de::TEXT.ask.object
        },
        complain: ActText {
            name: "Complain: the supervisory authority shall check. (Article 77 GDPR)",
            next: "The supervisory authority must tell you within three months how far it is (Article 78 (2) GDPR).",
            ..super::de::TEXT.ask.complain
        },
        number: "Write my ID number into the letter",
        show: "Show the letter",
        to: "To: ",
        to_supervision: "To the data protection authority of your Land. For a federal authority: to the Federal Commissioner for Data Protection.",
        letter: "Your letter",
        letter_text: "Text",
        letter_hint: "You can change the text here. What you change stays in your browser.",
        copy: "Copy the text",
        copied: "The text is copied.",
        mail: "Open in the mail program",
        pdf: "Get the letter as a PDF file",
        print: "The PDF file has the text that we propose, and the receipt. To print a changed text, use “Print” in your browser.",
        what_next: "What happens then?",
        attach: "Attach the receipt if the authority is to check the entry:",
        // The letter is for a German authority.
        ..super::de::TEXT.ask
    },
    result: ResultText {
        delivered: "Data sent",
        nothing: "Nothing found",
        refused: "Refused",
        failed: "Failed",
        timed_out: "No answer",
        withdrawn: "Withdrawn",
        open: "Still open",
        erased: "Erased",
        own: "Caused by you",
    },
};

const MONTH: &str =
    "The authority must answer within one month (Article 12 (3) GDPR). If it does not, you can complain.";

fn exchanges(count: usize) -> String {
    match count {
        1 => "1 request".to_owned(),
        count => format!("{count} requests"),
    }
}

fn visits(count: usize) -> String {
    match count {
        1 => "1 visit".to_owned(),
        count => format!("{count} visits"),
    }
}
