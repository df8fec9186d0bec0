//! The whole answer, measured: verifications of distinct users with right codes, all state durable, beside
//! what the database can do at best and beside the same server without one. The method is in
//! `docs/benchmarks.md`.

pub mod ceiling;
pub mod counted;
pub mod http;
pub mod pass;
pub mod report;
pub mod servers;
pub mod world;

/// What a measurement ends with where it cannot go on.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The size of a record in the ceilings' rows, in bytes: that of a prototype's typical one, sealed.
pub const RECORD: usize = 1089;

/// The size of an event in the ceilings' rows, in bytes.
pub const EVENT: usize = 102;
