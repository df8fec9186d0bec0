//! `countersign user`: the users of the server's own directory.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use countersign_ceremony::env::Random;
use countersign_device::EmailAddress;
use zeroize::Zeroizing;

use super::{Failure, block_on, print};
use crate::config::Config;
use crate::node::{self, LAST_MAILS, Node};
use crate::random::SystemRandom;

/// Manage the users of the server's own directory.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Add a user. The password is the first line of standard input, or generated and printed.
    Add {
        /// The address that the user logs in with.
        #[arg(long)]
        email: String,
        /// The server's configuration.
        #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
        config: PathBuf,
        /// The tenant; the configuration's first, where none is named.
        #[arg(long, value_name = "ID")]
        tenant: Option<String>,
        /// Generate a password and print it.
        #[arg(long)]
        generate: bool,
    },
    /// Give a user another password, as `add` takes it. It ends the user's sessions and forgets the
    /// browsers; the second factors stay.
    Password {
        /// The address that the user logs in with.
        #[arg(long)]
        email: String,
        /// The server's configuration.
        #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
        config: PathBuf,
        /// Generate a password and print it.
        #[arg(long)]
        generate: bool,
    },
    /// Erase a user: password, factors, sessions and browsers. It cannot be taken back, and the
    /// address is given to nobody else.
    Erase {
        /// The address that the user logs in with.
        #[arg(long)]
        email: String,
        /// The server's configuration.
        #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
        config: PathBuf,
    },
}

impl User {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Add { email, config, tenant, generate } => {
                add(&address(&email)?, &config, tenant, generate)
            }
            Self::Password { email, config, generate } => {
                change(&address(&email)?, &config, generate)
            }
            Self::Erase { email, config } => erase(&address(&email)?, &config),
        }
    }
}

fn address(email: &str) -> Result<EmailAddress, Failure> {
    EmailAddress::parse(email).map_err(|error| Failure::new(format!("--email: {error}")))
}

fn add(
    email: &EmailAddress,
    config: &Path,
    tenant: Option<String>,
    generate: bool,
) -> Result<(), Failure> {
    let config = Config::read(config, std::env::vars_os())?;
    let tenant = match &tenant {
        None => config.tenants.first(),
        Some(id) => config.tenants.iter().find(|tenant| tenant.id == *id),
    };
    let tenant = tenant.ok_or_else(|| {
        Failure::new(
            "--tenant: the configuration has no such tenant; name one of its `[[tenants]]`",
        )
    })?;
    let tenant = node::tenant_id(&tenant.id)?;
    let password = if generate { generated()? } else { typed()? };
    let added = block_on(async {
        let (node, _) = Node::open(config).await?;
        let bytes = Zeroizing::new(password.as_bytes().to_vec());
        Ok(node.engine().directory().add(email, bytes, vec![tenant]).await?)
    })?;
    let user = added?;
    let shown = if generate { format!("password {}\n", *password) } else { String::new() };
    print(&format!("user {user}\n{shown}"))
}

fn change(email: &EmailAddress, config: &Path, generate: bool) -> Result<(), Failure> {
    let config = Config::read(config, std::env::vars_os())?;
    let password = if generate { generated()? } else { typed()? };
    let changed = block_on(async {
        let (node, carriers) = Node::open(config).await?;
        let bytes = Zeroizing::new(password.as_bytes().to_vec());
        let changed = node.engine().change_password(email, bytes).await?;
        drop(node);
        carriers.finish(LAST_MAILS).await;
        Ok(changed)
    })?;
    if !changed {
        return Err(Failure::new("there is no such user, or the password is over 1,024 bytes"));
    }
    let shown = if generate { format!("password {}\n", *password) } else { String::new() };
    print(&shown)
}

fn erase(email: &EmailAddress, config: &Path) -> Result<(), Failure> {
    let config = Config::read(config, std::env::vars_os())?;
    let erased = block_on(async {
        let (node, carriers) = Node::open(config).await?;
        let erased = node.engine().erase(email).await?;
        drop(node);
        carriers.finish(LAST_MAILS).await;
        Ok(erased)
    })?;
    if erased { Ok(()) } else { Err(Failure::new("there is no such user")) }
}

/// A password of 100 bits, in letters and digits that are not mistaken for each other.
pub(super) fn generated() -> Result<Zeroizing<String>, Failure> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut bytes = Zeroizing::new([0; 20]);
    SystemRandom.try_fill(bytes.as_mut_slice())?;
    let mut password = Zeroizing::new(String::with_capacity(24));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        // 256 is a multiple of 32: no letter is likelier than another.
        let letter = LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
        password.push(char::from(letter));
    }
    Ok(password)
}

fn typed() -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        // Without a prompt the command would seem to hang.
        let _ = write!(io::stderr(), "Password (shown as you type; or use --generate): ");
    }
    let mut line = Zeroizing::new(String::with_capacity(1024));
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    if line.is_empty() {
        return Err(Failure::new("standard input: the first line has to be the password"));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_differ_and_are_long() {
        let (one, two) = (generated().unwrap(), generated().unwrap());
        assert_ne!(*one, *two);
        assert_eq!(one.len(), 23);
        assert!(one.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-'));
    }
}
