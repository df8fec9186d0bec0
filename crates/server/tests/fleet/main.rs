//! A fleet: three server processes on one database, PostgreSQL or a Redis Cluster, over TCP, with processes killed
//! under them. What is judged is what clients were told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in the functions that it calls"
)]

#[path = "../../../store-postgres/tests/servers/support/postgres.rs"]
#[allow(dead_code, reason = "shared with the tests of the store")]
mod postgres;
#[path = "../../../store-redis/tests/servers/machines.rs"]
#[allow(dead_code, reason = "shared with the tests of the store")]
mod redis_servers;
mod support;

mod dumps;
mod events;
mod fleet;
mod history;
mod kills;
mod one_winner;
mod redis_cluster;
mod upgrade;
