#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod assertion;
pub mod audit;
pub mod claims;
pub mod codec;
pub mod decide;
pub mod destination;
pub mod directory;
pub mod engine;
pub mod env;
pub mod incarnation;
pub mod lifecycle;
pub mod memory;
pub mod moving;
pub mod names;
pub mod outbox;
pub mod policy;
pub mod port;
pub mod record;
mod records;
pub mod resealing;
pub mod rules;
pub mod vendor;
