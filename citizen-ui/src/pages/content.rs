//! What a citizen's page is made of: by the server of what it has fetched, by the browser's program of what is proved.

use proof::bundle::EntryPath;
use record::Idnr;

use crate::proof::access::Access;
use crate::proof::complete::Claim;
use crate::proof::device::Visit;
use crate::proof::verify::Failure;

/// What is known about a citizen.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)] // it would show the person
pub struct Content<'a> {
    /// All accesses, newest first.
    pub accesses: &'a [Access],
    /// Accesses that could not be opened: their entries' log indices, and the reason.
    pub unopened: &'a [(Vec<u64>, Failure)],
    /// What the bundle claims, if there is one that verifies.
    pub claim: Option<Claim>,
    /// The person, if there is a bundle.
    pub person: Option<&'a Idnr>,
    /// Whether the citizen can download a bundle.
    pub bundle: bool,
    /// The size of the log, if there is a bundle; otherwise 0.
    pub size: u64,
    /// The way of the entry of the address to the root, if the page shows it.
    pub path: Option<&'a EntryPath>,
    /// What only the browser knows; `None` on the page as the server sends it.
    pub device: Option<DeviceView<'a>>,
}

/// What a page shows of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceView<'a> {
    /// Whether everything on the page is proved.
    pub proved: bool,
    /// The last visit with this device, if there was one.
    pub last: Option<Visit>,
    /// What the citizen has done on the page.
    pub input: Input<'a>,
}

/// What a citizen has done on a page, as far as the page shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input<'a> {
    /// What the citizen has typed to see the proof break.
    pub tried: Option<&'a str>,
    /// Whether the letter has been copied.
    pub copied: bool,
}

impl<'a> Content<'a> {
    /// The access with this log index.
    pub fn access(&self, index: u64) -> Option<&'a Access> {
        self.accesses.iter().find(|access| access.first().index == index)
    }
}
