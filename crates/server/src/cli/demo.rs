//! `countersign demo`: everything at once, on this machine, without a configuration.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use countersign_ceremony::directory::NotAdded;
use countersign_device::EmailAddress;
use zeroize::Zeroizing;

use super::serve::{listen, log_to_stderr, until_signalled};
use super::{Failure, block_on, print, user};
use crate::config::Config;
use crate::node::{self, private_directory};

const EMAIL: &str = "demo@example.com";
const TENANT: &str = "demo";

/// Serve a demo: a tenant that asks everybody for a second factor, and one user.
///
/// Prints where it listens, where its mails go, and the user's address and password, each on a line
/// of its own. Started again on the same directory it goes on where it was.
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where everything is kept; made where it is not there.
    #[arg(long, value_name = "DIR", default_value = "countersign-demo")]
    data: PathBuf,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        let text = self.configuration()?;
        let file = self.data.join("countersign.toml");
        let config = Config::parse(&file.display().to_string(), &text, [])?;
        log_to_stderr();
        let data = &self.data;
        let at = |error: io::Error| Failure(format!("{}: {error}", data.display()));
        private_directory(data).map_err(at)?;
        // What is in here is nobody's to commit.
        fs::write(data.join(".gitignore"), "*\n").map_err(at)?;
        fs::write(&file, &text).map_err(at)?;
        let (password, is_new) = self.password()?;
        let outbox = data.join("outbox");

        block_on(async {
            let (listener, config) = listen(config).await?;
            let url = config.base_url.clone();
            until_signalled(listener, config, async |node| {
                let email = EmailAddress::parse(EMAIL)?;
                let bytes = Zeroizing::new(password.as_bytes().to_vec());
                let tenants = vec![node::tenant_id(TENANT)?];
                match node.engine().directory().add(&email, bytes, tenants).await? {
                    Ok(_) => {}
                    Err(NotAdded::Taken) if !is_new => {}
                    Err(NotAdded::Taken) => {
                        let data = data.display();
                        return Err(Failure(format!(
                            "{data}: its user is there, but the file with the password is gone; \
                             remove the directory to start afresh"
                        )));
                    }
                    Err(error) => return Err(error.into()),
                }
                // For people; programs read the lines on standard output.
                let _ = writeln!(
                    io::stderr(),
                    "Open the url, and log in with the email and the password. Ctrl-C ends it."
                );
                print(&format!(
                    "url {url}\nmail {}\nemail {EMAIL}\npassword {}\n",
                    outbox.display(),
                    *password
                ))
            })
            .await
        })
    }

    /// What the demo is configured with; also written into its directory, so that the other commands can be tried.
    fn configuration(&self) -> Result<String, Failure> {
        // In full, so that the other commands find it from wherever they are called.
        let data = std::path::absolute(&self.data)?;
        let (listen, outbox) = (self.listen, toml_string(&data.join("outbox")));
        let data = toml_string(&data);
        Ok(format!(
            "# Written by `countersign demo` at each start.\n\
             listen = \"{listen}\"\n\
             issuer = \"countersign-demo\"\n\
             service = \"Countersign demo\"\n\
             client_id = \"c0de0000-d3e0-4000-8000-000000000001\"\n\
             data = {data}\n\
             outbox = {outbox}\n\
             \n\
             [[tenants]]\n\
             id = \"{TENANT}\"\n\
             name = \"Demo\"\n\
             enforce = \"Force\"\n\
             allow_remember = true\n\
             strategies = [\"WebAuthnPlatform\", \"WebAuthnCrossPlatform\", \"AuthenticatorApp\", \
                           \"SMS\", \"EmailCode\"]\n"
        ))
    }

    /// The user's password, kept in the directory, so that it is the same at the next start; and whether it is new.
    fn password(&self) -> Result<(Zeroizing<String>, bool), Failure> {
        let path = self.data.join("password");
        match fs::read_to_string(&path) {
            Ok(kept) => Ok((Zeroizing::new(kept.trim().to_owned()), false)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let password = user::generated()?;
                write_private(&path, &password)
                    .map_err(|error| Failure(format!("{}: {error}", path.display())))?;
                Ok((password, true))
            }
            Err(error) => Err(Failure(format!("{}: {error}", path.display()))),
        }
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// A path as a TOML string, whose escapes are those of JSON.
fn toml_string(path: &Path) -> String {
    serde_json::Value::String(path.display().to_string()).to_string()
}
