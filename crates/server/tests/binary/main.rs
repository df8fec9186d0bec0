//! Tests against the built `countersign` binary: over TCP, with the processes, files and mails that an operator would
//! see, and with independent tools (zbarimg, oathtool, totp-rs, jsonwebtoken, the vendor's npm package) as judges.
//!
//! What is tested here is what a client can observe. No test calls the server's own code, so it cannot agree with a
//! mistake of it; the authenticator of the passkeys is ours, and nothing that the server stands on. The examples, which
//! link it as a service would, are driven over TCP as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in the functions that it calls"
)]

mod support;

mod account;
mod bad_input;
mod cli;
mod crash;
mod databases;
mod event_sinks;
mod examples;
mod flood;
mod keys;
mod leaks;
mod lifecycle;
mod main_job;
mod moving;
mod openapi;
mod origins;
mod page;
mod page_walk;
mod passkey_page;
mod passkeys;
mod phones;
mod plain_http;
mod policy;
mod profiles;
mod races;
mod refill;
mod refusals;
mod remembered;
mod require_assurance;
mod rest_api;
mod sdk;
mod smtp_delivery;
mod templates;
mod tls;
mod vendors;
