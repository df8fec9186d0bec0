//! The tables, and how they came to be.
//!
//! - `countersign_record`: a row a key. A key begins with its partition, its first ten bits, so the
//!   primary key is led by it. Ciphertext does not compress: what is too long for its page is
//!   stored apart as it is.
//! - `countersign_event`: a row an event, by partition and in the order of commits within it, so
//!   that no page is where everybody writes.
//! - `countersign_schema`: a row a migration that was run.
//!
//! Migrations only go forward and only add, so that nodes of the last release serve on beside them:
//! each says the oldest schema that a node must know (`needs`). Two nodes that migrate at once:
//! both insert the step's row first, one waits and then finds it there.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::error::OpenError;

/// A step, and the schema that a node must know to serve beside it.
struct Migration {
    needs: i32,
    sql: &'static str,
}

/// One step each, in order; a step that was released is never changed.
const MIGRATIONS: &[Migration] = &[Migration {
    needs: 1,
    sql: "
        CREATE TABLE countersign_record (
            key bytea NOT NULL PRIMARY KEY,
            version bytea NOT NULL,
            expiry int8,
            at int8 NOT NULL,
            bytes bytea NOT NULL
        );
        ALTER TABLE countersign_record ALTER COLUMN bytes SET STORAGE EXTERNAL;
        CREATE INDEX countersign_record_expiry ON countersign_record (expiry)
            WHERE expiry IS NOT NULL;
        CREATE TABLE countersign_event (
            partition int2 NOT NULL,
            at int8 NOT NULL,
            place int2 NOT NULL,
            id bytea NOT NULL,
            bytes bytea NOT NULL,
            PRIMARY KEY (partition, at, place, id)
        );
        ALTER TABLE countersign_event ALTER COLUMN bytes SET STORAGE EXTERNAL;
    ",
}];

/// How often a step is tried that another node is at.
const TRIES: u32 = 20;

/// Brings the tables to this release's schema; how many steps were run.
pub(crate) async fn migrate(client: &Client) -> Result<usize, OpenError> {
    for _ in 0..TRIES {
        let found = stands(client).await?;
        let at = usize::try_from(found).unwrap_or(usize::MAX);
        let mut run = 0;
        let mut contended = false;
        for (number, migration) in MIGRATIONS.iter().enumerate().skip(at) {
            match step(client, number.saturating_add(1), migration).await {
                Ok(()) => run += 1,
                Err(error) if is_taken(&error) => {
                    contended = true;
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        if !contended {
            return Ok(run);
        }
    }
    Err(OpenError::Silent)
}

/// The schema that stands; refused where this release cannot serve beside it.
pub(crate) async fn stands(client: &Client) -> Result<i32, OpenError> {
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    let there = "SELECT to_regclass('countersign_schema') IS NOT NULL";
    if !client.query_one(there, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let highest = "SELECT coalesce(max(step), 0), coalesce(max(needs), 0) FROM countersign_schema";
    let row = client.query_one(highest, &[]).await?;
    let (found, needs): (i32, i32) = (row.try_get(0)?, row.try_get(1)?);
    if needs > known { Err(OpenError::Newer { needs, known }) } else { Ok(found) }
}

async fn step(
    client: &Client,
    number: usize,
    Migration { needs, sql }: &Migration,
) -> Result<(), tokio_postgres::Error> {
    // What comes in one message is one transaction: all of it, or nothing.
    client
        .batch_execute(&format!(
            "CREATE TABLE IF NOT EXISTS countersign_schema (
                step int4 NOT NULL PRIMARY KEY,
                needs int4 NOT NULL,
                run_at timestamptz NOT NULL DEFAULT now()
            );
            INSERT INTO countersign_schema (step, needs) VALUES ({number}, {needs});
            {sql}"
        ))
        .await
        .map_err(|error| {
            tracing::debug!(%error, number, "a migration was not run");
            error
        })
}

/// Another node is at the same step, or was.
fn is_taken(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [
            SqlState::UNIQUE_VIOLATION,
            SqlState::DUPLICATE_TABLE,
            SqlState::DUPLICATE_OBJECT,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
        ]
        .contains(code)
    })
}
