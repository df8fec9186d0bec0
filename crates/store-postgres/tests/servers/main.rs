//! Tests against private servers of PostgreSQL, which they start themselves.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in the functions that it calls"
)]

mod support;

mod attacks;
mod away;
mod conformance;
mod groups;
mod schema;
mod tls;
