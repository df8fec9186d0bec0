//! C. Brute force and lock-out.

use std::sync::Arc;

use countersign_ceremony::audit::Verdict;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Client, Reply};
use countersign_ceremony::policy::Strategies;
use countersign_ceremony::port::Store;
use countersign_ceremony::rules::{GUESSES_A_LOGIN, GUESSES_A_WINDOW, RESEND_SECS, WINDOW_SECS};

use super::Outcome;
use super::world::{
    DAY, HOUR, MINUTE, Person, STEP, World, address, granted, hold, is_granted, race, refusal,
};

/// Judged guesses of strangers until the ledger is closed to them, at one app of six digits.
const STRANGERS: usize = 22;

/// The owner recovers and enrols anew: the ledger starts afresh. Returns the new recovery code.
pub(super) async fn refill<S: Store>(
    world: &World<S>,
    owner: &mut Person<S>,
    recovery: &str,
) -> Result<String, String> {
    let recovered = owner.node().recover(&address(), recovery, &owner.client()).await;
    let reply = owner.keep(recovered.map_err(|error| error.to_string())?);
    hold!(matches!(reply, Reply::Recovered { .. }), "recovery: {reply:?}");
    let code = owner.enrol().await.recovery.ok_or("no recovery code")?;
    world.advance(STEP);
    Ok(code.reveal().to_string())
}

pub(super) async fn many_logins_at_once<S: Store>(world: World<S>) -> Outcome {
    let (owner, _) = world.owner().await;
    let mut thief = world.person();
    let mut tokens = Vec::new();
    for _ in 0..40 {
        tokens.push(thief.challenged().await.token);
    }
    let wrong = owner.wrong();
    let tasks = (0..200_usize).map(|n| {
        let node = Arc::clone(&world.nodes[n % 2]);
        let (token, code) = (tokens[n % 40].clone(), wrong.clone());
        async move { node.code(token.as_str(), &Client::default(), None, &code, false).await }
    });
    let answers = race(tasks.collect()).await;
    let told = answers.iter().flatten().filter(|reply| refusal(reply) == Some(Refusal::Code));
    let (told, judged) = (told.count(), world.verdicts(Verdict::Wrong).await);
    hold!(told <= judged, "{told} told, {judged} judged");
    hold!(judged <= usize::from(GUESSES_A_WINDOW), "{judged} judged in a window");
    Ok(())
}

/// Guesses until it is told to stop: how many were judged, and what was said then.
async fn guess_on<S: Store>(
    thief: &mut Person<S>,
    code: &str,
    most: usize,
) -> (usize, Option<Refusal>) {
    let mut judged = 0;
    for _ in 0..most {
        let Reply::Challenged(asked) = thief.begin().await else { return (judged, None) };
        for _ in 0..GUESSES_A_LOGIN {
            let reply = thief.code(&asked, code, false).await;
            match refusal(&reply) {
                Some(Refusal::Code) => judged += 1,
                Some(Refusal::LoginOver) => break,
                other => return (judged, other),
            }
        }
    }
    (judged, None)
}

pub(super) async fn a_restart_between_guesses<S: Store>(mut world: World<S>) -> Outcome {
    let (owner, _) = world.owner().await;
    let wrong = owner.wrong();
    let mut judged = 0;
    for _ in 0..8 {
        world.restart();
        let mut thief = world.person();
        judged += guess_on(&mut thief, &wrong, 4).await.0;
    }
    hold!(judged <= usize::from(GUESSES_A_WINDOW), "{judged} judged over eight restarts");
    Ok(())
}

/// Everything but email is off, and so is the app.
async fn email_only<S: Store>(world: &World<S>) {
    let policy = world.policy();
    let strategies = Strategies { authenticator: false, email: true, ..policy.strategies };
    world.set_policy(countersign_ceremony::policy::Policy { strategies, ..policy }).await;
}

pub(super) async fn email_alone_and_a_new_challenge_each_time<S: Store>(
    world: World<S>,
) -> Outcome {
    email_only(&world).await;
    let mut thief = world.person();
    let mut judged = 0;
    for _ in 0..20 {
        let Reply::Challenged(asked) = thief.begin().await else { break };
        let Ok(challenge) = thief.send(&asked).await else { continue };
        let right = world.mail.last_code().ok_or("no mail")?;
        let wrong = if right == "000000" { "000001" } else { "000000" };
        for _ in 0..GUESSES_A_LOGIN {
            let reply = thief.email_code(&asked, &challenge, wrong).await;
            judged += usize::from(refusal(&reply) == Some(Refusal::Code));
        }
    }
    hold!(judged > 0, "nothing was tried");
    hold!(judged <= usize::from(GUESSES_A_WINDOW), "{judged} judged in a window");
    Ok(())
}

pub(super) async fn a_resend_for_fresh_guesses<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let asked = owner.challenged().await;
    let mut judged = 0;
    let mut old: Vec<(String, String)> = Vec::new();
    for _ in 0..4 {
        let Ok(challenge) = owner.send(&asked).await else { break };
        let right = world.mail.last_code().ok_or("no mail")?;
        for (challenge, code) in &old {
            let reply: Reply = owner.email_code(&asked, challenge, code).await;
            hold!(!is_granted(&reply), "a code that was replaced won");
            judged += usize::from(refusal(&reply) == Some(Refusal::Code));
        }
        let wrong = if right == "000000" { "000001" } else { "000000" };
        for _ in 0..3 {
            let reply = owner.email_code(&asked, &challenge, wrong).await;
            judged += usize::from(refusal(&reply) == Some(Refusal::Code));
        }
        old.push((challenge, right));
        world.advance(RESEND_SECS);
    }
    hold!(judged <= usize::from(GUESSES_A_LOGIN), "{judged} guesses in one login");
    Ok(())
}

pub(super) async fn slowly_for_a_year<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let mut judged = 0;
    for _ in 0..365 {
        world.advance(DAY);
        let mut thief = world.person();
        let wrong = owner.wrong();
        judged += guess_on(&mut thief, &wrong, 1).await.0;
    }
    hold!(judged <= STRANGERS, "{judged} guesses in a year");
    hold!(judged >= 10, "only {judged} were tried");
    // The owner's own browser has its share all the while.
    let reply = owner.log_in().await;
    hold!(is_granted(&reply), "the owner is kept out: {reply:?}");
    Ok(())
}

pub(super) async fn malformed_codes<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let asked = owner.challenged().await;
    let before = world.events().await.len();
    let long = "1".repeat(100_000);
    let malformed =
        ["", " ", "12345", "1234567", "12 456", "１２３４５６", "-12345", "abcdef", &long];
    for code in malformed.iter().cycle().take(200) {
        let reply = owner.code(&asked, code, false).await;
        hold!(!is_granted(&reply), "{} bytes won", code.len());
    }
    let events = world.events().await.len() - before;
    hold!(events == 0, "{events} events for what was not judged");
    let code = owner.totp(0);
    let reply = owner.code(&asked, &code, false).await;
    hold!(is_granted(&reply), "the owner is kept out: {reply:?}");
    Ok(())
}

pub(super) async fn exactly_the_budget<S: Store>(world: World<S>) -> Outcome {
    let (owner, _) = world.owner().await;
    let wrong = owner.wrong();
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(world.person().challenged().await.token);
    }
    for round in 1..=3_usize {
        let tasks = (0..300_usize).map(|n| {
            let node = Arc::clone(&world.nodes[n % 2]);
            let (token, code) = (tokens[n % 20].clone(), wrong.clone());
            async move { node.code(token.as_str(), &Client::default(), None, &code, false).await }
        });
        let answers = race(tasks.collect()).await;
        let told = answers.iter().flatten().filter(|reply| refusal(reply) == Some(Refusal::Code));
        let (told, judged) = (told.count(), world.verdicts(Verdict::Wrong).await);
        hold!(judged <= STRANGERS, "{judged} judged in {round} rounds");
        hold!(told <= judged, "round {round}: {told} told of {judged} judged");
        world.advance(WINDOW_SECS);
        tokens.clear();
        for _ in 0..20 {
            tokens.push(world.person().challenged().await.token);
        }
    }
    Ok(())
}

pub(super) async fn spread_over_factors<S: Store>(world: World<S>) -> Outcome {
    let (owner, first) = world.owner().await;
    hold!(first.recovery.is_some(), "no recovery code");
    let mut thief = world.person();
    let wrong = owner.wrong();
    let mut judged = 0;
    for _ in 0..8 {
        let Reply::Challenged(asked) = thief.begin().await else { break };
        let challenge = thief.send(&asked).await.ok();
        for _ in 0..3 {
            let reply = thief.code(&asked, &wrong, false).await;
            judged += usize::from(refusal(&reply) == Some(Refusal::Code));
            let Some(challenge) = &challenge else { continue };
            let right = world.mail.last_code().unwrap_or_default();
            let other = if right == "000000" { "000001" } else { "000000" };
            let reply = thief.email_code(&asked, challenge, other).await;
            judged += usize::from(refusal(&reply) == Some(Refusal::Code));
        }
        world.advance(RESEND_SECS);
    }
    hold!(judged <= usize::from(GUESSES_A_WINDOW), "{judged} judged over app and email");
    Ok(())
}

pub(super) async fn the_owners_success_forgives_no_thief<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let mut judged = 0;
    for _ in 0..40 {
        world.advance(DAY);
        let mut thief = world.person();
        let wrong = owner.wrong();
        judged += guess_on(&mut thief, &wrong, 1).await.0;
        let reply = owner.log_in().await;
        hold!(is_granted(&reply), "the owner is kept out: {reply:?}");
    }
    hold!(judged <= STRANGERS, "{judged} guesses, forgiven by the owner's logins");
    Ok(())
}

pub(super) async fn the_name_alone<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, first) = world.owner().await;
    let right = first.recovery.map(|code| code.reveal().to_string());
    for n in 0..60_u32 {
        let code = format!("{n:016}");
        let node = owner.node();
        let recovered = node.recover(&address(), &code, &Client::default()).await;
        let reply = recovered.map_err(|error| error.to_string())?;
        hold!(refusal(&reply) == Some(Refusal::Code), "a wrong recovery: {reply:?}");
        let guessed = node.code("none", &Client::default(), None, "123456", true).await;
        let reply = guessed.map_err(|error| error.to_string())?;
        hold!(refusal(&reply) == Some(Refusal::LoginOver), "without a login: {reply:?}");
    }
    let mut elsewhere = world.person();
    elsewhere.secret = owner.secret.clone();
    let reply = elsewhere.log_in().await;
    hold!(is_granted(&reply), "the owner is kept out at a new browser: {reply:?}");
    world.advance(STEP);
    let reply = owner.log_in().await;
    hold!(is_granted(&reply), "the owner is kept out: {reply:?}");
    let code = right.ok_or("no recovery code")?;
    let recovered = owner.node().recover(&address(), &code, &owner.client()).await;
    let reply = recovered.map_err(|error| error.to_string())?;
    hold!(matches!(reply, Reply::Recovered { .. }), "recovery is exhausted: {reply:?}");
    Ok(())
}

pub(super) async fn an_enrolment_resets_nothing<S: Store>(world: World<S>) -> Outcome {
    let (owner, _) = world.owner().await;
    let wrong = owner.wrong();
    let mut thief = world.person();
    let mut judged = 0;
    for _ in 0..10 {
        let Reply::Challenged(asked) = thief.begin().await else { break };
        let enrolled = thief.node().pre_enrol(asked.token.as_str(), &thief.client()).await;
        let reply = enrolled.map_err(|error| error.to_string())?;
        hold!(
            refusal(&reply) == Some(Refusal::AlreadyEnrolled)
                || refusal(&reply) == Some(Refusal::LoginOver),
            "a password alone enrols: {reply:?}"
        );
        judged += guess_on(&mut thief, &wrong, 1).await.0;
    }
    hold!(judged <= usize::from(GUESSES_A_WINDOW), "{judged} judged in a window");
    Ok(())
}

pub(super) async fn the_store_is_away<S: Store>(world: World<S>) -> Outcome {
    let mut owner = world.remembered().await;
    let asked = world.person().challenged().await;
    world.away(true);
    let code = owner.totp(0);
    let nobody = Client::default();
    let judged = owner.node().code(asked.token.as_str(), &nobody, None, &code, false).await;
    hold!(judged.is_err(), "a code is judged without a store");
    hold!(owner.tried().await.is_err(), "a remembered browser is let in without a store");
    world.away(false);
    let reply = world.person_with(&owner).log_in().await;
    hold!(is_granted(&reply), "nothing was spent meanwhile: {reply:?}");
    Ok(())
}

pub(super) async fn logins_of_before_the_lock<S: Store>(world: World<S>) -> Outcome {
    let (owner, _) = world.owner().await;
    let mut thief = world.person();
    let (wrong, most) = (owner.wrong(), usize::from(GUESSES_A_WINDOW));
    let mut judged = 0;
    for _ in 1..most {
        let asked = thief.challenged().await;
        let reply = thief.code(&asked, &wrong, false).await;
        judged += usize::from(refusal(&reply) == Some(Refusal::Code));
    }
    // The window is filled late, so that it opens again while a login of before would still live.
    world.advance(WINDOW_SECS - 2 * MINUTE);
    let kept = thief.challenged().await;
    world.advance(MINUTE);
    let asked = thief.challenged().await;
    let reply = thief.code(&asked, &owner.wrong(), false).await;
    judged += usize::from(refusal(&reply) == Some(Refusal::Code));
    hold!(judged == most, "{judged} judged in a window");
    world.advance(2 * MINUTE);
    let code = owner.totp(0);
    let reply = thief.code(&kept, &code, false).await;
    hold!(!is_granted(&reply), "a login of before the lock is finished: {reply:?}");
    let reply = world.person_with(&owner).log_in().await;
    hold!(is_granted(&reply), "the window does not end: {reply:?}");
    Ok(())
}

pub(super) async fn recovery_under_the_lock<S: Store>(world: World<S>) -> Outcome {
    let (owner, first) = world.owner().await;
    let wrong = owner.wrong();
    for _ in 0..6 {
        let mut thief = world.person();
        guess_on(&mut thief, &wrong, 6).await;
        world.advance(HOUR);
    }
    let code = first.recovery.map(|code| code.reveal().to_string()).ok_or("no recovery code")?;
    let recovered = owner.node().recover(&address(), &code, &owner.client()).await;
    let reply = recovered.map_err(|error| error.to_string())?;
    hold!(matches!(reply, Reply::Recovered { .. }), "recovery under the lock: {reply:?}");
    Ok(())
}

pub(super) async fn a_mail_bomb<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let before = world.mail.all().len();
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(owner.challenged().await.token);
    }
    let tasks = (0..60_usize).map(|n| {
        let (node, client) = (Arc::clone(&world.nodes[n % 2]), owner.client());
        let token = tokens[n % 20].clone();
        async move { node.send_email(token.as_str(), &client).await }
    });
    let answers = race(tasks.collect()).await;
    let sent = answers.iter().flatten().filter(|reply| matches!(reply, Reply::Sent { .. })).count();
    let (most, _) = countersign_ceremony::rules::PROVEN_SENDS;
    hold!(sent <= most, "{sent} sends in an hour");
    let mails = world.mail.all().len() - before;
    hold!(mails <= most, "{mails} mails in an hour");
    Ok(())
}

pub(super) async fn the_edge_of_the_cool_down<S: Store>(world: World<S>) -> Outcome {
    let (mut owner, _) = world.owner().await;
    let asked = owner.challenged().await;
    hold!(owner.send(&asked).await.is_ok(), "the first");
    world.advance(RESEND_SECS - 1);
    let early = owner.send(&asked).await;
    hold!(early == Err(Refusal::TooMany(Some(1))), "a second early: {early:?}");
    world.advance(1);
    let challenge = owner.send(&asked).await;
    let challenge = challenge.map_err(|refusal| format!("at the edge: {refusal:?}"))?;
    let code = world.mail.last_code().ok_or("no mail")?;
    granted(owner.email_code(&asked, &challenge, &code).await);
    Ok(())
}

/// Guesses until the ledger is closed to strangers, a guess every two hours.
async fn guess_until_closed<S: Store>(
    world: &World<S>,
    owner: &Person<S>,
) -> Result<usize, String> {
    for judged in 0..=STRANGERS {
        world.advance(2 * HOUR);
        let mut thief = world.person();
        let asked = thief.challenged().await;
        match refusal(&thief.code(&asked, &owner.wrong(), false).await) {
            Some(Refusal::Code) => {}
            Some(Refusal::TooMany(None)) => return Ok(judged),
            other => return Err(format!("{other:?}")),
        }
    }
    Err(format!("over {STRANGERS} were judged"))
}

pub(super) async fn the_link_that_refills_64_times<S: Store>(world: World<S>) -> Outcome {
    let (owner, _) = world.owner().await;
    guess_until_closed(&world, &owner).await?;
    let mut thief = world.person();
    let asked = thief.challenged().await;
    let mails = world.mail.all().len();
    hold!(thief.send(&asked).await == Err(Refusal::TooMany(None)), "a code that nobody may answer");
    hold!(world.mail.all().len() == mails, "it was mailed");
    let link = world.mail.last_link().ok_or("no link was mailed")?;
    let tasks = (0..64_usize).map(|n| {
        let (node, link) = (Arc::clone(&world.nodes[n % 2]), link.clone());
        async move { node.refill(&link).await }
    });
    let won = race(tasks.collect()).await.iter().filter(|it| matches!(it, Ok(Ok(())))).count();
    hold!(won == 1, "one link refilled {won} times");
    let judged = guess_until_closed(&world, &owner).await?;
    hold!(judged == STRANGERS, "{judged} judged after a refill");
    let again = world.node().refill(&link).await.map_err(|error| error.to_string())?;
    hold!(again == Err(Refusal::LinkOver), "the link works again: {again:?}");
    hold!(world.mail.last_link().as_ref() == Some(&link), "a third link in a year");
    Ok(())
}

impl<S: Store> World<S> {
    /// The owner's app, at a new browser.
    pub(super) fn person_with(&self, owner: &Person<S>) -> Person<S> {
        Person { secret: owner.secret.clone(), ..self.person() }
    }
}
