//! German in short sentences and easy words. The technical details are as in German.

use super::de;
use super::table::Words;

pub(super) const WORDS: Words = Words {
    reason_load: "Der Beweis ist nicht da.",
    reason_form: "Der Beweis ist kaputt.",
    reason_proof: "Der Beweis ist falsch.",
    reason_entry: "Der Beweis ist falsch.",
    reason_witnesses: "Die Zeugen haben noch nicht Ja gesagt.",
    reason_hidden: "Hier fehlt etwas.",
    reason_too_long: "Die Liste ist zu lang.",
    verdict: &super::verdict_leicht::VERDICT,
    ..de::WORDS
};
