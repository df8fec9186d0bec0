//! Into a directory, one file a message: for the demo, for tests, and for mailers that collect them.
//!
//! A file appears whole: written beside, then named. Names are numbers that only grow, so the newest
//! is last by name, also after a restart. Readable by the owner alone: a message holds a code.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::letter::Letter;
use super::texts::Text;

/// A directory of `*.eml` files, and of `*.sms` files for messages to phones.
#[derive(Clone, Debug)]
pub struct OutboxDirectory {
    directory: PathBuf,
    next: Arc<AtomicU64>,
}

impl OutboxDirectory {
    /// Makes the directory where there is none, and goes on after its last number.
    ///
    /// # Errors
    /// The system's.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let mut last = 0;
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_suffix(".eml").or_else(|| name.strip_suffix(".sms")));
            last = last.max(number.and_then(|number| number.parse().ok()).unwrap_or(0));
        }
        Ok(Self { directory: directory.to_owned(), next: Arc::new(AtomicU64::new(last)) })
    }

    pub(super) async fn write(&self, letter: Letter) -> Result<(), String> {
        self.written(letter.to_message()?.formatted(), "eml").await
    }

    /// A message to a phone: whose, by what, and after an empty line what it says.
    pub(super) async fn write_text(&self, text: Text) -> Result<(), String> {
        let (to, by) = (text.to, text.channel());
        let file = format!("To: {to}\nChannel: {by}\nId: {}\n\n{}\n", text.id, *text.said);
        self.written(file.into_bytes(), "sms").await
    }

    async fn written(&self, bytes: Vec<u8>, kind: &'static str) -> Result<(), String> {
        let outbox = self.clone();
        let written = tokio::task::spawn_blocking(move || outbox.put(&bytes, kind)).await;
        written
            .map_err(|_| "the outbox did not write".to_owned())?
            .map_err(|error| error.to_string())
    }

    fn put(&self, bytes: &[u8], kind: &str) -> io::Result<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let beside = self.directory.join(format!(".{number:012}.new"));
        let mut file = private(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(beside, self.directory.join(format!("{number:012}.{kind}")))
    }
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_newest_is_last_by_name_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("outbox");
        OutboxDirectory::open(&path).unwrap().put(b"one", "eml").unwrap();
        let again = OutboxDirectory::open(&path).unwrap();
        again.put(b"two", "sms").unwrap();
        drop(again);
        let again = OutboxDirectory::open(&path).unwrap();
        again.put(b"three", "eml").unwrap();
        let names = names(&path);
        assert_eq!(names, ["000000000001.eml", "000000000002.sms", "000000000003.eml"]);
        assert_eq!(fs::read(path.join(&names[2])).unwrap(), b"three");
        #[cfg(unix)]
        {
            let metadata = fs::metadata(path.join(&names[0])).unwrap();
            assert_eq!(std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777, 0o600);
        }
    }
}
