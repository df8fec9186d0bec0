//! What the tests of one server stand on.
#![allow(dead_code, reason = "shared with the tests of one server")]

#[path = "../binary/support/authenticator.rs"]
pub(crate) mod authenticator;
#[path = "../binary/support/browser.rs"]
pub(crate) mod browser;
#[path = "../binary/support/canaries.rs"]
pub(crate) mod canaries;
#[path = "../binary/support/clock.rs"]
pub(crate) mod clock;
#[path = "../binary/support/config.rs"]
pub(crate) mod config;
#[path = "../binary/support/mail.rs"]
pub(crate) mod mail;
#[path = "../binary/support/outbox.rs"]
pub(crate) mod outbox;
#[path = "../binary/support/person.rs"]
pub(crate) mod person;
#[path = "../binary/support/qr.rs"]
pub(crate) mod qr;
#[path = "../binary/support/race.rs"]
pub(crate) mod race;
#[path = "../binary/support/server.rs"]
pub(crate) mod server;
