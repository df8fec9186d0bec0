//! Scripts of operations, and the smallest one that shows a difference to the memory store.

use std::cell::RefCell;

use countersign_ceremony::port::Store;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::ground::Ground;
use crate::script::Script;

pub(crate) fn model<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let config = Config {
        cases: ground.expectations.scripts,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    // The same scripts each time: a store that is proved stays proved.
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let ground = RefCell::new(ground);
    let outcome = runner.run(&Script::strategy(), |script| {
        script.run_on(&mut ground.borrow_mut()).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(history, _)) => Err(history.to_string()),
        Err(TestError::Abort(why)) => Err(format!("no script could be made: {why}\n")),
    }
}
