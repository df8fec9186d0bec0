//! The tests of what is private, beside the crate and not in it, so that a reader of `src` has less to
//! turn over.

mod algorithm;
mod base32;
mod code;
mod decimal;
mod keyed;
mod midstate;
mod scan;
mod secret;
mod time;
mod window;
