#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod digest;
#[cfg(feature = "std")]
pub mod file;
mod frame;
mod key;
mod purpose;
pub mod ring;
mod subkeys;
#[cfg(feature = "std")]
mod turning;
mod vault;
mod wrap;

pub use digest::Digest;
pub use purpose::Purpose;
pub use ring::{Ring, RingError};
#[cfg(feature = "std")]
pub use turning::{TurnError, Turning};
pub use vault::{KeyId, OpenError, SealError, Vault};
pub use wrap::{KeyWrap, WrapError};
// The type in `Vault::open` is part of this crate's interface.
pub use zeroize::Zeroizing;
