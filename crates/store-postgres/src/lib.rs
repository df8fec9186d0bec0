#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod chores;
mod error;
mod group;
mod lane;
mod looks;
mod outbox;
mod schema;
mod session;
mod settles;
mod sql;
mod store;

pub use address::Address;
pub use error::{BadAddress, DatabaseError, OpenError};
pub use store::{PostgresStore, Written};
