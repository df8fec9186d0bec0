//! The simulation: many seeds hold, each planted bug is found, and a seed replays.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use countersign_conformance::simulation::{Bug, Story, simulate};

/// How many stories are told; `COUNTERSIGN_SEEDS=1000000` with `--release` is the long run, and
/// `COUNTERSIGN_SEEDS=400000..600000` a part of it.
const SEEDS: u64 = 2_000;
/// After so many, the long run says how far it is.
const PROGRESS: u64 = 50_000;
/// Within so many seeds a planted bug is found.
const PATIENCE: u64 = 400;

/// Tells the stories of seeds on all cores until one is what is looked for.
fn first(
    seeds: Range<u64>,
    bug: Option<Bug>,
    wanted: fn(&Story, Option<Bug>) -> bool,
) -> Option<Story> {
    let next = Arc::new(AtomicU64::new(seeds.start));
    let found = Arc::new(Mutex::new(None::<Story>));
    let tellers: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from))
        .map(|_| {
            let (next, found) = (Arc::clone(&next), Arc::clone(&found));
            let seeds = seeds.clone();
            thread::spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || found.lock().unwrap().is_some() {
                        return;
                    }
                    if seed > seeds.start && seed % PROGRESS == 0 {
                        println!("seed {seed} of {seeds:?}");
                    }
                    let story = simulate(seed, bug);
                    if wanted(&story, bug) {
                        let mut found = found.lock().unwrap();
                        if found.as_ref().is_none_or(|other| other.seed > seed) {
                            *found = Some(story);
                        }
                    }
                }
            })
        })
        .collect();
    for teller in tellers {
        teller.join().unwrap();
    }
    Arc::try_unwrap(found).unwrap().into_inner().unwrap()
}

#[test]
fn every_story_holds() {
    let asked = std::env::var("COUNTERSIGN_SEEDS").unwrap_or_else(|_| SEEDS.to_string());
    let (from, to) = asked.split_once("..").unwrap_or(("0", &asked));
    // A number that is none ends the test: a long run of 2,000 seeds would be no long run.
    let seeds = from.parse().unwrap()..to.parse().unwrap();
    assert!(!seeds.is_empty(), "COUNTERSIGN_SEEDS={asked} tells no story");
    let broken = first(seeds, None, |story, _| !story.broken.is_empty());
    assert!(broken.is_none(), "{}", broken.unwrap());
}

#[test]
fn stories_have_something_in_them() {
    let stories: Vec<Story> = (0..40).map(|seed| simulate(seed, None)).collect();
    let all = |of: fn(&Story) -> usize| stories.iter().map(of).sum::<usize>();
    assert!(all(|story| story.granted) > 200, "logins");
    assert!(all(|story| story.let_in) > 100, "owners");
    assert!(all(|story| story.refused) > 50, "guesses");
    assert!(all(|story| story.unanswered) > 10, "lost answers");
    assert!(all(|story| story.events) > 500, "events");
}

#[test]
fn a_seed_replays() {
    for seed in 0..10 {
        assert_eq!(simulate(seed, None), simulate(seed, None));
    }
}

#[test]
fn each_planted_bug_is_found_by_the_invariant_that_it_breaks() {
    let mut unfound = Vec::new();
    for (bug, invariant) in Bug::ALL {
        let found = first(0..PATIENCE, Some(bug), |story, bug| {
            let wanted = Bug::ALL.iter().find(|(of, _)| Some(*of) == bug).map(|(_, it)| *it);
            story.broken.iter().any(|(of, _)| Some(*of) == wanted)
        });
        match found {
            Some(story) => println!("{bug:?}: {story}"),
            None => unfound.push(format!("{bug:?} was not found by: {invariant}")),
        }
    }
    assert!(unfound.is_empty(), "{}", unfound.join("\n"));
}
