//! Works on the orders while identity runs: one after another, in batches, each of which is recorded and then released.
//!
//! The permit is asked for before each batch by the versions that are in force then, so a receiver that is suspended
//! gets no further person. If the ledger is away, the order waits where it is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use record::{TestNumbers, Timestamp};
use service::clock::Clock as _;
use service::{Problem, Shutdown};
use tokio::runtime::Handle;
use trust::{BaseDataError, BaseDataPermit};

use super::order::{Order, OrderError, OrderFolder, Outcome};
use super::{Fill, FillError, Filled, NotReleased, fill};
use crate::base_data::{BaseData, Released};
use crate::identity::Identity;
use crate::log::TransparencyLog;
use crate::persons::population::Population;

/// How often the folder is looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What the work needs besides identity.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    pub(crate) population: Arc<Population>,
    /// Identity's directory.
    pub(crate) data: PathBuf,
    pub(crate) test_numbers: TestNumbers,
}

impl Orders {
    /// Works until shutdown is requested.
    pub(crate) async fn run<L: TransparencyLog>(&self, identity: &Arc<Identity<L>>, shutdown: &Shutdown) {
        while !shutdown.is_triggered() {
            self.work(identity, shutdown).await;
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                () = shutdown.wait() => {}
            }
        }
    }

    /// Works on each open order until it has ended or cannot be continued at present.
    pub(crate) async fn work<L: TransparencyLog>(&self, identity: &Arc<Identity<L>>, shutdown: &Shutdown) {
        let open = match OrderFolder::open_ones(&self.data) {
            Ok(open) => open,
            Err(error) => return tracing::error!(%error, "the orders of first fills cannot be read"),
        };
        for folder in open {
            let (orders, this, shutdown, handle) =
                (self.clone(), Arc::clone(identity), shutdown.clone(), Handle::current());
            let worked = move || orders.order(&this, &folder, &shutdown, &handle);
            match tokio::task::spawn_blocking(worked).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "an order of a first fill cannot be worked on"),
                Err(error) => tracing::error!(%error, "the work on a first fill was broken off"),
            }
        }
    }

    /// Works on one order, on a thread that may block.
    fn order<L: TransparencyLog>(
        &self,
        identity: &Arc<Identity<L>>,
        folder: &OrderFolder,
        shutdown: &Shutdown,
        handle: &Handle,
    ) -> Result<(), OrderError> {
        let order = match folder.order() {
            Ok(order) => order,
            Err(error) => return folder.end(&Outcome::Refused(error.to_string())),
        };
        let release = |persons: &[BaseData]| handle.block_on(release(identity, &order, persons));
        // An order that no permit allows is refused even if no row has a person.
        let filled = release(&[]).map_err(FillError::from).and_then(|_| {
            let options = Fill {
                rows: &folder.rows(),
                result: &folder.result(),
                order: &order,
                test_numbers: self.test_numbers,
            };
            fill(&self.population, &options, release, || shutdown.is_triggered())
        });
        match filled {
            Ok(Filled::Interrupted(_)) => Ok(()),
            Ok(Filled::Done(quality)) => {
                tracing::info!(found = quality.found, "a first fill is done");
                folder.end(&Outcome::Done(quality))
            }
            Err(FillError::Release(NotReleased::Later(problem))) => {
                tracing::warn!(%problem, "a first fill waits");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "a first fill is refused");
                folder.end(&Outcome::Refused(error.to_string()))
            }
        }
    }
}

/// Releases base data of these persons by the permit that the receiver has now.
async fn release<L: TransparencyLog>(
    identity: &Arc<Identity<L>>,
    order: &Order,
    persons: &[BaseData],
) -> Result<Vec<Released>, NotReleased> {
    let permit = Arc::new(permit(identity, order)?);
    identity.release(&permit, persons).await.map_err(NotReleased::Later)
}

fn permit<L: TransparencyLog>(identity: &Identity<L>, order: &Order) -> Result<BaseDataPermit, NotReleased> {
    let history = identity.in_force().map_err(NotReleased::Later)?;
    let (versions, now) = (history.newest_versions(), Timestamp(identity.clock.now()));
    let permit = history.permit_base_data(versions, &order.receiver, &order.base_data, &order.purpose, now);
    permit.map_err(|error| match error {
        BaseDataError::History(error) => NotReleased::Later(Problem::unavailable("directory", 1, error.to_string())),
        denied => NotReleased::Denied(denied),
    })
}
