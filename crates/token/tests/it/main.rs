//! Tokens from outside: one binary, because the kinds and the rings are shared.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod access;
mod kinds;
mod opaque;
mod oracle;
mod recovery;
mod sealed;
mod words;
