//! What writes to one server: each at once, or, where replicas are waited for, in waves.
//!
//! `WAIT` holds up its connection until the replicas have all that was written on it. So whatever
//! came while the last one waited goes together, with one `WAIT` behind it: no timer, and a lone
//! write waits for nobody.

use redis::{Cmd, Value, cmd};
use tokio::sync::{mpsc, oneshot};

use crate::config::Replicas;
use crate::error::Cut;
use crate::line::Line;

/// How many commands share a wave at most.
const WAVE: usize = 128;

/// How many writes wait for their wave.
const QUEUE: usize = 4096;

/// The writing side of a server.
#[derive(Debug)]
pub(crate) enum Writes {
    /// Acknowledged by the master alone.
    AtOnce(Box<Line>),
    /// Acknowledged when the replicas have them.
    InWaves(mpsc::Sender<Job>),
}

/// What a write brought.
#[derive(Debug)]
pub(crate) struct Answer {
    /// An answer a command.
    pub(crate) values: Vec<Value>,
    /// Have the replicas it, where they are asked for?
    pub(crate) reached: bool,
}

/// Commands that stay together, and who waits for their answers.
#[derive(Debug)]
pub(crate) struct Job {
    commands: Vec<Cmd>,
    reply: oneshot::Sender<Result<Answer, Cut>>,
}

impl Writes {
    pub(crate) fn new(line: Line, replicas: Option<Replicas>) -> Self {
        let Some(replicas) = replicas else { return Self::AtOnce(Box::new(line)) };
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(roll(line, replicas, jobs));
        Self::InWaves(queue)
    }

    pub(crate) async fn send(&self, commands: Vec<Cmd>) -> Result<Answer, Cut> {
        match self {
            Self::AtOnce(line) => {
                line.send(commands).await.map(|values| Answer { values, reached: true })
            }
            Self::InWaves(queue) => {
                let (reply, answer) = oneshot::channel();
                queue.try_send(Job { commands, reply }).map_err(|_| Cut::NotSent)?;
                // A task that ended may have ended after the write.
                answer.await.unwrap_or(Err(Cut::Lost))
            }
        }
    }
}

/// Sends wave after wave, until nobody can ask any more.
async fn roll(line: Line, replicas: Replicas, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.recv().await {
        let mut commands = first.commands;
        let mut waiting = vec![(commands.len(), first.reply)];
        while commands.len() < WAVE
            && let Ok(Job { commands: more, reply }) = jobs.try_recv()
        {
            waiting.push((more.len(), reply));
            commands.extend(more);
        }
        commands.push(wait(replicas));
        match line.send(commands).await {
            Ok(values) => {
                let reached = values.last().is_some_and(|last| has(replicas, last));
                let mut values = values.into_iter();
                for (count, reply) in waiting {
                    let values = values.by_ref().take(count).collect();
                    // Whoever does not wait any more asked not to know.
                    let _unheard = reply.send(Ok(Answer { values, reached }));
                }
            }
            Err(cut) => {
                for (_, reply) in waiting {
                    let _unheard = reply.send(Err(cut));
                }
            }
        }
    }
}

fn wait(Replicas { count, on_disk, patience }: Replicas) -> Cmd {
    let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut wait = if on_disk { cmd("WAITAOF") } else { cmd("WAIT") };
    if on_disk {
        wait.arg(1);
    }
    wait.arg(count).arg(patience);
    wait
}

/// Is what `WAIT` or `WAITAOF` answered enough?
fn has(replicas: Replicas, answer: &Value) -> bool {
    let enough = |n: &Value| matches!(n, Value::Int(n) if *n >= i64::from(replicas.count.max(1)));
    match answer {
        Value::Array(both) if replicas.on_disk => {
            matches!(both.as_slice(), [Value::Int(1..), of] if enough(of))
        }
        answer => !replicas.on_disk && enough(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_enough_replicas_are_enough() {
        let memory = Replicas::of(2);
        let disk = Replicas { on_disk: true, ..memory };
        assert!(has(memory, &Value::Int(2)) && has(memory, &Value::Int(3)));
        assert!(!has(memory, &Value::Int(1)) && !has(memory, &Value::Nil));
        let both = |local, of| Value::Array(vec![Value::Int(local), Value::Int(of)]);
        assert!(has(disk, &both(1, 2)));
        assert!(!has(disk, &both(0, 2)) && !has(disk, &both(1, 1)) && !has(disk, &Value::Int(2)));
        assert!(!has(memory, &both(1, 2)));
        assert!(!has(Replicas::of(0), &Value::Int(0)), "none is no replica");
    }

    #[test]
    fn what_is_waited_for_is_asked_for() {
        let packed = |replicas| String::from_utf8(wait(replicas).get_packed_command()).unwrap();
        assert!(packed(Replicas::of(2)).contains("WAIT\r\n$1\r\n2\r\n$3\r\n500"));
        let disk = Replicas { on_disk: true, ..Replicas::of(2) };
        assert!(packed(disk).contains("WAITAOF\r\n$1\r\n1\r\n$1\r\n2\r\n$3\r\n500"));
    }
}
