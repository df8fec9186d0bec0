#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod authenticator;
mod email;
mod factor;
mod id;
mod name;
mod seconds;

pub use authenticator::{Authenticator, Opener, Pending};
pub use email::{EmailAddress, EmailAddressError, EmailFactor};
pub use factor::FactorKind;
pub use id::{ChallengeId, DeviceId, Id, IdError, LoginId, SessionId, kind};
pub use name::{ApplicationId, NameError, RealmId, TenantId, UserId, UserKey};
