//! The audit events, read as an operator reads them: `countersign events --data DIR`.

use std::path::Path;

use serde_json::Value;

use super::server::countersign;

/// All events of a data directory, oldest first.
#[derive(Debug)]
pub(crate) struct Events(Vec<Value>);

impl Events {
    /// Asks the binary. The server may be running.
    pub(crate) fn read(data: &Path) -> Self {
        let output = countersign().arg("events").arg("--data").arg(data).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "countersign events: {shown}");
        let lines = String::from_utf8(output.stdout).unwrap();
        Self(lines.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Are there none?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Events of one kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|event| event["kind"] == kind).collect()
    }

    /// How often a secret of this user was judged: (won, lost).
    pub(crate) fn judged(&self, user: &str) -> (usize, usize) {
        let judged: Vec<&Value> =
            self.of_kind("judged").into_iter().filter(|event| event["user"] == user).collect();
        let won = judged.iter().filter(|event| event["won"] == true).count();
        (won, judged.len() - won)
    }
}
