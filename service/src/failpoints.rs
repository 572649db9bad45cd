//! Fail points: named places where a test can kill the process or make a call fail.
//!
//! They are empty unless the feature `failpoints` is enabled, and no released program has it. A program with the
//! feature reads the environment variable `FAILPOINTS` at its start, in the syntax of the crate `fail`. For example,
//! `written=12*off->return(kill)` passes `written` twelve times and then kills the process. The tasks:
//!
//! | Task | What happens |
//! | --- | --- |
//! | `return(kill)` | the process kills itself with SIGKILL at this place |
//! | `return` | [`fires`] returns `true`: the caller fails, or omits the action that the point names |
//! | `sleep(ms)`, … | as documented by `fail` |

/// Reads `FAILPOINTS`. A program that has fail points keeps what this returns until it ends.
#[must_use]
pub fn init() -> impl Sized {
    #[cfg(feature = "failpoints")]
    fail::FailScenario::setup()
}

/// Marks that the process is at this place.
pub fn reach(name: &str) {
    let _ = fires(name);
}

/// Marks that the process is at this place; returns whether the caller must fail here.
#[cfg(not(feature = "failpoints"))]
#[must_use]
pub const fn fires(_: &str) -> bool {
    false
}

/// Marks that the process is at this place; returns whether the caller must fail here.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn fires(name: &str) -> bool {
    match task(name).as_deref() {
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
