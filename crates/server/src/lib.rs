#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod cli;
pub mod clock;
pub mod config;
pub mod database;
pub mod databases;
pub mod deliver;
pub mod events;
pub mod http;
mod keys;
mod kms;
pub mod node;
mod phone;
pub mod profile;
pub mod random;
mod signed;
pub mod signing;
pub mod wire;

/// The example of the workspace's front page compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FrontPage;
