//! The store on private servers, which these tests start and kill themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod attacks;
mod cluster;
mod crash;
mod machines;
mod open;
mod replicas;
mod reply;
mod safe;
mod support;
mod tls;
mod together;
