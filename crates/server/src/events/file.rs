//! Into a file: a line of JSON an event, appended and synced before it counts as taken.
//!
//! The file is opened for each batch, so that whoever rotates it need not tell us: what was renamed
//! away is complete, and the next batch makes a new file. A line that a crash or a full disk cut off
//! is ended first, and its event comes again whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use countersign_ceremony::audit::Audit;
use countersign_ceremony::env::Later;

use super::Sink;
use crate::wire;

/// A file of JSON lines.
#[derive(Debug)]
pub struct Lines {
    name: String,
    path: PathBuf,
}

impl Lines {
    /// The file of this path; it is made with mode 0600 at the first event.
    #[must_use]
    pub const fn new(name: String, path: PathBuf) -> Self {
        Self { name, path }
    }
}

impl Sink for Lines {
    fn name(&self) -> &str {
        &self.name
    }

    fn take<'a>(&'a self, events: &'a [Audit]) -> Later<'a, Result<(), String>> {
        let mut lines = String::new();
        for event in events {
            lines.push_str(&wire::event(event).to_string());
            lines.push('\n');
        }
        let path = self.path.clone();
        Box::pin(async move {
            let written = tokio::task::spawn_blocking(move || append(&path, lines.as_bytes()));
            let written = written.await.map_err(|_| "the file was not written".to_owned())?;
            written.map_err(|error| error.to_string())
        })
    }
}

fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if ends_within_a_line(&mut file)? {
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    file.sync_all()?;
    if is_new {
        // Its name is to last as well.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_ended_and_a_renamed_file_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        append(&path, b"{\"a\":1}\n").unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"b\"").unwrap();
        append(&path, b"{\"b\":2}\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"{\"a\":1}\n{\"b\"\n{\"b\":2}\n");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::rename(&path, directory.path().join("events.1")).unwrap();
        append(&path, b"{\"c\":3}\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"{\"c\":3}\n");
    }
}
