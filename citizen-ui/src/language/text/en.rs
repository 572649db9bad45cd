//! English.

use super::tables::{ErrorTexts, FrameText, RecordedText, Section, SectionsText, StartText, Text, VerifyText};

pub(super) const FRAME: FrameText = FrameText {
    product: "Einsicht",
    claim: "Who has retrieved my data?",
    menu: "Menu",
    banner: "Demonstrator – not an official website, invented data only",
    banner_label: "Note on this demonstration",
    skip: "Skip to content",
    nav_label: "Main navigation",
    footer_label: "More pages",
    language: "English",
    nav_start: "Start",
    nav_overview: "Overview",
    nav_own_data: "My data in registers",
    nav_visits: "Your visits",
    nav_list: "All requests",
    nav_landkarte: "Registerlandkarte",
    nav_log: "Public log",
    nav_help: "Help",
    nav_privacy: "Privacy",
    nav_imprint: "Imprint",
    nav_recorded: "What is recorded",
    nav_checked: "How it is checked",
    nav_verify: "Verify it yourself",
    nav_accessibility: "Accessibility",
    nav_design: "Design and licences",
    login: "Log in",
    logout: "Log out",
    logged_in: "Logged in: ",
    session: |idle, end| {
        if idle == end {
            format!("You will be logged out at {end} (German time).")
        } else {
            format!("You will be logged out at {idle}, at the latest at {end} (German time).")
        }
    },
    session_warning: "You will be logged out in less than a minute.",
    session_stay: "Stay logged in for longer",
};

pub(super) const TEXT: Text = Text {
    start: StartText {
        title: "Who retrieved your data?",
        lead: "Authorities fetch evidence about you directly from other authorities, so that you need not bring it. Here you see which authority retrieved something about you, when and why. You need not take our word for it: your browser checks every page itself.",
        login: "Log in and see the requests",
        login_hint: "To log in you need an online identity with the level of assurance “high”. In this demonstration you choose an invented person.",
        to_list: "To your requests",
        sections: &[
            Section {
                title: "What you see here",
                text: &[
                    "For each access: who asked, whom, when, on which occasion, under which law and for which kinds of data. Also when nothing was found or the request was refused.",
                    "You do not see the data themselves here. They are not in the log.",
                ],
            },
            Section {
                title: "Why you can rely on it",
                text: &[
                    "Every access is entered in a log before any data are sent. Entries cannot be changed or removed unnoticed, not even by the operator: independent witnesses confirm the state of the log all the time.",
                    "Every entry has a proof. Your browser checks it, and you can take it with you and check it without us.",
                ],
            },
            Section {
                title: "What we store about you",
                text: &[
                    "Nothing. Your entries are loaded after you log in and deleted when you log out, after five minutes without action and after 30 minutes at the latest.",
                    "Your browser remembers on your device how large the log was, by which rules it has checked, and a mark of your identification number that fits millions of numbers. So it notices if the server shows something else next time. You can erase this on the page with your requests.",
                    "Your visit is entered too. So you can see whether another person looked in your name.",
                ],
            },
        ],
        over_title: "You are logged out",
        over: &[
            "Your data have been deleted from this server.",
            "On another person's device: next time, before you log out, erase what it remembers (“This device shall remember nothing”). Close the browser now.",
        ],
        over_provider: "You may still be logged in at the login service.",
        over_provider_link: "Log out there, too",
        cancelled_title: "You cancelled the login",
        cancelled: &["Nothing was loaded. You can log in at any time."],
    },
    recorded: RecordedText {
        title: "What is recorded",
        lead: "For each retrieval there is a public entry, which says nothing about you, and a sealed description, which only you, the two authorities and the supervisory authority can read.",
        caption: "Who can read what?",
        column_who: "Who",
        column_sees: "What",
        rows: &[
            (
                "Everybody",
                "Time, a number that looks random, digests. No person, no authority, no content.",
            ),
            (
                "You",
                "Everything about your own accesses, also reasons that the asking body does not learn.",
            ),
            (
                "The asking and the answering authority",
                "The description of their own case.",
            ),
            (
                "Supervision",
                "Only in single cases, with a file number and two persons, and that is entered as well. This access is not built yet in the demonstrator.",
            ),
            (
                "The broker",
                "Which authority asks for which kind of evidence and why. Not whom it concerns and not what is answered.",
            ),
        ],
        sections: &[
            Section {
                title: "What is never recorded",
                text: &[
                    "The data sent, your name and your identification number. They are in no entry and in no description.",
                ],
            },
            Section {
                title: "How long",
                text: &[
                    "Two years (§ 9 (3) Identification Number Act), for retrievals from other European countries twelve months. Each description is locked with a key that is destroyed after its day of expiry. From then on it cannot be read any more, not even in a copy or a backup. Your list then only says when something happened, and that it is erased. The public entry stays; it says nothing about you.",
                ],
            },
            Section {
                title: "Law",
                text: &[
                    "§ 9 of the Identification Number Act (IDNrG) demands the log, § 10 of the Online Access Act (OZG) the data protection cockpit. It is to be built so that interference by the state to the detriment of its users is not possible.",
                ],
            },
        ],
    },
    verify: VerifyText {
        title: "Verify it yourself, without us",
        lead: "The program with which your browser checks comes from this server. If you do not want to trust us in that either, take the program “verifier” from another source. It does not need this website.",
        step_trust: Section {
            title: "1. Get the keys",
            text: &[
                "You need two things from a source that you trust: the file of keys (trust.policy) and the digest of the first entry. Compare both with those that this server uses:",
            ],
        },
        step_entry: Section {
            title: "2. Verify entries",
            text: &[
                "Download the receipt or the opening on the page of an access, or below the list all entries at once. Only with all of them can it be checked that none is missing. Verifying needs no network:",
            ],
        },
        step_log: Section {
            title: "3. Verify the whole log",
            text: &["You need not be logged in for this. Every entry, every signature and every digest is checked:"],
        },
        codes: Section {
            title: "The result",
            text: &[
                "The program ends with 0 if everything is sound, with 1 if something is not, with 2 if it was called wrongly and with 3 if the log cannot be reached.",
            ],
        },
        limits: Section {
            title: "What this does not prove",
            text: &[
                "Authorities can also pass on data outside this system. The log knows nothing of that.",
                "“These are all” holds up to the time that stands beside it, and not for entries that the law shows you only later.",
                "No program can check whether an authority really had the occasion it gives. But it has signed it.",
            ],
        },
    },
    accessibility: SectionsText {
        title: "Accessibility",
        lead: "Everybody should be able to use these pages. The measure is BITV 2.0, EN 301 549 and WCAG 2.2, level AA.",
        sections: &[
            Section {
                title: "What has been done",
                text: &[
                    "Everything works with the keyboard and without JavaScript. Colour is never the only sign. The pages adapt to zoom, narrow screens, dark mode and high contrast.",
                    "A minute before the session ends the page warns. One click prolongs the session up to its longest duration.",
                ],
            },
            Section {
                title: "What is still missing",
                text: &[
                    "Easy language and sign language are still missing. This demonstration has not been tested with a screen reader or by people with disabilities yet. It therefore does not claim to meet BITV 2.0.",
                ],
            },
            Section {
                title: "Report something",
                text: &[
                    "This is a demonstration. The operator of a real site names a contact here, and the arbitration body under § 16 of the Disability Equality Act (BGG).",
                ],
            },
        ],
    },
    design: SectionsText {
        title: "Design and licences",
        lead: "These pages use open components.",
        sections: &[
            Section {
                title: "KERN",
                text: &[
                    "The design follows KERN, the open design system of the German administration, version 2.7.2, licence EUPL-1.2, unchanged. Marks of official websites are deliberately not used.",
                ],
            },
            Section {
                title: "Fira Sans",
                text: &[
                    "The typeface is Fira Sans, version 5.3.0 of the collection Fontsource, SIL Open Font License 1.1.",
                ],
            },
            Section {
                title: "This program",
                text: &["Einsicht is licensed under the EUPL-1.2. Its source is open."],
            },
        ],
    },
    errors: ErrorTexts {
        not_found: Section {
            title: "There is no such page",
            text: &["Perhaps the address is mistyped, or the entry is not yours."],
        },
        login_needed: Section {
            title: "Please log in",
            text: &["You are not logged in, or your session has ended."],
        },
        login_failed: Section {
            title: "The login did not work",
            text: &["The login took too long, was finished already or is not genuine. Nothing was loaded."],
        },
        assurance: Section {
            title: "This login is not secure enough",
            text: &[
                "To see your accesses you need a login with the level of assurance “high”, for example with the online ID card.",
            ],
        },
        login_unreachable: Section {
            title: "The login service cannot be reached",
            text: &["Please try again in a few minutes."],
        },
        clock: Section {
            title: "Logging in does not work at the moment",
            text: &[
                "The clocks of our machines and of the login service differ. The fault is ours, not yours. Nothing was loaded. Please try again later.",
            ],
        },
        identity_refused: Section {
            title: "Your entries could not be opened",
            text: &["The identity service did not accept the login. Nothing was loaded."],
        },
        identity_unreachable: Section {
            title: "Your entries cannot be opened at the moment",
            text: &["The identity service cannot be reached. Please try again in a few minutes."],
        },
        ledger_unreachable: Section {
            title: "The log cannot be reached at the moment",
            text: &[
                "Please try again in a few minutes. While the log cannot be reached, the authorities send no data.",
            ],
        },
        busy: Section {
            title: "The file is not ready yet",
            text: &["Many people are getting a file at this moment. Please try again in a minute."],
        },
        internal: Section {
            title: "Something went wrong here",
            text: &["The fault is ours. Please try again."],
        },
        again: "Log in again",
    },
};
