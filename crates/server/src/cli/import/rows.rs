//! The rows of a file, one after the other, whatever its format; each is a user or the reason why not.

use std::io::{BufRead, Read};
use std::path::Path;

use countersign_ceremony::decide::{Import, ImportedApp};
use countersign_ceremony::engine::MovingIn;
use countersign_ceremony::env::Clock;
use countersign_device::{EmailAddress, Label, TenantId, UserId};
use countersign_provision::pskc::{self, Unlock};
use countersign_provision::{Kind, Uri};
use zeroize::Zeroizing;

use super::Format;
use crate::cli::Failure;
use crate::clock::SystemClock;
use crate::wire;

/// No line is longer.
const LONGEST: u64 = 64 * 1024;

type Row = Result<MovingIn, String>;

/// The rows of a file.
pub(super) struct Rows(Box<dyn Iterator<Item = Row>>);

impl Rows {
    pub(super) fn open(
        format: Format,
        input: Box<dyn BufRead>,
        passphrase: Option<&Path>,
        tenants: &[String],
    ) -> Result<Self, Failure> {
        let tenants = tenants.iter().map(|id| TenantId::parse(id)).collect::<Result<Vec<_>, _>>();
        let tenants = tenants.map_err(|error| Failure::new(format!("--tenant: {error}")))?;
        let rows: Box<dyn Iterator<Item = Row>> = match format {
            Format::Lines => Box::new(Lines(input).map(|line| row(&line?))),
            Format::Otpauth => Box::new(Lines(input).map(|line| {
                let uri = std::str::from_utf8(&line?)
                    .map_err(|_| "it is no text".to_owned())
                    .and_then(|line| Uri::parse(line.trim()).map_err(|error| error.to_string()));
                user(uri?.uri)
            })),
            Format::Pskc => {
                let keys = pskc::read(input, unlock(passphrase)?, SystemClock.now());
                let keys = keys.map_err(|error| Failure::new(error.to_string()))?;
                Box::new(keys.map(|key| user(key.map_err(|error| error.to_string())?.key.uri)))
            }
        };
        Ok(Self(Box::new(rows.map(move |row| {
            row.map(|mut row| {
                if row.import.tenants.is_empty() {
                    row.import.tenants.clone_from(&tenants);
                }
                row
            })
        }))))
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        self.0.next()
    }
}

fn unlock(passphrase: Option<&Path>) -> Result<Unlock, Failure> {
    let Some(path) = passphrase else { return Ok(Unlock::Nothing) };
    let at = |error| Failure::new(format!("{}: {error}", path.display()));
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(at)?);
    Ok(Unlock::passphrase(text.lines().next().unwrap_or_default()))
}

fn row(line: &[u8]) -> Row {
    let row: wire::Row = serde_json::from_slice(line).map_err(|error| {
        // The parser's sentence could repeat what it read.
        format!("it is no JSON object of a user (column {})", error.column())
    })?;
    row.read()
}

/// A key whose account names the user.
fn user(uri: Uri) -> Row {
    let Kind::Totp(totp) = uri.kind() else {
        return Err("it counts by a counter, or is no standard: only TOTP moves in".to_owned());
    };
    let account = uri.account();
    let email = EmailAddress::parse(account).ok();
    let user = match email {
        Some(_) => None,
        None => Some(UserId::parse(account).map_err(|error| format!("account: {error}"))?),
    };
    let label = uri.issuer().map(Label::clean).unwrap_or_default();
    let secret = uri.into_secret();
    let app = ImportedApp { secret, totp, spent: None, label, is_locked: false };
    let import = Import { apps: vec![app], ..Import::default() };
    Ok(MovingIn { user, email, password: None, import, root: None })
}

/// Lines of bytes that are wiped when they are done with; empty ones are passed over.
struct Lines(Box<dyn BufRead>);

impl Iterator for Lines {
    type Item = Result<Zeroizing<Vec<u8>>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Zeroizing::new(Vec::new());
            let read = self.0.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            match read {
                Err(error) => return Some(Err(format!("it cannot be read: {error}"))),
                Ok(0) => return None,
                Ok(_)
                    if line.ends_with(b"\n")
                        || u64::try_from(line.len()).is_ok_and(|len| len < LONGEST) => {}
                Ok(_) => return Some(Err(self.skip())),
            }
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Some(Ok(line));
            }
        }
    }
}

impl Lines {
    /// Passes over the rest of a line that is too long.
    fn skip(&mut self) -> String {
        loop {
            let mut rest = Zeroizing::new(Vec::new());
            match self.0.by_ref().take(LONGEST).read_until(b'\n', &mut rest) {
                Ok(read) if read > 0 && !rest.ends_with(b"\n") => {}
                _ => return format!("it is longer than {LONGEST} bytes"),
            }
        }
    }
}
