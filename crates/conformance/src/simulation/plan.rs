//! What one seed makes of the world.

use super::bug::Bug;
use super::clockwork::Clockwork;

/// Which attackers there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Attack {
    /// They know the password, see the codes that the owner types, and copied a browser once.
    Password,
    /// They know the name.
    Name,
}

/// How the network and the disk behave, in cases of a thousand and in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    pub(super) lag: u64,
    pub(super) away: u64,
    pub(super) request_lost: u64,
    pub(super) reply_lost: u64,
    pub(super) late: u64,
}

/// A clock that jumps a year, for a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jump {
    pub(super) at: u64,
    pub(super) lasts: u64,
    pub(super) seconds: i64,
    /// The store's clock jumps with it: they are one machine.
    pub(super) with_store: bool,
}

/// One world.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How far each node's clock is off, in seconds; one a node.
    pub(super) skews: Vec<i64>,
    pub(super) attack: Attack,
    pub(super) weather: Weather,
    /// When a node dies, in milliseconds.
    pub(super) crashes: Vec<(usize, u64)>,
    pub(super) jump: Option<Jump>,
    /// When the store forgets what it acknowledged last.
    pub(super) failovers: Vec<u64>,
    /// How many things the owner does.
    pub(super) acts: usize,
}

const YEAR: i64 = 365 * 24 * 3_600;
/// About how long a story takes.
const STORY: u64 = 15 * 60 * 1_000;

impl Plan {
    pub(super) fn draw(world: &Clockwork) -> Self {
        let nodes = 1 + usize::try_from(world.below(3)).unwrap_or(0);
        let skew = |_| i64::try_from(world.below(11)).unwrap_or(0) - 5;
        let bad = world.chance(700);
        let often = |most: u64| if bad { world.below(most) } else { 0 };
        let weather = Weather {
            lag: if world.chance(300) { 0 } else { world.below(120) },
            away: often(40),
            request_lost: often(60),
            reply_lost: often(120),
            late: often(60),
        };
        let attack = if world.chance(650) { Attack::Password } else { Attack::Name };
        let crashes = (0..often(5)).map(|_| {
            let node = usize::try_from(world.below(nodes as u64)).unwrap_or(0);
            (node, world.below(STORY))
        });
        let crashes = crashes.collect();
        let jump = world.chance(250).then(|| Jump {
            at: world.below(STORY / 2),
            lasts: 20_000 + world.below(120_000),
            seconds: if world.chance(500) { YEAR } else { -YEAR },
            with_store: world.chance(500),
        });
        let forgetful = jump.is_none() && world.chance(200);
        let failovers = if forgetful {
            (0..=world.below(4)).map(|_| world.below(STORY)).collect()
        } else {
            Vec::new()
        };
        let skews = (0..nodes).map(skew).collect();
        let acts = 5 + usize::try_from(world.below(4)).unwrap_or(0);
        Self { skews, attack, weather, crashes, jump, failovers, acts }
    }

    /// The same world, in which a planted bug has what it needs to do harm.
    pub(super) fn for_bug(self, bug: Bug) -> Self {
        match bug {
            Bug::FloorsAhead => Self {
                attack: Attack::Name,
                jump: Some(Jump { at: STORY / 4, lasts: 120_000, seconds: YEAR, with_store: true }),
                failovers: Vec::new(),
                ..self
            },
            Bug::SplitBrain if self.skews.len() < 2 => Self { skews: vec![0, 1], ..self },
            _ => self,
        }
    }
}
