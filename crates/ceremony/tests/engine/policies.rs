//! What was opened of policies is kept, and still only as good as the bytes that the store has now.

use countersign_ceremony::codec::CodecError;
use countersign_ceremony::engine::{Error, Reply};
use countersign_ceremony::names::Names;
use countersign_ceremony::policy::{Enforce, Policy};
use countersign_ceremony::port::{Key, Settle, Settled, Store, WriteId};
use countersign_device::TenantId;

use super::support::{Person, World, tenant};

fn key(world: &World, of: &TenantId) -> Key {
    let realm = &world.engine.settings().realm;
    Names(&*world.engine.env().vault).policy(realm, of)
}

/// Puts other bytes into the place of a policy, as whoever writes to the database could.
async fn replaced(world: &World, of: &TenantId, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let key = key(world, of);
    let entry = world.store().look(&[key]).await.unwrap().entries.remove(0).unwrap();
    let settle = Settle {
        key,
        expected: entry.version,
        next: entry.version.next(WriteId([7; 8])),
        bytes: change(entry.bytes),
        events: Vec::new(),
        expiry: None,
    };
    assert_eq!(world.store().settle(settle).await, Ok(Settled::Won));
}

async fn begins(world: &World) -> Result<Reply, Error> {
    let person = Person::new(world);
    world.engine.begin(person.passed(&tenant()), &person.client()).await
}

#[tokio::test]
async fn a_flipped_bit_of_a_policy_that_was_opened_before_fails_closed() {
    let world = World::new();
    world.set_policy(world.policy()).await;
    for _ in 0..2 {
        assert!(matches!(begins(&world).await, Ok(Reply::Challenged(_))));
    }
    replaced(&world, &tenant(), |mut bytes| {
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    })
    .await;
    let refused = begins(&world).await;
    assert!(matches!(refused, Err(Error::Codec(CodecError::Sealed))), "{refused:?}");
}

#[tokio::test]
async fn another_tenants_policy_in_its_place_fails_closed_though_both_were_opened_before() {
    let world = World::new();
    let lax = TenantId::parse("lax").unwrap();
    world.set_policy(world.policy()).await;
    let free = Policy { enforce: Enforce::DontForce, ..world.policy() };
    world.engine.set_policy(&lax, &free).await.unwrap();
    assert_eq!(world.engine.policy(&lax, None).await.unwrap().enforce, Enforce::DontForce);
    assert!(matches!(begins(&world).await, Ok(Reply::Challenged(_))));
    let foreign =
        world.store().look(&[key(&world, &lax)]).await.unwrap().entries.remove(0).unwrap();
    replaced(&world, &tenant(), |_| foreign.bytes).await;
    let refused = begins(&world).await;
    assert!(matches!(refused, Err(Error::Codec(CodecError::Sealed))), "{refused:?}");
}

#[tokio::test]
async fn a_changed_policy_holds_at_the_next_look() {
    let world = World::new();
    for enforce in [Enforce::Force, Enforce::DontForce, Enforce::Force] {
        world.set_policy(Policy { enforce, ..world.policy() }).await;
        for _ in 0..2 {
            let asked = matches!(begins(&world).await, Ok(Reply::Challenged(_)));
            assert_eq!(asked, enforce == Enforce::Force, "{enforce:?}");
        }
    }
}
