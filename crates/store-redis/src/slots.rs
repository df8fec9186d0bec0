//! Which master serves which slots: what `CLUSTER SLOTS` answers.

use redis::Value;

use crate::names::SLOTS;

/// The master of each slot, by its address.
#[derive(Debug)]
pub(crate) struct Slots {
    ranges: Vec<(u16, u16, String)>,
}

impl Slots {
    /// Reads an answer. A server that does not know its own host was reached at `asked`.
    pub(crate) fn read(answer: &Value, asked: &str) -> Option<Self> {
        let Value::Array(rows) = answer else { return None };
        let ranges = rows.iter().map(|row| range(row, asked)).collect::<Option<_>>()?;
        Some(Self { ranges })
    }

    /// The address of the master of this slot.
    pub(crate) fn master(&self, slot: u16) -> Option<&str> {
        let of = |(first, last, _): &&(u16, u16, String)| (*first..=*last).contains(&slot);
        self.ranges.iter().find(of).map(|(.., address)| address.as_str())
    }

    /// Has every slot a master?
    pub(crate) fn complete(&self) -> bool {
        (0..SLOTS).all(|slot| self.master(slot).is_some())
    }
}

/// One row: the first slot, the last one, the master, and replicas that are not asked.
fn range(row: &Value, asked: &str) -> Option<(u16, u16, String)> {
    let Value::Array(row) = row else { return None };
    let [first, last, Value::Array(master), ..] = row.as_slice() else { return None };
    let [host, port, ..] = master.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) if !host.is_empty() && host != b"?" => {
            String::from_utf8(host.clone()).ok()?
        }
        Value::BulkString(_) | Value::Nil => host_of(asked).to_owned(),
        _ => return None,
    };
    Some((number(first)?, number(last)?, format!("{host}:{}", number(port)?)))
}

/// The host of an address; an IPv6 one has colons of its own.
pub(crate) fn host_of(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

fn number(value: &Value) -> Option<u16> {
    match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: &str, port: i64) -> Value {
        let host = Value::BulkString(host.as_bytes().to_vec());
        Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())])
    }

    fn row(first: i64, last: i64, master: Value) -> Value {
        Value::Array(vec![Value::Int(first), Value::Int(last), master, node("replica", 9)])
    }

    #[test]
    fn each_slot_has_its_master() {
        let answer = Value::Array(vec![
            row(0, 5000, node("10.0.0.1", 7000)),
            row(5001, 16383, node("", 7001)),
        ]);
        let slots = Slots::read(&answer, "seed:6379").unwrap();
        assert_eq!(slots.master(0), Some("10.0.0.1:7000"));
        assert_eq!(slots.master(5000), Some("10.0.0.1:7000"));
        assert_eq!(slots.master(16383), Some("seed:7001"), "it does not know its own host");
        assert!(slots.complete());
    }

    #[test]
    fn a_hole_and_nonsense_are_seen() {
        let answer = Value::Array(vec![row(0, 5000, node("10.0.0.1", 7000))]);
        let slots = Slots::read(&answer, "seed:6379").unwrap();
        assert_eq!(slots.master(5001), None);
        assert!(!slots.complete());
        for nonsense in [
            Value::Nil,
            Value::Array(vec![Value::Int(1)]),
            Value::Array(vec![row(-1, 2, node("h", 1))]),
        ] {
            assert!(Slots::read(&nonsense, "seed:6379").is_none());
        }
    }
}
