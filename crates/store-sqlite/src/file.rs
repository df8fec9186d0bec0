//! The files: who may read them, and how a connection to them is set up.
//!
//! The records are sealed, but their number, their sizes and their times are not, so the files are
//! their owner's alone (mode 0600). SQLite gives its log and its shared memory the mode of the
//! database, so it is enough that the database has it before SQLite sees it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long a writer waits for another process that holds the file.
const BUSY: Duration = Duration::from_secs(5);

/// Makes the file if there is none, takes it from everybody but its owner, and names it in full:
/// SQLite gives `:memory:` and `file:` a meaning of its own, an absolute path has none.
pub(crate) fn prepare(path: &Path) -> io::Result<PathBuf> {
    match create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let path = fs::canonicalize(path)?;
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        narrow(Path::new(&name))?;
    }
    Ok(path)
}

/// A new empty file of mode 0600, its name durable in its directory.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.sync_all()?;
    sync_directory_of(path)
}

/// Makes a new name in a directory survive a crash.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// A connection with the settings that every one of ours has.
pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    // On Apple systems a plain fsync does not reach the disk.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    Ok(conn)
}

/// Takes rights away, and gives none: a read-only file stays one.
fn narrow(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = match fs::metadata(path) {
            Ok(metadata) => metadata.permissions().mode(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if mode & 0o177 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o600))?;
        }
    }
    Ok(())
}
