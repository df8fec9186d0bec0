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
    area: &'static str,
    name: &'static str,
}

impl Purpose {
    /// The purpose called `name`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { area: "", name }
    }

    /// The purpose `name` inside `area`: for families of purposes such as token kinds, which can
    /// then never meet a purpose made by [`new`](Self::new), whatever their names are. An empty
    /// `area` is that of `new`.
    #[must_use]
    pub const fn scoped(area: &'static str, name: &'static str) -> Self {
        Self { area, name }
    }

    pub(crate) const fn parts(&self) -> [&[u8]; 2] {
        [self.area.as_bytes(), self.name.as_bytes()]
    }
}
