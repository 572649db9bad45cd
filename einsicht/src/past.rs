//! The demonstration's past: 27 months, through which the real compartments run with a clock that is moved.
//!
//! Each month has two days with exchanges, one in its middle and its last one. On the last day identity also begins the
//! next month's period, makes old periods final and destroys those whose records have expired, and the past goes on
//! when it has. Twenty-seven months are the fewest in which a period is destroyed: its records expire two years and
//! about five weeks after its month.
//!
//! `DIR/operator/past` has the number of days that are done, so that an interrupted start continues there. The file
//! exists only if the demonstration has a past; the first start decides it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ledger_client::api::HttpLedger;
use ledger_client::{Anchored, Follower};
use record::{GermanTime, LegalDay, Period, PeriodEvent, Timestamp, period_label};
use service::{Clock, Health, Shutdown, SystemClock, durable};

use crate::clock::DemoClock;
use crate::seed::Exchanges;
use crate::setup::Setup;
use crate::waiting::{Waiting, WaitingExchange};
use crate::world::{DayOfMonth, Example, Suspension, World};

/// How many whole months lie before the current one.
const MONTHS: u32 = 27;
/// How long the processes may take to know the time.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long to wait before the next look at a process.
const PAUSE: Duration = Duration::from_millis(10);
/// How long to wait before the clock is moved to let the processes look again. Moved faster, it would pass the time for
/// which they rely on what they have confirmed before they can confirm it again.
const NUDGE_PAUSE: Duration = Duration::from_millis(100);
/// How long identity may take to begin a period.
const PERIOD_TIMEOUT: Duration = Duration::from_secs(60);
/// How many seconds the clock is moved to let the processes look again.
const NUDGE: u64 = 10;
/// How many seconds before the present the processes get to know the time.
const SETTLING: u64 = 6 * NUDGE;

/// How far the past has been made.
pub(crate) struct Progress {
    file: PathBuf,
    begin: Timestamp,
}

impl Progress {
    /// Reads or begins the past of a demonstration; `None` if it has none. `wanted` counts only at the first start.
    pub(crate) fn of(data: &Path, wanted: bool) -> Result<Option<Self>> {
        let (file, beginning) = (data.join("operator/past"), data.join("operator/beginning"));
        if !beginning.exists() {
            if !wanted {
                return Ok(None);
            }
            durable::private_directory(&data.join("operator"))?;
            let begin = begin(Timestamp(SystemClock.now()));
            durable::write_atomic(&file, b"0\n")?;
            durable::write_atomic(&beginning, format!("{}\n", begin.0).as_bytes())?;
        }
        if !file.exists() {
            return Ok(None);
        }
        let begin = Timestamp(std::fs::read_to_string(&beginning)?.trim().parse()?);
        Ok(Some(Self { file, begin }))
    }

    /// The time at which the clock starts: that of the last day that was made.
    pub(crate) fn resume_at(&self) -> Result<u64> {
        let done = self.done()?;
        let last = days(self.begin).nth(done.saturating_sub(1)).filter(|_| done > 0);
        Ok(last.map_or(self.begin, |day| day.time).0)
    }

    fn done(&self) -> Result<usize> {
        let text = std::fs::read_to_string(&self.file).with_context(|| self.file.display().to_string())?;
        text.trim().parse().context("the number of days that are done")
    }

    fn note(&self, done: usize) -> Result<()> {
        Ok(durable::write_atomic(&self.file, format!("{done}\n").as_bytes())?)
    }
}

/// The beginning of the month that is [`MONTHS`] before the current one.
fn begin(now: Timestamp) -> Timestamp {
    let mut day = LegalDay::of(now);
    for _ in 0..MONTHS {
        day = first_of_month(day).before();
    }
    first_of_month(day).begin()
}

fn first_of_month(day: LegalDay) -> LegalDay {
    let (_, _, number) = GermanTime::of(day.begin()).date();
    LegalDay((day.0 + 1).saturating_sub(number.unsigned_abs().into()))
}

/// A day on which exchanges are made.
struct Day {
    month: u32,
    day: DayOfMonth,
    time: Timestamp,
}

/// The days, from `begin` to the last one of the month before the current one.
fn days(begin: Timestamp) -> impl Iterator<Item = Day> {
    let mut first = LegalDay::of(begin);
    (0..MONTHS).flat_map(move |month| {
        let next = first.first_of_next_month();
        let (middle, last) = (LegalDay(first.0 + 11 + month % 5), next.before());
        first = next;
        // Office hours that differ from day to day.
        let (hour, minute) = (8 + month * 5 % 8, month * 17 % 60);
        let at = |day: LegalDay| day.begin().after(u64::from(hour * 3600 + minute * 60));
        [(DayOfMonth::Middle, at(middle)), (DayOfMonth::Last, at(last))].map(|(day, time)| Day { month, day, time })
    })
}

/// What is needed to make the past.
pub(crate) struct Making<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) world: &'a World,
    pub(crate) ledger: &'a str,
    pub(crate) connectors: &'a BTreeMap<String, String>,
    pub(crate) clock: &'a DemoClock,
    /// The processes with their health.
    pub(crate) members: &'a [(String, Health)],
}

impl Making<'_> {
    /// Makes the days that are missing and moves the clock to the present.
    pub(crate) async fn make(&self, progress: &Progress) -> Result<()> {
        let past = self.world.past.as_ref().context("the world has no past")?;
        let shutdown = Shutdown::new();
        let log = self.follow(&shutdown).await?;
        let (done, mut waiting) = (
            progress.done()?,
            Waiting::open(progress.file.with_extension("waiting"))?,
        );
        let exchanges = Exchanges::new(self.world, self.connectors, self.clock)?;
        for (number, day) in days(progress.begin).enumerate().skip(done) {
            let given_up = waiting.given_up(past, |number| Some(days(progress.begin).nth(number)?.time));
            let now = Timestamp(self.clock.now());
            for end in given_up.into_iter().filter(|end| *end > now && *end < day.time) {
                self.move_to(end).await?;
                self.end_due(&exchanges, &mut waiting).await?;
            }
            self.move_to(day.time).await?;
            self.end_due(&exchanges, &mut waiting).await?;
            let all = past.exchanges.iter().enumerate();
            let due = all.filter(|(_, exchange)| exchange.is_due(day.month, day.day));
            let due: Vec<(usize, &Example)> = due.map(|(number, due)| (number, &due.exchange)).collect();
            let begun = exchanges.all_at_once(number, &due).await?.into_iter();
            waiting.add(begun.map(|(place, exchange)| WaitingExchange::new(number, place, exchange)))?;
            if day.day == DayOfMonth::Last {
                self.until_begun(&log, day.month + 2).await?;
            }
            for suspension in past
                .suspensions
                .iter()
                .filter(|suspension| suspension.month == day.month)
            {
                if day.day == DayOfMonth::Middle {
                    self.suspend(suspension).await?;
                }
            }
            progress.note(number + 1)?;
        }
        // The last seconds are left for those that have to look again.
        self.move_to(Timestamp(SystemClock.now().saturating_sub(SETTLING)))
            .await?;
        self.end_due(&exchanges, &mut waiting).await?;
        self.clock.catch_up();
        shutdown.trigger();
        Ok(())
    }

    /// Ends the exchanges that have waited long enough.
    async fn end_due(&self, exchanges: &Exchanges<'_>, waiting: &mut Waiting) -> Result<()> {
        let mut nudged = Instant::now();
        let now = Timestamp(self.clock.now());
        waiting.end_due(exchanges, now, || nudged = self.nudge(nudged)).await
    }

    async fn suspend(&self, suspension: &Suspension) -> Result<()> {
        let mut participants = self.world.participants.iter();
        let participant = participants.find(|participant| participant.short == suspension.participant);
        let participant = participant.with_context(|| format!("no participant {}", suspension.participant))?;
        let time = Timestamp(self.clock.now());
        self.setup
            .suspend(self.ledger, participant, &suspension.reason, time)
            .await
    }

    async fn follow(&self, shutdown: &Shutdown) -> Result<Follower> {
        let (api, trust) = (Arc::new(HttpLedger::new(self.ledger)?), Arc::new(self.setup.trust()?));
        let anchored = Anchored::fetch(&*api, &trust).await?;
        Ok(Follower::start(api, trust, &anchored.genesis, shutdown.clone())?)
    }

    /// Moves the clock, and waits until the witnesses have cosigned the log at the new time and all processes know it.
    async fn move_to(&self, time: Timestamp) -> Result<()> {
        self.clock.move_to(time.0);
        let since = Instant::now();
        let mut nudged = since;
        while let Err(reason) = service::health::report_all(self.members) {
            ensure!(since.elapsed() < SETTLE_TIMEOUT, "{reason:?}");
            tokio::time::sleep(PAUSE).await;
            // Those that looked before the witnesses had cosigned look again.
            nudged = self.nudge(nudged);
        }
        Ok(())
    }

    /// Waits until identity has begun a period, which is its last act of the month.
    async fn until_begun(&self, log: &Follower, period: u32) -> Result<()> {
        let label = period_label(Period(period), PeriodEvent::BEGIN);
        let since = Instant::now();
        let mut nudged = since;
        while log.locate(&label)?.is_none() {
            ensure!(
                since.elapsed() < PERIOD_TIMEOUT,
                "identity has not begun period {period}"
            );
            // Identity looks at the time again, and the witnesses have cosigned this day's exchanges meanwhile.
            nudged = self.nudge(nudged);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Moves the clock a little if the last time is long enough ago. Returns when it did.
    fn nudge(&self, last: Instant) -> Instant {
        if last.elapsed() < NUDGE_PAUSE {
            return last;
        }
        self.clock.move_to(self.clock.now() + NUDGE);
        Instant::now()
    }
}
