//! The settle: one script, atomic on the partition that it touches.
//!
//! It compares all 16 bytes, judges the expiry by Redis's own clock, and writes nothing unless it
//! wins. Whatever can fail for what stands there (a name of another type) fails before the first
//! write of the record.

use std::io::Write as _;
use std::sync::LazyLock;

use countersign_ceremony::port::{EventRow, Outbox, Settle, Settled, StoreError, WhenFull};
use redis::{Cmd, RedisWrite, Script, ToRedisArgs, ToSingleRedisArg, Value, cmd};

use crate::names::{Names, Partition};
use crate::record::{dropped, head};

/// How many events one settle may bring.
const EVENTS: usize = 4000;

/// The largest record or event, in bytes; far above any of ours.
const LARGEST: usize = 16 << 20;

/// KEYS: record, events, index, ending. ARGV: the version that must stand, the value, the second
/// at which it is dropped or nothing, the bound, refuse or drop, and the events.
const SETTLE: &str = r"
local head = redis.call('GETRANGE', KEYS[1], 0, 23)
local absent, never = string.rep('\0', 16), string.rep('\255', 8)
local stands, ends, now = absent, false, false
if #head == 24 then
  stands = string.sub(head, 1, 16)
  ends = string.sub(head, 17) ~= never
  if ends then
    now = tonumber(redis.call('TIME')[1])
    if struct.unpack('>I8', head, 17) <= now then stands = absent end
  end
elseif #head ~= 0 then
  return redis.error_reply('CORRUPT a record without its head')
end
if stands ~= ARGV[1] then return 0 end
local came, bound = #ARGV - 5, tonumber(ARGV[4])
if came > 0 then
  local waiting = redis.call('LLEN', KEYS[2])
  if ARGV[5] == 'refuse' and waiting + came > bound then return 2 end
end
local key = string.sub(KEYS[1], -32)
if #head == 0 then redis.call('ZADD', KEYS[3], 0, key) end
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[4], ARGV[3], key)
  if #head == 0 then
    now = now or tonumber(redis.call('TIME')[1])
    for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', '(' .. now, 'LIMIT', 0, 2)) do
      redis.call('ZREM', KEYS[4], gone)
      redis.call('ZREM', KEYS[3], gone)
    end
  end
  redis.call('SET', KEYS[1], ARGV[2], 'EXAT', ARGV[3])
else
  if ends then redis.call('ZREM', KEYS[4], key) end
  redis.call('SET', KEYS[1], ARGV[2])
end
if came > 0 and redis.call('RPUSH', KEYS[2], unpack(ARGV, 6)) > bound then
  redis.call('LTRIM', KEYS[2], -bound, -1)
end
return 1
";

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SETTLE));

/// Puts the script where `EVALSHA` finds it.
pub(crate) fn load() -> Cmd {
    let mut load = cmd("SCRIPT");
    load.arg("LOAD").arg(SETTLE);
    load
}

/// One settle.
pub(crate) struct Call<'a> {
    settle: &'a Settle,
    names: &'a Names,
    outbox: Outbox,
}

impl<'a> Call<'a> {
    /// Nothing where the settle is larger than any that may be written.
    pub(crate) fn of(settle: &'a Settle, names: &'a Names, outbox: Outbox) -> Option<Self> {
        let mut sizes = settle.events.iter().map(|event| event.bytes.len());
        let large = settle.bytes.len() > LARGEST || sizes.any(|size| size > LARGEST);
        (!large && settle.events.len() <= EVENTS).then_some(Self { settle, names, outbox })
    }

    /// By its digest, as nearly always.
    pub(crate) fn by_digest(&self) -> Cmd {
        self.command("EVALSHA", SCRIPT.get_hash())
    }

    /// With its text, for a server that does not have it.
    pub(crate) fn by_text(&self) -> Cmd {
        self.command("EVAL", SETTLE)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let Settle { key, expected, next, bytes, events, expiry } = self.settle;
        let partition = Partition::of(key);
        // A share of the bound to each partition, rounded up.
        let bound = self.outbox.bound.div_ceil(countersign_ceremony::port::Key::PARTITIONS.into());
        let full = match self.outbox.when_full {
            WhenFull::Refuse => "refuse",
            WhenFull::DropOldest => "drop",
        };
        let size = |event: &EventRow| event.id.0.len().saturating_add(event.bytes.len());
        let events_size: usize = events.iter().map(size).sum();
        let size = script.len().saturating_add(bytes.len()).saturating_add(events_size);
        let count = events.len().saturating_add(FIXED);
        let mut command = Cmd::with_capacity(count, size.saturating_add(FIXED_SIZE));
        command.arg(name).arg(script).arg(4);
        command.arg(self.names.record(key)).arg(self.names.events(partition));
        command.arg(self.names.index(partition)).arg(self.names.ending(partition));
        command.arg(&expected.to_bytes()).arg(Joined([&head(*next, *expiry), bytes]));
        match dropped(*expiry) {
            Some(end) => command.arg(end),
            None => command.arg(""),
        };
        command.arg(bound).arg(full);
        for EventRow { id, bytes } in events {
            command.arg(Joined([&id.0, bytes]));
        }
        command
    }
}

/// How many arguments there are beside the events.
const FIXED: usize = 12;

/// What those take that are not counted, but for a long prefix.
const FIXED_SIZE: usize = 256;

/// One argument of two parts, without a copy that joins them.
struct Joined<'a>([&'a [u8]; 2]);

impl ToRedisArgs for Joined<'_> {
    fn write_redis_args<W: RedisWrite + ?Sized>(&self, out: &mut W) {
        let mut argument = out.writer_for_next_arg();
        for part in self.0 {
            // It is written to memory.
            let _written = argument.write_all(part);
        }
    }
}

impl ToSingleRedisArg for Joined<'_> {}

/// What the script answered.
pub(crate) fn verdict(answer: &Value) -> Result<Settled, StoreError> {
    match answer {
        Value::Int(0) => Ok(Settled::Lost),
        Value::Int(1) => Ok(Settled::Won),
        Value::Int(2) => Err(StoreError::OutboxFull),
        _ => Err(StoreError::Unknown),
    }
}
