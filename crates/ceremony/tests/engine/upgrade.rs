//! Nodes of two releases over one store: the older one reads no encoding but the first.

use std::sync::Arc;

use countersign_ceremony::codec::{CodecError, Encoding};
use countersign_ceremony::engine::{Engine, Error};
use countersign_ceremony::env::Env;
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::port::Store;
use countersign_ceremony::resealing::reseal;
use countersign_vault::{Digest, KeyId, OpenError, Purpose, SealError, Vault};
use zeroize::Zeroizing;

use super::support::{Person, World, granted, tenant};

/// What the release before this one makes of the next encoding: a number that it does not know.
#[derive(Debug)]
struct OlderRelease(Arc<dyn Vault>);

const UNKNOWN: u8 = 0xff;

impl Vault for OlderRelease {
    fn open(
        &self,
        purpose: Purpose,
        context: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let mut plain = self.0.open(purpose, context, sealed)?;
        match plain.first_mut() {
            Some(number) if *number == Encoding::Padded.number() => *number = UNKNOWN,
            _ => {}
        }
        Ok(plain)
    }

    fn seal(
        &self,
        purpose: Purpose,
        context: &[&[u8]],
        nonce: [u8; 24],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.0.seal(purpose, context, nonce, plaintext)
    }

    fn digest(&self, purpose: Purpose, parts: &[&[u8]]) -> Digest {
        self.0.digest(purpose, parts)
    }

    fn key_of(&self, sealed: &[u8]) -> Result<KeyId, OpenError> {
        self.0.key_of(sealed)
    }

    fn newest(&self) -> KeyId {
        self.0.newest()
    }
}

/// Another node over the store of this world.
fn node(world: &World, change: impl FnOnce(&mut Env)) -> Arc<Engine<MemoryStore>> {
    let mut env = world.engine.env().clone();
    change(&mut env);
    let settings = world.engine.settings().clone();
    Arc::new(Engine::new(world.store(), env, settings).unwrap())
}

async fn rows(world: &World) -> Vec<Vec<u8>> {
    let walked = world.store().walk(None, 1000).await.unwrap();
    walked.into_iter().map(|row| row.entry.bytes).collect()
}

#[tokio::test]
async fn before_the_flip_two_releases_serve_side_by_side_and_either_may_go() {
    let world = World::new();
    let old = node(&world, |env| env.vault = Arc::new(OlderRelease(Arc::clone(&env.vault))));
    let mut alice = Person::new(&world);
    let releases = [Arc::clone(&old), Arc::clone(&world.engine), old, Arc::clone(&world.engine)];
    alice.enrol().await;
    for release in releases {
        alice.engine = release;
        world.advance(30);
        let asked = alice.challenged().await;
        let code = alice.totp(0);
        granted(alice.code(&asked, code.as_str(), false).await);
    }
}

#[tokio::test]
async fn after_the_flip_the_older_release_refuses_and_drops_nothing() {
    let world = World::new();
    let old = node(&world, |env| env.vault = Arc::new(OlderRelease(Arc::clone(&env.vault))));
    let flipped = node(&world, |env| env.encoding = Encoding::Padded);
    let mut alice = Person::new(&world);
    alice.enrol().await;
    let log_in = async |alice: &mut Person, node: &Arc<Engine<MemoryStore>>| {
        alice.engine = Arc::clone(node);
        world.advance(30);
        let asked = alice.challenged().await;
        let code = alice.totp(0);
        granted(alice.code(&asked, code.as_str(), false).await);
    };
    log_in(&mut alice, &flipped).await;
    // A node that was not flipped yet reads it, and writes its own.
    log_in(&mut alice, &world.engine).await;
    log_in(&mut alice, &flipped).await;

    let before = rows(&world).await;
    let refused = old.begin(alice.passed(&tenant()), &alice.client()).await;
    assert!(matches!(refused, Err(Error::Codec(CodecError::Version(UNKNOWN)))), "{refused:?}");
    assert_eq!(rows(&world).await, before);

    // Taken back: everything is written in the first encoding again, and the older release serves on.
    let env = world.engine.env();
    let all = reseal(&*world.store(), env, Some(Encoding::Plain), |_| {}).await.unwrap();
    assert_eq!(all.resealed, 1, "what was flipped is one record");
    let again = reseal(&*world.store(), env, Some(Encoding::Plain), |_| {}).await.unwrap();
    assert_eq!(again.resealed, 0);
    log_in(&mut alice, &old).await;
}

#[tokio::test]
async fn in_the_next_encoding_rows_come_in_few_lengths() {
    let world = World::new();
    let flipped = node(&world, |env| env.encoding = Encoding::Padded);
    let mut lengths = Vec::new();
    for n in 0..12 {
        let mut person = Person::new(&world);
        person.user = "u".repeat(1 + n);
        person.engine = Arc::clone(&flipped);
        person.enrol().await;
    }
    let overhead =
        world.engine.env().vault.seal(Purpose::new("x"), &[], [0; 24], &[]).unwrap().len();
    for row in rows(&world).await {
        let plain = row.len() - overhead;
        if plain % Encoding::PADDED_TO == 0 {
            lengths.push(plain);
        }
    }
    assert!(lengths.len() >= 12, "{lengths:?}");
    lengths.sort_unstable();
    lengths.dedup();
    assert!(lengths.len() <= 2, "{lengths:?}");
}
