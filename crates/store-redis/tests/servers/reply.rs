//! A network that swallows the reply to a settle.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use countersign_ceremony::port::{Settled, Store, StoreError, Version};
use countersign_store_redis::{Config, RedisStore};

use crate::machines::{Server, installed};
use crate::support::{ROOMY, block_on, key, stands, write};

/// A way to a server that, once told to, loses the next reply and with it the connection.
fn lossy(port: u16, lose: &Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap().port();
    let lose = Arc::clone(lose);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
            let (to, from) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || pass(from, to, || false));
            let lose = Arc::clone(&lose);
            thread::spawn(move || pass(server, client, || lose.swap(false, Ordering::SeqCst)));
        }
    });
    here
}

fn pass(mut from: TcpStream, mut to: TcpStream, lost: impl Fn() -> bool) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if lost() || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ended = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn a_lost_reply_is_unknown_and_what_it_was_of_is_done_once() {
    if !installed("a_lost_reply_is_unknown_and_what_it_was_of_is_done_once") {
        return;
    }
    let server = Server::start(&[]);
    let lose = Arc::new(AtomicBool::new(false));
    let port = lossy(server.port, &lose);
    block_on(async {
        let store = RedisStore::open(&Config::new([format!("redis://127.0.0.1:{port}")]), ROOMY)
            .await
            .unwrap();
        let first = write(key(1), Version::ABSENT);
        assert_eq!(store.settle(first.clone()).await, Ok(Settled::Won));
        let mut stood = first.next;
        for _ in 0..10 {
            let next = write(key(1), stood);
            lose.store(true, Ordering::SeqCst);
            assert_eq!(store.settle(next.clone()).await, Err(StoreError::Unknown));
            let found = stands(&store, key(1)).await.unwrap().unwrap();
            assert_eq!(found.version, next.next, "it was written, once");
            assert_eq!(store.settle(next.clone()).await, Ok(Settled::Lost));
            stood = next.next;
        }
        assert_eq!(store.events(100).await.unwrap().len(), 11);

        lose.store(true, Ordering::SeqCst);
        assert!(stands(&store, key(1)).await.is_ok(), "a look is asked again");
    });
}
