//! White space of XML, and how the types of XSD treat it.

/// White space of XML (production 3), which has fewer characters than that of Unicode.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// The value of an XSD `normalizedString`: tabs and line ends are spaces.
pub(crate) fn normalized(text: &str) -> String {
    text.chars().map(|c| if is_space(c) { ' ' } else { c }).collect()
}

/// The value of an XSD `token`: without white space at the ends, and single spaces.
pub(crate) fn collapsed(text: &str) -> String {
    let words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Whether the text is written as the XSD `token` that it is.
pub(crate) fn is_token(text: &str) -> bool {
    collapsed(text) == text
}
