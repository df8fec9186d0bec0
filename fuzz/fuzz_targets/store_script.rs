//! Scripts of operations on SQLite, answer by answer as the memory store answers them.
#![no_main]

use countersign_conformance::script::Script;
use countersign_conformance::{Expectations, Fresh};
use countersign_store_sqlite::SqliteStore;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let dir = tempfile::tempdir().expect("a directory for the database");
    let file = dir.path().join("db");
    let open = move |fresh: Fresh| {
        SqliteStore::open(&file, fresh.clock, fresh.outbox).expect("a database")
    };
    let again = open.clone();
    let reopen = move |store: SqliteStore, fresh: Fresh| {
        drop(store);
        again(fresh)
    };
    let expectations = Expectations { reopen: Some(Box::new(reopen)), ..Expectations::default() };
    if let Err(differs) = Script::from_bytes(bytes).run(open, expectations) {
        panic!("{differs}");
    }
});
