#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod access;
mod argon;
mod crockford;
mod family;
mod opaque;
pub mod password;
pub mod recovery;
mod sealed;

pub use access::{AccessClaims, AccessError, Ed25519, Keys, Sign, Verify};
pub use argon::{HashError, Params, ParamsError};
pub use family::FamilyId;
pub use opaque::{Opaque, OpaqueError};
pub use recovery::{Pepper, RecoveryCode, RecoveryCodeError, RecoveryHash, RecoveryTag};
pub use sealed::{Kind, Token, TokenError};
