//! Two years as a picture: a lane for each authority, a column for each month, and a bar for the time in which it is
//! proved that nothing is missing. The same is a table behind it, whose rows lead to the list.
//!
//! The picture is drawn twice, for wide and for narrow screens, with classes alone; the style sheet shows one and
//! colours it. It ends on the left where the law ends.

use std::collections::BTreeMap;

use super::content::Content;
use super::filter::{ListQuery, who};
use super::frame::Frame;
use super::parts::{accordion, heading, link};
use crate::language::local_time::{LocalTime, Month};
use crate::language::sentence::capitalised;
use crate::markup::{Element, el, svg};
use crate::proof::access::{Access, AccessKind, Ending};
use crate::sorted::{descending, sorted};

/// How many months the picture has.
const MONTHS: i32 = 24;
/// How many authorities have a lane of their own.
const MAX_LANES: usize = 5;

/// What one lane shows.
struct Lane {
    name: String,
    /// Whether it is the citizen's own.
    own: bool,
    months: BTreeMap<i32, Cell>,
}

/// One month of a lane.
#[derive(Clone, Copy, Default)]
struct Cell {
    count: usize,
    nothing: usize,
    without: usize,
}

/// The sizes of one drawing.
struct Drawing {
    id: &'static str,
    class: &'static str,
    width: i32,
    /// Where the months begin.
    left: i32,
    /// The width of a month.
    month: i32,
    /// The height of a lane with its gap.
    lane: i32,
    /// Where the marks are, below the top of the lane.
    track: i32,
    /// Every how many months one is named.
    named: i32,
}

const WIDE: Drawing = Drawing {
    id: "breit",
    class: "ec-picture ec-drawn-wide",
    width: 792,
    left: 210,
    month: 24,
    lane: 28,
    track: 0,
    named: 3,
};
const NARROW: Drawing = Drawing {
    id: "schmal",
    class: "ec-picture ec-drawn-narrow",
    width: 320,
    left: 4,
    month: 13,
    lane: 45,
    track: 20,
    named: 12,
};
/// The height of the part of a lane that shows the marks.
const TRACK: i32 = 22;

/// Makes the section. `None` as long as nothing is claimed about any time.
pub(super) fn picture(frame: &Frame, content: &Content) -> Option<Element> {
    let text = &frame.lang.citizen().overview;
    let claim = content.claim?;
    let last = LocalTime::of(claim.as_of).month;
    let lanes = lanes(frame, content.accesses, last);
    let proved = content.device.is_some_and(|device| device.proved);
    let from = claim
        .since
        .map(|since| LocalTime::of(since).month.count() - first(last));
    let bar = Bar {
        from: from.unwrap_or_default().max(0),
        proved,
    };
    let legend = [
        ("d", text.legend_delivered),
        ("n", text.legend_nothing),
        ("r", text.legend_refused),
        ("i", text.legend_visit),
    ];
    let legend = legend.into_iter().map(|(class, name)| {
        let key = el("span")
            .class(&format!("ec-key ec-key-{class}"))
            .attr("aria-hidden", "true");
        el("li").child(key).text(name)
    });
    let caption = el("figcaption")
        .child(el("ul").class("ec-legend").children(legend))
        .child(el("p").class("ec-small").text(text.edge));
    let figure = el("figure")
        .class("ec-figure")
        .children([WIDE, NARROW].map(|drawing| draw(frame, &drawing, &lanes, &bar, last)))
        .child(caption);
    let section = el("section").class("ec-section").attr("id", "bild");
    let section = section.child(heading(text.picture)).child(figure);
    Some(section.child(accordion(text.table, [table(frame, &lanes, last)])))
}

/// The bar below the lanes.
struct Bar {
    /// The first month in which nothing is missing, from the left edge.
    from: i32,
    /// Whether this browser has proved it.
    proved: bool,
}

/// The count of the first month of the picture.
fn first(last: Month) -> i32 {
    last.count() - MONTHS + 1
}

fn lanes(frame: &Frame, accesses: &[Access], last: Month) -> Vec<Lane> {
    let text = &frame.lang.citizen().overview;
    let mut by_name: BTreeMap<(bool, &str), Lane> = BTreeMap::new();
    for access in accesses {
        let month = LocalTime::of(access.first().time).month.count() - first(last);
        let (own, name) = match AccessKind::of(access) {
            AccessKind::Exchange | AccessKind::Release => (
                false,
                Some(who(access)).filter(|who| !who.is_empty()).unwrap_or(text.erased),
            ),
            AccessKind::Inspection | AccessKind::OwnRequest => (true, text.own_visits),
            AccessKind::Unused => continue,
        };
        if !(0..MONTHS).contains(&month) {
            continue;
        }
        let lane = by_name.entry((own, name)).or_insert_with(|| Lane {
            name: capitalised(name),
            own,
            months: BTreeMap::new(),
        });
        lane.months.entry(month).or_default().add(access);
    }
    let (own, lanes): (Vec<Lane>, Vec<Lane>) = by_name.into_values().partition(|lane| lane.own);
    let mut lanes = sorted(lanes, |lane| descending(lane.count() as u64));
    if lanes.len() > MAX_LANES + 1 {
        let mut others = Lane {
            name: capitalised(text.others),
            own: false,
            months: BTreeMap::new(),
        };
        for lane in lanes.drain(MAX_LANES..) {
            others.merge(&lane);
        }
        lanes.push(others);
    }
    lanes.extend(own);
    lanes
}

impl Cell {
    fn add(&mut self, access: &Access) {
        self.count += 1;
        match Ending::of(access) {
            _ if !AccessKind::of(access).is_listed() => {}
            Ending::Delivered | Ending::Erased => {}
            Ending::Nothing => self.nothing += 1,
            _ => self.without += 1,
        }
    }

    /// How many sent no data.
    fn no_data(self) -> usize {
        self.nothing + self.without
    }
}

impl Lane {
    fn count(&self) -> usize {
        self.months.values().map(|cell| cell.count).sum()
    }

    fn merge(&mut self, other: &Self) {
        for (month, cell) in &other.months {
            let merged = self.months.entry(*month).or_default();
            merged.count += cell.count;
            merged.nothing += cell.nothing;
            merged.without += cell.without;
        }
    }
}

fn draw(frame: &Frame, drawing: &Drawing, lanes: &[Lane], bar: &Bar, last: Month) -> Element {
    let text = &frame.lang.citizen().overview;
    let bottom = i32::try_from(lanes.len()).unwrap_or(0) * drawing.lane;
    let height = bottom + drawing.track + 44;
    let [title, desc] = ["titel", "text"].map(|part| format!("bild-{}-{part}", drawing.id));
    let picture = svg("svg")
        .class(drawing.class)
        .attr("viewBox", format!("0 0 {} {height}", drawing.width))
        .attr("role", "img")
        .attr("aria-labelledby", format!("{title} {desc}"));
    let mut picture = picture
        .child(svg("title").attr("id", title).text(text.picture_title))
        .child(svg("desc").attr("id", desc).text(&described(frame, lanes, bar, last)));
    for (at, lane) in (0..).zip(lanes) {
        picture = picture.children(draw_lane(drawing, lane, at * drawing.lane));
    }
    picture = picture.children(draw_bar(frame, drawing, bar, bottom));
    let first = first(last);
    for month in (0..MONTHS).filter(|month| (first + month) % drawing.named == 0) {
        let name = last.earlier(MONTHS - 1 - month);
        let words = match name.month {
            1 => format!("{} {}", name.short_name(frame.lang), name.year),
            _ => name.short_name(frame.lang),
        };
        let label = svg("text")
            .class("ec-tick")
            .attr("x", (drawing.left + month * drawing.month).to_string());
        picture = picture.child(label.attr("y", (height - 4).to_string()).text(&words));
    }
    picture
}

fn draw_lane(drawing: &Drawing, lane: &Lane, top: i32) -> Vec<Element> {
    let (baseline, track) = if drawing.track == 0 {
        (16, top)
    } else {
        (15, top + drawing.track)
    };
    let name = svg("text")
        .class("ec-lane")
        .attr("x", "0")
        .attr("y", (top + baseline).to_string());
    let area = rect("ec-track", drawing.left, track, drawing.month * MONTHS, TRACK);
    let mut parts = vec![name.text(&shortened(&lane.name)), area];
    for (month, cell) in &lane.months {
        let (left, size) = (drawing.left + month * drawing.month, drawing.month.min(TRACK) - 2);
        let (x, y) = (left + (drawing.month - size) / 2, track + (TRACK - size) / 2);
        let (middle, radius) = (left + drawing.month / 2, size / 2);
        let mut filled = false;
        parts.push(if lane.own {
            let circle = svg("circle").class("ec-mark-i").attr("cx", middle.to_string());
            circle
                .attr("cy", (track + TRACK / 2).to_string())
                .attr("r", radius.to_string())
        } else if cell.no_data() < cell.count {
            filled = true;
            rect("ec-mark-d", x, y, size, size)
        } else if cell.without > 0 {
            let (right, end) = (x + size, y + size);
            let cross = format!("M{x} {y} L{right} {end} M{right} {y} L{x} {end}");
            svg("path").class("ec-mark-r").attr("d", cross)
        } else {
            rect("ec-mark-n", x + 1, y + 1, size - 2, size - 2)
        });
        if cell.count > 1 {
            let class = if filled { "ec-number ec-on" } else { "ec-number" };
            let number = svg("text").class(class).attr("x", middle.to_string());
            parts.push(
                number
                    .attr("y", (track + TRACK / 2 + 4).to_string())
                    .text(&cell.count.to_string()),
            );
        }
    }
    parts
}

fn draw_bar(frame: &Frame, drawing: &Drawing, bar: &Bar, bottom: i32) -> Vec<Element> {
    let text = &frame.lang.citizen().overview;
    let (class, words) = if bar.proved {
        ("ec-gapless", text.bar_proved)
    } else {
        ("ec-gapless-open", text.bar_server)
    };
    let (baseline, top) = if drawing.track == 0 {
        (bottom + 15, bottom + 4)
    } else {
        (bottom + 15, bottom + drawing.track + 2)
    };
    let left = drawing.left + bar.from * drawing.month;
    let right = drawing.left + MONTHS * drawing.month;
    let edge = format!("M{} 0 V{}", drawing.left, top + 16);
    let name = svg("text")
        .class("ec-lane")
        .attr("x", "0")
        .attr("y", baseline.to_string());
    vec![
        name.text(words),
        rect(class, left, top, right - left, 12),
        svg("path").class("ec-edge").attr("d", edge),
    ]
}

fn rect(class: &str, x: i32, y: i32, width: i32, height: i32) -> Element {
    svg("rect")
        .class(class)
        .attr("x", x.to_string())
        .attr("y", y.to_string())
        .attr("width", width.to_string())
        .attr("height", height.to_string())
        .attr("rx", "2")
}

/// The text of a lane: the beginning of a name that is too long for it.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(26) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// The picture in words.
fn described(frame: &Frame, lanes: &[Lane], bar: &Bar, last: Month) -> String {
    let text = &frame.lang.citizen().overview;
    let without = |lane: &Lane| lane.months.values().map(|cell| cell.no_data()).sum();
    let mut sentences: Vec<String> = lanes
        .iter()
        .map(|lane| match lane.own {
            true => format!("{}: {}.", lane.name, (text.visits)(lane.count())),
            false => (text.lane)(&lane.name, lane.count(), without(lane)),
        })
        .collect();
    if bar.proved {
        let from = last.earlier(MONTHS - 1 - bar.from);
        sentences.push((text.gapless)(&from.name(frame.lang), &last.name(frame.lang)));
    }
    sentences.push(text.picture_hint.to_owned());
    sentences.join(" ")
}

/// The picture as a table, newest month first. Each row leads to the list of this month and authority.
fn table(frame: &Frame, lanes: &[Lane], last: Month) -> Element {
    let text = &frame.lang.citizen().overview;
    let column = |name: &str| el("th").class("kern-table__header").attr("scope", "col").text(name);
    let columns = [text.column_month, text.column_who, text.column_count].map(column);
    let head = el("thead").child(el("tr").class("kern-table__row").children(columns));
    let mut rows = Vec::new();
    for month in (0..MONTHS).rev() {
        for lane in lanes {
            let Some(cell) = lane.months.get(&month) else { continue };
            let name = last.earlier(MONTHS - 1 - month);
            let count = match lane.own {
                true => (text.visits)(cell.count),
                false => (text.count)(cell.count, cell.no_data()),
            };
            let count = link(frame.href(&address(frame, lane, name)), &count);
            let cell = |content: Element| el("td").class("kern-table__cell").child(content);
            let head = el("th")
                .class("kern-table__cell")
                .attr("scope", "row")
                .text(&name.name(frame.lang));
            let row = el("tr").class("kern-table__row").child(head);
            rows.push(row.child(cell(el("bdi").text(&lane.name))).child(cell(count)));
        }
    }
    let caption = el("caption").class("ec-small").text(text.picture_title);
    let table = el("table").class("kern-table ec-table").child(caption).child(head);
    el("div")
        .class("ec-scroll")
        .child(table.child(el("tbody").children(rows)))
}

/// The address of the list of one month and authority.
fn address(frame: &Frame, lane: &Lane, month: Month) -> String {
    let text = &frame.lang.citizen().overview;
    if lane.own {
        return "/besuche".to_owned();
    }
    let (from, until) = month.form_dates();
    let collected = [text.others, text.erased].map(capitalised).contains(&lane.name);
    let query = ListQuery {
        who: (!collected).then(|| lane.name.clone()),
        from: Some(from),
        until: Some(until),
        ..ListQuery::default()
    };
    query.path(1)
}
