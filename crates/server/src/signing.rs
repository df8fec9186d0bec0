//! The keys of access tokens: `EdDSA` under a key that is derived from the ring, or RS256 under keys
//! of files, for SDKs that take nothing else.
//!
//! The first file signs. The others are of signers that have retired: their tokens are still
//! verified, and their keys published, until an operator takes them out. The derived key is always
//! among them, so that a server that changes its algorithm ends no session.

mod pem;
mod rs256;

use std::path::PathBuf;
use std::sync::Arc;

use countersign_token::{Ed25519, Sign, Verify};
use countersign_vault::{Purpose, Vault, file};

pub(crate) use self::pem::public_key;
pub use self::rs256::Rs256;

const SIGNING_KEY: Purpose = Purpose::new("access token key");

/// What signs, and what else verifies.
#[derive(Debug)]
pub(crate) struct Signing {
    pub(crate) signer: Arc<dyn Sign>,
    pub(crate) retired: Vec<Arc<dyn Verify>>,
}

/// Reads the keys of these files; without one the derived key signs.
///
/// # Errors
/// A sentence that names the file.
pub(crate) fn open(files: &[PathBuf], vault: &dyn Vault) -> Result<Signing, String> {
    // A digest under the ring's root, so that all nodes with one ring sign with one key.
    let derived = Ed25519::from_seed(vault.digest(SIGNING_KEY, &[]).as_bytes());
    let mut read = Vec::with_capacity(files.len());
    for path in files {
        let text = file::read(path).map_err(|error| error.to_string())?;
        let key = Rs256::from_pem(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        read.push(key);
    }
    let mut read = read.into_iter();
    let Some(signer) = read.next() else {
        return Ok(Signing { signer: Arc::new(derived), retired: Vec::new() });
    };
    let retired = read.map(|key| key.verifier()).chain([derived.verifier()]).collect();
    Ok(Signing { signer: Arc::new(signer), retired })
}
