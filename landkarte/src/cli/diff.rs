//! `landkarte diff`.

use std::path::PathBuf;

use record::Timestamp;
use registerlandkarte::class::{ChangeKey, Effect, Extent, Request, View, difference};

use super::outcome::{Failure, Verdict, count, relation};

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The files before: a file or folder
    old: PathBuf,
    /// The files after: a file or folder
    new: PathBuf,
    /// The time whose law counts, such as 2026-11-29T12:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Timestamp,
    /// The time whose knowledge counts; without it, everything that the files record until further notice
    #[arg(long, value_name = "TIME", default_value_t = Timestamp(u64::MAX), hide_default_value = true)]
    known: Timestamp,
}

impl Diff {
    pub(crate) fn run(self) -> Result<Verdict, Failure> {
        let (Some(old), Some(new)) = (relation(&[self.old])?, relation(&[self.new])?) else {
            return Ok(Verdict::Bad);
        };
        let view = |relation| View {
            relation,
            valid_at: self.at,
            known_at: self.known,
        };
        let changes = difference(view(&old), view(&new));
        for (key, extent) in &changes {
            output::stdout!("{}", sentence(key, extent))?;
        }
        let total = |effect| -> u64 {
            let of_effect = changes.iter().filter(|(key, _)| key.effect == effect);
            of_effect.map(|(_, extent)| extent.pairs).sum()
        };
        output::stdout!(
            "pairs of body and component: newly permitted {}, newly forbidden {}, permitted otherwise {}",
            total(Effect::Permits),
            total(Effect::Forbids),
            total(Effect::Alters)
        )?;
        Ok(if changes.is_empty() {
            Verdict::Good
        } else {
            Verdict::Bad
        })
    }
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
