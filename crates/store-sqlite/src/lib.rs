#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod checkpointer;
mod error;
mod file;
mod group;
mod looks;
mod maintenance;
mod readers;
mod schema;
mod store;
mod writer;

pub use error::{BackupError, CheckError, OpenError, SqliteError};
pub use store::{SqliteStore, Written};
