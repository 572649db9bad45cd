//! German in short sentences and easy words. What is not here is as in German.

use super::de;
use super::tables::{
    ActText, AskText, CitizenText, DetailText, FilterText, ListText, OverviewText, ProofText, ResultText, VisitsText,
};

pub(super) const TEXT: CitizenText = CitizenText {
    overview: OverviewText {
        title: "Start",
        newest: "Die letzten Fragen der Ämter",
        new_since: |day| format!("Das ist neu seit dem {day}"),
        nothing_new: "Es gibt nichts Neues.",
        none: "Kein Amt hat nach Ihren Daten gefragt.",
        all: |count| match count {
            1 => "Die Frage ansehen".to_owned(),
            count => format!("Alle {count} Fragen ansehen"),
        },
        picture: "Ein Bild von 2 Jahren",
        picture_title: "So oft haben Ämter gefragt",
        picture_hint: "Unten steht das Gleiche als Tabelle.",
        lane: |name, count, refused| {
            let without = match refused {
                0 => String::new(),
                refused => format!(" {refused} Mal gab es keine Daten."),
            };
            format!("{name}: {count} Mal.{without}")
        },
        gapless: |from, until| format!("Von {from} bis {until}: Es fehlt nichts."),
        bar_proved: "Geprüft: Es fehlt nichts",
        legend_delivered: "Daten geschickt",
        legend_nothing: "keine Daten da",
        legend_refused: "Nein, kaputt oder offen",
        legend_visit: "Sie waren hier",
        edge: "Links ist das Bild zu Ende. Was älter ist als 2 Jahre, wird gelöscht. So will es das Gesetz.",
        table: "Das Gleiche als Tabelle",
        count: |count, without| match without {
            0 => format!("{count} Mal"),
            without => format!("{count} Mal, {without} Mal ohne Daten"),
        },
        visits: |count| format!("{count} Mal"),
        acts: "Was wollen Sie tun?",
        act_understand: "Ein Amt fragen: Warum war das?",
        act_permissions: "Was wird auf-geschrieben?",
        act_take: "Alles mit-nehmen",
        ..de::TEXT.overview
    },
    list: ListText {
        title: "Wer hat meine Daten geholt?",
        range: |first, last, matching| match matching {
            1 => "1 Frage".to_owned(),
            matching => format!("{first} bis {last} von {matching} Fragen"),
        },
        matching: |matching, all| format!("{matching} von {all} Fragen passen zu Ihrer Suche."),
        none: "Kein Amt hat nach Ihren Daten gefragt.",
        none_matching: "Nichts passt zu Ihrer Suche.",
        group: |count| format!("{count} Mal"),
        own_visits: |count| format!("Sie selbst waren {count} Mal hier."),
        own_requests: |count| format!("Sie haben selbst {count} Mal gefragt."),
        to_visits: "Das ansehen",
        end_since_text: "Was davor war, ist gelöscht. So will es das Gesetz.",
        end_beginning_text: "Davor war nichts. Es fehlt nichts.",
        take: "Mit-nehmen",
        pdf: "Die Liste als PDF-Datei holen. Der Beweis ist darin.",
        csv: "Die Liste als Tabelle holen",
        json: "Die Liste für den Computer holen",
        bundle: "Die Datei mit dem Beweis holen",
        bundle_hint: "In der PDF-Datei und im Beweis steht Ihre Nummer. Geben Sie die Dateien keinem anderen.",
        unopened: "Das konnten wir nicht öffnen",
        previous: "Eine Seite zurück",
        next: "Eine Seite weiter",
        ..de::TEXT.list
    },
    filter: FilterText {
        title: "In der Liste suchen",
        result: "Was kam heraus?",
        more: "Mehr Auswahl",
        newest: "Das Neue zuerst",
        oldest: "Das Alte zuerst",
        by_authority: "Nach Amt",
        reset: "Alles zeigen",
        ..de::TEXT.filter
    },
    visits: VisitsText {
        title: "Wann war ich hier?",
        lead: "Waren Sie hier? Dann schreiben wir das auf. So sehen Sie: War ein anderer Mensch mit Ihrem Namen hier?",
        count: |count| format!("Sie waren {count} Mal hier."),
        and_requests: |count| format!(" Sie haben {count} Mal gefragt: Was steht da über mich?"),
        not_you_text: &[
            "Dann hat ein anderer Mensch Ihren Ausweis benutzt. Rufen Sie an: 116 116. Dort wird der Ausweis gesperrt.",
            "Jeden Tag schreiben wir nur 1 Mal auf.",
        ],
        technical: "Für die Technik",
        technical_text: "Hier wollte ein Amt fragen. Es hat dann nicht gefragt.",
        back: "Zurück zur Liste",
        ..de::TEXT.visits
    },
    detail: DetailText {
        title: |date| format!("Frage am {date}"),
        kicker: |date, time| format!("Am {date} um {time}"),
        visit_kicker: |date, time| format!("Am {date} um {time}"),
        back: "Zurück zur Liste",
        back_to_visits: "Zurück",
        how_proved: "So geht die Prüfung",
        values: "Die Daten selbst stehen hier nicht.",
        who_own: "Sie selbst",
        reference: "Nummer beim Amt: ",
        law: "Welches Gesetz?",
        allowed: "Durfte das Amt das?",
        allowed_yes: "Ja.",
        allowed_no: "Nein. Das Amt hat nichts bekommen.",
        allowed_open: "Das wissen wir noch nicht.",
        permission_then: "so war es an diesem Tag",
        permission_page: "Die Erlaubnis ansehen",
        only_you: "Das wissen nur Sie:",
        course: "So war es",
        step_asked: "Das Amt fragt.",
        step_entered: "Die Frage wird auf-geschrieben.",
        step_entered_note: |index| format!("Das ist Eintrag {index}."),
        step_checked: |passed, all| match (passed, all) {
            (passed, all) if passed == all => "Die Frage wird geprüft. Alles ist gut.".to_owned(),
            _ => "Die Frage wird geprüft. Es ist nicht alles gut.".to_owned(),
        },
        step_unchecked: "Es gab keine Prüfung.",
        step_sent: "Die Daten gehen an das Amt. Niemand kann mit-lesen.",
        step_sent_own: "Die Daten kommen hierher. Nur Sie sehen die Daten.",
        step_not_sent: "Es gehen keine Daten an das Amt.",
        step_closed: "Das Ende wird auf-geschrieben.",
        step_open: "Das Ende fehlt noch.",
        right: "Ist das richtig?",
        right_yes: "Ja? Dann müssen Sie nichts tun.",
        right_ask: "Ich verstehe das nicht: das Amt fragen",
        right_object: "Ich will das nicht: einen Brief schreiben",
        unknown: "Warum kenne ich das nicht?",
        unknown_reasons: &[
            "Sie haben den Antrag vor langer Zeit gestellt.",
            "Sie haben den Antrag für einen anderen Menschen gestellt. Zum Beispiel für Ihr Kind.",
            "Es ging um einen anderen Menschen. Sie kommen in seinen Daten vor.",
            "Es gab einen Fehler. Das Amt hat noch 1 Mal gefragt.",
            "Das Amt sagt ein anderes Wort dafür als Sie.",
        ],
        retention: "Wie lange steht das hier?",
        technical: |facts| format!("Für Fach-Leute ({facts} Angaben)"),
        files: "Den Beweis mit-nehmen",
        files_text: "Mit dem Beweis kann jeder prüfen: Es ist wahr.",
        files_warning: "In dem Beweis steht Ihre Nummer. Geben Sie ihn nur weiter, wenn Sie das wollen.",
        ..de::TEXT.detail
    },
    proof: ProofText {
        title: "So geht die Prüfung",
        back: "Zurück",
        lead: "Denken Sie an ein Buch. Keiner kann eine Seite heraus-reißen. Das würden alle merken. Ihr Computer rechnet 3 Dinge nach:",
        in_log: "Es steht im Buch.",
        in_log_text: |index, size| format!("Es ist Eintrag {index} von {size}."),
        unchanged: "Keiner hat es geändert.",
        unchanged_text: "Sie lesen, was auf-geschrieben wurde.",
        yours: "Es gehört zu Ihnen.",
        yours_text: |number| format!("Ihre Nummer ist {number}. Ist das falsch? Dann stimmt etwas nicht."),
        picture: "Ein Bild davon",
        picture_text: |steps| {
            format!(
                "Aus dem Text wird eine Zahl. Dann wird {steps} Mal gerechnet. Am Ende steht die Zahl für das ganze Buch."
            )
        },
        caption: "Ändert ein Mensch einen Buchstaben, kommt am Ende eine andere Zahl heraus. Das merken alle.",
        try_title: "Machen Sie es selbst",
        try_text: "Ändern Sie einen Buchstaben. Ihr Computer rechnet neu.",
        try_label: "Der Grund",
        same: |digest| format!("Die Zahl ist {digest}. Der Text stimmt."),
        changed: |changed, digest| {
            format!("Die Zahl ist {changed}. Richtig ist {digest}. Dieser Text steht nicht im Buch.")
        },
        not_proved: "Was wir nicht wissen",
        limits: &[
            "Hat ein Amt Ihre Daten anders weiter-gegeben? Das wissen wir nicht.",
            "Stimmt der Grund? Das wissen wir nicht. Aber das Amt hat unter-schrieben.",
            "Das Programm für die Prüfung kommt von uns.",
        ],
        no_picture: "Der Text ist gelöscht.",
        your_entry: "Diese Zeile",
        whole: "Das ganze Buch",
        ..de::TEXT.proof
    },
    ask: AskText {
        title: "Einen Brief schreiben",
        back: "Zurück",
        lead: "Wir helfen Ihnen mit dem Brief. Wir schicken ihn nicht ab. Das machen Sie.",
        choose: "Was wollen Sie?",
        understand: ActText {
            name: "Ich will verstehen: Warum war das?",
            next: "Das Amt kann Ihnen antworten.",
            ..de::TEXT.ask.understand
        },
        access: ActText {
            name: "Ich will wissen: Welche Daten haben Sie von mir?",
            next: MONTH,
            ..de::TEXT.ask.access
        },
        rectify: ActText {
            name: "Da ist etwas falsch.",
            next: MONTH,
            ..de::TEXT.ask.rectify
        },
        object: ActText {
            name: "Ich will das nicht.",
            next: MONTH,
            ..de::TEXT.ask.object
        },
        complain: ActText {
            name: "Eine andere Stelle soll das prüfen.",
            next: "Die Stelle muss Ihnen in 3 Monaten schreiben.",
            ..de::TEXT.ask.complain
        },
        number: "Meine Nummer soll im Brief stehen",
        letter_hint: "Sie können den Text ändern. Wir sehen ihn nicht.",
        to_supervision: "An die Stelle für Daten-Schutz in Ihrem Bundes-Land.",
        pdf: "Den Brief als PDF-Datei holen",
        print: "Haben Sie den Text geändert? Dann drucken Sie diese Seite.",
        what_next: "Was passiert dann?",
        attach: "Diese Datei können Sie dazu-legen:",
        ..de::TEXT.ask
    },
    result: ResultText {
        delivered: "Daten geschickt",
        nothing: "Keine Daten da",
        refused: "Nein",
        failed: "Technik kaputt",
        timed_out: "Keine Antwort",
        withdrawn: "Frage zurückgenommen",
        open: "Noch offen",
        erased: "Gelöscht",
        own: "Das waren Sie",
    },
};

const MONTH: &str = "Das Amt muss in 1 Monat antworten. Tut es das nicht? Dann können Sie sich beschweren.";
