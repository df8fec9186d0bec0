//! Browsers: known, remembered, copied.

use super::*;

#[test]
fn a_browser_is_known_by_its_secret_and_says_no_secret() {
    let mut world = World::new();
    let (_, granted) = world.enrol();
    let fresh = granted.browser.unwrap();
    let known = |world: &World, secret: [u8; 32]| {
        let cookie = Cookie::default().with(fresh.family, secret);
        is_known(&world.record, &cookie, &world.vault, world.now)
    };
    assert!(known(&world, fresh.secret));
    assert!(!known(&world, [7; 32]));
    assert!(!is_known(&world.record, &Cookie::default(), &world.vault, world.now));
    let shown = format!("{fresh:?}");
    assert!(shown.contains(&format!("{:?}", fresh.family)) && !shown.contains("secret"), "{shown}");
}

/// Whoever comes with a secret that was replaced is asked, and the browser is told to forget it.
#[test]
fn a_browser_that_was_copied_is_told_to_forget() {
    let (mut world, secret) = World::enrolled();
    let mut cookie = Cookie::default();
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let Outcome::Challenged(challenged) = world.begin(&cookie) else { panic!("let in") };
        assert!(challenged.forget_browser.is_empty(), "{:?}", challenged.forget_browser);
        let code = world.code(&secret, 0);
        let outcome = world.step(&challenged.login, &cookie, ask(code), false);
        let Outcome::Granted(granted) = outcome else { panic!("{outcome:?}") };
        if let Some(FreshBrowser { family, secret, .. }) = granted.browser {
            cookie = Cookie::default().with(family, secret);
            cookies.push((family, cookie.clone()));
        }
        world.now = world.now.saturating_add(24 * 3600);
    }
    let (family, copied) = &cookies[0];
    assert!(cookies.len() > 1, "no secret was ever replaced");
    let Outcome::Challenged(challenged) = world.begin(copied) else { panic!("let in") };
    assert_eq!(challenged.forget_browser, [*family]);
}

/// The audit tells a login that a remembered browser skipped from one that was proved.
#[test]
fn a_login_is_written_down_as_what_it_was() {
    let (mut world, secret) = World::enrolled();
    let granted = |world: &World| match world.audits.last().map(|audit| &audit.what) {
        Some(What::Granted { second, remembered, .. }) => (*second, *remembered),
        other => panic!("{other:?}"),
    };
    let challenged = world.login();
    let code = world.code(&secret, 0);
    let outcome = world.step(&challenged.login, &Cookie::default(), ask(code), true);
    let Outcome::Granted(first) = outcome else { panic!("{outcome:?}") };
    assert_eq!(granted(&world), (Some(FactorKind::Authenticator), false));
    let fresh = first.browser.unwrap();
    world.now = world.now.saturating_add(3600);
    let skipped = world.begin(&Cookie::default().with(fresh.family, fresh.secret));
    assert!(matches!(skipped, Outcome::Granted(_)), "{skipped:?}");
    assert_eq!(granted(&world), (None, true));
}
