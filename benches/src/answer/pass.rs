//! One pass: everybody answers once, so many at a time.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Client, Reply};
use countersign_ceremony::port::Store;

use super::Outcome;
use super::world::{Answer, World};

/// What a pass took.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// All of it.
    pub time: Duration,
    /// Each verification, in microseconds, sorted.
    pub latencies: Vec<u32>,
    /// Looks and settles.
    pub trips: u64,
}

impl Pass {
    /// Verifications a second.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a pass has thousands")]
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    /// So many of a hundred take at most this long, in milliseconds.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = self.latencies.len().saturating_mul(percent) / 100;
        let at = at.min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).copied().map_or(f64::NAN, |micros| f64::from(micros) / 1000.0)
    }
}

/// What a verification ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// An assertion: what a service needs that has sessions of its own.
    Assertion,
    /// The access and the refresh token that are minted of it.
    Tokens,
}

/// Everybody answers the engine itself, `clients` at a time.
///
/// # Errors
/// Somebody with the right code was not let in.
pub async fn engine<S: Store>(
    world: &Arc<World<S>>,
    clients: usize,
    people: usize,
    end: End,
) -> Outcome<Pass> {
    let answers = Arc::new(world.answers(people).await?);
    let before = world.node.engine().store().trips();
    let verifying = |task| {
        let (world, answers) = (Arc::clone(world), Arc::clone(&answers));
        async move {
            let client = Client::default();
            let mut took = Vec::with_capacity(answers.len() / clients + 1);
            for Answer { token, code } in answers.iter().skip(task).step_by(clients) {
                let begun = Instant::now();
                let engine = world.node.engine();
                match engine.code(token, &client, None, code.as_str(), false).await? {
                    Reply::Granted(granted) => {
                        if end == End::Tokens {
                            black_box(engine.mint(&granted.assertion)?);
                        }
                        took.push(micros(begun));
                    }
                    // Spent a pass before: see `all_but_a_few`.
                    Reply::Refused(Refusal::Code) => {}
                    reply => return Err(format!("a right code was answered {reply:?}").into()),
                }
            }
            Ok(took)
        }
    };
    let begun = Instant::now();
    let took = at_once(clients, verifying).await?;
    let time = begun.elapsed();
    let trips = world.node.engine().store().trips() - before;
    all_but_a_few(gathered(time, took, trips), answers.len())
}

/// One code in a million is that of the step after as well. Then the latest match is spent, and in the next pass, whose
/// code is that very one, it is refused. More than one in ten thousand is no chance.
pub(super) fn all_but_a_few(pass: Pass, answers: usize) -> Outcome<Pass> {
    let refused = answers.saturating_sub(pass.latencies.len());
    if refused > answers.div_ceil(10_000) {
        return Err(format!("{refused} of {answers} right codes were refused").into());
    }
    Ok(pass)
}

pub(super) fn gathered(time: Duration, took: Vec<Vec<u32>>, trips: u64) -> Pass {
    let mut latencies: Vec<u32> = took.into_iter().flatten().collect();
    latencies.sort_unstable();
    Pass { time, latencies, trips }
}

pub(super) fn micros(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX)
}

/// Does this as so many tasks at once, and ends with the first that fails.
pub(super) async fn at_once<T, W>(tasks: usize, work: impl Fn(usize) -> W) -> Outcome<Vec<T>>
where
    T: Send + 'static,
    W: Future<Output = Outcome<T>> + Send + 'static,
{
    let tasks: Vec<_> = (0..tasks).map(|task| tokio::spawn(work(task))).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await??);
    }
    Ok(done)
}
