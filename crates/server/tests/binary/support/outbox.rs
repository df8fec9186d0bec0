//! The outbox directory of the demo: `*.eml`, newest last by name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::clock::wait_for;
use super::mail::Mail;

/// The mails that lie in a directory, each read once.
#[derive(Debug)]
pub(crate) struct Outbox {
    directory: PathBuf,
    seen: BTreeSet<PathBuf>,
}

impl Outbox {
    /// Mails that are already there count as unread.
    pub(crate) fn open(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), seen: BTreeSet::new() }
    }

    /// The mails that came since the last call, oldest first.
    pub(crate) fn unread(&mut self) -> Vec<Mail> {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return Vec::new() };
        let files: BTreeSet<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect();
        let new: Vec<PathBuf> = files.difference(&self.seen).cloned().collect();
        self.seen.extend(new.iter().cloned());
        new.iter().map(|path| Mail::parse(&std::fs::read(path).unwrap())).collect()
    }

    /// Waits for the next mail that holds a code.
    #[track_caller]
    pub(crate) fn next_code(&mut self) -> String {
        let code =
            wait_for(Duration::from_secs(20), || self.unread().iter().rev().find_map(Mail::code));
        code.expect("a mail with a code")
    }
}
