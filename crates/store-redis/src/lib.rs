#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cluster;
mod config;
mod durability;
mod error;
mod line;
mod names;
mod outbox;
mod reads;
mod record;
mod script;
mod seeds;
mod slots;
mod store;
mod unsure;
mod url;
mod walk;
mod wave;

pub use config::{Config, Replicas};
pub use durability::{Aof, Durability};
pub use error::OpenError;
pub use names::slot;
pub use store::RedisStore;
