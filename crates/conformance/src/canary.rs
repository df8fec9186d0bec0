//! Marked values, and whether some bytes hold one: in a log, a database's file, an answer, a `Debug`.
//!
//! A value hides in many spellings. Looked for are its bytes, hex, base32, base64 (at each place in a
//! longer text), percent and JSON escapes, UTF-16, and a list of numbers as `Debug` writes one; lines
//! may be broken anywhere. What is compressed or encrypted is not seen.
//!
//! A code of few digits is in every log by chance, so it counts only as a run of digits of its length, and not within
//! a UUID or a trace identifier.

use std::collections::BTreeSet;
use std::fmt;

use aho_corasick::AhoCorasick;

const HEX: &[u8] = b"0123456789abcdef";
const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE32_LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The shortest value that is looked for, in bytes: shorter ones are found by chance.
pub const SHORTEST: usize = 8;
/// How many different bytes a value has at least.
const DISTINCT: usize = 4;

/// Values that must not show. Its `Debug` shows none.
#[derive(Clone, Default)]
pub struct Canaries {
    values: BTreeSet<(String, Vec<u8>)>,
    codes: BTreeSet<(String, Vec<u8>)>,
}

/// A value that showed: which, and how it was spelled.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Leak {
    /// What the value was marked as.
    pub name: String,
    /// The spelling that it was found in.
    pub spelling: &'static str,
}

impl Canaries {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Marks bytes; those below [`SHORTEST`], and those of hardly more than one byte again and again, are not: zeros are
    /// everywhere.
    pub fn mark(&mut self, name: &str, value: &[u8]) {
        let distinct: BTreeSet<u8> = value.iter().copied().collect();
        if value.len() >= SHORTEST && distinct.len() >= DISTINCT {
            self.values.insert((name.to_owned(), value.to_vec()));
        }
    }

    /// Marks a text, also without its dashes and in either case.
    pub fn mark_text(&mut self, name: &str, text: &str) {
        let bare = text.replace('-', "");
        for spelled in [text, &bare] {
            self.mark(name, spelled.as_bytes());
            self.mark(name, spelled.to_ascii_lowercase().as_bytes());
            self.mark(name, spelled.to_ascii_uppercase().as_bytes());
        }
    }

    /// Marks a code of at least six digits.
    pub fn mark_code(&mut self, name: &str, code: &str) {
        if code.len() >= 6 && code.bytes().all(|digit| digit.is_ascii_digit()) {
            self.codes.insert((name.to_owned(), code.as_bytes().to_vec()));
        }
    }

    /// Marks what another has marked.
    pub fn add(&mut self, other: &Self) {
        self.values.extend(other.values.iter().cloned());
        self.codes.extend(other.codes.iter().cloned());
    }

    /// How many values are marked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len().saturating_add(self.codes.len())
    }

    /// Is none marked?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every marked value that shows in these bytes, by name and spelling, each once.
    ///
    /// # Errors
    /// There are more values than fit one search.
    pub fn find(&self, shown: &[u8]) -> Result<BTreeSet<Leak>, TooMany> {
        Ok(self.search()?.find(shown))
    }

    /// A search for all of them, for many places.
    ///
    /// # Errors
    /// There are more values than fit one search.
    pub fn search(&self) -> Result<Search, TooMany> {
        let needles: Vec<_> = self
            .values
            .iter()
            .flat_map(|(name, value)| spellings(value).into_iter().map(move |of| (name, of)))
            .collect();
        let any = AhoCorasick::new(needles.iter().map(|(_, (_, needle))| needle));
        let leaks =
            needles.into_iter().map(|(name, (spelling, _))| Leak { name: name.clone(), spelling });
        Ok(Search {
            any: any.map_err(|_| TooMany)?,
            leaks: leaks.collect(),
            codes: self.codes.clone(),
        })
    }
}

/// See [`Canaries::search`].
pub struct Search {
    any: AhoCorasick,
    /// What each of its patterns is.
    leaks: Vec<Leak>,
    codes: BTreeSet<(String, Vec<u8>)>,
}

impl Search {
    /// Every marked value that shows in these bytes, by name and spelling, each once.
    #[must_use]
    pub fn find(&self, shown: &[u8]) -> BTreeSet<Leak> {
        let joined: Vec<u8> =
            shown.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let mut found = BTreeSet::new();
        for text in [shown, &joined] {
            let hits = self.any.find_overlapping_iter(text);
            found.extend(hits.filter_map(|hit| self.leaks.get(hit.pattern().as_usize()).cloned()));
        }
        let words = shown.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-');
        for word in words.filter(|word| !is_identifier(word)) {
            for run in word.split(|byte| !byte.is_ascii_digit()) {
                let codes = self.codes.iter().filter(|(_, code)| code == run);
                found
                    .extend(codes.map(|(name, _)| Leak { name: name.clone(), spelling: "digits" }));
            }
        }
        found
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Search")
    }
}

impl fmt::Debug for Canaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canaries({})", self.len())
    }
}

/// More values than fit one search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many marked values for one search")
    }
}

impl std::error::Error for TooMany {}

/// Every spelling of a value that is looked for.
fn spellings(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![
        ("raw", value.to_vec()),
        ("numbers", each(value, |byte| format!("{byte},"))),
        ("numbers", each(value, |byte| format!("{byte}, "))),
        ("hex numbers", each(value, |byte| format!("0x{byte:02x},"))),
        ("percent", each(value, percent)),
        ("percent", each(value, |byte| percent(byte).to_ascii_lowercase())),
        ("percent", each(value, |byte| format!("%{byte:02X}"))),
        ("percent", each(value, |byte| format!("%{byte:02x}"))),
        ("rust escapes", value.escape_ascii().to_string().into_bytes()),
    ];
    for (name, alphabet) in [
        ("hex", HEX),
        ("hex", HEX_UPPER),
        ("base32", BASE32),
        ("base32", BASE32_LOWER),
        ("crockford", CROCKFORD),
        ("base64", BASE64),
        ("base64url", BASE64URL),
    ] {
        all.extend(packed(value, alphabet).into_iter().map(|text| (name, text)));
    }
    if let Ok(text) = std::str::from_utf8(value) {
        let units = || text.encode_utf16();
        all.push(("utf-16", units().flat_map(u16::to_le_bytes).collect()));
        all.push(("utf-16", units().flat_map(u16::to_be_bytes).collect()));
        all.push(("json", units().map(|unit| format!("\\u{unit:04x}")).collect::<String>().into()));
        all.push(("json", text.chars().map(json).collect::<String>().into()));
    }
    // A list ends without its comma.
    for (_, text) in all.iter_mut().filter(|(name, _)| name.ends_with("numbers")) {
        text.truncate(text.trim_ascii_end().len().saturating_sub(1));
    }
    all.retain(|(_, text)| text.len() >= SHORTEST);
    all.sort();
    all.dedup_by(|one, other| one.1 == other.1);
    all
}

/// A whole UUID (RFC 9562, section 4), or 16 bytes in hexadecimal, as a trace identifier is: every few thousand walks one
/// of them has a code's digits in a row.
fn is_identifier(word: &[u8]) -> bool {
    let groups = || word.split(|byte| *byte == b'-');
    let shaped = match word.len() {
        32 => groups().count() == 1,
        36 => groups().map(<[u8]>::len).eq([8, 4, 4, 4, 12]),
        _ => false,
    };
    shaped
        && groups().flatten().all(u8::is_ascii_hexdigit)
        && word.iter().any(u8::is_ascii_alphabetic)
}

fn each(value: &[u8], spell: impl Fn(u8) -> String) -> Vec<u8> {
    value.iter().map(|byte| spell(*byte)).collect::<String>().into_bytes()
}

/// RFC 3986, section 2.3: what is unreserved stands as it is.
fn percent(byte: u8) -> String {
    match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

/// RFC 8259, section 7: what must be escaped.
fn json(letter: char) -> String {
    match letter {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        _ if u32::from(letter) < 0x20 => format!("\\u{:04x}", u32::from(letter)),
        _ => letter.to_string(),
    }
}

/// The value in an alphabet of 2^n letters, at each place that it can have in a longer text: without the letters that
/// its neighbours have a part in.
fn packed(value: &[u8], alphabet: &[u8]) -> BTreeSet<Vec<u8>> {
    let width = usize::try_from(alphabet.len().max(2).ilog2()).unwrap_or(1);
    let bits: Vec<bool> = value
        .iter()
        .flat_map(|byte| (0..8_u32).rev().map(move |place| byte.wrapping_shr(place) & 1 == 1))
        .collect();
    (0..width)
        .filter_map(|before| {
            let bytes_before = before.saturating_mul(8);
            let skipped = bytes_before.next_multiple_of(width).saturating_sub(bytes_before);
            let letters = bits.get(skipped..)?.chunks_exact(width).map(|group| {
                let index =
                    group.iter().fold(0, |index: usize, bit| index << 1 | usize::from(*bit));
                alphabet.get(index).copied().unwrap_or_default()
            });
            Some(letters.collect())
        })
        .collect()
}
