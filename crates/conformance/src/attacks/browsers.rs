//! D. Remembered devices.

use std::sync::Arc;

use countersign_ceremony::assertion::Assertion;
use countersign_ceremony::audit::What;
use countersign_ceremony::engine::{Client, Reply};
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::port::Store;

use super::Outcome;
use super::world::{DAY, HOUR, Person, STEP, World, address, granted, hold, is_granted, race};

pub(super) async fn a_copied_cookie<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.remembered().await;
    let mut thief = world.person();
    thief.cookie = owner.cookie.clone();
    granted(owner.begin().await);
    world.advance(HOUR);
    granted(owner.begin().await);
    world.advance(HOUR);
    let reply = thief.begin().await;
    hold!(!is_granted(&reply), "the copy of two logins ago skips the step");
    let reply = owner.begin().await;
    hold!(!is_granted(&reply), "the family lives on after a theft");
    let seen = world.events().await.iter().any(|event| event.what == What::BrowserStolen);
    hold!(seen, "no event says so");
    Ok(())
}

pub(super) async fn parallel_tabs<S: Store>(world: World<S>) -> Outcome {
    let owner = world.remembered().await;
    let tasks = (0..32_usize).map(|n| {
        let (node, passed) = (Arc::clone(&world.nodes[n % 2]), owner.passed());
        let client = owner.client();
        async move { node.begin(passed, &client).await }
    });
    let answers = race(tasks.collect()).await;
    let mut successors: Vec<String> = Vec::new();
    for reply in answers.iter().flatten() {
        let Reply::Granted(granted) = reply else { continue };
        successors.extend(granted.cookie.as_ref().map(ToString::to_string));
    }
    hold!(successors.len() == 1, "{} living successors", successors.len());
    Ok(())
}

pub(super) async fn every_event_ends_every_trust<S: Store>(world: World<S>) -> Outcome {
    let events = [
        Lifecycle::PasswordChanged { through_mailbox: None },
        Lifecycle::PasswordChanged { through_mailbox: Some(address()) },
        Lifecycle::AddressChanged { to: address() },
        Lifecycle::SignOutEverywhere,
        Lifecycle::Disabled,
    ];
    let mut owner = world.remembered().await;
    for event in events {
        let reply = owner.begin().await;
        let Reply::Granted(before) = reply else {
            return Err(format!("not remembered before {event:?}: {reply:?}"));
        };
        let tokens = owner.tokens(&before);
        let asked = world.person().challenged().await;
        hold!(world.report(event.clone()).await, "{event:?} is refused");
        let reply = owner.begin().await;
        hold!(!is_granted(&reply), "a browser skips the step after {event:?}");
        let node = owner.node();
        let seen = node.authenticate(&tokens.access).await;
        hold!(matches!(seen, Ok(None)), "a session lives on after {event:?}");
        let seen = node.refresh(&tokens.refresh).await;
        hold!(matches!(seen, Ok(None)), "a refresh token lives on after {event:?}");
        let code = owner.totp(0);
        let judged = node.code(asked.token.as_str(), &Client::default(), None, &code, false).await;
        hold!(!judged.is_ok_and(|reply| is_granted(&reply)), "a login lives on after {event:?}");
        if event == Lifecycle::Disabled {
            let reply = owner.begin().await;
            hold!(matches!(reply, Reply::Refused(_)), "a disabled user: {reply:?}");
            hold!(world.report(Lifecycle::Enabled).await, "it is not enabled again");
        }
        world.advance(STEP);
        let Reply::Challenged(asked) = owner.begin().await else {
            return Err(format!("not asked after {event:?}"));
        };
        let code = owner.totp(0);
        let reply = owner.code(&asked, &code, true).await;
        hold!(is_granted(&reply), "the owner cannot log in after {event:?}: {reply:?}");
        world.advance(STEP);
    }
    // A recovery ends it as well, with the factors.
    let mut fresh = world.person_with(&owner);
    fresh.cookie = owner.cookie.clone();
    hold!(is_granted(&fresh.begin().await), "not remembered before the recovery");
    Ok(())
}

pub(super) async fn another_kind_of_browser<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let says = |owner: &Person<S>, label: &str| {
        let (client, agent) = (owner.client(), countersign_device::Label::clean(label));
        Client { agent, ..client }
    };
    let (own, other) = ("Firefox on Linux", "Chrome on Windows");
    let asked = owner.challenged().await;
    let (code, client) = (owner.totp(0), says(&owner, own));
    let judged = owner.node().code(asked.token.as_str(), &client, None, &code, true).await;
    let granted = owner.keep(judged.map_err(|error| error.to_string())?);
    hold!(is_granted(&granted), "not remembered: {granted:?}");
    world.advance(DAY);
    // A copy of the cookie elsewhere: it is asked, and its asking changes nothing for the owner.
    for label in [other, "", other] {
        let begun = owner.node().begin(owner.passed(), &says(&owner, label)).await;
        let reply = begun.map_err(|error| error.to_string())?;
        hold!(matches!(reply, Reply::Challenged(_)), "trusted as {label:?}: {reply:?}");
    }
    let begun = owner.node().begin(owner.passed(), &says(&owner, own)).await;
    let reply = owner.keep(begun.map_err(|error| error.to_string())?);
    hold!(is_granted(&reply), "the owner's browser is asked: {reply:?}");
    world.advance(STEP);
    // Who changes browsers and keeps the cookie proves it once, and is trusted as that from then on.
    let Ok(Reply::Challenged(asked)) =
        owner.node().begin(owner.passed(), &says(&owner, other)).await
    else {
        return Err("trusted as another kind".into());
    };
    let (code, client) = (owner.totp(0), says(&owner, other));
    let judged = owner.node().code(asked.token.as_str(), &client, None, &code, false).await;
    let reply = owner.keep(judged.map_err(|error| error.to_string())?);
    hold!(is_granted(&reply), "the owner proves it: {reply:?}");
    world.advance(STEP);
    let begun = owner.node().begin(owner.passed(), &says(&owner, other)).await;
    let reply = begun.map_err(|error| error.to_string())?;
    hold!(is_granted(&reply), "asked again: {reply:?}");
    Ok(())
}

pub(super) async fn every_day_for_a_year<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.remembered().await;
    let mut skipped = 0_u64;
    for _ in 0..365 {
        if !is_granted(&owner.begin().await) {
            break;
        }
        skipped += 1;
        world.advance(DAY);
    }
    let days = world.policy().remember.secs() / DAY;
    hold!(skipped >= days - 1 && skipped <= days, "it skipped {skipped} days of {days}");
    Ok(())
}

pub(super) async fn a_secret_of_two_before<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.remembered().await;
    let first = owner.cookie.clone();
    granted(owner.begin().await);
    let mut tab = world.person();
    tab.cookie = first.clone();
    let reply = tab.begin().await;
    hold!(is_granted(&reply), "the secret before, within the grace: {reply:?}");
    hold!(tab.cookie.to_string() == first.to_string(), "it was rotated a second time");
    world.advance(2 * HOUR);
    granted(owner.begin().await);
    world.advance(2 * HOUR);
    tab.cookie = first;
    hold!(!is_granted(&tab.begin().await), "the secret of two before is taken");
    hold!(!is_granted(&owner.begin().await), "the family lives on");
    Ok(())
}

pub(super) async fn another_browser<S: Store>(world: World<S>) -> Outcome {
    let owner = world.remembered().await;
    let reply = world.person_with(&owner).begin().await;
    hold!(matches!(reply, Reply::Challenged(_)), "not asked elsewhere: {reply:?}");
    Ok(())
}

pub(super) async fn the_policy_is_switched_off<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.remembered().await;
    let policy = world.policy();
    let remember = countersign_remember::Policy::default();
    world.set_policy(countersign_ceremony::policy::Policy { remember, ..policy }).await;
    let reply = owner.begin().await;
    hold!(!is_granted(&reply), "the next login skips the step all the same");
    Ok(())
}

pub(super) async fn trust_is_no_second_factor<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.remembered().await;
    let again = granted(owner.begin().await);
    let claims = owner.tokens(&again).claims;
    hold!(claims.acr.as_deref() != Some(Assertion::MULTI_FACTOR), "acr says two factors");
    hold!(claims.amr.iter().all(|of| of != "otp" && of != "mfa"), "amr says {:?}", claims.amr);
    hold!(claims.amr.iter().any(|of| of == "remembered"), "amr says {:?}", claims.amr);
    Ok(())
}

pub(super) async fn a_failure_earns_no_trust<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, first) = world.owner().await;
    let asked = owner.challenged().await;
    let wrong = owner.wrong();
    owner.code(&asked, &wrong, true).await;
    hold!(!is_granted(&owner.begin().await), "a failed code earned trust");
    let code = first.recovery.ok_or("no recovery code")?;
    let recovered = owner.node().recover(&address(), &code.reveal(), &owner.client()).await;
    owner.keep(recovered.map_err(|error| error.to_string())?);
    let reply = owner.begin().await;
    hold!(matches!(reply, Reply::Challenged(_)), "a recovery earned trust: {reply:?}");
    Ok(())
}

pub(super) async fn a_thousand_browsers<S: Store>(world: World<S>) -> Outcome {
    let (owner, _) = world.owner().await;
    let mut kept = Vec::new();
    for _ in 0..20 {
        let mut browser = world.person_with(&owner);
        let asked = browser.challenged().await;
        let code = browser.totp(0);
        let reply = browser.code(&asked, &code, true).await;
        hold!(is_granted(&reply), "not granted: {reply:?}");
        kept.push(browser.client());
        world.advance(STEP);
    }
    let tasks = kept.into_iter().enumerate().map(|(n, client)| {
        let (node, passed) = (Arc::clone(&world.nodes[n % 2]), owner.passed());
        async move { node.begin(passed, &client).await }
    });
    let answers = race(tasks.collect()).await;
    let skipped = answers.iter().flatten().filter(|reply| is_granted(reply)).count();
    hold!(skipped <= 8, "{skipped} browsers are remembered");
    hold!(skipped >= 1, "none is remembered");
    Ok(())
}
