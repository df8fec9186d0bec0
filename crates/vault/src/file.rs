//! Key files and the environment.
//!
//! Refuses a key file that anybody but its owner can read, and never writes one that way. Files
//! appear whole or not at all: written beside, synced, then named.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::{env, fmt};

use zeroize::Zeroizing;

use crate::{Ring, RingError};

/// The environment variable by which a ring is given where files are not at hand.
pub const ENVIRONMENT: &str = "COUNTERSIGN_KEYS";

/// No key file is larger: [`Ring::MAX_KEYS`] keys take 2 kB, the rest is room for comments.
const MAX_BYTES: u64 = 16 * 1024;

/// Reads the ring from the key file at `path`.
///
/// # Errors
/// [`FileError`]; on Unix [`FileError::Exposed`] where group or others have any permission on it.
pub fn load(path: impl AsRef<Path>) -> Result<Ring, FileError> {
    Ok(Ring::parse(&read(path.as_ref())?)?)
}

/// Reads the text of the file at `path` under the same precautions as [`load`], for
/// [`Ring::parse_wrapped`].
///
/// # Errors
/// As [`load`].
pub fn read(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let io = |error| FileError::Io(path.to_owned(), error);
    let file = File::open(path).map_err(io)?;
    // Asked of the open file: its name may lead elsewhere by now.
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(FileError::NotAKeyFile(path.to_owned()));
    }
    if exposed(&metadata) {
        return Err(FileError::Exposed(path.to_owned()));
    }
    let mut text = Zeroizing::new(String::with_capacity(16 * 1024 + 1));
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(io)?;
    Ok(text)
}

/// Writes a new key file, readable by its owner alone. An existing one is never touched: a ring
/// written over is a database lost.
///
/// # Errors
/// [`FileError::Io`], of kind `AlreadyExists` where there is a file at `path`.
pub fn create_new(path: impl AsRef<Path>, ring: &Ring) -> Result<(), FileError> {
    create_new_text(path.as_ref(), &ring.to_text())
}

/// Writes a new key file with this text, which may be a wrapped ring's.
///
/// # Errors
/// As [`create_new`].
pub fn create_new_text(path: &Path, text: &str) -> Result<(), FileError> {
    // Unlike a rename, a link refuses a name that is taken.
    write(path, text, |new, path| fs::hard_link(new, path))
}

/// Writes `ring` over the key file at `path`, in one step: for a ring that has turned.
///
/// # Errors
/// [`FileError::Io`].
pub fn replace(path: impl AsRef<Path>, ring: &Ring) -> Result<(), FileError> {
    replace_text(path.as_ref(), &ring.to_text())
}

/// Writes this text over the key file at `path`, in one step; it may be a wrapped ring's.
///
/// # Errors
/// [`FileError::Io`].
pub fn replace_text(path: &Path, text: &str) -> Result<(), FileError> {
    write(path, text, |new, path| fs::rename(new, path))
}

/// Reads the ring from [`ENVIRONMENT`], or from another variable. Prefer a file: the environment is
/// inherited by every child process and shown by many tools.
///
/// # Errors
/// [`FileError::NotSet`], and those of [`Ring::parse`].
pub fn load_env(variable: &str) -> Result<Ring, FileError> {
    let text = env::var(variable).map_err(|_| FileError::NotSet(variable.to_owned()))?;
    Ok(Ring::parse(&Zeroizing::new(text))?)
}

/// Why no key file was read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileError {
    /// The system refused.
    Io(PathBuf, io::Error),
    /// Group or others have permissions on it.
    Exposed(PathBuf),
    /// Not a plain file, or too large to be one of keys.
    NotAKeyFile(PathBuf),
    /// The environment variable is missing, or not Unicode.
    NotSet(String),
    /// The text is not that of a ring.
    Ring(RingError),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Exposed(path) => write!(
                f,
                "{0}: others than its owner may read it: `chmod 600 {0}`, and make new keys if they \
                 did",
                path.display()
            ),
            Self::NotAKeyFile(path) => write!(f, "{}: not a key file", path.display()),
            Self::NotSet(variable) => write!(f, "{variable} is not set to the text of a key file"),
            Self::Ring(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            Self::Ring(error) => Some(error),
            _ => None,
        }
    }
}

impl From<RingError> for FileError {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}

/// Writes beside `path`, syncs, and lets `name` give the file its name.
fn write(
    path: &Path,
    text: &str,
    name: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), FileError> {
    let mut new = path.to_owned();
    new.as_mut_os_string().push(".new");
    // Two writers at once, or one that died: the second is told, and nothing is mixed.
    let mut file = private().open(&new).map_err(|error| FileError::Io(new.clone(), error))?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| name(&new, path));
    // After a rename there is nothing left to remove.
    let _ = fs::remove_file(&new);
    written
        .and_then(|()| sync_directory(path))
        .map_err(|error| FileError::Io(path.to_owned(), error))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Has anybody but its owner a permission on it? No other system than Unix says so here.
fn exposed(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    let others = std::os::unix::fs::MetadataExt::mode(metadata) & 0o077;
    #[cfg(not(unix))]
    let (others, _) = (0, metadata);
    others != 0
}

/// The name of a file is on disk when its directory is.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
