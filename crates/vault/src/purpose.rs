//! What a key is used for. Every purpose has subkeys of its own, so that nothing made for one is
//! ever taken for another.

use core::fmt;
use core::hash::{Hash, Hasher};

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
#[derive(Clone, Copy)]
pub struct Purpose {
    /// Of the two texts. Two purposes are compared each time that something is sealed or digested, and all but always
    /// this tells them apart.
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
        Self { sum: sum(sum(BASIS, area), name), area, name }
    }

    pub(crate) const fn parts(&self) -> [&[u8]; 2] {
        [self.area.as_bytes(), self.name.as_bytes()]
    }
}

impl PartialEq for Purpose {
    fn eq(&self, other: &Self) -> bool {
        // What is empty is not compared: the `memcmp` of glibc on AVX-512 reads an empty slice under an empty mask, from
        // an address where nothing is, and that takes the processor a tenth of a microsecond.
        let same = |a: &str, b: &str| a.len() == b.len() && (a.is_empty() || a == b);
        self.sum == other.sum && same(self.name, other.name) && same(self.area, other.area)
    }
}

impl Eq for Purpose {}

impl Hash for Purpose {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl fmt::Debug for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Purpose").field("area", &self.area).field("name", &self.name).finish()
    }
}

/// What FNV-1a begins with.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, on from what was summed before.
const fn sum(mut sum: u64, text: &str) -> u64 {
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        sum = (sum ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        rest = after;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_of_one_sum_are_told_apart() {
        let alike = [Purpose::new("ab"), Purpose::scoped("a", "b"), Purpose::scoped("ab", "")];
        assert!(alike.iter().all(|of| of.sum == alike[0].sum), "else this shows nothing");
        for (n, of) in alike.iter().enumerate() {
            assert_eq!(alike.iter().position(|other| other == of), Some(n));
        }
        assert_ne!(Purpose::new("a").sum, Purpose::new("b").sum);
    }
}
