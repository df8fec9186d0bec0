//! A. Code replay and parsing.

use std::sync::Arc;

use countersign_ceremony::audit::Verdict;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::Client;
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::policy::Policy;
use countersign_ceremony::port::Store;

use super::Outcome;
use super::world::{MINUTE, STEP, World, granted, hold, is_granted, race, refusal};

pub(super) async fn the_same_code_again<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let code = owner.totp(0);
    let (first, second) = (owner.challenged().await, owner.challenged().await);
    granted(owner.code(&first, &code, false).await);
    let again = owner.code(&second, &code, false).await;
    hold!(refusal(&again) == Some(Refusal::Code), "the second time: {again:?}");
    let replayed = world.verdicts(Verdict::Replayed).await;
    hold!(replayed == 1, "{replayed} replays are written down");
    Ok(())
}

pub(super) async fn one_code_64_times<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    // At a browser that is not known, so that no login is bound to one.
    let code = owner.totp(0);
    owner = world.person_with(&owner);
    let mut tokens = Vec::new();
    for _ in 0..16 {
        tokens.push(owner.challenged().await.token);
    }
    let tasks = (0..64_usize).map(|n| {
        let node = Arc::clone(&world.nodes[n % 2]);
        let (token, code) = (tokens[n % 16].clone(), code.clone());
        async move { node.code(token.as_str(), &Client::default(), None, &code, false).await }
    });
    let answers = race(tasks.collect()).await;
    let won = answers.iter().flatten().filter(|reply| is_granted(reply)).count();
    hold!(won == 1, "{won} won");
    let written = world.verdicts(Verdict::Won).await;
    hold!(written == 2, "{written} wins are written down, the enrolment's among them");
    Ok(())
}

pub(super) async fn the_code_of_before_within_the_window<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let code = owner.totp(0);
    granted(owner.log_in().await);
    world.advance(STEP);
    let asked = owner.challenged().await;
    let again = owner.code(&asked, &code, false).await;
    hold!(refusal(&again) == Some(Refusal::Code), "a step later: {again:?}");
    // Nor one that was never used, from before the one that was.
    world.advance(STEP);
    granted(owner.log_in().await);
    let asked = owner.challenged().await;
    let older = owner.totp(-1);
    let again = owner.code(&asked, &older, false).await;
    hold!(refusal(&again) == Some(Refusal::Code), "an older one: {again:?}");
    Ok(())
}

pub(super) async fn the_same_code_after_a_restart<S: Store>(mut world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let code = owner.totp(0);
    granted(owner.log_in().await);
    world.restart();
    owner.nodes = world.nodes.clone();
    let asked = owner.challenged().await;
    let again = owner.code(&asked, &code, false).await;
    hold!(refusal(&again) == Some(Refusal::Code), "after the restart: {again:?}");
    Ok(())
}

pub(super) async fn old_codes_under_a_clock_set_back<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    world.advance(600);
    let before: Vec<String> = (-22..=-18).map(|steps| owner.totp(steps)).collect();
    granted(owner.log_in().await);
    let last = world.now();
    world.clock.set(last.saturating_sub(600));
    for code in before {
        let asked = owner.challenged().await;
        let again = owner.code(&asked, &code, false).await;
        hold!(!is_granted(&again), "a code of the past won: {again:?}");
    }
    world.clock.set(last.saturating_add(20 * MINUTE));
    let reply = owner.log_in().await;
    hold!(is_granted(&reply), "it does not recover: {reply:?}");
    Ok(())
}

pub(super) async fn two_apps_have_a_floor_each<S: Store>(world: World<S>) -> Outcome {
    // Two people with the same secret stand for two apps that show the same digits: what one has
    // spent is no concern of the other's record, and its own floor holds.
    let (mut owner, _) = world.owner().await;
    let code = owner.totp(0);
    granted(owner.log_in().await);
    let asked = owner.challenged().await;
    let unknown = countersign_device::DeviceId::from_random_bytes([9; 16]).to_string();
    let (token, client) = (asked.token.as_str(), owner.client());
    let judged = owner.node().code(token, &client, Some(&unknown), &code, false).await;
    let reply = judged.map_err(|error| error.to_string())?;
    hold!(refusal(&reply) == Some(Refusal::Code), "under an unknown device: {reply:?}");
    let named = asked.challenged.authenticators.first().map(ToString::to_string);
    let judged = owner.node().code(token, &client, named.as_deref(), &code, false).await;
    let reply = judged.map_err(|error| error.to_string())?;
    hold!(refusal(&reply) == Some(Refusal::Code), "under its own device again: {reply:?}");
    world.advance(STEP);
    let next = owner.totp(0);
    let judged = owner.node().code(token, &client, named.as_deref(), &next, false).await;
    let reply = judged.map_err(|error| error.to_string())?;
    hold!(is_granted(&reply), "its next code: {reply:?}");
    Ok(())
}

pub(super) async fn the_code_that_confirmed<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.person();
    owner.enrol().await;
    let reply = owner.log_in().await;
    hold!(refusal(&reply) == Some(Refusal::Code), "it logs in as well: {reply:?}");
    Ok(())
}

pub(super) async fn an_enrolment_of_before<S: Store>(world: World<S>) -> Outcome {
    let mut first = world.person();
    let stale = first.challenged().await;
    first.secret = stale.challenged.enrolment.as_ref().map(|shown| shown.secret.clone());
    let mut owner = world.person();
    owner.enrol().await;
    let code = first.totp(0);
    let (token, client) = (stale.token.as_str(), first.client());
    let confirmed = first.node().confirm(token, &client, &code, false).await;
    let reply = confirmed.map_err(|error| error.to_string())?;
    hold!(!is_granted(&reply), "an enrolment that was overtaken is confirmed: {reply:?}");
    // Nor is it there after everything was removed.
    hold!(world.report(Lifecycle::SignOutEverywhere).await, "signing out");
    let confirmed = first.node().confirm(token, &client, &code, false).await;
    let reply = confirmed.map_err(|error| error.to_string())?;
    hold!(!is_granted(&reply), "after signing out: {reply:?}");
    Ok(())
}

pub(super) async fn exactly_the_window<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, first) = world.owner().await;
    let mut recovery = first.recovery.ok_or("no recovery code")?.reveal().to_string();
    let window = Policy::default().window;
    for (n, steps) in (-20_i8..=20).enumerate() {
        // Far enough from what was spent, and from other guesses.
        world.advance(20 * MINUTE);
        let inside = -i16::from(window.back()) <= i16::from(steps)
            && i16::from(steps) <= i16::from(window.ahead());
        let code = owner.totp(steps);
        let asked = owner.challenged().await;
        let reply = owner.code(&asked, &code, false).await;
        hold!(is_granted(&reply) == inside, "the code of step {steps}: {reply:?}");
        hold!(
            inside || refusal(&reply) == Some(Refusal::Code),
            "the code of step {steps} was not judged: {reply:?}"
        );
        // A win teaches the drift, which moves the window: each is judged by an app without one.
        if inside || n % 8 == 7 {
            recovery = super::guessing::refill(&world, &mut owner, &recovery).await?;
        }
    }
    Ok(())
}
