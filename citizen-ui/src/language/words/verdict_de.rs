//! The verdict in German.

use super::verdict::VerdictWords;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;

pub(super) const VERDICT: VerdictWords = VerdictWords {
    unchecked: "Ihr Browser hat diese Seite noch nicht geprüft",
    unchecked_hint: "Bleibt dieser Hinweis stehen, kann Ihr Browser nicht prüfen, zum Beispiel weil JavaScript aus ist.",
    more: "Was heißt das?",
    server_complete: |claim| {
        format!(
            "Geprüft hat nur unser Server: {}, und keiner fehlt. Das müssten Sie uns glauben.",
            exchanges(claim.exchanges)
        )
    },
    server_unwitnessed: "Auch unser Server konnte noch nicht prüfen, ob ein Eintrag fehlt: Noch haben nicht genügend unabhängige Zeugen den Stand des Protokolls bestätigt. Melden Sie sich in einigen Minuten noch einmal an.",
    server_failed: |reason| format!("Unser Server hat einen Fehler gefunden. Diese Liste ist nicht bewiesen. {reason}"),
    pending: "Ihr Browser prüft diese Seite …",
    pending_hint: "Das dauert meist weniger als eine Sekunde.",
    proved_list: |claim| match claim.exchanges {
        0 => "Kein Abruf – und keiner fehlt".to_owned(),
        count => format!("{} – und keiner fehlt", exchanges(count)),
    },
    proved_access: "Geprüft: So steht es im Protokoll",
    proved_by: |at, ending| {
        format!(
            "Das hat Ihr Browser um {} selbst geprüft, für die ID-Nummer mit dem Ende {ending}.",
            at.clock_with_seconds(Lang::De)
        )
    },
    counted: |claim, witnesses| {
        let visits = match claim.inspections {
            1 => "1 Besuch".to_owned(),
            count => format!("{count} Besuche"),
        };
        let own = match claim.own {
            0 => String::new(),
            1 => ", 1 Anfrage von Ihnen selbst".to_owned(),
            count => format!(", {count} Anfragen von Ihnen selbst"),
        };
        let unused = match claim.unused {
            0 => String::new(),
            1 => " und 1 vorbereiteter Abruf".to_owned(),
            count => format!(" und {count} vorbereitete Abrufe"),
        };
        let since = claim.since.map(|since| format!(" seit {}", LocalTime::of(since).date));
        let confirmed = match witnesses {
            0 => String::new(),
            1 => ", bestätigt von 1 Zeugen".to_owned(),
            count => format!(", bestätigt von {count} Zeugen"),
        };
        format!(
            "Das sind alle{}: {}, {visits}{own}{unused}. Stand: {}{confirmed}.",
            since.unwrap_or_default(),
            exchanges(claim.exchanges),
            LocalTime::of(claim.as_of).full(Lang::De)
        )
    },
    since: "Was davor war, ist gelöscht, wie das Gesetz es verlangt. Niemand kann es noch einer Person zuordnen.",
    later: |count| {
        match count {
        1 => "1 Eintrag der Liste ist neuer als dieser Stand. Ob danach noch etwas kam, sehen Sie, wenn Sie sich neu anmelden.".to_owned(),
        count => format!("{count} Einträge der Liste sind neuer als dieser Stand. Ob danach noch etwas kam, sehen Sie, wenn Sie sich neu anmelden."),
    }
    },
    not_counted: "Nicht mitgezählt: Abrufe, die das Gesetz Ihnen erst später zeigen darf.",
    first: "Ihr Gerät sieht dieses Protokoll zum ersten Mal. Es merkt sich den Stand, um ihn beim nächsten Mal zu vergleichen, aber keinen Eintrag.",
    grown: |seen| {
        format!(
            "Ihr Gerät kennt dieses Protokoll vom Stand {}. Seitdem ist es nur gewachsen.",
            seen.full(Lang::De)
        )
    },
    other_person: "Ist das Ihre Nummer?",
    other_person_hint: |ending| {
        format!(
            "Diese Seite zeigt die Einträge der Person, deren ID-Nummer auf {ending} endet. Auf diesem Gerät war das bisher eine andere Person. Ist es nicht Ihre Nummer, dann zeigt der Server Ihnen die Liste einer anderen Person: Melden Sie das der Datenschutzaufsicht."
        )
    },
    old: |minutes| match minutes {
        0..120 => format!("Diese Seite ist {minutes} Minuten alt"),
        minutes => format!("Diese Seite ist {} Stunden alt", minutes / 60),
    },
    old_hint: "Bis dahin ist sie geprüft. Was danach kam, sehen Sie, wenn Sie sich neu anmelden.",
    clock: "Die Uhr Ihres Geräts geht nach",
    clock_hint: "Diese Seite ist geprüft. Weil die Uhr falsch geht, kann Ihr Browser aber nicht sagen, wie alt sie ist. Stellen Sie die Uhr, und laden Sie die Seite neu.",
    unwitnessed: "Die neuesten Einträge sind noch nicht bestätigt",
    unwitnessed_hint: "Noch haben nicht genügend unabhängige Zeugen sie gesehen. Das dauert meist nur Sekunden. Laden Sie die Seite dann neu.",
    unlinked: "Der Vergleich mit dem letzten Mal fehlt",
    unlinked_hint: |seen| {
        format!(
            "Ihr Gerät kennt dieses Protokoll vom Stand {}. Der Server hat nicht belegt, dass es seitdem nur gewachsen ist. Laden Sie die Seite neu. Bleibt der Hinweis, melden Sie es der Datenschutzaufsicht.",
            seen.full(Lang::De)
        )
    },
    unable: "Ihr Browser konnte diese Seite nicht prüfen",
    unable_load: "Der Beweis ist nicht angekommen. Was hier steht, ist nicht geprüft. Sind Sie noch angemeldet? Laden Sie die Seite neu, oder melden Sie sich noch einmal an.",
    unable_unwitnessed: "Noch haben nicht genügend unabhängige Zeugen den Stand des Protokolls bestätigt. Was hier steht, ist nicht geprüft. Melden Sie sich in einigen Minuten noch einmal an.",
    unable_too_long: "Die Liste ist zu lang für einen Beweis in einer Datei. Was hier steht, ist nicht geprüft. Jeden Eintrag können Sie einzeln herunterladen und ohne uns prüfen.",
    failed: "Achtung: Diese Seite stimmt nicht",
    failed_proof: |reason| format!("{reason} Was hier steht, ist nicht bewiesen."),
    shown: "Der Server zeigte etwas anderes als das Protokoll:",
    shown_below: "Ihr Browser hat die Seite berichtigt: Unten steht, was im Protokoll bewiesen ist. Hat ein Übersetzungsprogramm oder eine Erweiterung Ihres Browsers die Seite verändert, schalten Sie es ab, und laden Sie die Seite neu.",
    altered: "Die Seite wurde verändert, nachdem Ihr Browser sie geprüft hat:",
    too_old: |as_of| {
        format!(
            "Der Server zeigt den Stand von {}. Das ist mehr als einen Tag her. Was danach kam, fehlt hier.",
            as_of.full(Lang::De)
        )
    },
    other_log: "Das ist ein anderes Protokoll als das, das Ihr Gerät kennt. Nichts hier ist bewiesen.",
    other_policy: "Der Server will nach anderen Regeln prüfen lassen als bisher: mit einem anderen Schlüssel, anderen Zeugen oder weniger Zeugen. Nichts hier ist bewiesen.",
    older: |seen| {
        format!(
            "Der Server zeigt einen alten Stand. Ihr Gerät hat schon einen neueren geprüft, vom {}. Was danach kam, fehlt hier.",
            seen.full(Lang::De)
        )
    },
    rewritten: |seen| {
        format!(
            "Das Protokoll ist nicht die Fortsetzung von dem, das Ihr Gerät kennt (Stand {}). Jemand hat die Vergangenheit umgeschrieben oder zeigt Ihnen ein zweites Protokoll.",
            seen.full(Lang::De)
        )
    },
    what_to_do: "Was Sie tun können: Machen Sie ein Bild von dieser Seite, und laden Sie, wenn es geht, alle Einträge mit Beweis herunter. Melden Sie es der Datenschutzaufsicht. Auf einem anderen Gerät können Sie es noch einmal versuchen.",
    forget_hint: "Hat der Betreiber öffentlich angekündigt, dass sich Protokoll oder Zeugen ändern, vergleichen Sie die neuen Schlüssel bei einer anderen Stelle. Danach kann Ihr Gerät die alten vergessen.",
    alert: "Achtung, stimmt nicht",
    row: |index, when| match when {
        Some(when) => format!("Eintrag {index} vom {}", when.full(Lang::De)),
        None => format!("Eintrag {index}"),
    },
    fact: |label| format!("Angabe „{label}“"),
    page: "Auf der Seite",
    text: |shown, proved| format!("Gezeigt wurde „{shown}“. Bewiesen ist „{proved}“."),
    missing: |proved| format!("Es fehlte: „{proved}“."),
    added: |shown| format!("Gehört nicht hierher: „{shown}“."),
    added_unseen: "Hier ist etwas eingefügt, das keinen Text hat, aber ändern kann, was man sieht.",
    order: "Die Reihenfolge war anders.",
    target: |shown, proved| format!("Es führte zu „{shown}“. Richtig ist „{proved}“."),
    look: "Es war verdeckt oder sah anders aus.",
    verify: "Ohne uns prüfen: Selbst nachprüfen",
    login: "Neu anmelden",
    confirm: "Ja, das ist meine Nummer",
    forget: "Dieses Gerät soll sich nichts merken",
};

fn exchanges(count: usize) -> String {
    match count {
        1 => "1 Abruf".to_owned(),
        count => format!("{count} Abrufe"),
    }
}
