//! Reads that wait together: one trip for all of them, each command once, and the time once.
//!
//! Every look asks for the policies of a tenant beside the record of a user, and whatever Redis answers costs both
//! sides more than what it reads. So a look gives way once to whatever else is ready to run; whoever comes back first
//! sends what all asked meanwhile. There is no timer, and several trips are under way at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_otp::UnixTime;
use redis::{Cmd, Value, cmd};
use tokio::sync::oneshot;

use crate::cluster::time;
use crate::error::Cut;
use crate::line::Line;

/// How many looks share a trip at most.
const GROUP: usize = 256;

/// What waits for one server.
#[derive(Debug)]
pub(crate) struct Reads {
    line: Arc<Line>,
    waiting: Mutex<Vec<Asked>>,
}

/// The values that were asked for, and the server's time.
type Answered = Result<(Vec<Value>, UnixTime), Cut>;

#[derive(Debug)]
struct Asked {
    commands: Vec<Cmd>,
    reply: oneshot::Sender<Answered>,
}

impl Reads {
    pub(crate) fn new(line: Line) -> Self {
        Self { line: Arc::new(line), waiting: Mutex::default() }
    }

    /// For what has to be a trip of its own.
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// What these read, an answer each; whoever else asks for the same at the same time shares it. For looks alone: they
    /// are short, and change nothing.
    pub(crate) async fn ask(&self, commands: Vec<Cmd>) -> Answered {
        let (reply, answer) = oneshot::channel();
        self.waiting().push(Asked { commands, reply });
        tokio::task::yield_now().await;
        let mut waiting = std::mem::take(&mut *self.waiting());
        // Whoever gave up a look asks for nothing any more.
        waiting.retain(|asked| !asked.reply.is_closed());
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(GROUP));
            // On a task of its own: whoever sends it may be given up, and the others wait for it all the same.
            tokio::spawn(go(Arc::clone(&self.line), std::mem::replace(&mut waiting, rest)));
        }
        answer.await.unwrap_or(Err(Cut::NotSent))
    }

    /// Nothing panics while it holds the lock.
    fn waiting(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn go(line: Arc<Line>, group: Vec<Asked>) {
    let mut commands: Vec<Cmd> = Vec::with_capacity(group.len().saturating_mul(2));
    let mut places: HashMap<Vec<u8>, usize> = HashMap::with_capacity(commands.capacity());
    let mut waiting = Vec::with_capacity(group.len());
    for Asked { commands: asked, reply } in group {
        let of = asked.into_iter().map(|command| {
            *places.entry(command.get_packed_command()).or_insert_with(|| {
                commands.push(command);
                commands.len().saturating_sub(1)
            })
        });
        waiting.push((of.collect::<Vec<usize>>(), reply));
    }
    commands.push(cmd("TIME"));
    let mut answers = line.send(commands).await;
    let now = answers.as_mut().ok().and_then(Vec::pop).as_ref().and_then(time);
    for (of, reply) in waiting {
        let answered = match (&answers, now) {
            (Ok(values), Some(now)) => {
                let values = of.iter().map(|place| values.get(*place).cloned());
                values.collect::<Option<_>>().map(|values| (values, now)).ok_or(Cut::Lost)
            }
            (Ok(_), None) => Err(Cut::Lost),
            (Err(cut), _) => Err(*cut),
        };
        // Whoever does not wait any more asked not to know.
        let _unheard = reply.send(answered);
    }
}
