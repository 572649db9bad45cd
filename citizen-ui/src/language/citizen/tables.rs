//! The tables of a citizen's texts: one struct for each page, one field for each text.

/// All texts of a citizen's pages.
#[derive(Debug)]
#[allow(missing_docs)] // the name of a field says which text it is
pub struct CitizenText {
    pub overview: OverviewText,
    pub list: ListText,
    pub filter: FilterText,
    pub visits: VisitsText,
    pub detail: DetailText,
    pub proof: ProofText,
    pub ask: AskText,
    pub result: ResultText,
}

/// The results of an exchange in two or three words.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct ResultText {
    pub delivered: &'static str,
    pub nothing: &'static str,
    pub refused: &'static str,
    pub failed: &'static str,
    pub timed_out: &'static str,
    pub withdrawn: &'static str,
    pub open: &'static str,
    pub erased: &'static str,
    /// Instead of a result: the citizen has caused it.
    pub own: &'static str,
}

/// The first page after the login.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct OverviewText {
    pub title: &'static str,
    /// The words before the citizen's name.
    pub greeting: &'static str,
    pub newest: &'static str,
    pub new_since: fn(day: &str) -> String,
    pub nothing_new: &'static str,
    pub none: &'static str,
    pub all: fn(exchanges: usize) -> String,
    pub picture: &'static str,
    pub picture_title: &'static str,
    pub picture_hint: &'static str,
    pub lane: fn(name: &str, count: usize, refused: usize) -> String,
    pub others: &'static str,
    pub own_visits: &'static str,
    pub erased: &'static str,
    pub gapless: fn(from: &str, until: &str) -> String,
    pub bar_proved: &'static str,
    pub bar_server: &'static str,
    pub legend_delivered: &'static str,
    pub legend_nothing: &'static str,
    pub legend_refused: &'static str,
    pub legend_visit: &'static str,
    pub edge: &'static str,
    pub table: &'static str,
    pub column_month: &'static str,
    pub column_who: &'static str,
    pub column_count: &'static str,
    pub count: fn(count: usize, without: usize) -> String,
    pub visits: fn(count: usize) -> String,
    pub acts: &'static str,
    pub act_understand: &'static str,
    pub act_permissions: &'static str,
    pub act_take: &'static str,
}

/// The list.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct ListText {
    pub title: &'static str,
    /// The rows that are shown, of those that match.
    pub range: fn(first: usize, last: usize, matching: usize) -> String,
    pub matching: fn(matching: usize, all: usize) -> String,
    pub none: &'static str,
    pub none_matching: &'static str,
    pub group: fn(count: usize) -> String,
    pub own_visits: fn(count: usize) -> String,
    pub own_requests: fn(count: usize) -> String,
    pub to_visits: &'static str,
    pub end_since: fn(day: &str) -> String,
    pub end_since_text: &'static str,
    pub end_beginning: &'static str,
    pub end_beginning_text: &'static str,
    pub take: &'static str,
    pub pdf: &'static str,
    pub csv: &'static str,
    pub json: &'static str,
    pub bundle: &'static str,
    pub bundle_hint: &'static str,
    pub unopened: &'static str,
    pub unopened_entry: fn(indices: &str, reason: &str) -> String,
    pub pages: &'static str,
    pub page: fn(page: usize) -> String,
    pub previous: &'static str,
    pub next: &'static str,
}

/// The form that chooses rows.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct FilterText {
    pub title: &'static str,
    pub words: &'static str,
    pub who: &'static str,
    pub at: &'static str,
    pub result: &'static str,
    pub law: &'static str,
    pub from: &'static str,
    pub until: &'static str,
    pub sort: &'static str,
    pub newest: &'static str,
    pub oldest: &'static str,
    pub by_authority: &'static str,
    pub all: fn(count: usize) -> String,
    pub more: &'static str,
    pub submit: &'static str,
    pub reset: &'static str,
}

/// The citizen's own visits.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct VisitsText {
    pub title: &'static str,
    pub lead: &'static str,
    pub count: fn(count: usize) -> String,
    /// What follows the count of visits.
    pub and_requests: fn(count: usize) -> String,
    pub not_you: &'static str,
    pub not_you_text: &'static [&'static str],
    pub technical: &'static str,
    pub technical_text: &'static str,
    pub back: &'static str,
}

/// One exchange.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct DetailText {
    pub title: fn(date: &str) -> String,
    pub kicker: fn(date: &str, time: &str) -> String,
    pub visit_kicker: fn(date: &str, time: &str) -> String,
    pub back: &'static str,
    pub back_to_visits: &'static str,
    pub how_proved: &'static str,
    pub who: &'static str,
    /// The answer if the citizen has caused it.
    pub who_own: &'static str,
    pub at: &'static str,
    pub what: &'static str,
    pub values: &'static str,
    pub why: &'static str,
    pub reference: &'static str,
    pub law: &'static str,
    pub allowed: &'static str,
    pub allowed_yes: &'static str,
    pub allowed_no: &'static str,
    pub allowed_open: &'static str,
    pub permission: &'static str,
    pub permission_then: &'static str,
    pub permission_page: &'static str,
    pub only_you: &'static str,
    pub course: &'static str,
    pub step_asked: &'static str,
    pub step_entered: &'static str,
    pub step_entered_note: fn(index: u64) -> String,
    pub step_checked: fn(passed: usize, all: usize) -> String,
    pub step_unchecked: &'static str,
    pub step_sent: &'static str,
    pub step_sent_own: &'static str,
    pub step_not_sent: &'static str,
    pub step_closed: &'static str,
    pub step_closed_note: fn(index: u64) -> String,
    pub step_open: &'static str,
    pub right: &'static str,
    pub right_yes: &'static str,
    pub right_ask: &'static str,
    pub right_object: &'static str,
    pub unknown: &'static str,
    pub unknown_reasons: &'static [&'static str],
    pub retention: &'static str,
    pub technical: fn(facts: usize) -> String,
    pub files: &'static str,
    pub files_text: &'static str,
    pub files_warning: &'static str,
    pub receipt: fn(index: u64) -> String,
    pub opening: fn(index: u64) -> String,
}

/// How one exchange was proved.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct ProofText {
    pub title: &'static str,
    pub back: &'static str,
    pub lead: &'static str,
    pub in_log: &'static str,
    pub in_log_text: fn(index: u64, size: u64) -> String,
    pub unchanged: &'static str,
    pub unchanged_text: &'static str,
    pub yours: &'static str,
    pub yours_text: fn(number: &str) -> String,
    pub picture: &'static str,
    pub picture_title: &'static str,
    pub picture_text: fn(steps: usize) -> String,
    pub your_entry: &'static str,
    pub neighbour: &'static str,
    pub whole: &'static str,
    pub caption: &'static str,
    pub try_title: &'static str,
    pub try_text: &'static str,
    pub try_label: &'static str,
    pub try_hint: &'static str,
    pub same: fn(digest: &str) -> String,
    pub changed: fn(changed: &str, digest: &str) -> String,
    pub not_proved: &'static str,
    pub limits: &'static [&'static str],
    pub without_us: &'static str,
    pub no_picture: &'static str,
}

/// What a citizen can ask or demand.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct ActText {
    pub name: &'static str,
    pub subject: &'static str,
    /// The demand, after the description of the exchange.
    pub demand: &'static str,
    /// What happens next.
    pub next: &'static str,
}

/// The letter about one exchange.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct AskText {
    pub title: &'static str,
    pub back: &'static str,
    pub lead: &'static str,
    pub choose: &'static str,
    pub understand: ActText,
    pub access: ActText,
    pub rectify: ActText,
    pub object: ActText,
    pub complain: ActText,
    pub number: &'static str,
    pub show: &'static str,
    pub to: &'static str,
    pub to_supervision: &'static str,
    pub letter: &'static str,
    pub letter_text: &'static str,
    pub letter_hint: &'static str,
    pub opening_line: &'static str,
    pub about: fn(date: &str, time: &str, index: u64) -> String,
    pub asked_at: &'static str,
    pub evidence: &'static str,
    pub reason: &'static str,
    pub law: &'static str,
    pub reference: &'static str,
    pub with_number: &'static str,
    pub closing: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub mail: &'static str,
    pub pdf: &'static str,
    pub print: &'static str,
    pub what_next: &'static str,
    pub attach: &'static str,
}
