//! A crash: a process that writes until it is killed, and another that holds it to its word.
//!
//! [`write_until_killed`] is the victim's part. It says what it begins and what was acknowledged,
//! a line each, before and after every settle. [`Account`] takes those lines and, once the store
//! has been opened again, says whether everything acknowledged is there, whole, and nothing that
//! was never begun. The victim can be killed and started again on the same data any number of
//! times; the account goes on.
//!
//! What a killed process shows is that nothing acknowledged was only in its memory. What a machine
//! shows that loses its power is another matter: the system still has what the process gave it.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::thread;

use countersign_ceremony::port::{EventRow, Settle, Settled, Store, Version, WriteId};
use tokio::runtime::Builder;

use crate::ground::{Caller, key, panicked, settle};

/// How many events each settle brings: with its record they are there together or not at all.
const EVENTS: u8 = 3;

/// Writes on `clients` threads, each a record of its own, until the process ends.
///
/// # Errors
/// It came to an end by itself: the output is gone, or a settle was not won.
pub fn write_until_killed<S: Store>(
    store: &S,
    clients: u8,
    output: impl Write + Send,
) -> Result<(), String> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let output = Mutex::new(output);
    thread::scope(|scope| {
        let client = |client| {
            let caller = Caller::new(store, runtime.handle().clone());
            let output = &output;
            scope.spawn(move || write(&caller, client, output))
        };
        let threads: Vec<_> = (0..clients).map(client).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|payload| Err(panicked(payload))))
    })
}

fn write<S: Store>(
    caller: &Caller<'_, S>,
    client: u8,
    output: &Mutex<impl Write>,
) -> Result<(), String> {
    let say = |word: &str, number: u64| {
        let mut output = output.lock().map_err(|error| error.to_string())?;
        writeln!(output, "{word} {client} {number}").map_err(|error| error.to_string())?;
        output.flush().map_err(|error| error.to_string())
    };
    let entry = caller.look_at(key(client))?;
    let mut number = entry.map_or(0, |entry| entry.version.counter());
    loop {
        let settle = nth(client, number);
        number = number.saturating_add(1);
        say("begins", number)?;
        match caller.try_settle(settle)? {
            Ok(Settled::Won) => say("won", number)?,
            answer => return Err(format!("write {number} of client {client}: {answer:?}")),
        }
    }
}

/// What a victim said.
#[derive(Clone, Default, Debug)]
pub struct Account {
    clients: BTreeMap<u8, Client>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Client {
    begun: u64,
    won: u64,
}

impl Account {
    /// Takes one line; a line that the kill cut short says nothing.
    pub fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(word), Some(client), Some(number), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return;
        };
        let (Ok(client), Ok(number)) = (client.parse(), number.parse()) else { return };
        let client: &mut Client = self.clients.entry(client).or_default();
        match word {
            "begins" => client.begun = number,
            "won" => client.won = number,
            _ => {}
        }
    }

    /// How many settles were acknowledged in all.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.clients.values().map(|client| client.won).sum()
    }

    /// Holds the store, opened again, against what was said.
    ///
    /// # Errors
    /// What is missing, half there, or too much.
    pub fn judge<S: Store>(&self, store: &S) -> Result<(), String> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let caller = Caller::new(store, runtime.handle().clone());
        let events = caller.events(usize::try_from(u32::MAX).unwrap_or(usize::MAX))?;
        for (n, Client { begun, won }) in &self.clients {
            let entry = caller.look_at(key(*n))?;
            let stands = entry.as_ref().map_or(0, |entry| entry.version.counter());
            if stands < *won || stands > *begun {
                return Err(format!(
                    "client {n}: write {stands} stands; {won} were acknowledged, {begun} begun"
                ));
            }
            let due: Vec<Settle> = (0..stands).map(|number| nth(*n, number)).collect();
            if entry.map(|entry| entry.bytes) != due.last().map(|settle| settle.bytes.clone()) {
                return Err(format!(
                    "client {n}: write {stands} has other bytes than it was given"
                ));
            }
            let due: Vec<&EventRow> = due.iter().flat_map(|settle| &settle.events).collect();
            let own = |row: &&EventRow| row.bytes.starts_with(key(*n).as_bytes());
            let found: Vec<&EventRow> = events.iter().filter(own).collect();
            if found != due {
                return Err(format!(
                    "client {n}: write {stands} stands with {} events of {}, or in another order",
                    found.len(),
                    due.len()
                ));
            }
        }
        Ok(())
    }
}

/// The write that follows a client's first `number` writes.
fn nth(client: u8, number: u64) -> Settle {
    let write = |number: u64| WriteId(((u64::from(client) << 48) | number).to_be_bytes());
    let expected = match number {
        0 => Version::ABSENT,
        _ => version(number, write(number)),
    };
    settle(key(client), expected, write(number.saturating_add(1)), EVENTS)
}

/// The version with this counter and id.
fn version(counter: u64, WriteId(id): WriteId) -> Version {
    let mut bytes = [0; 16];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(&counter.to_be_bytes());
    tail.copy_from_slice(&id);
    Version::from_bytes(bytes)
}
