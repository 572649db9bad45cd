//! The verdict in German with short sentences and easy words.

use super::verdict::VerdictWords;
use super::verdict_de;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;

pub(super) const VERDICT: VerdictWords = VerdictWords {
    unchecked: "Das ist noch nicht geprüft",
    unchecked_hint: "Bleibt dieser Text stehen? Dann kann Ihr Computer nicht prüfen.",
    server_complete: |claim| format!("Nur wir haben geprüft: {} Mal, es fehlt nichts.", claim.exchanges),
    server_unwitnessed: "Wir warten noch auf eine Antwort. Das dauert kurz.",
    server_failed: |reason| format!("Wir haben einen Fehler gefunden. {reason}"),
    pending: "Ihr Computer prüft …",
    pending_hint: "Das dauert nur kurz.",
    more: "Was heißt das?",
    proved_list: |claim| match claim.exchanges {
        0 => "Kein Amt hat nach Ihren Daten gefragt. Es fehlt nichts.".to_owned(),
        count => format!("Ämter haben {count} Mal gefragt. Es fehlt nichts."),
    },
    proved_access: "Das stimmt",
    proved_by: |at, ending| {
        format!(
            "Ihr Computer hat das um {} geprüft. Ihre Nummer hört so auf: {ending}.",
            at.clock(Lang::Leicht)
        )
    },
    counted: |claim, _| {
        let since = claim
            .since
            .map(|since| format!("Seit dem {}: ", LocalTime::of(since).date));
        let own = match claim.own {
            0 => String::new(),
            count => format!(" Sie haben selbst {count} Mal gefragt."),
        };
        format!(
            "{}Ämter haben {} Mal gefragt. Sie waren {} Mal hier.{own}",
            since.unwrap_or_default(),
            claim.exchanges,
            claim.inspections
        )
    },
    since: "Was davor war, ist gelöscht. So will es das Gesetz.",
    later: |count| format!("{count} Mal ist ganz neu."),
    not_counted: "Manches dürfen wir Ihnen erst später zeigen. Das steht so im Gesetz.",
    first: "Ihr Computer merkt sich, wie es heute ist. So merkt er beim nächsten Mal: Hat jemand etwas geändert?",
    grown: |seen| format!("Seit dem {} hat keiner etwas geändert.", seen.date),
    other_person: "Ist das Ihre Nummer?",
    other_person_hint: |ending| {
        format!("Die Nummer hört so auf: {ending}. Ist das falsch? Dann ist das die Liste von einem anderen Menschen.")
    },
    old: |minutes| match minutes {
        0..120 => format!("Diese Seite ist {minutes} Minuten alt"),
        minutes => format!("Diese Seite ist {} Stunden alt", minutes / 60),
    },
    old_hint: "Bis dahin stimmt alles. Für das Neue: Melden Sie sich noch einmal an.",
    clock: "Die Uhr in Ihrem Computer geht falsch",
    clock_hint: "Alles stimmt. Stellen Sie die Uhr richtig.",
    unwitnessed: "Das Neue ist noch nicht ganz geprüft",
    unwitnessed_hint: "Wir warten noch auf eine Antwort. Das dauert kurz.",
    unlinked: "Wir können nicht mit dem letzten Mal vergleichen",
    unlinked_hint: |_| "Laden Sie die Seite noch einmal.".to_owned(),
    unable: "Ihr Computer konnte nicht prüfen",
    unable_load: "Der Beweis ist nicht angekommen. Laden Sie die Seite noch einmal.",
    unable_unwitnessed: "Wir warten noch auf eine Antwort. Kommen Sie später wieder.",
    unable_too_long: "Die Liste ist zu lang.",
    failed: "Achtung: Hier stimmt etwas nicht",
    failed_proof: |reason| format!("{reason} Glauben Sie dieser Seite nicht."),
    shown: "Hier stand etwas Falsches:",
    shown_below: "Ihr Computer hat es richtig gemacht. Unten steht jetzt das Richtige.",
    altered: "Die Seite wurde geändert:",
    too_old: |as_of| format!("Diese Seite ist alt. Sie ist vom {}.", as_of.date),
    other_log: "Das ist ein anderes Buch als beim letzten Mal.",
    other_policy: "Es gelten andere Regeln als beim letzten Mal.",
    older: |seen| {
        format!(
            "Die Seite ist alt. Ihr Computer kennt schon etwas Neues vom {}.",
            seen.date
        )
    },
    rewritten: |seen| {
        format!(
            "Jemand hat etwas geändert, was schon fertig war. Das war am {}.",
            seen.date
        )
    },
    what_to_do: "Was Sie tun können: Machen Sie ein Bild von der Seite. Zeigen Sie es der Stelle für Daten-Schutz.",
    forget_hint: "Wurden die Regeln mit Absicht geändert? Dann kann Ihr Computer die alten vergessen.",
    alert: "Achtung, falsch",
    verify: "Ohne uns prüfen",
    login: "Neu an-melden",
    confirm: "Ja, das ist meine Nummer",
    forget: "Mein Computer soll sich nichts merken",
    ..verdict_de::VERDICT
};
