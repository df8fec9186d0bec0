//! The JSON of the contract, in one place. Nothing outside this module knows a field name of it.
//!
//! Requests are read tolerantly: unknown fields are passed over, as real clients send their whole
//! form, and a field that is missing or of another type is told by its name, in the wording that
//! clients of the contract know. Answers are built from what happened and hold nothing else.

mod account;
mod answer;
mod date;
mod error;
mod event;
mod field;
mod moving;
mod passkey;
mod policy;
mod request;
mod schema;
mod strategy;
mod vendor;
mod webhook;

pub use self::account::{OwnDevices, RecoveryLeft, RememberedDevices};
pub use self::answer::{
    Added, AllowRemember, AuthResponse, Device, Email, EmailSent, Me, MfaDevices, OtcToken, Phone,
    PreEnrol, Role, SmsSent, TenantRow, Tenants,
};
pub use self::date::rfc3339;
pub use self::error::ErrorBody;
pub use self::event::{event, events};
pub use self::field::{Field, Flag, Invalid, Number, Section};
pub use self::moving::{Row, moving_out, refused};
pub use self::passkey::{
    Passkey, PasskeyAddition, PasskeyCheck, PasskeyEnrolCheck, PasskeyOptions, PasskeyRemoval,
};
pub use self::policy::{
    AppConfig, CodeConfig, FactorRequest, LockoutPolicy, LockoutRequest, MailConfig, MfaConfig,
    MfaConfigRequest, MfaPolicy, MfaPolicyRequest, Strategies, StrategyRequest, StrategyRow,
};
pub use self::request::{
    AccountCode, CodeCheck, EmailBinding, EmailCodeCheck, EnrolCheck, Lifecycle, Login,
    LoginTokenOnly, Recover, Refill, Refresh, ServiceLogin, SmsCheck, SmsSend, StepUp,
};
pub use self::strategy::{STRATEGIES, factor, strategy};
pub use self::vendor::{ServiceConfig, VendorLogin, VendorToken};
pub use self::webhook::PhoneMessage;
