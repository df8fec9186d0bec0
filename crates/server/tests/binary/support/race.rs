//! Real threads that start together.

use std::sync::Barrier;

/// Runs one closure a contender, each on a thread of its own, all released at once; answers in the order given.
pub(crate) fn race<T: Send, F: FnOnce() -> T + Send>(contenders: Vec<F>) -> Vec<T> {
    let gate = Barrier::new(contenders.len());
    std::thread::scope(|scope| {
        let runners: Vec<_> = contenders
            .into_iter()
            .map(|contender| {
                let gate = &gate;
                scope.spawn(move || {
                    gate.wait();
                    contender()
                })
            })
            .collect();
        runners.into_iter().map(|runner| runner.join().unwrap()).collect()
    })
}
