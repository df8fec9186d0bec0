//! What a key is used for. Every purpose has subkeys of its own, so that nothing made for one is
//! ever taken for another.

/// A domain separation label: two purposes never share a key (RFC 5869, section 3.2, `info`).
///
/// The label is part of what is stored: rename one, and nothing sealed or digested under it is
/// found again.
///
/// ```
/// use countersign_vault::Purpose;
///
/// const RECORD: Purpose = Purpose::new("record");
/// const LOGIN: Purpose = Purpose::scoped("token", "login");
/// assert_ne!(RECORD, LOGIN);
/// assert_ne!(Purpose::scoped("to", "kenlogin"), LOGIN);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose {
    /// First, because two of them are compared each time that something is sealed: all but always
    /// it tells them apart.
    sum: u64,
    area: &'static str,
    name: &'static str,
}

impl Purpose {
    /// The purpose called `name`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self::scoped("", name)
    }

    /// The purpose `name` inside `area`: for families of purposes such as token kinds, which can
    /// then never meet a purpose made by [`new`](Self::new), whatever their names are. An empty
    /// `area` is that of `new`.
    #[must_use]
    pub const fn scoped(area: &'static str, name: &'static str) -> Self {
        Self { sum: sum(sum(0, area), name), area, name }
    }

    /// Is it this one? Asked for each thing that is sealed or digested. What is empty is not compared: the
    /// `memcmp` of some systems reads an empty slice under an empty mask, from an address where nothing is, which
    /// takes the processor a fifth of a microsecond.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| a.len() == b.len() && (a.is_empty() || a == b);
        self.sum == other.sum && same(self.name, other.name) && same(self.area, other.area)
    }

    pub(crate) const fn parts(&self) -> [&[u8]; 2] {
        [self.area.as_bytes(), self.name.as_bytes()]
    }
}

/// A sum of what was summed before and a text (FNV-1a).
const fn sum(before: u64, text: &str) -> u64 {
    let mut sum = before ^ 0xcbf2_9ce4_8422_2325;
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        sum = (sum ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        rest = after;
    }
    sum
}
