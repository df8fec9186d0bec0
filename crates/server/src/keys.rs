//! Where the key ring comes from, and how it is read again while the server runs.
//!
//! From the environment, where it is given there; else from a file, which a key management service
//! may have wrapped. A file is looked at every second: whoever turns its keys need not tell any
//! node. A ring that does not hold together, that is another's, or that the service does not unwrap
//! now, changes nothing: the node goes on with the keys that it has, and says so.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign_vault::{Ring, RingError, Turning, Vault, file};

use crate::config::{Config, Kms};
use crate::node::NotUp;

/// How often a node looks whether its key file has changed.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// After how many looks a file that was refused is tried once more: a service may be back.
const TRY_AGAIN: u32 = 10;

/// Where a ring comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    pub(crate) kms: Option<Kms>,
}

/// What changes with a file. It is compared, and never read as a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stamp(Option<(u64, std::time::SystemTime, u64)>);

impl Source {
    /// Where a configuration says.
    pub(crate) fn of(config: &Config) -> Self {
        Self { file: config.keys_file.clone(), kms: config.kms.clone() }
    }

    /// Whether the environment holds the ring: then no file is read, and nothing can be turned here.
    pub(crate) fn is_environment(&self) -> bool {
        std::env::var_os(file::ENVIRONMENT).is_some()
    }

    /// Reads the ring. It may wait for a key management service.
    ///
    /// # Errors
    /// [`NotUp`].
    pub(crate) fn read(&self) -> Result<Ring, NotUp> {
        if self.is_environment() {
            return file::load_env(file::ENVIRONMENT)
                .map_err(|error| NotUp(format!("{}: {error}", file::ENVIRONMENT)));
        }
        let text = file::read(&self.file).map_err(|error| self.unreadable(&error))?;
        let at = |error: RingError| NotUp::at(&self.file.display(), &error);
        match (&self.kms, Ring::is_wrapped(&text)) {
            (Some(kms), true) => Ring::parse_wrapped(&text, kms).map_err(at),
            (None, false) => Ring::parse(&text).map_err(at),
            (Some(_), false) => Err(NotUp(format!(
                "{0}: `kms` is set, and this key file is not wrapped\n  to mend it: countersign keys \
                 wrap --config FILE",
                self.file.display()
            ))),
            (None, true) => Err(NotUp(format!(
                "{}: this key file is wrapped by a key management service\n  to mend it: name the \
                 service under `kms` in the configuration",
                self.file.display()
            ))),
        }
    }

    /// Writes a new file.
    ///
    /// # Errors
    /// [`NotUp`]; an existing file is never touched.
    pub(crate) fn create(&self, ring: &Ring) -> Result<(), NotUp> {
        let made = match &self.kms {
            None => file::create_new(&self.file, ring),
            Some(kms) => file::create_new_text(&self.file, &self.wrapped(ring, kms)?),
        };
        made.map_err(|error| NotUp(error.to_string()))
    }

    /// Writes the ring over the file, in one step.
    ///
    /// # Errors
    /// [`NotUp`].
    pub(crate) fn replace(&self, ring: &Ring) -> Result<(), NotUp> {
        let written = match &self.kms {
            None => file::replace(&self.file, ring),
            Some(kms) => file::replace_text(&self.file, &self.wrapped(ring, kms)?),
        };
        written.map_err(|error| NotUp(error.to_string()))
    }

    fn wrapped(&self, ring: &Ring, kms: &Kms) -> Result<String, NotUp> {
        let text = ring.to_wrapped_text(kms).map_err(|error| NotUp(error.to_string()))?;
        // A service that wraps what it cannot unwrap would be found out at the next start.
        let again = Ring::parse_wrapped(&text, kms)
            .map_err(|error| NotUp(format!("{error}: what it wrapped it does not unwrap")))?;
        if again.to_text() == ring.to_text() {
            return Ok(text);
        }
        Err(NotUp("the key management service unwrapped something else than it wrapped".to_owned()))
    }

    fn unreadable(&self, error: &file::FileError) -> NotUp {
        let mend = match &error {
            file::FileError::Io(_, error) if error.kind() == io::ErrorKind::NotFound => {
                format!("\n  to mend it: countersign keys new --out {}", self.file.display())
            }
            _ => String::new(),
        };
        NotUp(format!("{error}{mend}"))
    }

    /// Taken before a file is read, it tells whether the file has changed since.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp(stamp(&self.file).ok())
    }

    /// Hands the vault whatever the file becomes after this stamp, until nobody holds the vault any
    /// more.
    pub(crate) async fn follow(self, vault: Weak<Turning>, mut seen: Stamp) {
        if self.is_environment() {
            return;
        }
        let mut refused_for = 0_u32;
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let Some(vault) = vault.upgrade() else { return };
            let now = self.stamp();
            refused_for = refused_for.saturating_sub(1);
            if now == seen && refused_for != 1 {
                continue;
            }
            seen = now;
            let source = self.clone();
            let turned = tokio::task::spawn_blocking(move || source.turn(&vault)).await;
            refused_for = match turned {
                Ok(Ok(None)) => 0,
                Ok(Ok(Some(newest))) => {
                    tracing::info!(newest, "the key ring has turned");
                    0
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the key file is not taken; the keys in use stay");
                    TRY_AGAIN
                }
                Err(_) => TRY_AGAIN,
            };
        }
    }

    /// The key that seals now, where anything has changed.
    fn turn(&self, vault: &Arc<Turning>) -> Result<Option<u32>, NotUp> {
        let turned = vault.turn(self.read()?);
        let turned = turned.map_err(|error| NotUp::at(&self.file.display(), &error))?;
        Ok(turned.then(|| vault.ring().newest().number()))
    }
}

#[cfg(unix)]
fn stamp(path: &Path) -> io::Result<(u64, std::time::SystemTime, u64)> {
    let metadata = std::fs::metadata(path)?;
    // A file that was renamed into its place is another one, whatever its time says.
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    Ok((metadata.len(), metadata.modified()?, inode))
}

#[cfg(not(unix))]
fn stamp(path: &Path) -> io::Result<(u64, std::time::SystemTime, u64)> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.len(), metadata.modified()?, 0))
}
