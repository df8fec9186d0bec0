//! One connection: set up, with its statements prepared, and noticed when it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::address::{Address, Secured};
use crate::error::OpenError;

/// How long the client waits for an answer; then it gives the connection up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How long the setting up of a connection may take in all.
const SET_UP: Duration = Duration::from_secs(5);

/// What every connection of ours is set to.
///
/// A statement ends before the client stops waiting for it, so that a settle whose outcome is
/// unknown is not still to come a minute later. A commit that a crash can lose is no commit:
/// `synchronous_commit` is turned on where the database has it off, and left where it is stricter.
///
/// Every statement finds its rows by key, however many there are: it is planned once, for that, and never by what the
/// database believes of the size of a table that it has not looked at yet. Where PostgreSQL's kin does not know one of these
/// settings, it is left out.
const SETTINGS: &str = "
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '4s';
    SET lock_timeout = '3s';
    SELECT set_config(name, value, false)
        FROM (VALUES ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'),
            ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('jit', 'off')) AS s (name, value)
        JOIN pg_settings USING (name);
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off';
";

/// How to reach the database, kept for the next time.
#[derive(Clone)]
pub(crate) struct Way {
    address: Arc<Address>,
    secured: Secured,
}

/// The statements of a kind of session.
pub(crate) trait Statements: Sized + Send + Sync {
    fn prepare(client: &Client)
    -> impl Future<Output = Result<Self, tokio_postgres::Error>> + Send;
}

/// One connection and its statements. Dropping it closes it.
pub(crate) struct Session<P> {
    pub(crate) client: Client,
    pub(crate) statements: P,
    driver: Driver,
}

/// What moves the bytes of a connection, as long as this is there.
struct Driver(JoinHandle<()>);

impl Way {
    pub(crate) fn new(address: Address) -> Result<Self, OpenError> {
        Ok(Self { secured: address.secured()?, address: Arc::new(address) })
    }

    /// Connects, once.
    pub(crate) async fn connect<P: Statements>(&self) -> Result<Session<P>, OpenError> {
        let connecting = async {
            let (client, driver) = self.dial().await?;
            client.batch_execute(SETTINGS).await?;
            Ok(Session { statements: P::prepare(&client).await?, client, driver })
        };
        tokio::time::timeout(SET_UP, connecting).await.unwrap_or(Err(OpenError::Silent))
    }

    async fn dial(&self) -> Result<(Client, Driver), tokio_postgres::Error> {
        let config = self.address.config();
        match &self.secured {
            Secured::Plainly(plainly) => {
                let (client, connection) = config.connect(*plainly).await?;
                Ok((client, Driver(tokio::spawn(drive(connection)))))
            }
            Secured::Tls(tls) => {
                let (client, connection) = config.connect((**tls).clone()).await?;
                Ok((client, Driver(tokio::spawn(drive(connection)))))
            }
        }
    }
}

async fn drive<C>(connection: C)
where
    C: Future<Output = Result<(), tokio_postgres::Error>> + Send,
{
    if let Err(error) = connection.await {
        let said = crate::error::DatabaseError(error);
        tracing::warn!(%said, "a connection to the database ended");
    }
}

impl<P> Session<P> {
    /// Waits until the connection has ended.
    pub(crate) async fn ended(&mut self) {
        let _ended = (&mut self.driver.0).await;
    }
}

/// An answer, or none in time: then the connection is of no more use.
pub(crate) async fn patiently<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Option<Result<T, tokio_postgres::Error>> {
    tokio::time::timeout(PATIENCE, answer).await.ok()
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}
