//! Policies of several scopes, and a user of several tenants.

use std::sync::Arc;

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::audit::What;
use countersign_ceremony::engine::{Client, Passed, Reply};
use countersign_ceremony::policy::change::{Change, How};
use countersign_ceremony::policy::scope::Scope;
use countersign_ceremony::policy::{Enforce, Policy};
use countersign_device::{ApplicationId, ClientId, EmailAddress, TenantId, UserId};

use super::support::World;

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

/// Is a user of these tenants asked for a second factor?
async fn asked(world: &World, tenants: &[&str], application: Option<&str>) -> bool {
    let passed = Passed {
        user: UserId::parse("alice").unwrap(),
        tenant: tenant(tenants[0]),
        also: tenants[1..].iter().map(|id| tenant(id)).collect(),
        application: application.map(|id| ApplicationId::parse(id).unwrap()),
        email: Some(EmailAddress::parse("alice@example.com").unwrap()),
        first: FirstFactor::Password,
        epoch: None,
    };
    match world.engine.begin(passed, &Client::default()).await.unwrap() {
        Reply::Challenged(_) => true,
        Reply::Granted(_) => false,
        other => panic!("neither: {other:?}"),
    }
}

async fn enforce(world: &World, id: &str, enforce: Enforce) {
    let policy = Policy { enforce, ..world.policy() };
    world.engine.set_policy(&tenant(id), &policy).await.unwrap();
}

#[tokio::test]
async fn a_user_of_several_tenants_of_which_one_enforces_must_have_a_second_factor() {
    let world = World::new();
    enforce(&world, "lax", Enforce::DontForce).await;
    enforce(&world, "laxer", Enforce::DontForce).await;
    enforce(&world, "strict", Enforce::Force).await;
    assert!(!asked(&world, &["lax"], None).await);
    assert!(!asked(&world, &["lax", "laxer"], None).await);
    assert!(asked(&world, &["lax", "laxer", "strict"], None).await);
    assert!(asked(&world, &["strict", "lax"], None).await);
}

#[tokio::test]
async fn a_change_holds_at_the_next_login_and_is_written_down() {
    let world = World::new();
    enforce(&world, "acme", Enforce::Force).await;
    let shop = ApplicationId::parse("shop").unwrap();
    let scope = Scope { tenant: Some(tenant("acme")), application: Some(shop.clone()) };
    let lax = Change::Mfa {
        how: How::Create,
        enforce: Some(Enforce::DontForce),
        remember: None,
        remember_secs: None,
    };
    let by = ClientId::parse("service").unwrap();
    world.engine.change_policy(&scope, &lax, &by).await.unwrap().unwrap();
    assert!(asked(&world, &["acme"], None).await);
    assert!(!asked(&world, &["acme"], Some("shop")).await);
    let events = world.events().await;
    let changed = events.iter().find_map(|event| match &event.what {
        What::PolicyChanged { by, application, .. } => Some((by.clone(), application.clone())),
        _ => None,
    });
    assert_eq!(changed, Some((by.clone(), Some(shop))));
    // Refused, it is not written down: nothing was changed.
    assert!(world.engine.change_policy(&scope, &lax, &by).await.unwrap().is_err());
    assert_eq!(world.events().await.len(), events.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_creations_make_one_policy() {
    let world = World::new();
    let tasks = (0..64).map(|_| {
        let engine = Arc::clone(&world.engine);
        tokio::spawn(async move {
            let by = ClientId::parse("service").unwrap();
            let made = Change::Mfa {
                how: How::Create,
                enforce: None,
                remember: None,
                remember_secs: None,
            };
            loop {
                // Others kept winning: asked again, as a client that is told 503 does.
                if let Ok(made) = engine.change_policy(&Scope::default(), &made, &by).await {
                    return made.is_ok();
                }
            }
        })
    });
    let mut made = 0;
    for task in tasks.collect::<Vec<_>>() {
        made += usize::from(task.await.unwrap());
    }
    assert_eq!(made, 1);
}
