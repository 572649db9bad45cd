//! What a citizen has chosen for a letter, as the address states it.

use crate::language::letter::Act;

/// What the citizen has chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// What the letter says; query parameter `was`.
    pub act: Option<Act>,
    /// Whether it has the identification number; query parameter `nummer`.
    pub number: bool,
}

impl Question {
    /// Reads the query of an address. What is not understood is not chosen.
    pub fn parse(query: &str) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "was" => read.act = Act::of_code(&value),
                "nummer" => read.number = value == "ja",
                _ => {}
            }
        }
        read
    }

    /// The query, with its question mark; empty if nothing is chosen.
    pub fn query(self) -> String {
        let act = self.act.map(|act| format!("was={}", act.code()));
        let number = self.number.then(|| "nummer=ja".to_owned());
        let parts: Vec<String> = act.into_iter().chain(number).collect();
        if parts.is_empty() {
            String::new()
        } else {
            format!("?{}", parts.join("&"))
        }
    }
}
