//! What is refused, and why. No error carries a secret, a code, or the place where one was wrong.

use core::fmt;

macro_rules! invalid {
    ($($name:ident => $message:literal,)*) => {
        /// Why a value is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Invalid {
            $(#[doc = concat!("As its text says: ", $message, ".")] $name,)*
        }

        impl fmt::Display for Invalid {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $message,)* })
            }
        }
    };
}

invalid! {
    Period => "a period is 15 to 120 seconds long",
    Digits => "a code by counter or time has 6, 7 or 8 digits",
    Window => "a window reaches at most 2 steps back and 2 ahead",
    Drift => "a drift is at most 20 steps either way",
    Radius => "a resynchronisation looks 1 to 20 steps either way",
    LookAhead => "a look-ahead is at most 15 counters; beyond it, resynchronise",
    Reach => "a resynchronisation looks 1 to 100 counters ahead",
    CodeLength => "a code has 6 to 10 characters",
    CodeCharacters => "a code has digits only, or letters of its alphabet only",
    SteamCode => "a Steam code is five characters out of 23456789BCDFGHJKMNPQRTVWXY",
    ShortSecret => "a secret has at least 16 bytes (128 bits), an imported one at least 1",
    LongSecret => "a secret has at most 256 bytes",
    Base32 => "a secret is written in canonical, upper-case base32",
    NotRandom => "the bytes for a code are not random",
}

impl core::error::Error for Invalid {}

/// Why a secret or a code was not filled with random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillError<E> {
    /// The length asked for, or what came from the source.
    Invalid(Invalid),
    /// The source of the bytes failed.
    Source(E),
}

impl<E: fmt::Display> fmt::Display for FillError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::Source(error) => write!(f, "no random bytes: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for FillError<E> {}
