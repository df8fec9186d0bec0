#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod attacks;
pub mod canary;
pub mod crash;
pub mod refusals;
pub mod script;
pub mod simulation;
pub mod year;

mod ground;
mod history;
mod properties;
mod register;
mod suite;

pub use ground::{Dial, Fresh};
pub use suite::{Broken, Expectations, Property, Reopen, Report, prove};
