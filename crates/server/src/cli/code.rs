//! `countersign code`: what an authenticator app would show.

use clap::{Args, ValueEnum};
use countersign_ceremony::env::Clock;
use countersign_otp::{Algorithm, Digits, Hotp, Keyed, Period, Secret, Totp, UnixTime};

use super::{Failure, print};
use crate::clock::SystemClock;

/// Print the code of a secret: TOTP (RFC 6238) for now or --at a time, HOTP (RFC 4226) with
/// --counter.
///
/// A secret on a command line is seen by others on the machine: this is for tests and repairs.
#[derive(Args)]
pub(super) struct Code {
    /// The secret in base32 (RFC 4648), as in an otpauth URI.
    #[arg(long, value_name = "BASE32")]
    secret: String,
    /// The hash.
    #[arg(long, value_enum, default_value = "SHA1", ignore_case = true)]
    algorithm: Hash,
    /// How many digits: 6, 7 or 8.
    #[arg(long, value_name = "N", default_value_t = 6)]
    digits: u8,
    /// Seconds of a step: 15 to 120.
    #[arg(long, value_name = "S", default_value_t = 30)]
    period: u64,
    /// The time, in seconds since 1970; now, where it is not given.
    #[arg(long, value_name = "UNIX", conflicts_with = "counter")]
    at: Option<u64>,
    /// The counter of HOTP.
    #[arg(long, value_name = "N")]
    counter: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Hash {
    #[value(name = "SHA1")]
    Sha1,
    #[value(name = "SHA256")]
    Sha256,
    #[value(name = "SHA512")]
    Sha512,
}

impl Code {
    pub(super) fn run(self) -> Result<(), Failure> {
        let algorithm = match self.algorithm {
            Hash::Sha1 => Algorithm::Sha1,
            Hash::Sha256 => Algorithm::Sha256,
            Hash::Sha512 => Algorithm::Sha512,
        };
        let at =
            |option: &str, error: &dyn std::fmt::Display| Failure(format!("{option}: {error}"));
        // Other people's secrets may be short; we only show their codes.
        let secret = Secret::import_short_base32(&self.secret).map_err(|e| at("--secret", &e))?;
        let digits = Digits::try_from(self.digits).map_err(|error| at("--digits", &error))?;
        let period = Period::new(self.period).map_err(|error| at("--period", &error))?;
        let code = match self.counter {
            Some(counter) => Hotp::new(digits).code(&Keyed::new(&secret, algorithm), counter),
            None => {
                let totp = Totp::new(algorithm, digits, period);
                let now = self.at.map_or_else(|| SystemClock.now(), UnixTime::from_secs);
                totp.code(&totp.key(&secret), totp.step_at(now))
            }
        };
        print(&format!("{}\n", code.as_str()))
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").finish_non_exhaustive()
    }
}
