//! A server that is killed in the middle of load, with `appendfsync always`.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use countersign_conformance::crash::{Account, write_until_killed};
use countersign_store_redis::{Aof, Config, RedisStore};

use crate::machines::{Server, installed};
use crate::support::ROOMY;

/// What a victim said, line by line.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_of_the_server() {
    if !installed("what_was_acknowledged_survives_a_kill_of_the_server") {
        return;
    }
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let config = Config::new([server.url()]);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.unwrap();
    let mut account = Account::default();
    for kill in 1..=4_u64 {
        let store = runtime.block_on(RedisStore::open(&config, ROOMY)).unwrap();
        assert!(store.durability().survives_a_crash() && store.durability().aof == Aof::Always);
        let heard = Heard::default();
        let ended = thread::scope(|scope| {
            let writing = scope.spawn(|| write_until_killed(&store, 8, heard.clone()));
            let enough = 200 * kill;
            while heard.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count()
                < usize::try_from(enough).unwrap()
            {
                thread::sleep(Duration::from_millis(1));
            }
            server.kill();
            writing.join().unwrap()
        });
        let why = ended.unwrap_err();
        assert!(why.contains("Unknown") || why.contains("Unavailable"), "{why}");
        let heard = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
        heard.lines().for_each(|line| account.hear(line));
        drop(store);
        server.start_again();
        let store = runtime.block_on(RedisStore::open(&config, ROOMY)).unwrap();
        account.judge(&store).unwrap_or_else(|lost| panic!("after kill {kill}: {lost}"));
    }
    assert!(account.acknowledged() > 500);
}
