//! Known and remembered browsers: what ends their trust for a while, and what is written down of them.

use countersign_ceremony::audit::What;
use countersign_ceremony::engine::{Client, Reply};

use super::support::{Person, World, granted, tenant};

/// D-18: another kind of browser with the same cookie is asked, and trusted again once it proved the second factor.
#[tokio::test]
async fn a_remembered_browser_that_says_it_is_another_kind_is_asked() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let says = |alice: &Person, label: &str| {
        let agent = countersign_device::Label::clean(label);
        Client { agent, ..alice.client() }
    };
    let (own, other) = ("Firefox on Linux", "Chrome on Windows");
    alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let (code, client) = (alice.totp(0), says(&alice, own));
    let judged = world.engine.code(asked.token.as_str(), &client, None, code.as_str(), true).await;
    granted(alice.keep(judged.unwrap()));
    world.advance(3600);
    for (label, skips) in [(other, false), ("", false), (own, true)] {
        let begun =
            world.engine.begin(alice.passed(&tenant()), &says(&alice, label)).await.unwrap();
        assert_eq!(matches!(begun, Reply::Granted(_)), skips, "{label:?}: {begun:?}");
        alice.keep(begun);
        world.advance(3600);
    }
}

/// Nothing to forget is nothing to write down.
#[tokio::test]
async fn forgetting_no_browser_is_no_event() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let session = alice.enrol().await;
    let session =
        world.engine.authenticate(&world.tokens(&session.assertion).access).await.unwrap().unwrap();
    let forgotten = |events: &[countersign_ceremony::audit::Audit]| {
        let is = |what: &What| matches!(what, What::BrowsersForgotten { .. });
        events.iter().filter(|event| is(&event.what)).count()
    };
    for count in [1, 1] {
        let account = session.account();
        let reply = world.engine.forget_browsers(account, &alice.client(), None).await.unwrap();
        assert!(matches!(reply, Reply::Done), "{reply:?}");
        assert_eq!(forgotten(&world.events().await), count, "the second finds none");
    }
}
