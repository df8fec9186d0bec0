//! The tests of what is private, beside the crate and not in it.

mod delivered;
mod steam;
