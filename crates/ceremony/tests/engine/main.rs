//! The engine over the memory store: the journeys of a person, and races with real threads.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod account;
mod browsers;
mod journey;
mod lost_replies;
mod minting;
mod own_phones;
mod phones;
mod policies;
mod profiles;
mod races;
mod refill;
mod restored;
mod step_up;
mod support;
mod tenants;
mod upgrade;
