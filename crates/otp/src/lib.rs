#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// No panic is writable, tests aside.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod algorithm;
mod base32;
mod code;
pub mod delivered;
mod hotp;
mod keyed;
mod midstate;
mod modulus;
mod scan;
mod secret;
pub mod steam;
mod time;
mod totp;
mod window;

pub use algorithm::{Algorithm, Digits, DigitsError};
pub use base32::Base32;
pub use code::{Code, CodeError, CodeLength};
pub use hotp::{Hotp, LookAhead, LookAheadError, Reach, ReachError};
pub use keyed::Keyed;
pub use secret::{FillError, Secret, SecretError};
pub use time::{Period, PeriodError, Step, UnixTime};
pub use totp::{Found, Totp};
pub use window::{Drift, DriftError, Radius, RadiusError, Window, WindowError};
