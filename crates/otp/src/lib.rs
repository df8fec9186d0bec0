#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![allow(clippy::must_use_candidate, reason = "marked where forgetting the answer does harm")]
// No panic is writable, tests aside.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

#[macro_use]
mod macros;

mod algorithm;
mod base32;
mod code;
mod decimal;
mod error;
mod hotp;
mod keyed;
#[cfg(feature = "lanes")]
mod lanes;
mod midstate;
mod scan;
mod secret;
mod time;
mod totp;
mod window;

pub use algorithm::{Algorithm, Digits};
pub use base32::Base32;
pub use code::{Code, CodeLength};
pub use decimal::Divisor;
pub use error::{FillError, Invalid};
pub use hotp::{Hotp, LookAhead, Reach};
pub use keyed::Keyed;
pub use scan::Codes;
pub use secret::Secret;
pub use time::{Period, Step, UnixTime};
pub use totp::{Found, Totp};
pub use window::{Drift, Radius, Window};

#[cfg(test)]
#[path = "../tests/unit/all.rs"]
mod tests;
