//! Portable Symmetric Key Containers (RFC 6030): how makers of hardware tokens hand over their keys.
//!
//! What it is: a reader that takes one key package after the other out of a stream, in memory that
//! does not grow with the file, whether it holds one key or a hundred thousand. A bad package is
//! reported by its serial number and does not stop the others; bad XML does.
//!
//! What it reads: keys in plain, encrypted by AES-128-CBC with a pre-shared key (section 6.1) or
//! with one derived from a passphrase by PBKDF2 (section 6.2), the data of HOTP and TOTP (section
//! 4.2), policies (section 5).
//!
//! What it refuses: a DTD and any entity that is not XML's own (so no XXE and no billion laughs), an
//! element over 64 KiB or 16 deep, AES-CBC without a MAC, with a wrong one or a MAC key under 16 bytes, which is checked
//! before anything is decrypted (section 6.1.1; padding oracles), more iterations than allowed, keys
//! that may not be used now or not for one-time passwords, and any policy that it does not know
//! (section 5: such a key must not be used). Public-key encryption (section 6.3) is not read.
//!
//! **A signature (section 7) is not verified.** [`Keys::is_signed`] says after the last key whether
//! there was one; whoever needs its assurance verifies it before.
//!
//! Secrets are wiped where this module holds them; the stream and its buffer are the caller's.
//!
//! ```no_run
//! use std::{fs::File, io::BufReader};
//!
//! use countersign_otp::UnixTime;
//! use countersign_provision::pskc::{self, Error, Unlock};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = UnixTime::from_secs(1_700_000_000);
//! let file = BufReader::new(File::open("tokens.pskcxml")?);
//! for key in pskc::read(file, Unlock::passphrase("qwerty"), now)? {
//!     match key {
//!         Ok(key) => println!("{}: {} warnings", key.token, key.key.warnings.len()),
//!         Err(error @ Error::Key { .. }) => eprintln!("left out: {error}"),
//!         Err(error) => return Err(error.into()),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod cipher;
mod element;
mod package;
mod policy;
mod xml;

use core::fmt;
use std::io::BufRead;

use countersign_otp::UnixTime;
use zeroize::Zeroizing;

pub use self::policy::Policy;
use self::{
    cipher::Cipher,
    element::{Element, Space},
    xml::Xml,
};
use crate::uri::{Parsed, ReadError};

/// What opens a container.
#[derive(Clone)]
#[non_exhaustive]
pub enum Unlock {
    /// Nothing: keys in plain are read, encrypted ones refused.
    Nothing,
    /// A pre-shared key for AES-128 (section 6.1).
    PreSharedKey(Zeroizing<[u8; 16]>),
    /// A passphrase (section 6.2).
    Passphrase {
        /// The passphrase, as bytes of UTF-8.
        passphrase: Zeroizing<String>,
        /// The most iterations of PBKDF2 that will be done: the container names their number, and
        /// would name four billion to keep a machine busy.
        max_iterations: u32,
    },
}

impl Unlock {
    /// Iterations of PBKDF2 at most, unless told otherwise: about a second of work.
    pub const MAX_ITERATIONS: u32 = 2_000_000;

    /// By a passphrase, with at most [`Unlock::MAX_ITERATIONS`].
    #[must_use]
    pub fn passphrase(passphrase: &str) -> Self {
        let passphrase = Zeroizing::new(passphrase.to_owned());
        Self::Passphrase { passphrase, max_iterations: Self::MAX_ITERATIONS }
    }
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::PreSharedKey(_) => "PreSharedKey(..)",
            Self::Passphrase { .. } => "Passphrase(..)",
        })
    }
}

/// A key of a container.
#[derive(Debug)]
#[must_use]
pub struct Key {
    /// The key with its names: the issuer, or else the maker; the user, or else the serial number.
    pub key: Parsed,
    /// The token it is in.
    pub token: Token,
    /// TOTP: `Time`, as the container has it (section 4.2), if it does.
    pub time: Option<u64>,
    /// TOTP: by how many steps the token's clock is known to be off. Positive is ahead.
    pub drift: Option<i64>,
    /// How often the key may be used in all, if that is limited. **Whoever takes it must count.**
    pub uses: Option<u64>,
}

/// Which token of which maker; the names that an inventory has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Token {
    /// `SerialNo`.
    pub serial: Option<String>,
    /// `Manufacturer`.
    pub manufacturer: Option<String>,
    /// `Id` of the key.
    pub key_id: Option<String>,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "unknown".to_owned());
        write!(f, "serial {}, key {}", name(&self.serial), name(&self.key_id))
    }
}

/// Why a container could not be read on, or why one of its keys was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The XML is broken, cut off or not UTF-8. Nothing follows.
    Xml,
    /// It has a document type or an entity that is not XML's own. Nothing follows.
    Entity,
    /// An element is larger than 64 KiB, has more than 512 parts or is more than 16 deep. Nothing
    /// follows.
    TooLarge,
    /// It is no `KeyContainer` of version 1.0, or its parts are out of order. Nothing follows.
    Container,
    /// The container's encryption is none of section 6.1 and 6.2, or asks for something else than
    /// what was given to unlock it. Nothing follows.
    Unlock,
    /// The container asks for more iterations than allowed. Nothing follows.
    Iterations(u32),
    /// This key is left out; the next ones follow.
    Key {
        /// Where it is.
        token: Token,
        /// Why.
        reason: Reason,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xml => "the XML is broken, cut off or not UTF-8",
            Self::Entity => "the XML has a document type or an entity; remove them",
            Self::TooLarge => "an element is too large or too deep",
            Self::Container => "not a KeyContainer of version 1.0, or its parts are out of order",
            Self::Unlock => "the container is encrypted in another way than it was unlocked",
            Self::Iterations(asked) => {
                return write!(f, "the container asks for {asked} iterations; allow more, or not");
            }
            Self::Key { token, reason } => return write!(f, "{token}: {reason}"),
        })
    }
}

impl core::error::Error for Error {}

/// Why a key was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It has no `Secret`: it is derived elsewhere (section 4.4, figure 4), or its package is empty.
    NoSecret,
    /// An element that may come once comes twice.
    Duplicate,
    /// A value is not of its type: base64, a number.
    Value,
    /// It is no key for HOTP or TOTP: a PIN, or another algorithm.
    Algorithm,
    /// Its codes are not decimal, have check digits, or another number of digits than 6, 7 or 8.
    ResponseFormat,
    /// It is encrypted, and nothing was given that unlocks it.
    Locked,
    /// It is encrypted otherwise than by AES-128-CBC.
    Cipher,
    /// It is encrypted and has no MAC, so that it could be another key than was sent.
    MacMissing,
    /// Its MAC is wrong: another key was given to unlock it, or somebody changed it.
    MacWrong,
    /// Its policy forbids to use it here and now.
    Policy(Policy),
    /// What it says means nothing.
    Meaning(ReadError),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSecret => "it has no secret",
            Self::Duplicate => "an element is there twice",
            Self::Value => "a value is neither base64 nor a number",
            Self::Algorithm => "it is no key for HOTP or TOTP",
            Self::ResponseFormat => "its codes are not of 6 to 8 decimal digits",
            Self::Locked => "it is encrypted; unlock the container",
            Self::Cipher => "it is encrypted by an unknown cipher",
            Self::MacMissing => "it is encrypted without a MAC",
            Self::MacWrong => "its MAC is wrong; is this the right key or passphrase?",
            Self::Policy(policy) => return policy.fmt(f),
            Self::Meaning(error) => return error.fmt(f),
        })
    }
}

impl From<ReadError> for Reason {
    fn from(error: ReadError) -> Self {
        Self::Meaning(error)
    }
}

/// The keys of a container, one after the other. After an error other than [`Error::Key`] there are
/// no more.
pub struct Keys<R> {
    xml: Xml<R>,
    unlock: Unlock,
    cipher: Cipher,
    now: UnixTime,
    place: Place,
    signed: bool,
}

/// How far the container was read (section 4, the schema's order).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Start,
    EncryptionKey,
    MacMethod,
    Packages,
    Signature,
    End,
}

/// Opens a container. Policies are judged at `now`.
///
/// # Errors
///
/// [`Error::Container`] and those of the XML, if it does not begin as a container.
pub fn read<R: BufRead>(input: R, unlock: Unlock, now: UnixTime) -> Result<Keys<R>, Error> {
    let mut xml = Xml::new(input);
    let root = xml.root()?;
    if !root.is(Space::Pskc, "KeyContainer") || root.attribute("Version") != Some("1.0") {
        return Err(Error::Container);
    }
    Ok(Keys { xml, unlock, cipher: Cipher::default(), now, place: Place::Start, signed: false })
}

impl<R> Keys<R> {
    /// Whether the container has a signature, **which was not verified**. Known after the last key.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.signed
    }
}

impl<R: BufRead> Iterator for Keys<R> {
    type Item = Result<Key, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.place != Place::End {
            let next = self.xml.child().and_then(|child| match child {
                Some(child) => self.take(&child),
                None => {
                    self.place = Place::End;
                    Ok(None)
                }
            });
            match next {
                Ok(None) => {}
                Ok(Some(key)) => return Some(Ok(key)),
                Err(error) => {
                    if !matches!(error, Error::Key { .. }) {
                        self.place = Place::End;
                    }
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl<R> Keys<R> {
    fn take(&mut self, child: &Element) -> Result<Option<Key>, Error> {
        if child.is(Space::Pskc, "EncryptionKey") {
            self.reach(Place::EncryptionKey)?;
            self.cipher.take_key(child, &self.unlock)?;
        } else if child.is(Space::Pskc, "MACMethod") {
            self.reach(Place::MacMethod)?;
            self.cipher.take_mac(child)?;
        } else if child.is(Space::Pskc, "KeyPackage") {
            if self.place > Place::Packages {
                return Err(Error::Container);
            }
            self.place = Place::Packages;
            return package::read(child, &self.cipher, self.now).map(Some);
        } else if child.is(Space::Ds, "Signature") || child.is(Space::Pskc, "Signature") {
            self.reach(Place::Signature)?;
            self.signed = true;
        }
        // Anything else is an extension, which may be ignored (section 4).
        Ok(None)
    }

    /// Parts come in their order and once: what is encrypted is not read before it is known how.
    fn reach(&mut self, place: Place) -> Result<(), Error> {
        if self.place >= place {
            return Err(Error::Container);
        }
        self.place = place;
        Ok(())
    }
}

impl<R> fmt::Debug for Keys<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("unlock", &self.unlock).finish_non_exhaustive()
    }
}
