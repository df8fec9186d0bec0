#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod browsers;
mod cookie;
mod policy;

pub use browsers::{Browser, Browsers, GRACE_SECS, MOST, Presented};
pub use cookie::{Cookie, Entry};
pub use policy::{Policy, PolicyError};
