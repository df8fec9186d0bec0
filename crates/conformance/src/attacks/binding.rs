//! B. Challenge and token binding.

use std::sync::Arc;

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Client, Tokens};
use countersign_ceremony::port::Store;
use countersign_ceremony::rules::LOGIN_SECS;

use super::Outcome;
use super::world::{STEP, World, granted, hold, is_granted, race, refusal, tenant};

pub(super) async fn a_login_of_another_browser<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    // Known, not remembered: it is asked, and its login is bound to it.
    let asked = owner.challenged().await;
    let code = owner.totp(0);
    let mut thief = world.person();
    let reply = thief.code(&asked, &code, false).await;
    hold!(refusal(&reply) == Some(Refusal::LoginOver), "elsewhere: {reply:?}");
    let reply = owner.code(&asked, &code, false).await;
    hold!(is_granted(&reply), "where it began: {reply:?}");
    // Likewise where a client without cookies keeps a nonce.
    world.advance(STEP);
    let client = Client { nonce: Some([7; 32]), ..Client::default() };
    let begun = owner.node().begin(owner.passed(), &client).await;
    let countersign_ceremony::engine::Reply::Challenged(asked) =
        begun.map_err(|error| error.to_string())?
    else {
        return Err("a login with a nonce is not asked".into());
    };
    let code = owner.totp(0);
    let reply = thief.code(&asked, &code, false).await;
    hold!(refusal(&reply) == Some(Refusal::LoginOver), "without the nonce: {reply:?}");
    Ok(())
}

pub(super) async fn one_challenge_64_times<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let asked = owner.challenged().await;
    let sent = owner.send(&asked).await;
    let challenge = sent.map_err(|refusal| format!("not sent: {refusal:?}"))?;
    let code = world.mail.last_code().ok_or("no mail")?;
    let tasks = (0..64_usize).map(|n| {
        let (node, client) = (Arc::clone(&world.nodes[n % 2]), owner.client());
        let (token, challenge, code) = (asked.token.clone(), challenge.clone(), code.clone());
        async move { node.email_code(token.as_str(), &client, &challenge, &code, false).await }
    });
    let answers = race(tasks.collect()).await;
    let won = answers.iter().flatten().filter(|reply| is_granted(reply)).count();
    hold!(won == 1, "{won} won");
    Ok(())
}

pub(super) async fn tokens_as_what_they_are_not<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, first) = world.owner().await;
    let asked = owner.challenged().await;
    let login = asked.token.as_str().to_owned();
    let sent = owner.send(&asked).await;
    let challenge = sent.map_err(|refusal| format!("not sent: {refusal:?}"))?;
    let Tokens { access, refresh, .. } = owner.tokens(&first);
    let node = owner.node();
    for (what, token) in [("a login", &login), ("a challenge", &challenge), ("a refresh", &refresh)]
    {
        let seen = node.authenticate(token).await.map_err(|error| error.to_string())?;
        hold!(seen.is_none(), "{what} token is taken for an access token");
    }
    for (what, token) in [("a login", &login), ("a challenge", &challenge), ("an access", &access)]
    {
        let seen = node.refresh(token).await.map_err(|error| error.to_string())?;
        hold!(seen.is_none(), "{what} token is taken for a refresh token");
    }
    let code = owner.totp(0);
    for (what, token) in
        [("a challenge", &challenge), ("an access", &access), ("a refresh", &refresh)]
    {
        let judged = node.code(token, &owner.client(), None, &code, false).await;
        let reply = judged.map_err(|error| error.to_string())?;
        hold!(refusal(&reply) == Some(Refusal::LoginOver), "{what} token as a login: {reply:?}");
    }
    for (what, token) in [("a login", &login), ("an access", &access), ("a refresh", &refresh)] {
        let judged = node.email_code(&login, &owner.client(), token, "123456", false).await;
        let reply = judged.map_err(|error| error.to_string())?;
        hold!(!is_granted(&reply), "{what} token as a challenge: {reply:?}");
    }
    Ok(())
}

pub(super) async fn the_tenant_is_the_logins<S: Store>(world: World<S>) -> Outcome {
    // The token says the tenant, and nobody is asked for it again: what is granted is for that one.
    let (mut owner, _) = world.owner().await;
    let granted = granted(owner.log_in().await);
    hold!(granted.assertion.subject().tenant == tenant(), "another tenant is granted");
    let claims = owner.tokens(&granted).claims;
    hold!(claims.tenant_id == tenant().to_string(), "another tenant is told");
    Ok(())
}

pub(super) async fn a_challenge_of_another_login<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let (first, second) = (owner.challenged().await, owner.challenged().await);
    let sent = owner.send(&first).await;
    let challenge = sent.map_err(|refusal| format!("not sent: {refusal:?}"))?;
    let code = world.mail.last_code().ok_or("no mail")?;
    let reply = owner.email_code(&second, &challenge, &code).await;
    hold!(refusal(&reply) == Some(Refusal::Code), "under another login: {reply:?}");
    let reply = owner.email_code(&first, &challenge, &code).await;
    hold!(is_granted(&reply), "under its own: {reply:?}");
    Ok(())
}

pub(super) async fn mangled_tokens<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let asked = owner.challenged().await;
    let token = asked.token.as_str().to_owned();
    let code = owner.totp(0);
    let mut mangled = vec![String::new(), "a".into(), "a".repeat(1 << 20), "é".repeat(99)];
    mangled.extend((0..token.len()).step_by(7).map(|at| token.chars().take(at).collect()));
    mangled.extend((0..token.len()).step_by(5).map(|at| {
        let other = |char| if char == 'A' { 'B' } else { 'A' };
        let flip = |(n, char)| if n == at { other(char) } else { char };
        token.chars().enumerate().map(flip).collect()
    }));
    for token in mangled.iter().filter(|mangled| **mangled != token) {
        let judged = owner.node().code(token, &owner.client(), None, &code, false).await;
        let reply = judged.map_err(|error| error.to_string())?;
        hold!(refusal(&reply) == Some(Refusal::LoginOver), "a mangled token: {reply:?}");
    }
    let reply = owner.code(&asked, &code, false).await;
    hold!(is_granted(&reply), "the whole one: {reply:?}");
    Ok(())
}

pub(super) async fn the_last_second<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let ends = world.policy().delivered_secs.min(LOGIN_SECS);
    for (late, lives) in [(1, true), (0, false)] {
        let asked = owner.challenged().await;
        let sent = owner.send(&asked).await;
        let challenge = sent.map_err(|refusal| format!("not sent: {refusal:?}"))?;
        let code = world.mail.last_code().ok_or("no mail")?;
        world.advance(ends.saturating_sub(late));
        let reply = owner.email_code(&asked, &challenge, &code).await;
        hold!(is_granted(&reply) == lives, "{late} s before the end: {reply:?}");
        world.advance(super::world::HOUR);
    }
    Ok(())
}

pub(super) async fn two_tabs<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let (first, second) = (owner.challenged().await, owner.challenged().await);
    let code = owner.totp(0);
    let reply = owner.code(&second, &code, false).await;
    hold!(is_granted(&reply), "the second tab: {reply:?}");
    world.advance(STEP);
    let code = owner.totp(0);
    let reply = owner.code(&first, &code, false).await;
    hold!(is_granted(&reply), "the first tab: {reply:?}");
    Ok(())
}

pub(super) async fn email_after_email<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    owner.first = FirstFactor::Email;
    let asked = owner.challenged().await;
    hold!(asked.challenged.emails.is_empty(), "email is offered after email");
    let sent = owner.send(&asked).await;
    hold!(sent.is_err(), "a code is sent to the mailbox that just logged in");
    Ok(())
}
