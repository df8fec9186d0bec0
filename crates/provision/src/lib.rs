#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

#[cfg(feature = "import")]
pub mod import;
#[cfg(feature = "import")]
pub mod migration;
#[cfg(feature = "pskc")]
pub mod pskc;
#[cfg(feature = "qr")]
pub mod qr;
#[cfg(feature = "totp-rs")]
mod totp_rs;
mod uri;

pub use uri::{Kind, NameError, Parsed, Profile, ReadError, Uri, Warning};
