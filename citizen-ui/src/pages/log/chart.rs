//! Entries per day: a picture, and a table with the same numbers.

use super::state::Day;
use super::text::Words;
use crate::language::local_time::day as date;
use crate::markup::{Element, el};
use crate::pages::blocks::{accordion, paragraph, section, span, table};
use crate::pages::frame::Frame;

/// The height of the picture and the width of a day, in its own units.
const HEIGHT: u64 = 100;
const STEP: usize = 20;
const BAR: usize = 14;

/// The section with both.
pub(super) fn per_day(frame: &Frame, days: &[Day]) -> Element {
    let words = Words::of(frame.lang);
    let most = days.iter().map(|day| day.entries).max().unwrap_or_default();
    if most == 0 {
        return section(words.per_day, [paragraph(words.no_days)]);
    }
    let (first, last) = (days.first(), days.last());
    let ends = [first, last].map(|day| day.map(|day| date(day.day.0)).unwrap_or_default());
    let label = (words.chart)(days.len(), &ends, most);
    let bars = days.iter().enumerate().map(|(at, day)| bar(at, day, most));
    let width = days.len() * STEP;
    let svg = el("svg")
        .class("ec-chart")
        .attr("viewBox", format!("0 0 {width} {}", HEIGHT + 4))
        .attr("role", "img")
        .attr("aria-label", label)
        .children(bars)
        .child(
            el("path")
                .class("ec-axis")
                .attr("d", format!("M0 {0}H{width}", HEIGHT + 2)),
        );
    let [begin, end] = ends;
    let caption = el("figcaption")
        .class("ec-chart-ends")
        .child(span(&begin))
        .child(span(&end));
    let figure = el("figure").class("ec-figure").child(svg).child(caption);
    let rows = days
        .iter()
        .rev()
        .map(|day| vec![span(&date(day.day.0)), span(&number(day.entries))]);
    let table = table("tage", words.per_day, &[words.day, words.entries], rows);
    section(words.per_day, [figure, accordion(words.as_table, [table])]).attr("id", "je-tag")
}

fn bar(at: usize, day: &Day, most: u64) -> Element {
    // A day with few entries still shows a bar.
    let height = (day.entries * HEIGHT / most).max(u64::from(day.entries > 0));
    el("rect")
        .class("ec-bar")
        .attr("x", (at * STEP + (STEP - BAR) / 2).to_string())
        .attr("y", (HEIGHT - height + 2).to_string())
        .attr("width", BAR.to_string())
        .attr("height", height.to_string())
}

/// A number with a narrow space between groups of three digits.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}
