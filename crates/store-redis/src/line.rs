//! One multiplexed connection to one server, made again when it breaks.
//!
//! Whoever sends first connects, and the others wait for that one attempt: they share its end,
//! also where it failed. A server that would forget records is not spoken to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, Value, cmd};
use tokio::time::timeout;

use crate::durability::Info;
use crate::error::{Cut, OpenError, told};
use crate::script;

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_millis(1500);

/// How many requests are handed to the connection before the next waits.
const BUFFER: usize = 256;

/// A connection to one server.
#[derive(Debug)]
pub(crate) struct Line {
    client: Client,
    address: String,
    config: AsyncConnectionConfig,
    up: Mutex<Option<Up>>,
    connecting: tokio::sync::Mutex<()>,
    /// How many attempts have ended, so that who waited for one knows.
    attempts: AtomicU64,
}

#[derive(Clone, Debug)]
struct Up {
    number: u64,
    connection: MultiplexedConnection,
}

impl Line {
    /// A connection that is made when it is first needed; an answer takes at most `patience`.
    pub(crate) fn new(client: Client, address: &str, patience: Duration) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(patience))
            .set_pipeline_buffer_size(BUFFER);
        Self {
            client,
            address: address.to_owned(),
            config,
            up: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            attempts: AtomicU64::default(),
        }
    }

    /// Where it leads.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Sends these in one trip; an answer each, errors of the server among them.
    pub(crate) async fn send(&self, mut commands: Vec<Cmd>) -> Result<Vec<Value>, Cut> {
        let Up { number, mut connection } = self.connection().await.ok_or(Cut::NotSent)?;
        let count = commands.len();
        let sent = if count == 1
            && let Some(command) = commands.pop()
        {
            connection.send_packed_command(&command).await.map(|value| vec![value])
        } else {
            let mut pipeline = Pipeline::with_capacity(count);
            for command in commands {
                pipeline.add_command(command);
            }
            connection.send_packed_commands(&pipeline, 0, count).await
        };
        match sent {
            Ok(answers) if answers.len() == count => Ok(answers),
            Ok(_) => {
                self.broken(number);
                Err(Cut::Lost)
            }
            Err(error) => {
                tracing::warn!(server = self.address, error = told(&error), "a trip was cut short");
                self.broken(number);
                Err(Cut::Lost)
            }
        }
    }

    /// Connects anew, and says what the server is. The connection is used from now on.
    pub(crate) async fn open(&self) -> Result<Info, OpenError> {
        let (connection, info) = self.connect().await?;
        let number = self.attempts.fetch_add(1, Ordering::SeqCst);
        *self.up() = Some(Up { number, connection });
        Ok(info)
    }

    async fn connection(&self) -> Option<Up> {
        if let Some(up) = self.up().clone() {
            return Some(up);
        }
        let seen = self.attempts.load(Ordering::SeqCst);
        let _turn = self.connecting.lock().await;
        if let Some(up) = self.up().clone() {
            return Some(up);
        }
        if self.attempts.load(Ordering::SeqCst) != seen {
            return None;
        }
        if let Err(error) = self.open().await {
            self.attempts.fetch_add(1, Ordering::SeqCst);
            tracing::warn!(server = self.address, %error, "no connection");
        }
        self.up().clone()
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, Info), OpenError> {
        let coming = async {
            let mut connection =
                self.client.get_multiplexed_async_connection_with_config(&self.config).await?;
            let info: String = cmd("INFO").query_async(&mut connection).await?;
            let info = Info::parse(&info);
            if info.master {
                let _digest: Value = script::load().query_async(&mut connection).await?;
            }
            Ok((connection, info))
        };
        let away = |why: String| OpenError::Away(format!("{}: {why}", self.address));
        let came = timeout(CONNECT, coming).await;
        let (connection, info) = came
            .map_err(|_| away("no answer".to_owned()))?
            .map_err(|error: redis::RedisError| away(told(&error)))?;
        if let Some(policy) = info.forgets() {
            let (server, policy) = (self.address.clone(), policy.to_owned());
            return Err(OpenError::Forgets { server, policy });
        }
        Ok((connection, info))
    }

    /// Nobody uses this connection any more who does not already.
    fn broken(&self, number: u64) {
        let mut up = self.up();
        if up.as_ref().is_some_and(|up| up.number == number) {
            *up = None;
        }
    }

    /// Nothing panics while it holds the lock, so a poisoned one is whole all the same.
    fn up(&self) -> MutexGuard<'_, Option<Up>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
