//! An invented list that anybody may check and change, with the proof that it would have in the log.
//!
//! It has a log, keys and a person of its own, so it says nothing about a real one.

use proof::bundle::EntryPath;

use super::words::{Told, Tone, Words};
use crate::language::lang::Lang;
use crate::proof::access::Access;
use crate::proof::statement::{PageProof, ProvedList, prove};
use crate::proof::verify::Failure;

/// Proves the invented list, as a citizen's page is proved, by the keys that came with it.
///
/// # Errors
/// The first [`Failure`].
pub fn prove_example(answer: &[u8]) -> Result<ProvedList, Failure> {
    let answer = PageProof::parse(answer)?;
    let trust = answer.trust.parse().map_err(|_| Failure::Form)?;
    let proof = answer.list?;
    prove(&proof.bundle, &proof.later, &trust)
}

/// The newest exchange of the list, and the way of its first entry to the root of the log.
pub fn example_path(list: &ProvedList) -> Option<(&Access, EntryPath)> {
    list.accesses.iter().find_map(|access| {
        let path = list.path(access.first().index)?;
        path.reason().is_some().then_some((access, path))
    })
}

/// What the visitor reads: that the browser has checked the list, or that it could not.
pub fn example_told(list: Option<&ProvedList>, lang: Lang) -> Told {
    let words = Words::of(lang);
    let Some(list) = list else {
        return Told::new(Tone::Refused, words.no_example, vec![words.reload.to_owned()]);
    };
    let claim = &list.claim;
    let lines = vec![
        (words.bundle)(claim.exchanges, claim.inspections),
        (words.witnesses)(list.witnesses),
    ];
    Told::new(Tone::Sound, words.example, lines)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The file that the server sends. If this fails after a change of a format, make the file again
    /// (`examples/make_example.rs`).
    const EXAMPLE: &[u8] = include_bytes!("../../assets/example.page-proof");

    #[test]
    fn the_example_is_proved_and_a_changed_letter_breaks_it() {
        let list = prove_example(EXAMPLE).unwrap();
        assert_eq!((list.claim.exchanges, list.claim.inspections), (3, 1));
        let (access, path) = example_path(&list).unwrap();
        assert!(matches!(access, Access::Exchange(_)));
        let hashes = path.hashes();
        assert_eq!(hashes.last(), Some(&list.checkpoint.root));
        let reason = path.reason().unwrap();
        assert_eq!(path.hashes_with_reason(reason).unwrap(), hashes);
        let changed = path.hashes_with_reason(&format!("{reason}.")).unwrap();
        assert!(changed.iter().zip(&hashes).all(|(changed, own)| changed != own));
        assert_eq!(example_told(Some(&list), Lang::De).tone, Tone::Sound);
    }

    #[test]
    fn an_example_whose_list_has_another_byte_is_refused() {
        let example = PageProof::parse(EXAMPLE).unwrap();
        let length = example.list.as_ref().unwrap().bundle.len();
        for at in (0..length).step_by(length / 40) {
            let mut other = example.clone();
            other.list.as_mut().unwrap().bundle[at] ^= 1;
            assert!(prove_example(&other.to_bytes()).is_err(), "byte {at}");
        }
        assert_eq!(example_told(None, Lang::De).tone, Tone::Refused);
    }
}
