//! The content of the pages. German: the services are those of German authorities.

use maud::{Markup, html};
use record::{GermanTime, Timestamp};

use crate::application::{Application, Awaited, Evidence, Failure, Stage};
use crate::config::{Need, Service};
use crate::page::{act, alert, token};
use crate::session::Session;

/// The start: which services there are.
pub(crate) fn start(services: &[Service]) -> Markup {
    html! {
        h1.kern-heading-large { "Online-Dienste" }
        p.kern-body {
            "Sie beantragen etwas, und das Amt holt die Unterlagen dafür selbst – aber nur, wenn Sie das wollen. \
             Jeder Abruf steht danach in Ihrem Datenschutzcockpit."
        }
        ul.an-services {
            @for service in services {
                li.an-need {
                    h2.kern-heading-medium { (service.title) }
                    p.kern-body { (service.authority) ". " (service.about) }
                    a.kern-link href={ "/" (service.id) } { (service.title) " beantragen" }
                }
            }
        }
    }
}

/// A service for a person who is not logged in.
pub(crate) fn introduction(service: &Service) -> Markup {
    html! {
        h1.kern-heading-large { (service.title) }
        p.kern-body { (service.about) }
        h2.kern-heading-medium { "Das brauchen wir" }
        ul.kern-list.kern-list--bullet {
            @for need in &service.needs { li { (need.title) " (" (need.register) ")" } }
        }
        p.kern-body {
            "Sie entscheiden für jede Unterlage, ob wir sie beim Register abrufen oder ob Sie sie selbst hochladen."
        }
        p.kern-body { "Sie brauchen: Ihren Personalausweis, die sechsstellige PIN und die AusweisApp." }
        a.kern-btn.kern-btn--primary #anmelden href={ "/anmelden?dienst=" (service.id) } {
            span.kern-label { "Anmelden und beantragen" }
        }
    }
}

/// After how many seconds the page of an application is loaded again, if it waits for anything: soon if it is asked for
/// now, and once a minute if its register answers later.
pub(crate) fn reload_seconds(application: &Application, now: Timestamp) -> Option<u64> {
    if application.is_waiting() {
        return Some(2);
    }
    let first = application.awaited().map(|awaited| awaited.available.since(now)).min();
    first.map(|seconds| seconds.clamp(5, 60))
}

/// The application: each piece of evidence with what the person can do next. The page is loaded again after `reload`
/// seconds.
pub(crate) fn application(
    service: &Service,
    application: &Application,
    reload: Option<u64>,
    session: &Session,
) -> Markup {
    html! {
        h1.kern-heading-large { (service.title) }
        p.kern-body { "Ihr Vorgang: " strong { (application.reference) } }
        @if application.is_waiting() {
            (alert("info", "Bitte warten", &html! {
                p.kern-body { "Meist dauert es wenige Sekunden." }
                (reloading(service, reload))
            }))
        } @else if application.awaited().next().is_some() {
            (alert("info", "Ein Register antwortet später", &html! {
                p.kern-body {
                    "Sie müssen nicht hier warten. Sie können die Seite schließen und sich später wieder anmelden: \
                     Ihr Vorgang ist dann noch da, und es wird nichts ein zweites Mal abgerufen."
                }
                (reloading(service, reload))
            }))
        }
        @for (number, (need, piece)) in service.needs.iter().zip(&application.pieces).enumerate() {
            section.an-need id={ "unterlage-" (number) } data-stage=(code(&piece.stage)) {
                (need_card(service, (number, need), &piece.stage, session))
            }
        }
        @if application.is_complete() {
            (act(session, &format!("/{}/absenden", service.id), "absenden", "primary", "Antrag absenden"))
        } @else {
            p.kern-body { "Wenn alle Unterlagen da sind, können Sie den Antrag absenden." }
        }
    }
}

/// Says whether the page reloads itself, and lets the person change it.
fn reloading(service: &Service, reload: Option<u64>) -> Markup {
    html! {
        @if reload.is_some() {
            p.kern-body {
                "Die Seite lädt sich selbst neu. "
                a.kern-link #anhalten href={ "/" (service.id) "?neuladen=aus" } { "Nicht mehr selbst neu laden" }
            }
        } @else {
            p.kern-body {
                "Die Seite lädt sich nicht selbst neu. "
                a.kern-link #neuladen href={ "/" (service.id) } { "Wieder selbst neu laden" }
            }
        }
    }
}

fn need_card(service: &Service, (number, need): (usize, &Need), stage: &Stage, session: &Session) -> Markup {
    let address = |act: &str| format!("/{}/{number}/{act}", service.id);
    html! {
        h2.kern-heading-small { (need.title) }
        p { span class={ "kern-badge kern-badge--" (colour(stage)) } { span.kern-label { (state(stage)) } } }
        (said(need, stage))
        @if let Stage::Received(evidence) = stage {
            (data(need, evidence))
            (document(service, number, evidence))
        }
        @if let Stage::Pending(awaited) = stage { (waits(need, awaited)) }
        @if stage.may_fetch() { (explanation(need)) }
        div.an-acts {
            @if let Stage::Preview(_) = stage {
                a.kern-btn.kern-btn--primary id={ "ansehen-" (number) } href=(address("vorschau")) {
                    span.kern-label { "Ansehen und entscheiden" }
                }
            }
            @if let Stage::Pending(_) = stage {
                (act(
                    session,
                    &address("zurueckziehen"),
                    &format!("zurueckziehen-{number}"),
                    "secondary",
                    "Anfrage zurückziehen"
                ))
            }
            @if stage.may_fetch() {
                (act(session, &address("abrufen"), &format!("abrufen-{number}"), "primary", "Ja, abrufen"))
            }
        }
        @if stage.may_upload() { (upload(&address("hochladen"), number, session)) }
    }
}

/// What is awaited, from whom and until when.
fn waits(need: &Need, awaited: &Awaited) -> Markup {
    html! {
        dl.an-data {
            dt.kern-body { "Erwartet wird" }
            dd.kern-body { (need.title) ": " (need.categories.join(", ")) }
            dt.kern-body { "Von" }
            dd.kern-body { (need.register) }
            dt.kern-body { "Das Register antwortet voraussichtlich bis" }
            dd.kern-body { (german(awaited.available)) }
            dt.kern-body { "Die Anfrage endet spätestens" }
            dd.kern-body { (german(awaited.ends)) }
        }
        p.kern-body {
            "Brauchen Sie die Antwort nicht mehr? Dann ziehen Sie die Anfrage zurück. Was noch kommt, wird ungelesen \
             gelöscht, und Sie können die Unterlage selbst hochladen."
        }
    }
}

fn explanation(need: &Need) -> Markup {
    html! {
        p.kern-body {
            "Dürfen wir das beim Register abrufen? Abgerufen werden: " (need.categories.join(", ")) "."
        }
        @if need.asynchronous {
            p.kern-body { "Das Register antwortet vielleicht nicht sofort. Es darf sich dafür bis zu 30 Tage Zeit lassen." }
        }
        details {
            summary.kern-body { "Welches Gesetz erlaubt das?" }
            @for law in &need.laws {
                div.an-law {
                    p.kern-body { strong { (law.citation) } }
                    p.kern-body { (law.permits) }
                }
            }
            p.kern-body.kern-body--small { "Dies ist eine Lesart der Gesetze und keine Rechtsberatung." }
        }
    }
}

fn upload(address: &str, number: usize, session: &Session) -> Markup {
    let id = format!("datei-{number}");
    html! {
        details {
            summary.kern-body { "Selbst hochladen" }
            form method="post" action=(address) enctype="multipart/form-data" {
                (token(session))
                label.kern-label for=(id) { "Datei (PDF oder Bild, höchstens 5 MB)" }
                input.an-file id=(id) type="file" name="datei" accept=".pdf,.png,.jpg,.jpeg" required;
                button.kern-btn.kern-btn--secondary id={ "hochladen-" (number) } type="submit" {
                    span.kern-label { "Hochladen" }
                }
            }
        }
    }
}

/// The evidence, for the person's eyes before the authority may use it.
pub(crate) fn preview(
    service: &Service,
    (number, need): (usize, &Need),
    evidence: &Evidence,
    session: &Session,
) -> Markup {
    let address = format!("/{}/{number}/entscheidung", service.id);
    html! {
        h1.kern-heading-large { "Stimmt das so?" }
        p.kern-body {
            "Das hat das Register geschickt. Das Amt darf es erst verwenden, wenn Sie zustimmen. \
             Ihre Entscheidung steht danach in Ihrem Datenschutzcockpit."
        }
        section.an-need #vorschau {
            h2.kern-heading-small { (evidence.title) }
            (data(need, evidence))
            (document(service, number, evidence))
        }
        form method="post" action=(address) {
            (token(session))
            div.an-acts {
                button.kern-btn.kern-btn--primary #zustimmen name="entscheidung" value="accept" type="submit" {
                    span.kern-label { "Ja, verwenden" }
                }
                button.kern-btn.kern-btn--secondary #ablehnen name="entscheidung" value="reject" type="submit" {
                    span.kern-label { "Nein, nicht verwenden" }
                }
            }
        }
    }
}

/// The end.
pub(crate) fn sent(service: &Service, application: &Application, cockpit: &str, session: &Session) -> Markup {
    html! {
        h1.kern-heading-large { "Ihr Antrag ist angekommen" }
        (alert("success", &service.title, &html! {
            p.kern-body { "Ihr Vorgang: " strong #vorgang { (application.reference) } }
            p.kern-body { "In der Demonstration gibt es dahinter kein Verfahren: Niemand bearbeitet den Antrag." }
        }))
        h2.kern-heading-medium { "Was über diesen Antrag aufgezeichnet ist" }
        p.kern-body {
            "Jeder Abruf steht in Ihrem Datenschutzcockpit: wer, bei wem, was und auf welches Gesetz hin. \
             Ihr Browser prüft dort, dass keiner fehlt."
        }
        p { a.kern-btn.kern-btn--primary #cockpit href=(cockpit) {
            span.kern-label { "In meinem Datenschutzcockpit ansehen" }
        } }
        (act(session, &format!("/{}/neu", service.id), "neu", "tertiary", "Noch einen Antrag stellen"))
    }
}

/// A page that says what went wrong and what to do.
pub(crate) fn problem(title: &str, text: &str, back: &str) -> Markup {
    html! {
        h1.kern-heading-large { (title) }
        (alert("danger", title, &html! { p.kern-body { (text) } }))
        p { a.kern-link href=(back) { "Zurück" } }
    }
}

fn data(need: &Need, evidence: &Evidence) -> Markup {
    html! {
        dl.an-data {
            @for (name, value) in &evidence.fields {
                dt.kern-body { (need.labels.get(name).unwrap_or(name)) }
                dd.kern-body { bdi { (value) } }
            }
            dt.kern-body { "Ausgestellt" }
            dd.kern-body { (time(&evidence.issued_at)) }
        }
    }
}

/// The link to the evidence as a document, if its register has written one.
fn document(service: &Service, number: usize, evidence: &Evidence) -> Markup {
    html! {
        @if evidence.document.is_some() {
            p.kern-body {
                a.kern-link id={ "dokument-" (number) } href={ "/" (service.id) "/" (number) "/dokument" } download="nachweis.pdf" {
                    "Dasselbe als PDF-Dokument des Registers herunterladen"
                }
            }
        }
    }
}

/// A time in RFC 3339 as people in Germany write it; any other text as it is.
fn time(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), german)
}

fn german(time: Timestamp) -> String {
    let local = GermanTime::of(time);
    let ((year, month, day), (hour, minute)) = (local.date(), local.time());
    format!("{day}.{month}.{year}, {hour}:{minute:02} Uhr")
}

/// The stage in a word for programs.
fn code(stage: &Stage) -> &'static str {
    match stage {
        Stage::Open => "open",
        Stage::Asking(_) => "asking",
        Stage::Pending(_) => "pending",
        Stage::Withdrawing(_) => "withdrawing",
        Stage::Withdrawn => "withdrawn",
        Stage::Preview(_) => "preview",
        Stage::Deciding => "deciding",
        Stage::Received(_) => "received",
        Stage::Refused => "refused",
        Stage::NothingFound => "nothing-found",
        Stage::Failed(_) => "failed",
        Stage::Uploaded(_) => "uploaded",
    }
}

/// The stage in a word for people.
fn state(stage: &Stage) -> &'static str {
    match stage {
        Stage::Open => "fehlt noch",
        Stage::Asking(_) => "wird abgerufen",
        Stage::Pending(_) => "Antwort kommt später",
        Stage::Withdrawing(_) => "wird zurückgezogen",
        Stage::Withdrawn => "von Ihnen zurückgezogen",
        Stage::Preview(_) => "bitte ansehen",
        Stage::Deciding => "wird aufgezeichnet",
        Stage::Received(_) => "liegt vor",
        Stage::Refused => "von Ihnen abgelehnt",
        Stage::NothingFound => "nicht gefunden",
        Stage::Failed(_) => "hat nicht geklappt",
        Stage::Uploaded(_) => "hochgeladen",
    }
}

fn colour(stage: &Stage) -> &'static str {
    match stage {
        Stage::Received(_) | Stage::Uploaded(_) => "success",
        Stage::Preview(_) | Stage::Refused | Stage::Withdrawn | Stage::NothingFound => "warning",
        Stage::Failed(_) => "danger",
        _ => "info",
    }
}

/// What the stage means and what comes next.
fn said(need: &Need, stage: &Stage) -> Markup {
    let text = match stage {
        Stage::Open | Stage::Received(_) => return html! { p.kern-body { "Aus: " (need.register) } },
        Stage::Asking(_) => "Wir fragen das Register.".to_owned(),
        Stage::Preview(_) => {
            "Das Register hat geantwortet. Sehen Sie sich die Angaben an, bevor das Amt sie verwendet.".to_owned()
        }
        Stage::Pending(_) => "Das Register hat die Anfrage angenommen. Es braucht noch Zeit.".to_owned(),
        Stage::Withdrawing(_) => "Ihre Anfrage wird zurückgezogen.".to_owned(),
        Stage::Withdrawn => {
            "Sie haben die Anfrage zurückgezogen. Das Amt verwendet nichts davon. Auch das steht in Ihrem \
             Datenschutzcockpit."
                .to_owned()
        }
        Stage::Deciding => "Ihre Entscheidung wird aufgezeichnet.".to_owned(),
        Stage::Refused => {
            "Sie wollten nicht, dass diese Angaben verwendet werden. Das Amt hat sie nicht behalten.".to_owned()
        }
        Stage::NothingFound => "Das Register hat dazu nichts. Laden Sie die Unterlage bitte selbst hoch.".to_owned(),
        Stage::Failed(Failure::NoAnswer) => {
            "Wir haben keine Antwort bekommen. Versuchen Sie es noch einmal. Es wird trotzdem nur einmal abgerufen."
                .to_owned()
        }
        Stage::Failed(Failure::Later) => {
            "Das Register ist gerade nicht zu erreichen. Versuchen Sie es später noch einmal.".to_owned()
        }
        Stage::Failed(Failure::Never) => {
            "Der Abruf wurde abgelehnt. Laden Sie die Unterlage bitte selbst hoch.".to_owned()
        }
        Stage::Uploaded(bytes) => format!(
            "Ihre Datei ist angekommen ({} kB). In der Demonstration wird sie nicht aufbewahrt.",
            bytes.div_ceil(1000)
        ),
    };
    html! { p.kern-body { (text) } }
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_written_as_people_write_them() {
        assert_eq!(time("2026-11-29T22:00:38Z"), "29.11.2026, 23:00 Uhr");
        for text in ["", "gestern", "2026-11-29", "2026-11-29TZ"] {
            assert_eq!(time(text), text);
        }
    }
}
