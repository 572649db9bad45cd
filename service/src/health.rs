//! What is wrong with a compartment, for its operator.
//!
//! A compartment adds checks to its [`Health`]; they run for each request of the operator ([`crate::operations`]). A
//! reason is for the operator and has no personal data.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::problem::Problem;

/// What keeps a compartment from doing all of its work. The least impairment comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impairment {
    /// It does not serve yet. It will, without an operator.
    Starting(String),
    /// It waits for another process, such as the ledger or the witnesses. It recovers without an operator.
    Behind(String),
    /// It does not continue until an operator acts.
    Halted(String),
}

impl Impairment {
    fn slug_and_reason(&self) -> (&'static str, &str) {
        match self {
            Self::Starting(reason) => ("starting", reason),
            Self::Behind(reason) => ("behind", reason),
            Self::Halted(reason) => ("halted", reason),
        }
    }

    /// The answer of `GET /health`: 503 with the slug `starting`, `behind` or `halted`.
    pub fn problem(&self) -> Problem {
        let (slug, reason) = self.slug_and_reason();
        Problem::unavailable(slug, 5, reason)
    }

    /// The same impairment, with the name of the compartment in its reason.
    fn of(self, name: &str) -> Self {
        let with_name = |reason: String| format!("{name}: {reason}");
        match self {
            Self::Starting(reason) => Self::Starting(with_name(reason)),
            Self::Behind(reason) => Self::Behind(with_name(reason)),
            Self::Halted(reason) => Self::Halted(with_name(reason)),
        }
    }
}

type Check = Box<dyn Fn() -> Result<(), Impairment> + Send + Sync>;
type Role = Box<dyn Fn() -> &'static str + Send + Sync>;

#[derive(Default)]
struct Inner {
    serves: AtomicBool,
    checks: RwLock<Vec<Check>>,
    role: OnceLock<Role>,
}

/// The health of one compartment. Clones share it.
#[derive(Clone, Default)]
pub struct Health(Arc<Inner>);

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Health({:?})", self.report())
    }
}

impl Health {
    /// Adds a check, which must not block.
    pub fn check(&self, check: impl Fn() -> Result<(), Impairment> + Send + Sync + 'static) {
        let mut checks = self.0.checks.write().unwrap_or_else(PoisonError::into_inner);
        checks.push(Box::new(check));
    }

    /// Sets the function that names the compartment's role, for one that may have several. Only the first call counts.
    pub fn name_role(&self, role: impl Fn() -> &'static str + Send + Sync + 'static) {
        let _ = self.0.role.set(Box::new(role));
    }

    /// The compartment's role, if it may have several.
    pub fn role(&self) -> Option<&'static str> {
        self.0.role.get().map(|role| role())
    }

    /// The listener accepts requests from now on.
    pub(crate) fn serves(&self) {
        self.0.serves.store(true, Ordering::Release);
    }

    /// Runs all checks.
    ///
    /// # Errors
    /// The worst impairment.
    pub fn report(&self) -> Result<(), Impairment> {
        let serves = self.0.serves.load(Ordering::Acquire);
        let starting = (!serves).then(|| Impairment::Starting("it does not serve yet".into()));
        let checks = self.0.checks.read().unwrap_or_else(PoisonError::into_inner);
        let found = checks.iter().filter_map(|check| check().err());
        found.chain(starting).max().map_or(Ok(()), Err)
    }
}

/// The worst impairment of several compartments of one process, with the compartment's name.
///
/// # Errors
/// That impairment.
pub fn report_all(members: &[(String, Health)]) -> Result<(), Impairment> {
    let impaired = |(name, health): &(String, Health)| health.report().err().map(|found| found.of(name));
    members.iter().filter_map(impaired).max().map_or(Ok(()), Err)
}

/// The body of a good report: `ok`, and the roles of the compartments that may have several.
pub fn describe_all(members: &[(String, Health)]) -> String {
    let roles = members
        .iter()
        .filter_map(|(name, health)| Some(format!("{name}: {}\n", health.role()?)));
    std::iter::once("ok\n".to_owned()).chain(roles).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_impairment_is_reported() {
        let health = Health::default();
        assert!(matches!(health.report(), Err(Impairment::Starting(_))));
        health.serves();
        assert_eq!(health.report(), Ok(()));
        let halted = Arc::new(AtomicBool::new(false));
        health.check(|| Err(Impairment::Behind("no quorum".into())));
        let check = halted.clone();
        health.check(move || match check.load(Ordering::Relaxed) {
            true => Err(Impairment::Halted("disk full".into())),
            false => Ok(()),
        });
        let report = |health: &Health| report_all(&[("portal".into(), serving()), ("ledger".into(), health.clone())]);
        assert_eq!(report(&health), Err(Impairment::Behind("ledger: no quorum".into())));
        health.name_role(|| "follower");
        let members = [("portal".into(), serving()), ("ledger".into(), health.clone())];
        assert_eq!(describe_all(&members), "ok\nledger: follower\n");
        halted.store(true, Ordering::Relaxed);
        assert_eq!(report(&health), Err(Impairment::Halted("ledger: disk full".into())));
    }

    fn serving() -> Health {
        let health = Health::default();
        health.serves();
        health
    }
}
