//! How the cockpit says that one person has acted for another, to each of the two. The record has the power and no
//! name.

use record::{ExchangeRecord, Power, SubjectRole};

use crate::language::lang::Lang;

/// The sentence about the representative, with a space before it: to the represented person, or to the representative.
/// Empty if the person has acted for themselves.
pub(super) fn acted(record: &ExchangeRecord, lang: Lang) -> &'static str {
    match (record.representation, record.role) {
        (None, _) => "",
        (Some(power), SubjectRole::Representative) => representative(power, lang),
        (Some(power), SubjectRole::DataSubject | SubjectRole::ThirdPerson) => represented(power, lang),
    }
}

const fn represented(power: Power, lang: Lang) -> &'static str {
    match (lang, power) {
        (Lang::De, Power::Parent) => " Ihre Mutter oder Ihr Vater hat dabei für Sie gehandelt.",
        (Lang::De, Power::Guardian) => " Ihr Vormund hat dabei für Sie gehandelt.",
        (Lang::De, Power::Custodian) => " Ihre rechtliche Betreuung hat dabei für Sie gehandelt.",
        (Lang::De, Power::Attorney) => " Jemand mit Ihrer Vollmacht hat dabei für Sie gehandelt.",
        (Lang::De, Power::Notary) => " Ein Notariat hat dabei für Sie gehandelt.",
        (Lang::En, Power::Parent) => " Your mother or father acted for you.",
        (Lang::En, Power::Guardian) => " Your guardian acted for you.",
        (Lang::En, Power::Custodian) => " Your legal custodian acted for you.",
        (Lang::En, Power::Attorney) => " Someone with your power of attorney acted for you.",
        (Lang::En, Power::Notary) => " A notary acted for you.",
        (Lang::Leicht, Power::Parent) => " Ihre Mutter oder Ihr Vater hat das für Sie gemacht.",
        (Lang::Leicht, Power::Guardian) => " Ihr Vormund hat das für Sie gemacht.",
        (Lang::Leicht, Power::Custodian) => " Ihre Betreuung hat das für Sie gemacht.",
        (Lang::Leicht, Power::Attorney) => " Jemand mit Ihrer Vollmacht hat das für Sie gemacht.",
        (Lang::Leicht, Power::Notary) => " Ein Notar hat das für Sie gemacht.",
    }
}

const fn representative(power: Power, lang: Lang) -> &'static str {
    match (lang, power) {
        (Lang::De, Power::Parent) => " Sie haben dabei als Mutter oder Vater für Ihr Kind gehandelt.",
        (Lang::De, Power::Guardian) => " Sie haben dabei als Vormund für einen anderen Menschen gehandelt.",
        (Lang::De, Power::Custodian) => {
            " Sie haben dabei als rechtliche Betreuung für einen anderen Menschen gehandelt."
        }
        (Lang::De, Power::Attorney) => " Sie haben dabei mit einer Vollmacht für einen anderen Menschen gehandelt.",
        (Lang::De, Power::Notary) => " Sie haben dabei im Notariat für einen anderen Menschen gehandelt.",
        (Lang::En, Power::Parent) => " You acted for your child.",
        (Lang::En, Power::Guardian) => " You acted for another person as their guardian.",
        (Lang::En, Power::Custodian) => " You acted for another person as their legal custodian.",
        (Lang::En, Power::Attorney) => " You acted for another person with a power of attorney.",
        (Lang::En, Power::Notary) => " You acted for another person as a notary.",
        (Lang::Leicht, Power::Parent) => " Sie haben das für Ihr Kind gemacht.",
        (Lang::Leicht, Power::Guardian) => " Sie haben das als Vormund gemacht.",
        (Lang::Leicht, Power::Custodian) => " Sie haben das als Betreuung gemacht.",
        (Lang::Leicht, Power::Attorney) => " Sie haben das mit einer Vollmacht gemacht.",
        (Lang::Leicht, Power::Notary) => " Sie haben das für das Notariat gemacht.",
    }
}

/// The power, for the details of an exchange.
pub(super) const fn name(power: Power, lang: Lang) -> &'static str {
    match (lang, power) {
        (Lang::De | Lang::Leicht, Power::Parent) => "elterliche Sorge",
        (Lang::De | Lang::Leicht, Power::Guardian) => "Vormundschaft",
        (Lang::De | Lang::Leicht, Power::Custodian) => "rechtliche Betreuung",
        (Lang::De | Lang::Leicht, Power::Attorney) => "Vollmacht",
        (Lang::De | Lang::Leicht, Power::Notary) => "Amt einer Notarin oder eines Notars",
        (Lang::En, Power::Parent) => "parental custody",
        (Lang::En, Power::Guardian) => "guardianship",
        (Lang::En, Power::Custodian) => "legal custodianship",
        (Lang::En, Power::Attorney) => "power of attorney",
        (Lang::En, Power::Notary) => "office of a notary",
    }
}
