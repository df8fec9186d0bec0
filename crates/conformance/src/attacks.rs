//! The attack suite: how products of this field were broken, tried on the engine over any store.
//!
//! Each attack has the id under which `docs/attacks.md` lists it; R is for rules of our own. Time and mail are injected; races
//! are released by a barrier on real threads and two nodes, and repeated. Whoever writes a store runs
//! it beside [`prove`](crate::prove): what a store must hold for the engine's promises, this shows
//! from the client's side.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "an attack that cannot go on has failed: the suite catches the panic and reports it"
)]

mod binding;
mod browsers;
mod guessing;
mod lifecycle;
mod replay;
mod retimed;
mod world;

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use countersign_ceremony::port::Store;
use tokio::runtime::Builder;

use crate::ground::{Fresh, panicked};
use world::World;

/// What an attack came to: nothing, or what it won.
type Outcome = Result<(), String>;
type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// One attack on a fresh world.
struct Attack<S> {
    id: &'static str,
    /// Is it a race? Then it is repeated.
    races: bool,
    run: fn(World<S>) -> Running,
}

/// What an attack won.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fell {
    /// The attack, by its id in `docs/attacks.md`.
    pub id: &'static str,
    /// What happened that must not.
    pub what: String,
}

impl fmt::Display for Fell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.what)
    }
}

macro_rules! attacks {
    ($($id:literal $(($race:ident))? $module:ident::$name:ident,)*) => {
        /// Every attack of the suite, by id, in order.
        pub const IDS: &[&str] = &[$($id),*];

        fn all<S: Store>() -> Vec<Attack<S>> {
            vec![$(Attack {
                id: $id,
                races: attacks!(@races $($race)?),
                run: |world| Box::pin($module::$name(world)),
            }),*]
        }
    };
    (@races race) => { true };
    (@races) => { false };
}

attacks! {
    "A-01" replay::the_same_code_again,
    "A-02" (race) replay::one_code_64_times,
    "A-03" replay::the_code_of_before_within_the_window,
    "A-05" replay::the_same_code_after_a_restart,
    "A-06" replay::old_codes_under_a_clock_set_back,
    "A-09" replay::two_apps_have_a_floor_each,
    "A-11" replay::the_code_that_confirmed,
    "A-12" replay::an_enrolment_of_before,
    "A-13" replay::exactly_the_window,
    "B-01" binding::a_login_of_another_browser,
    "B-02" (race) binding::one_challenge_64_times,
    "B-03" binding::tokens_as_what_they_are_not,
    "B-05" binding::the_tenant_is_the_logins,
    "B-07" binding::a_challenge_of_another_login,
    "B-08" binding::mangled_tokens,
    "B-09" binding::the_last_second,
    "B-10" binding::two_tabs,
    "B-12" binding::email_after_email,
    "C-01" (race) guessing::many_logins_at_once,
    "C-04" guessing::a_restart_between_guesses,
    "C-05" guessing::email_alone_and_a_new_challenge_each_time,
    "C-07" guessing::a_resend_for_fresh_guesses,
    "C-09" guessing::slowly_for_a_year,
    "C-10" guessing::malformed_codes,
    "C-11" (race) guessing::exactly_the_budget,
    "C-12" guessing::spread_over_factors,
    "C-13" guessing::the_owners_success_forgives_no_thief,
    "C-14" guessing::the_name_alone,
    "C-16" guessing::an_enrolment_resets_nothing,
    "C-19" guessing::the_store_is_away,
    "C-20" guessing::logins_of_before_the_lock,
    "C-21" guessing::recovery_under_the_lock,
    "C-22" (race) guessing::a_mail_bomb,
    "C-24" guessing::the_edge_of_the_cool_down,
    "D-01" browsers::a_copied_cookie,
    "D-03" (race) browsers::parallel_tabs,
    "D-04" browsers::every_event_ends_every_trust,
    "D-05" browsers::every_day_for_a_year,
    "D-06" browsers::a_secret_of_two_before,
    "D-13" browsers::another_browser,
    "D-15" browsers::the_policy_is_switched_off,
    "D-16" browsers::trust_is_no_second_factor,
    "D-17" browsers::a_failure_earns_no_trust,
    "D-18" browsers::another_kind_of_browser,
    "D-19" (race) browsers::a_thousand_browsers,
    "E-01" lifecycle::an_enrolment_that_stops,
    "E-05" lifecycle::an_enrolment_without_its_code,
    "E-07" (race) lifecycle::one_recovery_code_64_times,
    "E-13" lifecycle::a_reset_password,
    "E-16" lifecycle::what_lies_on_the_disk,
    "E-22" lifecycle::swapped_and_flipped_records,
    "R-01" lifecycle::a_password_alone_after_a_recovery,
    "R-02" lifecycle::a_refresh_token_twice,
    "R-03" lifecycle::a_session_of_before_a_recovery,
    "R-04" (race) guessing::the_link_that_refills_64_times,
}

/// How the suite is run.
#[derive(Clone, Copy, Debug)]
pub struct Schedules(
    /// How often each race is run.
    pub usize,
);

/// Attacks the engine over a store. `fresh` makes an empty store with the clock and the outbox that
/// it is given; a store whose time is its own may pass over the clock.
///
/// # Errors
/// Every attack that won something.
pub fn attack<S: Store>(
    fresh: impl FnMut(Fresh) -> S,
    schedules: Schedules,
) -> Result<usize, Vec<Fell>> {
    attack_with(fresh, schedules, |_| true)
}

/// The same with those attacks alone whose id is wanted.
///
/// # Errors
/// Every attack that won something.
pub fn attack_with<S: Store>(
    mut fresh: impl FnMut(Fresh) -> S,
    schedules: Schedules,
    wanted: impl Fn(&str) -> bool,
) -> Result<usize, Vec<Fell>> {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let Ok(runtime) = runtime else {
        return Err(vec![Fell { id: "-", what: "no runtime: the machine has no threads".into() }]);
    };
    let mut fell = Vec::new();
    let mut tried = 0_usize;
    for Attack { id, races, run } in all::<S>().into_iter().filter(|of| wanted(of.id)) {
        let times = if races { schedules.0.max(1) } else { 1 };
        for _ in 0..times {
            tried = tried.saturating_add(1);
            let _entered = runtime.enter();
            let world = World::new(&mut fresh);
            let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run(world))));
            if let Err(what) = outcome.unwrap_or_else(|payload| Err(panicked(payload))) {
                fell.push(Fell { id, what });
                break;
            }
        }
    }
    if fell.is_empty() { Ok(tried) } else { Err(fell) }
}
