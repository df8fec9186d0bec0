//! The tables: made once, whoever comes first, and refused where a newer release made them.

use countersign_ceremony::port::{Outbox, Settled, Store, Version};
use countersign_store_postgres::{Address, OpenError, PostgresStore};
use tokio::task::JoinSet;

use super::support::{Postgres, open, runtime, settle};

#[test]
fn many_nodes_that_come_at_once_make_the_tables_once() {
    let Some(server) = Postgres::start("many_nodes_that_come_at_once") else { return };
    runtime().block_on(async {
        let mut nodes = JoinSet::new();
        for n in 0..8_u32 {
            let url = server.url();
            nodes.spawn(async move {
                let settle = settle(n, Version::ABSENT, n.into());
                assert_eq!(open(&url).await.settle(settle).await, Ok(Settled::Won));
            });
        }
        nodes.join_all().await;
        let address = Address::parse(&server.url()).unwrap();
        assert_eq!(PostgresStore::migrate(address).await.unwrap(), 0, "nothing is left to do");
    });
    assert_eq!(server.sql("SELECT count(*) FROM countersign_schema"), "1");
    assert_eq!(server.sql("SELECT count(*) FROM countersign_record"), "8");
}

#[test]
fn a_newer_schema_is_served_beside_until_it_needs_a_newer_node() {
    let Some(server) = Postgres::start("a_newer_schema") else { return };
    runtime().block_on(async {
        let store = open(&server.url()).await;
        // What a newer release adds is nothing to this one.
        server.sql(
            "INSERT INTO countersign_schema (step, needs) VALUES (2, 1);
             ALTER TABLE countersign_record ADD COLUMN more int8;",
        );
        let written = settle(1, Version::ABSENT, 1);
        let next = written.next;
        assert_eq!(store.settle(written).await, Ok(Settled::Won));
        assert_eq!(open(&server.url()).await.settle(settle(1, next, 2)).await, Ok(Settled::Won));

        server.sql("INSERT INTO countersign_schema (step, needs) VALUES (3, 3)");
        let address = Address::parse(&server.url()).unwrap();
        let refused = PostgresStore::open(address, Outbox::default()).await.unwrap_err();
        assert!(matches!(refused, OpenError::Newer { needs: 3, known: 1 }), "{refused}");
    });
}

#[test]
fn a_database_that_is_not_there_says_so() {
    runtime().block_on(async {
        let address = Address::parse("postgres://u:hunter2@127.0.0.1:1/d").unwrap();
        let refused = PostgresStore::open(address, Outbox::default()).await.unwrap_err();
        assert!(matches!(refused, OpenError::Database(_)), "{refused}");
        assert!(!refused.to_string().contains("hunter2"));
    });
}
