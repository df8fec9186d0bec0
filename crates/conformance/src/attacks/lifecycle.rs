//! E. Enrolment, recovery, lifecycle, and what lies on the disk.

use std::sync::Arc;

use countersign_ceremony::audit::What;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Client, Reply};
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::port::{Settle, Settled, Store, WriteId};

use super::Outcome;
use super::world::{STEP, World, address, granted, hold, is_granted, race, refusal};

pub(super) async fn an_enrolment_that_stops<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let asked = world.person().challenged().await;
    let begun = owner.node().pre_enrol(asked.token.as_str(), &Client::default()).await;
    let reply = begun.map_err(|error| error.to_string())?;
    hold!(refusal(&reply) == Some(Refusal::AlreadyEnrolled), "a password alone: {reply:?}");
    let reply = owner.log_in().await;
    hold!(is_granted(&reply), "the factor that was there works no more: {reply:?}");
    Ok(())
}

pub(super) async fn an_enrolment_without_its_code<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.person();
    let asked = owner.challenged().await;
    owner.secret = asked.challenged.enrolment.as_ref().map(|shown| shown.secret.clone());
    let wrong = owner.wrong();
    let (token, client) = (asked.token.as_str(), owner.client());
    let confirmed = owner.node().confirm(token, &client, &wrong, false).await;
    let reply = confirmed.map_err(|error| error.to_string())?;
    hold!(refusal(&reply) == Some(Refusal::Code), "a wrong code confirms: {reply:?}");
    let again = owner.challenged().await;
    hold!(!again.challenged.enrolled, "what is pending is asked for");
    let code = owner.totp(0);
    let reply = owner.code(&again, &code, false).await;
    hold!(!is_granted(&reply), "another login's pending secret answers: {reply:?}");
    Ok(())
}

pub(super) async fn one_recovery_code_64_times<S: Store>(world: World<S>) -> Outcome {
    let (owner, first) = world.owner().await;
    let code = first.recovery.ok_or("no recovery code")?.reveal().to_string();
    let tasks = (0..64_usize).map(|n| {
        let (node, code) = (Arc::clone(&world.nodes[n % 2]), code.clone());
        async move { node.recover(&address(), &code, &Client::default()).await }
    });
    let answers = race(tasks.collect()).await;
    let won =
        answers.iter().flatten().filter(|reply| matches!(reply, Reply::Recovered { .. })).count();
    hold!(won == 1, "{won} recovered");
    let removed = world.events().await;
    let removed = removed.iter().filter(|event| event.what == What::FactorsRemoved).count();
    hold!(removed == 1, "removed {removed} times");
    let again = owner.node().recover(&address(), &code, &Client::default()).await;
    let reply = again.map_err(|error| error.to_string())?;
    hold!(refusal(&reply) == Some(Refusal::Code), "once more: {reply:?}");
    Ok(())
}

pub(super) async fn a_reset_password<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.remembered().await;
    let reset = Lifecycle::PasswordChanged { through_mailbox: Some(address()) };
    hold!(world.report(reset).await, "the reset is refused");
    let asked = match owner.begin().await {
        Reply::Challenged(asked) => *asked,
        other => return Err(format!("a reset password logs in: {other:?}")),
    };
    hold!(asked.challenged.enrolled, "the factors are gone");
    hold!(asked.challenged.emails.is_empty(), "the mailbox that reset it is a factor");
    hold!(owner.send(&asked).await.is_err(), "a code goes to the mailbox that reset it");
    let code = owner.totp(0);
    let reply = owner.code(&asked, &code, false).await;
    hold!(is_granted(&reply), "the app: {reply:?}");
    Ok(())
}

pub(super) async fn what_lies_on_the_disk<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.person();
    let asked = owner.challenged().await;
    let secret = asked.challenged.enrolment.as_ref().map(|shown| shown.secret.clone());
    owner.secret = secret;
    let code = owner.totp(0);
    let (token, client) = (asked.token.as_str(), owner.client());
    let confirmed = owner.node().confirm(token, &client, &code, true).await;
    let first = granted(owner.keep(confirmed.map_err(|error| error.to_string())?));
    let asked = world.person().challenged().await;
    owner.send(&asked).await.map_err(|refusal| format!("not sent: {refusal:?}"))?;
    let mailed = world.mail.last_code().ok_or("no mail")?;
    let secret = owner.secret.as_ref().ok_or("no secret")?;
    let recovery = first.recovery.ok_or("no recovery code")?.reveal().to_string();
    let cookie = owner.cookie.to_string();
    let canaries: [(&str, Vec<u8>); 7] = [
        ("the app's secret", secret.expose().to_vec()),
        ("the mailed code", mailed.into_bytes()),
        ("the recovery code", recovery.replace('-', "").into_bytes()),
        ("the address", b"alice@example.com".to_vec()),
        ("the user", b"alice".to_vec()),
        ("a browser's secret", owner.cookie.entries().iter().flat_map(|of| *of.secret()).collect()),
        ("the cookie", cookie.into_bytes()),
    ];
    let rows = world.store.walk(None, 1_000).await.map_err(|error| error.to_string())?;
    hold!(!rows.is_empty(), "nothing was stored");
    let events = world.store.events(1_000).await.map_err(|error| error.to_string())?;
    let bytes = rows.iter().map(|row| &row.entry.bytes);
    for bytes in bytes.chain(events.iter().map(|event| &event.bytes)) {
        for (what, canary) in &canaries {
            let found =
                bytes.windows(canary.len().max(1)).any(|window| window == canary.as_slice());
            hold!(!found, "{what} lies on the disk in the clear");
        }
    }
    Ok(())
}

pub(super) async fn swapped_and_flipped_records<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let rows = world.store.walk(None, 1_000).await.map_err(|error| error.to_string())?;
    let mut others = rows.iter().map(|row| row.entry.bytes.clone()).collect::<Vec<_>>();
    others.rotate_left(1);
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    for (n, (row, other)) in rows.iter().zip(others).enumerate() {
        let mut version = row.entry.version;
        for (round, bytes) in [flipped(&row.entry.bytes), other].into_iter().enumerate() {
            let write = WriteId([u8::try_from(n * 4 + round).unwrap_or(0); 8]);
            let swap = |expected, bytes, write| Settle {
                key: row.key,
                expected,
                next: countersign_ceremony::port::Version::next(expected, write),
                bytes,
                events: Vec::new(),
                expiry: row.expiry,
            };
            let spoilt = swap(version, bytes.clone(), write);
            version = spoilt.next;
            let settled = world.store.settle(spoilt).await;
            hold!(settled == Ok(Settled::Won), "it cannot be spoilt: {settled:?}");
            if rows.len() > 1 || round == 0 {
                let reply = owner.tried().await;
                hold!(!matches!(&reply, Ok(reply) if is_granted(reply)), "let in: {reply:?}");
            }
            let mended = swap(version, row.entry.bytes.clone(), WriteId([200; 8]));
            version = mended.next;
            let settled = world.store.settle(mended).await;
            hold!(settled == Ok(Settled::Won), "it cannot be mended: {settled:?}");
        }
    }
    world.advance(STEP);
    let reply = owner.log_in().await;
    hold!(is_granted(&reply), "mended, and not let in: {reply:?}");
    Ok(())
}

pub(super) async fn a_password_alone_after_a_recovery<S: Store>(world: World<S>) -> Outcome {
    let (owner, first) = world.owner().await;
    let code = first.recovery.ok_or("no recovery code")?.reveal().to_string();
    let recovered = owner.node().recover(&address(), &code, &owner.client()).await;
    let reply = recovered.map_err(|error| error.to_string())?;
    hold!(matches!(reply, Reply::Recovered { .. }), "recovery: {reply:?}");
    let mut thief = world.person();
    let asked = match thief.begin().await {
        Reply::Challenged(asked) => *asked,
        other => return Err(format!("a password alone logs in after a recovery: {other:?}")),
    };
    hold!(asked.challenged.enrolment.is_none(), "a password alone is shown a secret");
    let begun = thief.node().pre_enrol(asked.token.as_str(), &thief.client()).await;
    let reply = begun.map_err(|error| error.to_string())?;
    hold!(refusal(&reply).is_some(), "a password alone enrols: {reply:?}");
    Ok(())
}

pub(super) async fn a_refresh_token_twice<S: Store>(world: World<S>) -> Outcome {
    let (owner, first) = world.owner().await;
    let (node, refresh) = (owner.node(), owner.tokens(&first).refresh);
    let tasks = (0..16_usize).map(|n| {
        let (node, token) = (Arc::clone(&world.nodes[n % 2]), refresh.clone());
        async move { node.refresh(&token).await }
    });
    let answers = race(tasks.collect()).await;
    let successors: Vec<String> =
        answers.into_iter().flatten().flatten().map(|tokens| tokens.refresh).collect();
    hold!(successors.len() <= 1, "{} living successors", successors.len());
    for token in successors {
        let seen = node.refresh(&token).await.map_err(|error| error.to_string())?;
        hold!(seen.is_none(), "the session lives on though its token came again");
    }
    Ok(())
}

pub(super) async fn a_session_of_before_a_recovery<S: Store>(world: World<S>) -> Outcome {
    let (owner, first) = world.owner().await;
    let before = owner.tokens(&first);
    let code = first.recovery.ok_or("no recovery code")?.reveal().to_string();
    let recovered = owner.node().recover(&address(), &code, &Client::default()).await;
    let reply = recovered.map_err(|error| error.to_string())?;
    hold!(matches!(reply, Reply::Recovered { .. }), "recovery: {reply:?}");
    let seen = owner.node().authenticate(&before.access).await;
    hold!(matches!(seen, Ok(None)), "a session lives on after a recovery");
    let seen = owner.node().refresh(&before.refresh).await;
    hold!(matches!(seen, Ok(None)), "a refresh token lives on after a recovery");
    let known = world.person_with(&owner);
    let reply = known.node().begin(known.passed(), &owner.client()).await;
    hold!(!reply.is_ok_and(|reply| is_granted(&reply)), "a browser of before skips the step");
    Ok(())
}
