#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod key;
mod site;
#[cfg(feature = "software")]
pub mod software;
mod webauthn;

pub use site::{Site, SiteError};
pub use webauthn::WebAuthn;
