#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod browser;
mod browsers;
mod cookie;
mod policy;

pub use browser::{Browser, GRACE_SECS, Presented};
pub use browsers::{Browsers, MOST};
pub use cookie::{Cookie, Entry};
pub use policy::{Policy, PolicyError};
