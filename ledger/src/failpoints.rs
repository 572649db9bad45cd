//! Fail points: named places on the way of a commit where a test makes the process die, or a call fail.
//!
//! Only the feature `failpoints` gives them a body; a program built without it carries none. A test build reads the environment
//! variable `FAILPOINTS` at its start, in the language of the crate `fail`: `written=12*off->return(kill)` means "pass twelve
//! times, then". Tasks:
//!
//! | Task | What happens |
//! | --- | --- |
//! | `return(kill)` | the process kills itself with SIGKILL, at this very place |
//! | `return` | [`fires`] says `true`: the caller fails, or leaves out what the point says |
//! | `sleep(ms)`, … | as documented by `fail` |

/// The places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A commit is made, nothing of it is written.
    Made,
    /// The commit is durable, its checkpoint is not signed.
    Written,
    /// The checkpoint is signed and not kept.
    Signed,
    /// The checkpoint is kept, nobody has seen it.
    Kept,
    /// Readers see it, no writer has an answer.
    Shown,
    /// Before each answer to a request.
    Answer,
    /// A map entry is staged.
    MapEntry,
    /// A witness is about to be asked.
    Asked,
    /// The quorum is met, the cosigned checkpoint is not kept.
    Cosigned,
    /// The cosigned checkpoint is kept and not shown.
    PublishedKept,
    /// The store fails before it writes anything.
    WriteFails,
    /// The store has written, and its sync fails.
    SyncFails,
    /// The store leaves out the sync: proves that the tests notice.
    SyncLeftOut,
}

impl Point {
    /// Where dying must do no harm.
    pub const DEADLY: [Point; 10] = [
        Point::Made,
        Point::Written,
        Point::Signed,
        Point::Kept,
        Point::Shown,
        Point::Answer,
        Point::MapEntry,
        Point::Asked,
        Point::Cosigned,
        Point::PublishedKept,
    ];

    /// Its name in `FAILPOINTS`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Written => "written",
            Self::Signed => "signed",
            Self::Kept => "kept",
            Self::Shown => "shown",
            Self::Answer => "answer",
            Self::MapEntry => "map-entry",
            Self::Asked => "asked",
            Self::Cosigned => "cosigned",
            Self::PublishedKept => "published-kept",
            Self::WriteFails => "write-fails",
            Self::SyncFails => "sync-fails",
            Self::SyncLeftOut => "sync-left-out",
        }
    }
}

/// The process is at this place.
pub(crate) fn reach(point: Point) {
    fires(point);
}

/// The process is at this place; whether it shall go wrong here.
#[cfg(not(feature = "failpoints"))]
pub(crate) const fn fires(_: Point) -> bool {
    false
}

/// The process is at this place; whether it shall go wrong here.
#[cfg(feature = "failpoints")]
pub(crate) fn fires(point: Point) -> bool {
    match task(point.name()).as_deref() {
        Some("kill") => kill(),
        task => task.is_some(),
    }
}

#[cfg(feature = "failpoints")]
fn task(name: &str) -> Option<String> {
    fail::fail_point!(name, |text| Some(text.unwrap_or_default()));
    None
}

#[cfg(feature = "failpoints")]
fn kill() -> ! {
    // No destructor, no handler, no flush runs after this.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}
