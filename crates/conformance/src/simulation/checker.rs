//! The checker: reads what people saw, and what is on the disk, and believes nothing else.

use std::collections::{HashMap, HashSet};

use countersign_ceremony::audit::What;
use countersign_ceremony::codec;
use countersign_ceremony::names::Names;
use countersign_ceremony::port::{EventId, Store};
use countersign_ceremony::record::Record;
use countersign_ceremony::rules::{FIRST_WAIT_AT, GUESSES_A_WINDOW, STRANGER_UNITS, WINDOW_SECS};
use countersign_device::{SessionId, UserId, UserKey};
use countersign_otp::{Code, Found, UnixTime};

use super::bug::Invariant;
use super::history::Seen;
use super::plan::{Attack, Plan};
use super::site::{Site, true_time};

/// What was seen broken.
pub(super) type Broken = (Invariant, String);

/// A judged guess of a usual app, in units.
const USUAL_PRICE: u32 = 300;
/// An answer is seen so long after it was decided at most, in milliseconds, clocks included.
const LATE: u64 = 60_000;

/// Everything that a story left behind.
pub(super) struct Remains<'a> {
    pub(super) site: &'a Site,
    pub(super) plan: &'a Plan,
    pub(super) users: &'a [UserId],
    pub(super) seen: Vec<(u64, Seen)>,
    /// The ids of the events that were delivered, in order.
    pub(super) delivered: Vec<EventId>,
}

impl Remains<'_> {
    pub(super) async fn check(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        for (_, seen) in &self.seen {
            if let Seen::Broken(invariant, what) = seen {
                let forgets = !self.plan.failovers.is_empty();
                if *invariant != Invariant::RevocationSeen || !forgets {
                    broken.push((*invariant, what.clone()));
                }
            }
        }
        self.committed(&mut broken);
        if self.plan.failovers.is_empty() {
            self.one_winner(&mut broken);
            self.spent(&mut broken).await;
            self.budget(&mut broken);
            self.events(&mut broken).await;
            self.kept_out(&mut broken);
        }
        broken
    }

    fn granted(&self) -> impl Iterator<Item = (u64, usize, SessionId, Option<&String>)> {
        self.seen.iter().filter_map(|(at, seen)| match seen {
            Seen::Granted { user, session, code } => Some((*at, *user, *session, code.as_ref())),
            _ => None,
        })
    }

    fn one_winner(&self, broken: &mut Vec<Broken>) {
        let mut won = HashMap::new();
        for (at, user, session, code) in self.granted() {
            let Some(code) = code else { continue };
            if let Some((first, other)) = won.insert((user, code), (at, session)) {
                let what = format!("user {user}: at {first} in {other}, at {at} in {session}");
                broken.push((Invariant::OneWinner, what));
            }
        }
    }

    fn committed(&self, broken: &mut Vec<Broken>) {
        let vault = self.site.vault();
        let rows = self.site.platter.kept().committed.clone();
        let sessions: HashSet<SessionId> = rows
            .iter()
            .filter_map(|row| match codec::open_event(vault, row).ok()?.what {
                What::Granted { session, .. } => Some(session),
                _ => None,
            })
            .collect();
        for (at, user, session, _) in self.granted() {
            if !sessions.contains(&session) {
                let what = format!("user {user}: session {session} at {at} was never settled");
                broken.push((Invariant::Committed, what));
            }
        }
    }

    async fn spent(&self, broken: &mut Vec<Broken>) {
        for (user, id) in self.users.iter().enumerate() {
            let key = UserKey::new(self.site.realm(), id.clone());
            let key = Names(self.site.vault()).user(&key);
            let looked = self.site.platter.memory().look(&[key]).await;
            let entry = looked.ok().and_then(|looked| looked.entries.into_iter().next().flatten());
            let Some(entry) = entry else { continue };
            let Ok(record) = codec::open::<Record>(self.site.vault(), key, &entry.bytes) else {
                continue;
            };
            for (at, _, _, code) in self.granted().filter(|(_, whose, ..)| *whose == user) {
                let Some(code) = code.and_then(|code| Code::parse(code.rsplit(':').next()?).ok())
                else {
                    continue;
                };
                let then = self.time_of(at);
                let again = record.authenticators.iter().any(|device| {
                    let found = device.judge(&code, self.site.policy().window, then);
                    matches!(found, Found::Fresh { .. })
                });
                if again {
                    let what = format!("user {user}: the code of {at} would win again");
                    broken.push((Invariant::StepsStaySpent, what));
                }
            }
        }
    }

    fn time_of(&self, at: u64) -> UnixTime {
        let now = true_time(&self.site.world).secs();
        let ago = self.site.world.now().saturating_sub(at) / 1_000;
        UnixTime::from_secs(now.saturating_sub(ago))
    }

    fn budget(&self, broken: &mut Vec<Broken>) {
        for user in 0..self.users.len() {
            let told: Vec<u64> = self
                .seen
                .iter()
                .filter(|(_, seen)| *seen == Seen::Refused { user, stranger: true })
                .map(|(at, _)| *at)
                .collect();
            let granted = self.granted().any(|(_, whose, _, code)| whose == user && code.is_some());
            let most = usize::try_from(STRANGER_UNITS / USUAL_PRICE).unwrap_or(0);
            // Whoever got in was forgiven what that login had cost.
            if told.len() > most && !granted {
                let what = format!("user {user}: {} guesses in all", told.len());
                broken.push((Invariant::Budget, what));
            }
            let window = (WINDOW_SECS * 1_000).saturating_sub(LATE);
            let fullest = told.iter().map(|from| {
                told.iter().filter(|at| *at >= from && at.saturating_sub(*from) < window).count()
            });
            let fullest = fullest.max().unwrap_or(0);
            if fullest > usize::from(GUESSES_A_WINDOW) && self.plan.jump.is_none() {
                let what = format!("user {user}: {fullest} guesses in a window");
                broken.push((Invariant::Budget, what));
            }
        }
    }

    async fn events(&self, broken: &mut Vec<Broken>) {
        let committed = self.site.platter.kept().committed.clone();
        let committed: HashSet<EventId> = committed.iter().map(|row| row.id).collect();
        let mut delivered = HashSet::new();
        for id in &self.delivered {
            if !committed.contains(id) {
                broken.push((Invariant::NoEventInvented, format!("{id:?} has no settle")));
            }
            if !delivered.insert(*id) {
                broken.push((Invariant::NoEventInvented, format!("{id:?} is there twice")));
            }
        }
        let lost = committed.difference(&delivered).count();
        if lost > 0 {
            broken.push((Invariant::NoEventLost, format!("{lost} events of won settles")));
        }
    }

    fn kept_out(&self, broken: &mut Vec<Broken>) {
        if self.plan.attack == Attack::Password {
            // The password was stolen: what the owner may lose then is the ledger's to bound.
            return;
        }
        for user in 0..self.users.len() {
            let kept_out: Vec<&(u64, Seen)> = self
                .seen
                .iter()
                .filter(|(at, seen)| match seen {
                    Seen::KeptOut { user: whose, waits, .. } => {
                        let earned = *waits && self.has_mistyped(user, *at);
                        *whose == user && !self.is_jumped(*at) && !earned
                    }
                    _ => false,
                })
                .collect();
            let jumped = self.plan.jump.is_some();
            if kept_out.len() > usize::from(jumped) {
                let invariant =
                    if jumped { Invariant::OneLoginAClock } else { Invariant::NoLockOut };
                let what = format!("user {user}: {:?}", kept_out.first());
                broken.push((invariant, what));
            }
        }
    }

    /// Was the owner told so often by then that a code was wrong, that the next one waits? Whoever scanned several
    /// pictures, because answers were lost, tries the codes of each.
    fn has_mistyped(&self, user: usize, at: u64) -> bool {
        let own = self
            .seen
            .iter()
            .filter(|(then, seen)| *then <= at && *seen == Seen::Refused { user, stranger: false });
        own.count() >= usize::try_from(FIRST_WAIT_AT).unwrap_or(0)
    }

    /// Was the store's own clock off then? Nobody is let in by it, and nobody should be.
    fn is_jumped(&self, at: u64) -> bool {
        self.plan.jump.is_some_and(|jump| {
            let end = jump.at.saturating_add(jump.lasts).saturating_add(LATE);
            jump.with_store && (jump.at..end).contains(&at)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::clockwork::Clockwork;
    use super::super::plan::Jump;
    use super::*;

    /// A world in which nobody knows the password and no clock jumps.
    fn calm() -> (Arc<Site>, Plan, Vec<UserId>) {
        let world = Clockwork::new(0);
        let plan = Plan { attack: Attack::Name, jump: None, ..Plan::draw(&world) };
        let users = vec![UserId::parse("alice").unwrap()];
        let site = Site::build(&world, &plan, &users, None).unwrap();
        (site, plan, users)
    }

    fn found(seen: Vec<(u64, Seen)>) -> Vec<Invariant> {
        found_under(None, seen)
    }

    fn found_under(jump: Option<Jump>, seen: Vec<(u64, Seen)>) -> Vec<Invariant> {
        let (site, plan, users) = calm();
        let plan = Plan { jump, ..plan };
        let remains =
            Remains { site: &site, plan: &plan, users: &users, seen, delivered: Vec::new() };
        let mut broken = Vec::new();
        remains.one_winner(&mut broken);
        remains.kept_out(&mut broken);
        broken.into_iter().map(|(invariant, _)| invariant).collect()
    }

    /// An app may show the same six digits at two steps, and both win.
    #[test]
    fn the_same_digits_at_two_steps_are_two_codes() {
        let won = |at, session, code: &str| {
            let session = SessionId::from_random_bytes([session; 16]);
            (at, Seen::Granted { user: 0, session, code: Some(code.into()) })
        };
        let two = vec![won(1, 1, "Step(1):123456"), won(2, 2, "Step(4):123456")];
        assert_eq!(found(two), []);
        let one = vec![won(1, 1, "Step(1):123456"), won(2, 2, "Step(1):123456")];
        assert_eq!(found(one), [Invariant::OneWinner]);
    }

    /// Where answers are lost at every turn of an enrolment, its owner tries the codes of many
    /// pictures: whoever was wrong so often waits, and is not kept out.
    #[test]
    fn an_owner_who_mistyped_often_may_be_told_to_wait() {
        let kept_out = |waits| (100, Seen::KeptOut { user: 0, waits, why: String::new() });
        let broken = vec![Invariant::NoLockOut];
        for (slips, waits, broken) in [
            (FIRST_WAIT_AT, true, vec![]),
            (FIRST_WAIT_AT, false, broken.clone()),
            (FIRST_WAIT_AT - 1, true, broken),
        ] {
            let slip = |at| (u64::from(at), Seen::Refused { user: 0, stranger: false });
            let seen = (0..slips).map(slip).chain([kept_out(waits)]).collect();
            assert_eq!(found(seen), broken, "{slips}, {waits}");
        }
    }

    /// A clock that jumps may cost an owner one login, and who waits by own fault is not counted.
    #[test]
    fn a_clock_costs_one_login_beside_what_the_owner_earned() {
        let jump = Jump { at: 0, lasts: 1, seconds: 1, with_store: false };
        let out = |at, waits| (at, Seen::KeptOut { user: 0, waits, why: String::new() });
        let slips =
            (0..FIRST_WAIT_AT).map(|at| (at.into(), Seen::Refused { user: 0, stranger: false }));
        let story = |end: Vec<_>| slips.clone().chain(end).collect();
        let found = |end| found_under(Some(jump), story(end));
        assert_eq!(found(vec![out(100, false)]), []);
        assert_eq!(found(vec![out(100, false), out(200, true)]), []);
        let twice = vec![out(100, false), out(200, false)];
        assert_eq!(found(twice), [Invariant::OneLoginAClock]);
    }
}
