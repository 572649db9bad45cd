//! A permission in a sentence.
//!
//! Classes and registers have names without a grammatical gender, so the sentences are made to need no article. Bodies
//! have the forms that a German sentence needs ([`trust::Forms`]).

use registerlandkarte::{AreaRelation, Consumer, Provider, Rule, Subjects};
use trust::Body;

use super::content::Landkarte;
use crate::language::lang::Lang;
use text::phrase::Phrase;

/// The sentence about a permission: who may retrieve what, from whom, and on which occasion.
pub(super) fn sentence(map: &Landkarte, rule: &Rule, lang: Lang) -> Phrase {
    let mut phrase = Phrase::default();
    let title = map
        .evidence_of(rule)
        .map_or_else(|| rule.evidence.to_string(), |evidence| evidence.title.to_string());
    match lang {
        Lang::De | Lang::Leicht => {
            match &rule.consumer {
                Consumer::Class(_) => {
                    phrase
                        .say("Als ")
                        .quote(&map.consumer_name(&rule.consumer))
                        .say(" darf eine Stelle ");
                }
                Consumer::Body(id) => {
                    subject(&mut phrase, map.body(id.as_str()), &map.consumer_name(&rule.consumer));
                    phrase.say(" darf ");
                }
            }
            match (&rule.provider, map.provider_body(&rule.provider)) {
                (Provider::Component(_), Some(body)) => phrase.quote(body.forms.at.as_str()),
                _ => phrase
                    .say("aus dem Register „")
                    .quote(&map.provider_name(&rule.provider))
                    .say("“"),
            };
            phrase.say(" die Unterlage „").quote(&title).say("“ abrufen. Anlass: ");
            phrase.quote(rule.occasion.as_str()).say(".");
        }
        Lang::En => {
            match &rule.consumer {
                Consumer::Class(_) => {
                    phrase
                        .say("A body may, as “")
                        .quote(&map.consumer_name(&rule.consumer))
                        .say("”, retrieve “");
                }
                Consumer::Body(_) => {
                    phrase
                        .say("“")
                        .quote(&map.consumer_name(&rule.consumer))
                        .say("” may retrieve “");
                }
            }
            let from = match rule.provider {
                Provider::Register(_) => "” from the register “",
                Provider::Component(_) => "” from “",
            };
            phrase.quote(&title).say(from).quote(&map.provider_name(&rule.provider));
            phrase.say("”. Occasion: ").quote(rule.occasion.as_str()).say(".");
        }
    }
    phrase
}

/// A body at the beginning of a sentence: "Die Stadt Musterhausen".
fn subject(phrase: &mut Phrase, body: Option<&Body>, name: &str) {
    match body {
        Some(body) => {
            let form = body.forms.subject.as_str();
            let mut characters = form.chars();
            let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
            phrase.quote(&(first + characters.as_str()));
        }
        None => {
            phrase.say("„").quote(name).say("“");
        }
    }
}

/// Where the permission holds.
pub(super) const fn area(area: AreaRelation, lang: Lang) -> &'static str {
    match (area, lang) {
        (AreaRelation::Any, Lang::De | Lang::Leicht) => "überall in Deutschland",
        (AreaRelation::Own, Lang::De | Lang::Leicht) => "nur bei Registern, die für das eigene Gebiet zuständig sind",
        (AreaRelation::Person, Lang::De | Lang::Leicht) => "nur beim Register des Ortes, an dem die Person wohnt",
        (AreaRelation::Any, Lang::En) => "everywhere in Germany",
        (AreaRelation::Own, Lang::En) => "only from registers that serve the body's own area",
        (AreaRelation::Person, Lang::En) => "only from the register of the place where the person lives",
    }
}

/// About whom the evidence may be.
pub(super) const fn subjects(subjects: Subjects, lang: Lang) -> &'static str {
    match (subjects, lang) {
        (Subjects::Natural, Lang::De | Lang::Leicht) => "Menschen",
        (Subjects::Legal, Lang::De | Lang::Leicht) => "Unternehmen und Vereine",
        (Subjects::Both, Lang::De | Lang::Leicht) => "Menschen, Unternehmen und Vereine",
        (Subjects::Natural, Lang::En) => "people",
        (Subjects::Legal, Lang::En) => "companies and associations",
        (Subjects::Both, Lang::En) => "people, companies and associations",
    }
}
