//! What is refused at the start, what is said of durability, and what a bad server is answered.

use std::time::Duration;

use countersign_ceremony::port::{Settled, Store, StoreError, Version};
use countersign_store_redis::{Aof, Config, OpenError, RedisStore, Replicas};

use crate::machines::{Fleet, Server, free_port, installed, until};
use crate::support::{ROOMY, block_on, key, stands, write};

#[test]
fn a_server_that_forgets_is_refused_also_when_it_comes_back_as_one() {
    if !installed("a_server_that_forgets_is_refused_also_when_it_comes_back_as_one") {
        return;
    }
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let server = Server::start(&["--maxmemory-policy", policy]);
        let refused = block_on(RedisStore::open(&Config::new([server.url()]), ROOMY)).unwrap_err();
        assert!(matches!(&refused, OpenError::Forgets { policy: found, .. } if found == policy));
        assert!(refused.to_string().contains("noeviction"));
    }
    let server = Server::start(&[]);
    block_on(async {
        let store = RedisStore::open(&Config::new([server.url()]), ROOMY).await.unwrap();
        assert_eq!(store.settle(write(key(1), Version::ABSENT)).await, Ok(Settled::Won));
        let _ok: String = server.ask("CONFIG SET maxmemory-policy allkeys-lru");
        let _gone: i64 = server.ask("CLIENT KILL TYPE normal SKIPME yes");
        let _cut = stands(&store, key(1)).await;
        assert_eq!(stands(&store, key(1)).await, Err(StoreError::Unavailable));
        let _ok: String = server.ask("CONFIG SET maxmemory-policy noeviction");
        assert!(stands(&store, key(1)).await.unwrap().is_some());
    });
}

#[test]
fn what_cannot_be_opened_says_why_and_no_password() {
    if !installed("what_cannot_be_opened_says_why_and_no_password") {
        return;
    }
    let server = Server::start(&["--requirepass", "correct horse"]);
    block_on(async {
        let open =
            async |url: String| RedisStore::open(&Config::new([url]), ROOMY).await.unwrap_err();
        let nobody = open(format!("redis://:hunter2@127.0.0.1:{}", free_port())).await;
        assert!(matches!(nobody, OpenError::Away(_)) && !nobody.to_string().contains("hunter2"));
        let wrong = open(format!("redis://:hunter2@127.0.0.1:{}", server.port)).await;
        assert!(matches!(wrong, OpenError::Away(_)) && !wrong.to_string().contains("hunter2"));
        let plain = open(format!("rediss://127.0.0.1:{}", server.port)).await;
        assert!(matches!(plain, OpenError::Away(_)), "{plain}");
        let right = format!("redis://:correct%20horse@127.0.0.1:{}", server.port);
        assert!(RedisStore::open(&Config::new([right.clone()]), ROOMY).await.is_ok());
        let both = Config::new([right.clone(), right.clone()]);
        assert!(matches!(RedisStore::open(&both, ROOMY).await, Err(OpenError::Url(_))));
        let on_disk = Some(Replicas { on_disk: true, ..Replicas::of(1) });
        let on_disk = Config { replicas: on_disk, ..Config::new([right]) };
        assert!(matches!(RedisStore::open(&on_disk, ROOMY).await, Err(OpenError::NoWaitAof)));
    });
}

#[test]
fn durability_is_said_as_it_is() {
    if !installed("durability_is_said_as_it_is") {
        return;
    }
    let said = |settings: &[&str], replicas| {
        let server = Server::start(settings);
        let config = Config { replicas, ..Config::new([server.url()]) };
        *block_on(RedisStore::open(&config, ROOMY)).unwrap().durability()
    };
    let off = said(&["--appendonly", "no"], None);
    assert_eq!((off.aof, off.connected), (Aof::Off, 0));
    assert!(!off.survives_a_crash() && off.to_string().contains("spent codes"));
    let everysec = said(&["--appendonly", "yes"], None);
    assert_eq!(everysec.aof, Aof::EverySecond);
    let lonely = said(&["--appendonly", "yes", "--appendfsync", "always"], Some(Replicas::of(1)));
    assert!(lonely.to_string().contains("refused until"), "{lonely}");
}

#[test]
fn a_server_that_is_away_is_unavailable_and_serves_at_once_when_it_is_back() {
    if !installed("a_server_that_is_away_is_unavailable_and_serves_at_once_when_it_is_back") {
        return;
    }
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    block_on(async {
        let store = RedisStore::open(&Config::new([server.url()]), ROOMY).await.unwrap();
        let first = write(key(1), Version::ABSENT);
        assert_eq!(store.settle(first.clone()).await, Ok(Settled::Won));
        server.kill();
        let cut = store.settle(write(key(1), first.next)).await;
        assert!(matches!(cut, Err(StoreError::Unknown | StoreError::Unavailable)));
        let away =
            tokio::time::timeout(Duration::from_secs(5), store.settle(write(key(1), first.next)));
        assert_eq!(away.await.unwrap(), Err(StoreError::Unavailable));
        assert_eq!(stands(&store, key(1)).await, Err(StoreError::Unavailable));
        server.start_again();
        assert_eq!(stands(&store, key(1)).await.unwrap().unwrap().version, first.next);
        assert_eq!(store.settle(write(key(1), first.next)).await, Ok(Settled::Won));
    });
}

#[test]
fn what_is_not_ours_is_corrupt_and_a_full_server_is_unavailable() {
    if !installed("what_is_not_ours_is_corrupt_and_a_full_server_is_unavailable") {
        return;
    }
    let server = Server::start(&[]);
    block_on(async {
        let store = RedisStore::open(&Config::new([server.url()]), ROOMY).await.unwrap();
        let name = |key: countersign_ceremony::port::Key| {
            let mut name = format!("cs{{{}}}r", key.partition()).into_bytes();
            name.extend_from_slice(key.as_bytes());
            name
        };
        let mut other = server.connection();
        redis::cmd("SET").arg(name(key(1))).arg("short").query::<()>(&mut other).unwrap();
        redis::cmd("LPUSH").arg(name(key(2))).arg("list").query::<()>(&mut other).unwrap();
        for n in [1, 2] {
            assert_eq!(stands(&store, key(n)).await, Err(StoreError::Corrupt));
            assert_eq!(
                store.settle(write(key(n), Version::ABSENT)).await,
                Err(StoreError::Corrupt)
            );
        }
        let _ok: String = server.ask("CONFIG SET maxmemory 1");
        assert_eq!(
            store.settle(write(key(3), Version::ABSENT)).await,
            Err(StoreError::Unavailable)
        );
        let _ok: String = server.ask("CONFIG SET maxmemory 0");
        assert_eq!(store.settle(write(key(3), Version::ABSENT)).await, Ok(Settled::Won));
        let _ok: String = server.ask("SCRIPT FLUSH SYNC");
        assert_eq!(
            store.settle(write(key(4), Version::ABSENT)).await,
            Ok(Settled::Won),
            "the script was lost"
        );
    });
}

#[test]
fn records_that_ended_leave_nothing_behind() {
    if !installed("records_that_ended_leave_nothing_behind") {
        return;
    }
    let server = Server::start(&[]);
    block_on(async {
        let store = RedisStore::open(&Config::new([server.url()]), ROOMY).await.unwrap();
        let now = store.look(&[]).await.unwrap().store_time;
        let ending = |n: u8, expiry| {
            let mut bytes = [7; 32];
            bytes[31] = n;
            let key = countersign_ceremony::port::Key::from_bytes(bytes);
            let mut settle = write(key, Version::ABSENT);
            settle.expiry = Some(expiry);
            settle.events.clear();
            settle
        };
        // Already over by more than Redis waits before it drops a key.
        let over = countersign_otp::UnixTime::from_secs(now.secs() - 100);
        for n in 0..6 {
            assert_eq!(store.settle(ending(n, over)).await, Ok(Settled::Won));
        }
        let index: i64 = server.ask("ZCARD cs{28}i");
        for n in 10..14 {
            assert_eq!(store.settle(ending(n, now.saturating_add(1000))).await, Ok(Settled::Won));
        }
        assert!(index <= 2, "each that comes takes two with it: {index}");
        assert_eq!(server.ask::<i64>("ZCARD cs{28}i"), 4);
        assert_eq!(server.ask::<i64>("ZCARD cs{28}x"), 4);
        assert_eq!(store.walk(None, 100).await.unwrap().len(), 4);
    });
}

#[test]
fn a_cluster_is_found_from_one_of_its_nodes() {
    if !installed("a_cluster_is_found_from_one_of_its_nodes") {
        return;
    }
    let fleet = Fleet::start(3, false);
    block_on(async {
        let urls = [format!("redis://127.0.0.1:{}", free_port()), fleet.masters[2].url()];
        let store = RedisStore::open(&Config::new(urls), ROOMY).await.unwrap();
        assert_eq!(store.durability().masters, 3);
        let keys: Vec<_> = (0..60).map(key).collect();
        for key in &keys {
            assert_eq!(store.settle(write(*key, Version::ABSENT)).await, Ok(Settled::Won));
        }
        assert!(store.look(&keys).await.unwrap().entries.iter().all(Option::is_some));
        assert!(fleet.masters.iter().all(|master| master.ask::<i64>("DBSIZE") > 10));
        assert_eq!(store.events(1000).await.unwrap().len(), 60);

        // A slot on its way: what is not there any more is asked for at the other end.
        let partition = key(1).partition();
        let slot: i64 = fleet.masters[0].ask(&format!("CLUSTER KEYSLOT {{{partition}}}"));
        let from = usize::try_from(slot * 3 / 16384).unwrap();
        let (from, to) = (&fleet.masters[from], &fleet.masters[(from + 1) % 3]);
        let (from_id, to_id): (String, String) = (from.ask("CLUSTER MYID"), to.ask("CLUSTER MYID"));
        let _ok: String = to.ask(&format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}"));
        let _ok: String = from.ask(&format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}"));
        let mut migrate = redis::cmd("MIGRATE");
        let names: Vec<Vec<u8>> = redis::cmd("CLUSTER")
            .arg("GETKEYSINSLOT")
            .arg(slot)
            .arg(100)
            .query(&mut from.connection())
            .unwrap();
        migrate.arg("127.0.0.1").arg(to.port).arg("").arg(0).arg(5000).arg("KEYS").arg(names);
        migrate.query::<()>(&mut from.connection()).unwrap();
        assert!(stands(&store, key(1)).await.unwrap().is_some(), "asked for at the other end");
        for node in [to, from] {
            let _ok: String = node.ask(&format!("CLUSTER SETSLOT {slot} NODE {to_id}"));
        }
        let stood = write(key(1), Version::ABSENT).next;
        until("it has moved", || block_in_place(&store, write(key(1), stood)));
        assert_eq!(stands(&store, key(1)).await.unwrap().unwrap().version.counter(), 2);
    });
}

fn block_in_place(store: &RedisStore, settle: countersign_ceremony::port::Settle) -> bool {
    tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(store.settle(settle)) == Ok(Settled::Won)
    })
}
