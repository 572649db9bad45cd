//! What a change permits and forbids, as lines for people.

use std::collections::BTreeMap;

use registerlandkarte::{ChangeKey, Effect, Extent, Request};

/// A line for each change, and one with the numbers of pairs.
#[must_use]
pub fn sentences(changes: &BTreeMap<ChangeKey, Extent>) -> Vec<String> {
    let total = |effect| -> u64 {
        let of_effect = changes.iter().filter(|(key, _)| key.effect == effect);
        of_effect.map(|(_, extent)| extent.pairs).sum()
    };
    let totals = format!(
        "pairs of body and component: newly permitted {}, newly forbidden {}, permitted otherwise {}",
        total(Effect::Permits),
        total(Effect::Forbids),
        total(Effect::Alters)
    );
    let lines = changes.iter().map(|(key, extent)| sentence(key, extent));
    lines.chain([totals]).collect()
}

/// A number and a noun, in the singular or the plural.
#[must_use]
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn sentence(key: &ChangeKey, extent: &Extent) -> String {
    let (sign, rules) = match (key.effect, &key.before, &key.after) {
        (Effect::Permits, _, Some(after)) => ("+ permits", after.clone()),
        (Effect::Forbids, Some(before), _) => ("- forbids", before.clone()),
        (_, before, after) => {
            let name = |rule: &Option<String>| rule.clone().unwrap_or_else(|| "no rule".to_owned());
            ("~ alters", format!("{} to {}", name(before), name(after)))
        }
    };
    let requests = &extent.requests;
    let least = |request: &&Request| !requests.iter().any(|other| request.has_more_than(other));
    let most = |request: &&Request| !requests.iter().any(|other| other.has_more_than(request));
    let join = |requests: Vec<String>| requests.join(" or ");
    let (least, most) = (
        join(requests.iter().filter(least).map(words).collect()),
        join(requests.iter().filter(most).map(words).collect()),
    );
    let requests = if least == most {
        least
    } else {
        format!("{least}, up to {most}")
    };
    format!(
        "{sign} {} for {} by {rules}: {}, such as {} and {}; {}",
        key.evidence,
        key.purpose,
        count(extent.pairs, "pair"),
        extent.example.0,
        extent.example.1,
        requests
    )
}

fn words(request: &Request) -> String {
    let mut words = vec![if request.legal {
        "legal person"
    } else {
        "natural person"
    }];
    words.extend(request.idnr.then_some("IDNr"));
    words.extend(request.represented.then_some("representative"));
    words.extend(request.place.then_some("place"));
    words.join(" + ")
}
