//! The servers, and which of them serves a partition.
//!
//! The library's own cluster connection sends a request again when its reply was lost. For a swap
//! that is one answer too many: the second attempt of a swap that was won says that it was lost.
//! So the way to a master is found here, over the library's connections to single servers; a read
//! is asked again, a write only where a server said that it did not carry it out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use countersign_ceremony::port::StoreError;
use countersign_otp::UnixTime;
use futures_util::future::{join_all, select_ok};
use redis::{Cmd, Value, cmd};
use tokio::time::{Instant, sleep};

use crate::config::Replicas;
use crate::durability::{Aof, Durability, Info};
use crate::error::{Cut, OpenError, Refused};
use crate::line::Line;
use crate::names::Partition;
use crate::reads::Reads;
use crate::seeds::Seeds;
use crate::slots::Slots;
use crate::wave::{Answer, Writes};

/// How often one request is tried before it is given up: about a second and a half in all, where
/// servers answer.
const ATTEMPTS: u32 = 10;

/// After how long it is not tried again, where they do not.
const OVERALL: Duration = Duration::from_secs(4);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// All servers.
#[derive(Debug)]
pub(crate) struct Cluster {
    seeds: Seeds,
    /// One server that is no cluster serves everything.
    clustered: bool,
    replicas: Option<Replicas>,
    nodes: Mutex<HashMap<String, Arc<Node>>>,
    map: RwLock<Arc<Map>>,
    refreshing: tokio::sync::Mutex<()>,
    refreshed: AtomicU64,
}

/// One server.
#[derive(Debug)]
struct Node {
    reads: Reads,
    writes: Writes,
}

/// The master of each partition.
type Map = Vec<Option<Arc<Node>>>;

impl Cluster {
    /// Finds all masters, and refuses those that would forget.
    pub(crate) async fn open(
        seeds: Seeds,
        replicas: Option<Replicas>,
    ) -> Result<(Self, Durability), OpenError> {
        let mut failed = OpenError::Url("there is none");
        let mut met = None;
        for seed in seeds.addresses() {
            let line = Line::new(seeds.client(seed)?, seed, PATIENCE);
            match line.open().await {
                Ok(info) => {
                    met = Some((line, info));
                    break;
                }
                Err(error) => failed = error,
            }
        }
        let (line, info) = met.ok_or(failed)?;
        let cluster = Self::of(seeds, info.cluster, replicas)?;
        cluster.learn(&line).await?;
        let durability = cluster.durability().await?;
        Ok((cluster, durability))
    }

    fn of(seeds: Seeds, clustered: bool, replicas: Option<Replicas>) -> Result<Self, OpenError> {
        if !clustered && seeds.addresses().count() > 1 {
            return Err(OpenError::Url("several are for a cluster, and this server is none"));
        }
        if clustered && seeds.database() != 0 {
            return Err(OpenError::Url("a cluster has no database but 0"));
        }
        Ok(Self {
            seeds,
            clustered,
            replicas,
            nodes: Mutex::default(),
            map: RwLock::default(),
            refreshing: tokio::sync::Mutex::default(),
            refreshed: AtomicU64::default(),
        })
    }

    /// Reads, each at its partition's master, one trip a master; with the time there. The trips are shared with whoever
    /// looks at the same time.
    pub(crate) async fn look(
        &self,
        reads: Vec<(Partition, Cmd)>,
    ) -> Result<Vec<(Value, UnixTime)>, StoreError> {
        self.carry_out(reads, true).await
    }

    /// The same in trips of their own: for what is long, and for what may be carried out twice but not shared.
    pub(crate) async fn read(
        &self,
        reads: Vec<(Partition, Cmd)>,
    ) -> Result<Vec<(Value, UnixTime)>, StoreError> {
        self.carry_out(reads, false).await
    }

    async fn carry_out(
        &self,
        reads: Vec<(Partition, Cmd)>,
        shared: bool,
    ) -> Result<Vec<(Value, UnixTime)>, StoreError> {
        let mut answers: Vec<Option<(Value, UnixTime)>> = Vec::new();
        answers.resize_with(reads.len(), || None);
        let mut asking: HashMap<usize, String> = HashMap::new();
        let begun = Instant::now();
        for attempt in 0..ATTEMPTS {
            if begun.elapsed() > OVERALL {
                break;
            }
            self.pause(attempt).await;
            let missing = |at: &usize| answers.get(*at).is_some_and(Option::is_none);
            let open: Vec<usize> = (0..reads.len()).filter(missing).collect();
            let trips = self.trips(&reads, &open, &mut asking);
            let come = match <[Trip; 1]>::try_from(trips) {
                Ok([trip]) => vec![trip.go(shared).await],
                Err(trips) => join_all(trips.into_iter().map(|trip| trip.go(shared))).await,
            };
            for (at, value, time) in come.into_iter().flatten() {
                match &value {
                    Value::ServerError(error) => match Refused::of(error) {
                        Refused::Ask(to) => {
                            asking.insert(at, to);
                        }
                        Refused::Moved | Refused::Later => {}
                        other => return Err(other.into()),
                    },
                    _ => {
                        if let Some(answer) = answers.get_mut(at) {
                            *answer = Some((value, time));
                        }
                    }
                }
            }
            if answers.iter().all(Option::is_some) {
                return Ok(answers.into_iter().flatten().collect());
            }
        }
        Err(StoreError::Unavailable)
    }

    /// Writes at a partition's master, once. `commands` are asked for with `true` when the server
    /// does not have the script; the answer of the last one is the verdict.
    pub(crate) async fn write(
        &self,
        partition: Partition,
        commands: impl Fn(bool) -> Vec<Cmd>,
    ) -> Result<Answer, StoreError> {
        let mut asking: Option<String> = None;
        let mut with_text = false;
        let begun = Instant::now();
        for attempt in 0..ATTEMPTS {
            if begun.elapsed() > OVERALL {
                break;
            }
            self.pause(attempt).await;
            let mut commands = commands(with_text);
            let node = match asking.take() {
                Some(address) => {
                    commands.insert(0, cmd("ASKING"));
                    self.node(&address)
                }
                None => self.master(partition),
            };
            let Some(node) = node else { continue };
            let answer = match node.writes.send(commands).await {
                Ok(answer) => answer,
                Err(Cut::NotSent) => continue,
                Err(Cut::Lost) => return Err(StoreError::Unknown),
            };
            let Some(Value::ServerError(error)) = answer.values.last() else { return Ok(answer) };
            match Refused::of(error) {
                Refused::Ask(to) => asking = Some(to),
                Refused::NoScript => with_text = true,
                Refused::Moved | Refused::Later => {}
                other => {
                    tracing::error!(error = %error, "a write was refused");
                    return Err(other.into());
                }
            }
        }
        Err(StoreError::Unavailable)
    }

    /// Before a second attempt: finds out who serves what, and gives them time to agree.
    async fn pause(&self, attempt: u32) {
        if attempt > 0 {
            sleep(Duration::from_millis(20_u64 << attempt.min(4))).await;
            self.refresh().await;
        }
    }

    fn trips(
        &self,
        reads: &[(Partition, Cmd)],
        open: &[usize],
        asking: &mut HashMap<usize, String>,
    ) -> Vec<Trip> {
        let mut trips: Vec<Trip> = Vec::new();
        for at in open {
            let Some((partition, read)) = reads.get(*at) else { continue };
            let asked = asking.remove(at);
            let node = match &asked {
                Some(address) => self.node(address),
                None => self.master(*partition),
            };
            let Some(node) = node else { continue };
            let place = trips.iter().position(|trip| Arc::ptr_eq(&trip.node, &node));
            let place = place.unwrap_or_else(|| {
                trips.push(Trip::to(node));
                trips.len().saturating_sub(1)
            });
            if let Some(trip) = trips.get_mut(place) {
                trip.add(*at, read.clone(), asked.is_some());
            }
        }
        trips
    }

    fn master(&self, partition: Partition) -> Option<Arc<Node>> {
        self.map().get(partition.place())?.clone()
    }

    fn map(&self) -> Arc<Map> {
        Arc::clone(&self.map.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Nothing panics while it holds the lock, so a poisoned one is whole all the same.
    fn nodes(&self) -> MutexGuard<'_, HashMap<String, Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server at this address, known or not.
    fn node(&self, address: &str) -> Option<Arc<Node>> {
        if let Some(node) = self.nodes().get(address) {
            return Some(Arc::clone(node));
        }
        let reads = Line::new(self.seeds.client(address).ok()?, address, PATIENCE);
        let patience = self.replicas.map_or(PATIENCE, |of| PATIENCE.saturating_add(of.patience));
        let writes = Line::new(self.seeds.client(address).ok()?, address, patience);
        let reads = Reads::new(reads);
        let node = Arc::new(Node { reads, writes: Writes::new(writes, self.replicas) });
        Some(Arc::clone(self.nodes().entry(address.to_owned()).or_insert(node)))
    }

    /// Asks the servers again who serves what. Whoever waited for another's asking takes its end.
    async fn refresh(&self) {
        if !self.clustered {
            return;
        }
        let seen = self.refreshed.load(Ordering::SeqCst);
        let _turn = self.refreshing.lock().await;
        if self.refreshed.load(Ordering::SeqCst) != seen {
            return;
        }
        let known: Vec<Arc<Node>> = self.nodes().values().cloned().collect();
        let words = known.iter().map(|node| Box::pin(self.learn(node.reads.line())));
        if known.is_empty() || select_ok(words).await.is_err() {
            for seed in self.seeds.addresses() {
                if let Ok(client) = self.seeds.client(seed)
                    && self.learn(&Line::new(client, seed, PATIENCE)).await.is_ok()
                {
                    break;
                }
            }
        }
        self.refreshed.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes one server's word for who serves what.
    async fn learn(&self, line: &Line) -> Result<(), OpenError> {
        let map = if self.clustered {
            let mut ask = cmd("CLUSTER");
            ask.arg("SLOTS");
            let answers = line.send(vec![ask]).await;
            let answers = answers.map_err(|_| OpenError::Away(line.address().to_owned()))?;
            let slots = answers.first().and_then(|answer| Slots::read(answer, line.address()));
            let slots = slots.ok_or(OpenError::Incomplete)?;
            if !slots.complete() {
                return Err(OpenError::Incomplete);
            }
            Partition::all().map(|of| self.node(slots.master(of.slot())?)).collect::<Map>()
        } else {
            Partition::all().map(|_| self.node(line.address())).collect()
        };
        let serves = |node: &Arc<Node>| map.iter().flatten().any(|of| Arc::ptr_eq(of, node));
        self.nodes().retain(|_, node| serves(node));
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
        Ok(())
    }

    /// What the masters say of themselves, the weakest first.
    async fn durability(&self) -> Result<Durability, OpenError> {
        let nodes: Vec<Arc<Node>> = self.nodes().values().cloned().collect();
        let mut weakest = Durability {
            aof: Aof::Always,
            replicas: self.replicas,
            connected: u32::MAX,
            masters: nodes.len(),
        };
        for node in &nodes {
            let info = node.reads.line().open().await?;
            self.fits(&info)?;
            let aof = if info.aof { node.fsync().await } else { Aof::Off };
            weakest.aof = weakest.aof.min(aof);
            weakest.connected = weakest.connected.min(info.replicas);
        }
        Ok(weakest)
    }

    fn fits(&self, info: &Info) -> Result<(), OpenError> {
        if info.version < (6, 2) {
            return Err(OpenError::TooOld);
        }
        let on_disk = self.replicas.is_some_and(|of| of.on_disk);
        if on_disk && (info.version < (7, 2) || !info.aof) {
            return Err(OpenError::NoWaitAof);
        }
        Ok(())
    }
}

impl Node {
    async fn fsync(&self) -> Aof {
        let mut ask = cmd("CONFIG");
        ask.arg("GET").arg("appendfsync");
        let answers = self.reads.line().send(vec![ask]).await.unwrap_or_default();
        let Some(Value::Array(pair)) = answers.into_iter().next() else { return Aof::Withheld };
        match pair.get(1) {
            Some(Value::BulkString(when)) if when == b"always" => Aof::Always,
            Some(Value::BulkString(when)) if when == b"everysec" => Aof::EverySecond,
            Some(Value::BulkString(when)) if when == b"no" => Aof::Sometime,
            _ => Aof::Withheld,
        }
    }
}

/// What is asked of one server at once.
struct Trip {
    node: Arc<Node>,
    commands: Vec<Cmd>,
    /// Which read each answer is to; none for what only had to be said before it.
    of: Vec<Option<usize>>,
}

impl Trip {
    const fn to(node: Arc<Node>) -> Self {
        Self { node, commands: Vec::new(), of: Vec::new() }
    }

    fn add(&mut self, at: usize, read: Cmd, asking: bool) {
        if asking {
            self.commands.push(cmd("ASKING"));
            self.of.push(None);
        }
        self.commands.push(read);
        self.of.push(Some(at));
    }

    async fn go(mut self, shared: bool) -> Vec<(usize, Value, UnixTime)> {
        let come = if shared && self.of.iter().all(Option::is_some) {
            self.node.reads.ask(self.commands).await
        } else {
            // What is said before a read must be followed by that very one.
            self.commands.push(cmd("TIME"));
            let answers = self.node.reads.line().send(self.commands).await;
            answers.and_then(|mut answers| {
                let now = answers.pop().as_ref().and_then(time).ok_or(Cut::Lost)?;
                Ok((answers, now))
            })
        };
        let Ok((answers, time)) = come else { return Vec::new() };
        let answered = answers.into_iter().zip(self.of);
        answered.filter_map(|(value, of)| Some((of?, value, time))).collect()
    }
}

/// What `TIME` answered.
pub(crate) fn time(answer: &Value) -> Option<UnixTime> {
    let Value::Array(parts) = answer else { return None };
    let Some(Value::BulkString(secs)) = parts.first() else { return None };
    std::str::from_utf8(secs).ok()?.parse().ok().map(UnixTime::from_secs)
}
