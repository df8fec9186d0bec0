#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![allow(clippy::must_use_candidate, reason = "marked where forgetting the answer does harm")]
// No panic is writable, tests aside.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

#[macro_use]
mod macros;

mod alphabet;
pub mod delivered;
pub mod steam;

#[cfg(test)]
#[path = "../tests/unit/all.rs"]
mod tests;
