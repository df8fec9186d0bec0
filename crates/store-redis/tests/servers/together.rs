//! Looks that wait together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use countersign_ceremony::port::{Settled, Store, Version};
use countersign_store_redis::{Config, RedisStore};
use tokio::task::JoinSet;

use crate::machines::{Server, installed};
use crate::support::{ROOMY, key, stands, write};

/// How often a command was carried out.
fn calls(server: &Server, command: &str) -> u64 {
    let said = server.ask::<String>("INFO commandstats");
    let line =
        said.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|line| line.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
}

/// One thread, so that it is known what is ready before a look goes on.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

#[test]
fn looks_that_wait_together_are_one_trip_and_each_has_its_own_answer() {
    if !installed("looks_that_wait_together_are_one_trip_and_each_has_its_own_answer") {
        return;
    }
    let server = Server::start(&[]);
    block_on(async {
        let store = RedisStore::open(&Config::new([server.url()]), ROOMY).await.unwrap();
        let store = Arc::new(store);
        for n in 0..20 {
            assert_eq!(store.settle(write(key(n), Version::ABSENT)).await, Ok(Settled::Won));
        }
        let before = ["get", "time"].map(|command| calls(&server, command));
        let mut looks = JoinSet::new();
        for n in 0..40_u8 {
            // Twenty stand there and twenty do not; all ask for the first one too.
            let store = Arc::clone(&store);
            looks.spawn(async move { (n, store.look(&[key(n), key(0)]).await.unwrap()) });
        }
        let mut answers = 0;
        while let Some(look) = looks.join_next().await {
            let (n, looked) = look.unwrap();
            let [own, common] = &looked.entries[..] else { panic!("two were asked for") };
            let of = |n| write(key(n), Version::ABSENT);
            assert_eq!(own.as_ref().map(|of| of.version), (n < 20).then(|| of(n).next), "{n}");
            assert_eq!(common.as_ref().unwrap().bytes, of(0).bytes);
            answers += 1;
        }
        assert_eq!(answers, 40);
        let after = ["get", "time"].map(|command| calls(&server, command));
        assert_eq!([after[0] - before[0], after[1] - before[1]], [40, 1], "each record once");
    });
}

#[test]
fn whoever_gives_up_a_look_takes_nobodys_with_it() {
    if !installed("whoever_gives_up_a_look_takes_nobodys_with_it") {
        return;
    }
    let server = Server::start(&[]);
    block_on(async {
        let store = RedisStore::open(&Config::new([server.url()]), ROOMY).await.unwrap();
        assert_eq!(store.settle(write(key(1), Version::ABSENT)).await, Ok(Settled::Won));
        let [mut first, mut second] = [key(1), key(1)].map(|key| Box::pin(stands(&store, key)));
        // Both wait, and the second takes what waits; then it is gone.
        let before = calls(&server, "time");
        poll(&mut first);
        poll(&mut second);
        poll(&mut second);
        drop(second);
        assert!(first.await.unwrap().is_some());
        assert_eq!(calls(&server, "time") - before, 1, "the first did not ask again");
        // It waits alone, and is gone before anybody took it.
        let mut third = Box::pin(stands(&store, key(1)));
        poll(&mut third);
        drop(third);
        assert!(stands(&store, key(1)).await.unwrap().is_some());
    });
}

/// Goes on with it once, to where it waits.
fn poll<T>(look: &mut Pin<Box<impl Future<Output = T>>>) {
    let polled = look.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
}
