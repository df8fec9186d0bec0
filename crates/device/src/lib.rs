#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod authenticator;
mod device;
mod email;
mod factor;
mod id;
mod label;
mod life;
mod name;
mod passkey;
mod pending;
mod phone;
mod seconds;
mod text;

pub use address::Address;
pub use authenticator::{Authenticator, AuthenticatorKey, Totps};
pub use device::Device;
pub use email::{EmailAddress, EmailAddressError, EmailFactor};
pub use factor::{Channel, FactorKind};
pub use id::{ChallengeId, DeviceId, Id, IdError, LoginId, SessionId, kind};
pub use label::{Label, LabelError};
pub use name::{ApplicationId, ClientId, NameError, RealmId, TenantId, UserId, UserKey};
pub use passkey::{
    AdapterState, Attachment, Backup, Credential, CredentialId, Passkey, PasskeyError, Signed,
};
pub use pending::{Opener, Pending};
pub use phone::{Phone, PhoneChannel, PhoneNumber, PhoneNumberError};
