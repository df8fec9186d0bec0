//! Is what the clients of one key saw what a register could have shown them?
//!
//! Linearizability is hard to decide for a register in general; here it is not, because every
//! write names the version it replaces and makes one that nobody else makes. So the writes that
//! were won form a chain from ABSENT, if they are right at all, and the chain is their order. What
//! remains is time: whoever saw a version did so after the write that made it and before the next
//! one, and no call may come after one that began when it had already ended.
//!
//! Exact for won settles and looks, and for one lost settle among them, which must have a moment at
//! which what it expected did not stand; several lost ones are looked at one at a time. What is
//! refused here has no order at all: a search through every order says so too (tested).

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use countersign_ceremony::port::{Settled, StoreError, Version};

use crate::history::{Call, Short, What};

/// The versions of one key in their order, ABSENT first, or what shows that there is none.
pub(crate) fn chain(calls: &[Call]) -> Result<Vec<Version>, String> {
    let writes = written(calls)?;
    let versions = order(calls, &writes)?;
    let place: HashMap<Version, usize> = versions.iter().copied().zip(0..).collect();
    for call in calls {
        if let What::Saw(version) = call.what
            && !place.contains_key(&version)
        {
            let saw = format!("{} was seen, and nobody won it", Short(version));
            return Err(shown(&saw, &[call], calls));
        }
    }
    in_time(calls, &place)?;
    lost_with_reason(calls, &place, &versions)?;
    Ok(versions)
}

/// The writes that happened, by what they replaced: the won ones, and those of unknown outcome
/// whose version was seen.
fn written(calls: &[Call]) -> Result<HashMap<Version, &Call>, String> {
    let mut seen: HashSet<Version> = HashSet::new();
    let mut unknown = Vec::new();
    let mut writes: HashMap<Version, &Call> = HashMap::new();
    let mut put = |expected: Version, call| match writes.insert(expected, call) {
        None => Ok(()),
        Some(other) => {
            let fork = format!("two writes replaced {}", Short(expected));
            Err(shown(&fork, &[other, call], calls))
        }
    };
    for call in calls {
        match call.what {
            What::Saw(version) => {
                seen.insert(version);
            }
            What::Settle { expected, answer: Ok(Settled::Won), .. } => {
                seen.insert(expected);
                put(expected, call)?;
            }
            What::Settle { expected, next, answer: Err(StoreError::Unknown) } => {
                unknown.push((expected, next, call));
            }
            What::Settle { .. } => {}
        }
    }
    // What a write replaced was there as well, so this may show one more.
    while let Some(shown) = unknown.iter().position(|(_, next, _)| seen.contains(next)) {
        let (expected, _, call) = unknown.swap_remove(shown);
        seen.insert(expected);
        put(expected, call)?;
    }
    Ok(writes)
}

/// Follows the writes from ABSENT; none may be left over.
fn order(calls: &[Call], writes: &HashMap<Version, &Call>) -> Result<Vec<Version>, String> {
    let mut versions = vec![Version::ABSENT];
    let mut left = writes.clone();
    let mut stands = Version::ABSENT;
    while let Some(call) = left.remove(&stands) {
        if let What::Settle { next, .. } = call.what {
            stands = next;
            versions.push(next);
        }
    }
    match left.into_iter().next() {
        None => Ok(versions),
        Some((expected, call)) => {
            let from = format!("a swap from {} was won, and it never stood", Short(expected));
            Err(shown(&from, &[call], calls))
        }
    }
}

/// Where a call belongs in the order of writes: a write at an even place, who saw it just after.
fn rank(call: &Call, place: &HashMap<Version, usize>) -> Option<usize> {
    match &call.what {
        What::Saw(version) => place.get(version).map(|at| 2 * at + 1),
        What::Settle { next, answer: Ok(Settled::Won) | Err(StoreError::Unknown), .. } => {
            place.get(next).map(|at| 2 * at)
        }
        What::Settle { .. } => None,
    }
}

/// When a call had happened at the latest: one of unknown outcome may happen long after.
fn latest(call: &Call) -> u64 {
    match call.what {
        What::Settle { answer: Err(StoreError::Unknown), .. } => u64::MAX,
        _ => call.end,
    }
}

/// No call ended before one began that comes earlier in the order of writes.
fn in_time(calls: &[Call], place: &HashMap<Version, usize>) -> Result<(), String> {
    let mut ranked: Vec<_> =
        calls.iter().filter_map(|call| rank(call, place).map(|rank| (rank, call))).collect();
    ranked.sort_by_key(|(rank, call)| (*rank, call.begin));
    // Whoever began last among all lower ranks, and within this one.
    let mut lower: Option<&Call> = None;
    let mut last: Option<(usize, &Call)> = None;
    for (rank, call) in ranked {
        if let Some((at, last)) = last
            && at < rank
            && lower.is_none_or(|lower| lower.begin < last.begin)
        {
            lower = Some(last);
        }
        if let Some(earlier) = lower
            && latest(call) < earlier.begin
        {
            let late = "the second had ended before the first began, and yet came after it";
            return Err(shown(late, &[earlier, call], calls));
        }
        last = Some((rank, call));
    }
    Ok(())
}

/// A lost settle was made at a moment at which something else stood.
fn lost_with_reason(
    calls: &[Call],
    place: &HashMap<Version, usize>,
    versions: &[Version],
) -> Result<(), String> {
    // For each version: the latest beginning of what came before it stood, itself included, and
    // the earliest end of what came after it was replaced.
    let mut began = vec![0; versions.len()];
    let mut ended = vec![u64::MAX; versions.len()];
    for call in calls {
        let Some(rank) = rank(call, place) else { continue };
        for (at, (began, ended)) in began.iter_mut().zip(&mut ended).enumerate() {
            if rank <= 2 * at {
                *began = call.begin.max(*began);
            }
            if rank > 2 * at + 1 {
                *ended = latest(call).min(*ended);
            }
        }
    }
    for call in calls {
        let What::Settle { expected, answer: Ok(Settled::Lost), .. } = call.what else { continue };
        let stood = place.get(&expected).copied();
        let reason = began.iter().zip(&ended).enumerate().any(|(at, (began, ended))| {
            Some(at) != stood && *began <= call.end && call.begin <= *ended
        });
        // A write of unknown outcome that nobody saw may have replaced what stood last.
        let unseen = versions.last() == Some(&expected)
            && calls.iter().any(|other| match other.what {
                What::Settle { expected: from, answer: Err(StoreError::Unknown), .. } => {
                    from == expected && other.begin < call.end
                }
                _ => false,
            });
        if !reason && !unseen {
            let lost = format!("a swap from {} was lost while it stood", Short(expected));
            return Err(shown(&lost, &[call], calls));
        }
    }
    Ok(())
}

/// The finding, the calls that show it, and what else happened around them.
fn shown(finding: &str, these: &[&Call], calls: &[Call]) -> String {
    let mut text = format!("{finding}:\n");
    for call in these {
        let _ = writeln!(text, "{call}");
    }
    let begin = these.iter().map(|call| call.begin).min().unwrap_or(0);
    let end = these.iter().map(|call| call.end).max().unwrap_or(u64::MAX);
    let mut around: Vec<_> =
        calls.iter().filter(|call| call.end >= begin && call.begin <= end).collect();
    around.sort_by_key(|call| call.begin);
    text.push_str("around it, on the same key:\n");
    for call in around.iter().take(24) {
        let _ = writeln!(text, "{call}");
    }
    text
}

#[cfg(test)]
mod tests {
    use countersign_ceremony::port::WriteId;
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, Strategy, any};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn version(n: u8) -> Version {
        (1..=n).fold(Version::ABSENT, |version, n| version.next(WriteId([n; 8])))
    }

    fn saw(n: u8, begin: u64, end: u64) -> Call {
        Call { thread: 0, begin, end, what: What::Saw(version(n)) }
    }

    fn settle(
        from: Version,
        to: Version,
        answer: Result<Settled, StoreError>,
        time: [u64; 2],
    ) -> Call {
        let [begin, end] = time;
        Call { thread: 1, begin, end, what: What::Settle { expected: from, next: to, answer } }
    }

    fn won(n: u8, begin: u64, end: u64) -> Call {
        settle(version(n), version(n + 1), Ok(Settled::Won), [begin, end])
    }

    fn lost(n: u8, begin: u64, end: u64) -> Call {
        settle(version(n), version(n).next(WriteId([99; 8])), Ok(Settled::Lost), [begin, end])
    }

    #[test]
    fn what_a_register_shows_has_an_order() {
        let calls = [saw(0, 0, 1), won(0, 2, 9), saw(0, 3, 4), saw(1, 5, 6), saw(1, 10, 11)];
        assert_eq!(chain(&calls), Ok(vec![version(0), version(1)]));
        let calls = [won(0, 0, 1), won(1, 2, 8), lost(1, 3, 4), saw(2, 5, 6)];
        assert_eq!(chain(&calls).map(|versions| versions.len()), Ok(3));
    }

    #[test]
    fn a_fork_has_none() {
        let other =
            settle(version(0), Version::ABSENT.next(WriteId([9; 8])), Ok(Settled::Won), [0, 5]);
        assert!(chain(&[won(0, 0, 1), other]).unwrap_err().contains("two writes replaced ABSENT"));
    }

    #[test]
    fn a_gap_has_none() {
        assert!(chain(&[won(0, 0, 1), won(2, 2, 3)]).unwrap_err().contains("never stood"));
    }

    #[test]
    fn a_stale_look_has_none() {
        let stale = chain(&[won(0, 0, 1), won(1, 2, 3), saw(1, 4, 5)]);
        assert!(stale.unwrap_err().contains("had ended before"));
        // Not only behind a write: behind another look as well.
        let back = chain(&[won(0, 0, 9), saw(1, 1, 2), saw(0, 3, 4)]);
        assert!(back.unwrap_err().contains("had ended before"));
        // And what was never begun was not seen.
        let early = chain(&[saw(1, 0, 1), won(0, 2, 3)]);
        assert!(early.unwrap_err().contains("had ended before"));
    }

    #[test]
    fn what_nobody_won_is_not_seen() {
        let ghost = Call {
            thread: 2,
            begin: 2,
            end: 3,
            what: What::Saw(version(0).next(WriteId([99; 8]))),
        };
        assert!(
            chain(&[lost(0, 0, 1), won(0, 0, 1), ghost]).unwrap_err().contains("nobody won it")
        );
    }

    #[test]
    fn a_swap_is_not_lost_for_nothing() {
        assert!(chain(&[lost(0, 0, 1)]).unwrap_err().contains("was lost while it stood"));
        assert!(chain(&[won(0, 0, 1), lost(1, 2, 3), won(1, 4, 5)]).is_err());
        assert!(chain(&[won(0, 0, 1), lost(1, 2, 5), won(1, 4, 6)]).is_ok());
        assert!(chain(&[won(0, 2, 3), lost(0, 0, 4)]).is_ok());
    }

    #[test]
    fn an_unknown_outcome_may_be_either_and_may_come_late() {
        let unknown = || settle(version(1), version(2), Err(StoreError::Unknown), [2, 3]);
        assert_eq!(chain(&[won(0, 0, 1), unknown(), saw(1, 4, 5)]).map(|v| v.len()), Ok(2));
        assert_eq!(
            chain(&[won(0, 0, 1), unknown(), saw(1, 4, 5), saw(2, 6, 7)]).map(|v| v.len()),
            Ok(3),
            "written after its reply"
        );
        assert!(chain(&[won(0, 0, 1), unknown(), saw(2, 4, 5), saw(1, 6, 7)]).is_err());
    }

    /// Is there any order at all? Tries each call next that no other has ended before.
    fn has_an_order(stands: Version, left: &[Call]) -> bool {
        let possible = |call: &Call| left.iter().all(|other| latest(other) >= call.begin);
        let must = |call: &Call| !matches!(call.what, What::Settle { answer: Err(_), .. });
        if !left.iter().any(must) {
            return true;
        }
        left.iter().enumerate().filter(|(_, call)| possible(call)).any(|(at, call)| {
            let stands = match call.what {
                What::Saw(version) => (version == stands).then_some(stands),
                What::Settle { expected, answer: Ok(Settled::Lost), .. } => {
                    (expected != stands).then_some(stands)
                }
                What::Settle { expected, next, .. } => (expected == stands).then_some(next),
            };
            let mut rest = left.to_vec();
            rest.remove(at);
            stands.is_some_and(|stands| has_an_order(stands, &rest))
        })
    }

    /// The n-th version of all that a history may name.
    fn named(n: usize) -> Version {
        let id = u8::try_from(n).unwrap_or(u8::MAX);
        if n == 0 { Version::ABSENT } else { Version::ABSENT.next(WriteId([id; 8])) }
    }

    /// A few calls with answers that a register may or may not have given.
    fn histories() -> impl Strategy<Value = Vec<Call>> {
        let call = (0..4_u8, 0..3_usize, 0..12_u64, 0..5_u64);
        vec((call, any::<bool>()), 1..7).prop_map(|calls| {
            let mut history: Vec<Call> = Vec::new();
            for (at, ((kind, back, begin, lasts), guess)) in calls.into_iter().enumerate() {
                // Mostly what a register would say if calls came in this order.
                let from = named(if guess { back } else { at.saturating_sub(back) });
                let answer = match kind {
                    0 => Ok(Settled::Lost),
                    1 if lasts == 0 => Err(StoreError::Unknown),
                    _ => Ok(Settled::Won),
                };
                let what = match kind {
                    3 => What::Saw(from),
                    _ => What::Settle { expected: from, next: named(at + 1), answer },
                };
                // No two moments are one.
                let (begin, end) = (16 * (2 * begin), 16 * (2 * (begin + lasts) + 1));
                let place = u64::try_from(at).unwrap_or(0);
                history.push(Call { thread: at, begin: begin + place, end: end + place, what });
            }
            history
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_search_through_every_order_finds_the_same(calls in histories()) {
            let lost = |call: &&Call| {
                matches!(call.what, What::Settle { answer: Ok(Settled::Lost) | Err(_), .. })
            };
            let (found, ordered) = (chain(&calls), has_an_order(Version::ABSENT, &calls));
            if ordered {
                prop_assert!(found.is_ok(), "refused what has an order: {:?}", found);
            }
            if calls.iter().filter(lost).count() <= 1 {
                prop_assert_eq!(found.is_ok(), ordered);
            }
        }
    }
}
