//! The tables of texts: one struct for each page, one field for each text.

/// A heading with paragraphs.
#[derive(Debug)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The paragraphs.
    pub text: &'static [&'static str],
}

/// All texts of the public pages.
#[derive(Debug)]
#[allow(missing_docs)] // the name of a field says which text it is
pub struct Text {
    pub start: StartText,
    pub recorded: RecordedText,
    pub verify: VerifyText,
    pub accessibility: SectionsText,
    pub design: SectionsText,
    pub errors: ErrorTexts,
}

/// The frame around every page.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct FrameText {
    pub product: &'static str,
    /// The question that the product answers, below its name.
    pub claim: &'static str,
    pub menu: &'static str,
    pub banner: &'static str,
    pub banner_label: &'static str,
    pub skip: &'static str,
    pub nav_label: &'static str,
    pub footer_label: &'static str,
    /// The name of this language in itself.
    pub language: &'static str,
    pub nav_start: &'static str,
    pub nav_overview: &'static str,
    pub nav_own_data: &'static str,
    pub nav_visits: &'static str,
    pub nav_list: &'static str,
    pub nav_landkarte: &'static str,
    pub nav_log: &'static str,
    pub nav_help: &'static str,
    pub nav_privacy: &'static str,
    pub nav_imprint: &'static str,
    pub nav_recorded: &'static str,
    pub nav_checked: &'static str,
    pub nav_verify: &'static str,
    pub nav_accessibility: &'static str,
    pub nav_design: &'static str,
    pub login: &'static str,
    pub logout: &'static str,
    /// The words before the name of the citizen.
    pub logged_in: &'static str,
    pub session: fn(idle_end: &str, end: &str) -> String,
    pub session_warning: &'static str,
    pub session_stay: &'static str,
}

/// The start page, and the pages after logout and after a cancelled login.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct StartText {
    pub title: &'static str,
    pub lead: &'static str,
    pub login: &'static str,
    pub login_hint: &'static str,
    pub to_list: &'static str,
    pub sections: &'static [Section],
    pub over_title: &'static str,
    pub over: &'static [&'static str],
    pub over_provider: &'static str,
    pub over_provider_link: &'static str,
    pub cancelled_title: &'static str,
    pub cancelled: &'static [&'static str],
}

/// The page about what is recorded.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct RecordedText {
    pub title: &'static str,
    pub lead: &'static str,
    pub caption: &'static str,
    pub column_who: &'static str,
    pub column_sees: &'static str,
    pub rows: &'static [(&'static str, &'static str)],
    pub sections: &'static [Section],
}

/// The page about verifying without the portal.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct VerifyText {
    pub title: &'static str,
    pub lead: &'static str,
    pub step_trust: Section,
    pub step_entry: Section,
    pub step_log: Section,
    pub codes: Section,
    pub limits: Section,
}

/// A page that has sections alone.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct SectionsText {
    pub title: &'static str,
    pub lead: &'static str,
    pub sections: &'static [Section],
}

/// The error pages.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct ErrorTexts {
    pub not_found: Section,
    pub login_needed: Section,
    pub login_failed: Section,
    pub assurance: Section,
    pub login_unreachable: Section,
    pub clock: Section,
    pub identity_refused: Section,
    pub identity_unreachable: Section,
    pub ledger_unreachable: Section,
    pub busy: Section,
    pub internal: Section,
    pub again: &'static str,
}
