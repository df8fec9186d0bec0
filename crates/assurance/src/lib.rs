#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod assurance;
mod jwks;
mod layer;

pub use assurance::{Denied, MULTI_FACTOR, RequireAssurance};
pub use jwks::{JwksError, keys};
pub use layer::Assured;
