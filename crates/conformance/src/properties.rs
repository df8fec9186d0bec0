//! The properties, one idea a file. Each returns the history that shows it broken.

pub(crate) mod bytes;
pub(crate) mod durable;
pub(crate) mod expiry;
pub(crate) mod keys;
pub(crate) mod model;
pub(crate) mod outbox;
pub(crate) mod race;
pub(crate) mod swap;
pub(crate) mod walk;
