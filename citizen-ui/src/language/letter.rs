//! The letter about one exchange. It is German in every language of the page, because the authority is.

use super::citizen::ActText;
use super::lang::Lang;
use super::local_time::LocalTime;
use super::sentence::without_stop;
use crate::proof::access::Exchange;

/// What a citizen can ask or demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Ask the authority why it asked.
    Understand,
    /// Demand access (Article 15 GDPR).
    Access,
    /// Demand rectification (Article 16 GDPR).
    Rectify,
    /// Object (Article 21 GDPR).
    Object,
    /// Complain to the supervisory authority (Article 77 GDPR).
    Complain,
}

impl Act {
    /// All of them, from the mildest.
    pub const ALL: [Self; 5] = [
        Self::Understand,
        Self::Access,
        Self::Rectify,
        Self::Object,
        Self::Complain,
    ];

    /// Its name in addresses.
    pub fn code(self) -> &'static str {
        match self {
            Self::Understand => "verstehen",
            Self::Access => "auskunft",
            Self::Rectify => "berichtigen",
            Self::Object => "widersprechen",
            Self::Complain => "beschweren",
        }
    }

    /// The act of that name.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.code() == code)
    }

    /// Its texts.
    pub fn text(self, lang: Lang) -> &'static ActText {
        let text = &lang.citizen().ask;
        match self {
            Self::Understand => &text.understand,
            Self::Access => &text.access,
            Self::Rectify => &text.rectify,
            Self::Object => &text.object,
            Self::Complain => &text.complain,
        }
    }
}

/// A letter.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_debug_implementations)] // it can have the person's number
pub struct Letter {
    /// The name of the recipient; empty for the supervisory authority.
    pub name: String,
    /// The recipient's address from the directory. `None` for the supervisory authority, which is not in it.
    pub to: Option<String>,
    /// The subject.
    pub subject: &'static str,
    /// The text.
    pub body: String,
}

/// Writes the letter. `number` is the person's, if the letter shall have it.
pub fn letter(exchange: &Exchange, act: Act, number: Option<&str>, lang: Lang) -> Letter {
    let text = &lang.citizen().ask;
    let act_text = act.text(lang);
    let record = &exchange.record;
    let when = LocalTime::of(exchange.intent.time);
    let about = (text.about)(&when.date, &when.clock(Lang::De), exchange.intent.index);
    let mut lines = vec![text.opening_line.to_owned(), String::new(), about];
    for (label, value) in [
        (text.asked_at, &record.provider.name),
        (text.evidence, &record.evidence.title),
        (text.reason, &without_stop(&record.why.occasion).to_owned()),
        (text.law, &record.why.legal_basis),
        (text.reference, &record.ids.request_reference),
    ] {
        lines.push(format!("{label}{value}"));
    }
    lines.extend(number.map(|number| format!("{}{number}", text.with_number)));
    lines.extend([
        String::new(),
        act_text.demand.to_owned(),
        String::new(),
        text.closing.to_owned(),
    ]);
    let consumer = &record.consumer;
    let to = match act {
        Act::Understand => Some(consumer.contact.clone()),
        Act::Access | Act::Rectify | Act::Object => Some(consumer.data_protection.clone()),
        Act::Complain => None,
    };
    Letter {
        name: to.as_ref().map_or_else(String::new, |_| consumer.name.clone()),
        to,
        subject: act_text.subject,
        body: lines.join("\n"),
    }
}

impl Letter {
    /// The address that opens the letter in a mail program (RFC 6068). A recipient without a mail address is left out.
    pub fn mailto(&self) -> String {
        let is_mail = |to: &&String| to.contains('@') && !to.contains(char::is_whitespace);
        let to = self
            .to
            .as_ref()
            .filter(is_mail)
            .map(|to| encoded(to).replace("%40", "@"));
        let body = self.body.replace('\n', "\r\n");
        format!(
            "mailto:{}?subject={}&body={}",
            to.unwrap_or_default(),
            encoded(self.subject),
            encoded(&body)
        )
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986).
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::proof::access::Access;
    use crate::samples;

    fn exchange() -> Exchange {
        match Access::of(vec![samples::intent()]).unwrap() {
            Access::Exchange(exchange) => *exchange,
            access => unreachable!("{access:?}"),
        }
    }

    #[test]
    fn a_letter_names_the_exchange_and_goes_to_the_address_of_the_record() {
        let understand = letter(&exchange(), Act::Understand, None, Lang::De);
        assert_eq!(understand.to.as_deref(), Some("poststelle@musterhausen.example"));
        for expected in [
            "am 21.11.2026 um 14:03 Uhr",
            "Eintrag 17",
            "Gefragt wurde: Kraftfahrt-Bundesamt",
            "Angegebener Grund: Antrag auf einen Bewohnerparkausweis",
            "Ihr Zeichen: BPA-2026-17",
        ] {
            assert!(understand.body.contains(expected), "{}", understand.body);
        }
        for act in [Act::Access, Act::Rectify, Act::Object] {
            let letter = letter(&exchange(), act, None, Lang::En);
            assert_eq!(letter.to.as_deref(), Some("datenschutz@musterhausen.example"));
            assert!(letter.body.contains("DSGVO"), "the authority is German");
        }
        assert_eq!(letter(&exchange(), Act::Complain, None, Lang::De).to, None);
    }

    #[test]
    fn the_number_is_in_the_letter_only_on_demand() {
        let number = "08214967384";
        let of = |number| letter(&exchange(), Act::Access, number, Lang::De);
        assert!(of(Some(number)).body.contains(&format!("Meine ID-Nummer: {number}")));
        let without = of(None);
        assert!(!without.body.contains("ID-Nummer") && !without.mailto().contains(number));
    }

    #[test]
    fn the_address_of_the_mail_program_is_encoded() {
        let mut strange = exchange();
        strange.record.why.occasion = "A&B=C?\u{e9}".into();
        strange.record.consumer.contact = "Rathaus, Zimmer 3".into();
        let mailto = letter(&strange, Act::Understand, None, Lang::De).mailto();
        assert!(
            mailto.starts_with("mailto:?subject=Frage%20zu%20einem%20Abruf"),
            "{mailto}"
        );
        assert!(
            mailto.contains("A%26B%3DC%3F%C3%A9") && mailto.contains("%0D%0A"),
            "{mailto}"
        );
        let known = letter(&exchange(), Act::Understand, None, Lang::De).mailto();
        assert!(known.starts_with("mailto:poststelle@musterhausen.example?"), "{known}");
    }
}
