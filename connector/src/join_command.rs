//! `connector join`: makes keys, applies with a registrar's link, shows the words, and waits for the directory.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use connector::joining::{JoinError, Joining, ProviderArguments};
use enrolment::Stage;
use output::Failure;
use service::secret;
use trust::{Endpoint, Version};
use zeroize::Zeroizing;

/// How often the command asks how far the enrolment is.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(crate) struct Join {
    /// The link that a registrar has sent you, or a file with it (mode 0600)
    #[arg(value_name = "LINK")]
    link: String,
    /// The connector's folder, with its keys and its configuration. It is created if it is missing
    #[arg(long, value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// A provider: where the broker reaches this connector
    #[arg(long, value_name = "URL", group = "route", requires_all = ["register", "register_credential"])]
    endpoint: Option<Endpoint>,
    /// A provider: the broker cannot reach this connector, which collects its calls instead
    #[arg(long, group = "route", requires_all = ["register", "register_credential"])]
    collect: bool,
    /// A provider: base URL of the register
    #[arg(long, value_name = "URL", requires = "route")]
    register: Option<String>,
    /// A provider: file of the credential that the register requires
    #[arg(long, value_name = "FILE", requires = "route")]
    register_credential: Option<PathBuf>,
    /// How long to wait for the directory, in seconds. The same command continues later
    #[arg(long, value_name = "SECONDS", default_value_t = 7 * 86_400)]
    wait: u64,
}

impl Join {
    /// With an absolute path, because paths in the configuration start from its folder.
    fn provider(&self) -> Option<ProviderArguments> {
        let credential = self.register_credential.as_ref()?;
        Some(ProviderArguments {
            endpoint: self.endpoint.clone(),
            register: self.register.clone()?,
            register_credential: std::path::absolute(credential).ok()?,
        })
    }
}

/// Runs the command. Exit codes: 0 listed, 1 refused, 2 usage, 3 not listed yet or not reached.
pub(crate) async fn run(arguments: &Join) -> ExitCode {
    let failure = match join(arguments).await {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {
            Failure::Unreachable("the directory does not list the component yet: run the command again".into())
        }
        Err(failure) => failure,
    };
    output::stderr!("connector: {failure}");
    failure.into()
}

/// Returns whether the directory lists the component.
async fn join(arguments: &Join) -> Result<bool, Failure> {
    let link = if arguments.link.starts_with("http") {
        Zeroizing::new(arguments.link.clone())
    } else {
        secret::read_private(Path::new(&arguments.link)).map_err(Failure::usage)?
    };
    let mut joining = Joining::begin(&link, arguments.provider()).await?;
    let folder = &arguments.folder;
    let words = joining.apply(folder).await?;
    let seat = &joining.invited().seat;
    output::stdout!("component  {} ({})", seat.id, seat.name)?;
    output::stdout!("keys       in {}", folder.display())?;
    output::stdout!("words      {words}")?;
    output::stdout!(
        "           Tell these words to your body ({}), by telephone or in person.",
        seat.body
    )?;
    match wait(&mut joining, folder, Duration::from_secs(arguments.wait)).await? {
        None => Ok(false),
        Some(version) => {
            let config = folder.join("config.json");
            output::stdout!("listed     in version {} of the directory", version)?;
            output::stdout!("           Next: connector doctor --config {}", config.display())?;
            Ok(true)
        }
    }
}

/// Prints each new stage. Interruptions of service and ledger are waited for.
async fn wait(joining: &mut Joining, folder: &Path, limit: Duration) -> Result<Option<Version>, Failure> {
    let (since, mut shown) = (Instant::now(), "");
    loop {
        let stage = match joining.stage().await {
            Ok(stage) => stage,
            Err(JoinError::NotReached(_)) if since.elapsed() < limit => {
                tokio::time::sleep(POLL_INTERVAL).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let (name, is_listed) = (stage.name(), matches!(stage, Stage::Listed));
        if name != shown {
            output::stdout!("stage      {name}")?;
            shown = name;
        }
        if is_listed {
            match joining.listed(folder).await {
                Ok(Some(version)) => return Ok(Some(version)),
                // The log is published a moment later than the service has learnt of the version.
                Ok(None) | Err(JoinError::NotReached(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if since.elapsed() >= limit {
            return Ok(None);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
