//! Passwords of our own directory: Argon2id (RFC 9106) in PHC strings.
//!
//! Refuses inputs above 1024 bytes before they cost anything, hashes of another algorithm, and
//! hashes whose cost would stop the process. An unknown user costs what a known one does (attack
//! C-25).

use std::fmt;

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use subtle::ConstantTimeEq;

use crate::argon::{HashError, OUTPUT, Params};

/// The most bytes of a password.
pub const MAX_BYTES: usize = 1024;

/// The most characters of a PHC string.
const MAX_PHC: usize = 256;

/// The hash of a password, as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: String,
    params: Params,
}

impl PasswordHash {
    /// Hashes `password`. `salt` is drawn uniformly at random for each. Takes as long as `params`
    /// say: run it where blocking is allowed, and few at a time.
    ///
    /// # Errors
    /// [`HashError`] where the password is longer than [`MAX_BYTES`], or memory is short.
    pub fn of(password: &[u8], salt: &[u8; 16], params: Params) -> Result<Self, HashError> {
        if password.len() > MAX_BYTES {
            return Err(HashError);
        }
        let output = params.hash(&[], password, salt)?;
        let cost = argon2::Params::new(params.memory(), params.passes(), params.lanes(), None)
            .map_err(|_| HashError)?;
        let hash = argon2::PasswordHash {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(argon2::Version::V0x13.into()),
            params: ParamsString::try_from(&cost).map_err(|_| HashError)?,
            salt: Some(Salt::new(salt).map_err(|_| HashError)?),
            hash: Some(Output::new(output.as_slice()).map_err(|_| HashError)?),
        };
        Ok(Self { text: hash.to_string(), params })
    }

    /// Reads a stored hash.
    ///
    /// # Errors
    /// [`PasswordHashError`] where it is not of Argon2id, version 19, with 32 bytes and a cost
    /// within bounds.
    pub fn parse(text: &str) -> Result<Self, PasswordHashError> {
        if text.len() > MAX_PHC {
            return Err(PasswordHashError);
        }
        let hash = argon2::PasswordHash::new(text).map_err(|_| PasswordHashError)?;
        let params = argon2::Params::try_from(&hash).map_err(|_| PasswordHashError)?;
        let ours = hash.algorithm == argon2::ARGON2ID_IDENT
            && hash.version == Some(argon2::Version::V0x13.into())
            && hash.salt.is_some()
            // What we would not hash with.
            && params.keyid().is_empty()
            && params.data().is_empty()
            && hash.hash.is_some_and(|output| output.as_ref().len() == OUTPUT);
        let params = Params::stored(params.m_cost(), params.t_cost(), params.p_cost());
        match params {
            Ok(params) if ours => Ok(Self { text: text.to_owned(), params }),
            _ => Err(PasswordHashError),
        }
    }

    /// The PHC string, to be stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it cost.
    #[must_use]
    pub const fn params(&self) -> Params {
        self.params
    }
}

/// Is `password` the one that `stored` is the hash of? Where there is no such user, or one without
/// a password, `None` costs what a hash of `usual` costs, and is never right.
///
/// # Errors
/// [`HashError`] where memory is short: no decision was reached.
pub fn verify(
    password: &[u8],
    stored: Option<&PasswordHash>,
    usual: Params,
) -> Result<bool, HashError> {
    if password.len() > MAX_BYTES {
        return Ok(false);
    }
    let dummy;
    let hash = match stored {
        Some(stored) => stored,
        None => {
            dummy = dummy_of(usual);
            &dummy
        }
    };
    let kept = argon2::PasswordHash::new(hash.as_str()).map_err(|_| HashError)?;
    let (Some(salt), Some(output)) = (kept.salt, kept.hash) else { return Err(HashError) };
    let computed = hash.params.hash(&[], password, &salt)?;
    let right: bool = computed.as_slice().ct_eq(output.as_bytes()).into();
    Ok(right && stored.is_some())
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash").field("params", &self.params).finish_non_exhaustive()
    }
}

/// Not the hash of a password as it is stored here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordHashError;

impl fmt::Display for PasswordHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a PHC string of Argon2id, version 19, with 32 bytes and a bounded cost")
    }
}

impl std::error::Error for PasswordHashError {}

/// A hash of nothing that anybody knows, at the usual cost.
fn dummy_of(params: Params) -> PasswordHash {
    let (memory, passes, lanes) = (params.memory(), params.passes(), params.lanes());
    let text = format!(
        "$argon2id$v=19$m={memory},t={passes},p={lanes}$bm8gdXNlciBvZiBvdXJz$\
         bm8gdXNlciBvZiBvdXJzLCBubyBwYXNzd29yZCwgMzI"
    );
    PasswordHash { text, params }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHasher;

    use super::*;

    const FAST: Params = Params::INSECURE_FOR_TESTS;

    fn refused(text: &str) -> bool {
        PasswordHash::parse(text).is_err()
    }

    #[test]
    fn the_right_password_and_no_other_is_right() {
        let hash = PasswordHash::of(b"correct horse", &[7; 16], FAST).unwrap();
        let hash = PasswordHash::parse(hash.as_str()).unwrap();
        assert_eq!(hash.params(), FAST);
        assert_eq!(verify(b"correct horse", Some(&hash), FAST), Ok(true));
        assert_eq!(verify(b"correct horsf", Some(&hash), FAST), Ok(false));
        assert_eq!(verify(b"", Some(&hash), FAST), Ok(false));
    }

    // From the reference implementation's own tests (argon2 -id -t 2 -m 16 -p 1).
    #[test]
    fn the_reference_implementations_hash_is_right() {
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$\
                    CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = PasswordHash::parse(hash).unwrap();
        assert_eq!(verify(b"password", Some(&hash), FAST), Ok(true));
        assert_eq!(verify(b"passwore", Some(&hash), FAST), Ok(false));
    }

    #[test]
    fn an_unknown_user_is_hashed_for_and_never_right() {
        for params in [FAST, Params::DEFAULT] {
            let dummy = dummy_of(params);
            // It passes the same bounds as a stored one, so verifying it does the same work.
            assert_eq!(PasswordHash::parse(dummy.as_str()).unwrap().params(), params);
            assert_eq!(verify(b"any", None, params), Ok(false));
        }
    }

    #[test]
    fn long_passwords_cost_nothing() {
        let long = vec![b'a'; MAX_BYTES + 1];
        assert_eq!(PasswordHash::of(&long, &[7; 16], FAST), Err(HashError));
        let hash = PasswordHash::of(&long[1..], &[7; 16], FAST).unwrap();
        assert_eq!(verify(&long[1..], Some(&hash), FAST), Ok(true));
        // Even where somebody else hashed it, it is not hashed here.
        let library = argon2::Argon2::default();
        let foreign = library.hash_password_with_salt(&long, &[7; 16]).unwrap();
        let foreign = PasswordHash::parse(&foreign.to_string()).unwrap();
        assert_eq!(verify(&long, Some(&foreign), FAST), Ok(false));
    }

    #[test]
    fn the_librarys_own_strings_are_what_is_written_and_read() {
        let params = argon2::Params::new(8, 1, 1, Some(OUTPUT)).unwrap();
        let library = argon2::Argon2::from(params);
        let theirs = library.hash_password_with_salt(b"password", &[7; 16]).unwrap().to_string();
        let ours = PasswordHash::of(b"password", &[7; 16], FAST).unwrap();
        assert_eq!(ours.as_str(), theirs);
        assert!(argon2::PasswordVerifier::verify_password(&library, b"password", &*theirs).is_ok());
        assert!(refused(&theirs.replace("p=1", "p=1,data=AAAA")), "what we would not hash with");
    }

    #[test]
    fn foreign_weakened_and_ruinous_hashes_are_refused() {
        let good = PasswordHash::of(b"password", &[7; 16], FAST).unwrap();
        let good = good.as_str();
        assert!(!refused(good));
        assert!(refused(""));
        assert!(refused(&good.replace("argon2id", "argon2i")));
        assert!(refused(&good.replace("argon2id", "argon2d")));
        assert!(refused(&good.replace("v=19", "v=16")));
        assert!(refused(&good.replace("$v=19", "")));
        assert!(refused(&good.replace("m=8", "m=4294967295")));
        assert!(refused(&good.replace("t=1", "t=4294967295")));
        assert!(refused(&good.replace("t=1", "t=0")));
        assert!(refused(&good[..good.len() - 2]));
        assert!(refused(good.rsplit_once('$').unwrap().0));
        assert!(refused(&format!("{good}{}", " ".repeat(1 << 20))));
    }

    #[test]
    fn debug_shows_no_hash() {
        let hash = PasswordHash::of(b"password", &[7; 16], FAST).unwrap();
        assert!(!format!("{hash:?}").contains("argon2id"));
    }
}
