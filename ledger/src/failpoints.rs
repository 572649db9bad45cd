//! The ledger's fail points: places in the course of a commit where a test can kill the process or make a call fail.
//! [`service::failpoints`] says how.

/// A place where a test can intervene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A commit is assembled, but nothing of it is written.
    Made,
    /// The commit is durable, but its checkpoint is not signed.
    Written,
    /// The checkpoint is signed, but not stored.
    Signed,
    /// The checkpoint is stored, but not shown.
    Kept,
    /// Readers see the checkpoint, but no writer has an answer.
    Shown,
    /// Before each answer to a request.
    Answer,
    /// A map entry is staged.
    MapEntry,
    /// A witness is about to be asked.
    Asked,
    /// The checkpoint has a quorum, but is not stored.
    Cosigned,
    /// The cosigned checkpoint is stored, but not shown.
    PublishedKept,
    /// `ledger migrate` has copied a part of a column.
    PartCopied,
    /// `ledger migrate` has copied and checked everything, and has not marked the source.
    Copied,
    /// `ledger migrate` has marked the source as moved, and not the target as arrived.
    SourceMarked,
    /// The store fails before it writes anything.
    WriteFails,
    /// The store has written, but its sync fails.
    SyncFails,
    /// Writes are not fenced: neither lock nor epoch nor head is checked. Tests use it to prove that they detect two
    /// ledgers that write to one log.
    FenceLeftOut,
    /// The store omits the sync. Tests use it to prove that they detect a missing sync.
    SyncLeftOut,
}

impl Point {
    /// The places where a crash must not lose or fork anything.
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
            Self::PartCopied => "part-copied",
            Self::Copied => "copied",
            Self::SourceMarked => "source-marked",
            Self::WriteFails => "write-fails",
            Self::SyncFails => "sync-fails",
            Self::FenceLeftOut => "fence-left-out",
            Self::SyncLeftOut => "sync-left-out",
        }
    }
}

/// Marks that the process is at this place.
pub(crate) fn reach(point: Point) {
    fires(point);
}

/// Marks that the process is at this place; returns whether the caller must fail here.
pub(crate) fn fires(point: Point) -> bool {
    service::failpoints::fires(point.name())
}
