//! What the tests stand on: the process, the wire, the mails, the tools.

pub(crate) mod authenticator;
pub(crate) mod browser;
pub(crate) mod canaries;
pub(crate) mod chromium;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod events;
pub(crate) mod mail;
pub(crate) mod outbox;
pub(crate) mod person;
pub(crate) mod phone;
pub(crate) mod qr;
pub(crate) mod race;
pub(crate) mod server;
pub(crate) mod smtp;
pub(crate) mod syslog;
pub(crate) mod tls;
pub(crate) mod tool;
