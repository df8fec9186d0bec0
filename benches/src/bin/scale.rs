//! How evenly a fleet's work falls on the shards of its database: real names of records, drawn for so many users and
//! tenants, on a Redis Cluster (slots) and on Postgres (ranges of partitions). Printed as the tables of
//! `docs/scale.md`. `--users N` (1,000,000), `--tenants N` (10,000).
#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::error::Error;

use countersign_ceremony::env::Env;
use countersign_ceremony::names::Names;
use countersign_ceremony::port::Key;
use countersign_device::{RealmId, TenantId, UserId, UserKey};

/// What one login asks of the store: two looks at three records (the user's, the tenant's policy, the environment's) and
/// one settle of the user's, as the benches count them.
const LOOKS: f64 = 2.0;
/// What a settle costs, in looks at one record: `redis-benchmark` makes 35,000 of the script a second (docs/benchmarks.md)
/// and some 85,000 `GET`s of as large a record.
const SETTLE: f64 = 2.5;
/// Slots of a Redis Cluster.
const SLOTS: usize = 16_384;

/// The work of one kind on each shard.
struct Load(Vec<f64>);

impl Load {
    fn new(shards: usize) -> Self {
        Self(vec![0.0; shards])
    }

    fn add(&mut self, shard: usize, work: f64) {
        if let Some(load) = self.0.get_mut(shard) {
            *load += work;
        }
    }

    /// The hottest shard, as a multiple of the mean.
    fn hottest(&self) -> f64 {
        let sum: f64 = self.0.iter().sum();
        let most = self.0.iter().copied().fold(0.0, f64::max);
        most * as_f64(self.0.len()) / sum
    }

    /// The hottest shard, as a part of all.
    fn part(&self) -> f64 {
        let sum: f64 = self.0.iter().sum();
        self.0.iter().copied().fold(0.0, f64::max) / sum
    }
}

fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// How the shards of a database take partitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Placed {
    /// A Redis Cluster that `redis-cli --cluster create` made: each master has as many slots.
    Slots,
    /// Ranges of partitions, as many a shard: distributed Postgres; or a cluster whose slots were moved so.
    Partitions,
}

impl Placed {
    fn shard(self, key: &Key, shards: usize) -> usize {
        match self {
            Self::Slots => usize::from(countersign_store_redis::slot(key)) * shards / SLOTS,
            Self::Partitions => {
                usize::from(key.partition()) * shards / usize::from(Key::PARTITIONS)
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str, usual: usize| {
        let given = arguments.iter().skip_while(|word| *word != name).nth(1);
        given.map_or(Ok(usual), |text| text.parse())
    };
    let (users, tenants) = (after("--users", 1_000_000)?, after("--tenants", 10_000)?);
    let vault = Env::for_tests()?.vault;
    let (names, realm) = (Names(&*vault), RealmId::parse("main")?);

    let mut of_users = Vec::new();
    for n in 0..users {
        let user = UserKey::new(realm.clone(), UserId::parse(&format!("user-{n}"))?);
        of_users.push(names.user(&user));
        if n % 100_000 == 0 {
            eprint!("\r{n} of {users} users");
        }
    }
    eprintln!("\r{users} users       ");
    let policy = |n: usize| -> Result<Key, Box<dyn Error>> {
        Ok(names.policy(&realm, &TenantId::parse(&format!("tenant-{n}"))?))
    };
    let of_tenants = (0..tenants).map(policy).collect::<Result<Vec<_>, _>>()?;
    let environment = names.environment(&realm);
    // The n-th tenant has 1/n of the first one's logins (Zipf).
    let harmonic: f64 = (1..=tenants).map(|n| 1.0 / as_f64(n)).sum();

    println!(
        "| shards | placed by | users' records alone | with tenants' policies | with the environment's | the hottest shard has |"
    );
    println!("|---|---|---|---|---|---|");
    for shards in [3, 6, 16, 32, 64, 128] {
        for placed in [Placed::Slots, Placed::Partitions] {
            let mut load = Load::new(shards);
            let each = 1.0 / as_f64(users);
            for key in &of_users {
                load.add(placed.shard(key, shards), each * (LOOKS + SETTLE));
            }
            let alone = load.hottest();
            for (n, key) in (1..).zip(&of_tenants) {
                let logins = 1.0 / as_f64(n) / harmonic;
                load.add(placed.shard(key, shards), logins * LOOKS);
            }
            let with_tenants = load.hottest();
            load.add(placed.shard(&environment, shards), LOOKS);
            println!(
                "| {shards} | {} | {alone:.2} | {with_tenants:.2} | {:.2} | {:.0} % of all work |",
                format!("{placed:?}").to_lowercase(),
                load.hottest(),
                load.part() * 100.0
            );
        }
    }
    Ok(())
}
