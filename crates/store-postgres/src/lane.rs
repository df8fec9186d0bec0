//! A lane: a bounded queue, one connection, and the task that serves the one over the other.
//!
//! There is no timer: a lone job is served at once, and what came while the last was under way
//! goes together. While there is no connection every job is refused at once, so that nobody waits
//! for a database that is away, and connecting goes on meanwhile, so that service is back with it.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

use crate::session::{Session, Statements, Way};

/// How many jobs wait at most; the next is refused.
pub(crate) const QUEUE: usize = 4096;

/// How many jobs are taken from the queue at once.
const TAKEN: usize = 128;

/// The first and the longest pause between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What a lane does.
pub(crate) trait Lane: Send + 'static {
    type Job: Job;
    type Statements: Statements;

    /// Serves some of what waits, at least one.
    fn serve(
        &mut self,
        session: &Session<Self::Statements>,
        waiting: &mut VecDeque<Self::Job>,
    ) -> impl Future<Output = Result<(), Broken>> + Send;
}

/// What a lane is asked.
pub(crate) trait Job: Send + 'static {
    /// Answers that nothing was done.
    fn refuse(self);
}

/// The connection is of no more use.
pub(crate) struct Broken;

/// Starts a lane on a session that stands. It ends when nobody can ask any more.
pub(crate) fn start<L: Lane>(lane: L, way: Way, session: Session<L::Statements>) -> Sender<L::Job> {
    let (queue, jobs) = mpsc::channel(QUEUE);
    tokio::spawn(run(lane, way, session, jobs));
    queue
}

/// Lets a job wait, or refuses it.
pub(crate) fn ask<J: Job>(queue: &Sender<J>, job: J) {
    match queue.try_send(job) {
        Ok(()) => {}
        Err(TrySendError::Full(job) | TrySendError::Closed(job)) => job.refuse(),
    }
}

async fn run<L: Lane>(
    mut lane: L,
    way: Way,
    mut session: Session<L::Statements>,
    mut jobs: Receiver<L::Job>,
) {
    let mut waiting = VecDeque::new();
    let mut taken = Vec::with_capacity(TAKEN);
    loop {
        while let Ok(()) = next(&mut session, &mut jobs, &mut taken, waiting.is_empty()).await {
            if taken.is_empty() && waiting.is_empty() {
                return;
            }
            waiting.extend(taken.drain(..));
            if lane.serve(&session, &mut waiting).await.is_err() {
                break;
            }
        }
        waiting.drain(..).chain(taken.drain(..)).for_each(Job::refuse);
        drop(session);
        let Some(again) = reconnect(&way, &mut jobs).await else { return };
        tracing::info!("the database is back");
        session = again;
    }
}

/// Takes what waits; waits for it where there is nothing else to do. Nothing taken: nobody asks
/// any more.
async fn next<J, P>(
    session: &mut Session<P>,
    jobs: &mut Receiver<J>,
    taken: &mut Vec<J>,
    idle: bool,
) -> Result<(), Broken> {
    if session.client.is_closed() {
        return Err(Broken);
    }
    if !idle {
        while taken.len() < TAKEN
            && let Ok(job) = jobs.try_recv()
        {
            taken.push(job);
        }
        return Ok(());
    }
    tokio::select! {
        biased;
        _ = jobs.recv_many(taken, TAKEN) => Ok(()),
        () = session.ended() => Err(Broken),
    }
}

/// Connects again, and refuses whoever asks meanwhile. None: nobody can ask any more.
async fn reconnect<J: Job, P: Statements>(way: &Way, jobs: &mut Receiver<J>) -> Option<Session<P>> {
    let mut connected = pin!(persistently(way));
    loop {
        tokio::select! {
            session = &mut connected => return Some(session),
            job = jobs.recv() => job?.refuse(),
        }
    }
}

async fn persistently<P: Statements>(way: &Way) -> Session<P> {
    let mut pause = PAUSE;
    loop {
        match way.connect().await {
            Ok(session) => return session,
            Err(error) => tracing::warn!(%error, "the database is away"),
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}
