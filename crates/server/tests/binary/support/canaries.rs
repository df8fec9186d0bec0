//! Whatever the tests and a server say to each other in confidence, so that the end of each server can look for it in
//! what the server left behind: its log and its database's files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_conformance::canary::Canaries;
use serde_json::Value;

/// The fields of the wire whose values are secret. A code of six digits is in every log by chance; `leaks.rs` looks for
/// those.
const SECRET_FIELDS: [&str; 11] = [
    "password",
    "newPassword",
    "secret",
    "value",
    "token",
    "mfaToken",
    "otcToken",
    "webauthnToken",
    "accessToken",
    "refreshToken",
    "recoveryCode",
];

/// A test that tries thousands of bodies is about those, and not about this.
const MOST: usize = 300;
/// Nothing of ours is as long, in bytes; what is sent to be refused may be.
const LONGEST: usize = 1000;

static SAID: Mutex<BTreeMap<String, Canaries>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// What no request holds: the secrets of the authenticators that this test scanned.
    static KEPT: RefCell<Canaries> = RefCell::new(Canaries::new());
}

/// Marks what is secret in a body to or from the server of this URL.
pub(crate) fn note_body(url: &str, body: &Value) {
    each_secret(body, &mut |name, text| note(url, name, text));
}

/// What is secret in a body.
pub(crate) fn secrets_in(body: &Value) -> Canaries {
    let mut marked = Canaries::new();
    each_secret(body, &mut |name, text| mark(&mut marked, name, text));
    marked
}

fn each_secret(body: &Value, told: &mut impl FnMut(&str, &str)) {
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SECRET_FIELDS.contains(&name.as_str()) => {
                        if text.len() < LONGEST {
                            told(name, text);
                        }
                    }
                    Value::Array(codes) if name == "recoveryCodes" => {
                        codes.iter().filter_map(Value::as_str).for_each(|code| told(name, code));
                    }
                    other => each_secret(other, told),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| each_secret(value, told)),
        _ => {}
    }
}

/// Marks a value that the server of this URL knows.
pub(crate) fn note(url: &str, name: &str, text: &str) {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let marked = said.entry(url.trim_end_matches('/').to_owned()).or_default();
    if marked.len() < MOST && text.len() < LONGEST {
        mark(marked, name, text);
    }
}

/// Marks a secret that a QR code showed.
pub(crate) fn keep(name: &str, base32: &str) {
    KEPT.with_borrow_mut(|kept| mark(kept, name, base32));
}

/// The text, and the bytes that it spells.
pub(crate) fn mark(marked: &mut Canaries, name: &str, text: &str) {
    marked.mark_text(name, text);
    // The signature is what makes it a token.
    if let Some((_, signature)) = text.rsplit_once('.') {
        marked.mark(name, signature.as_bytes());
    }
    if let Ok(bytes) = Base64UrlUnpadded::decode_vec(text) {
        marked.mark(name, &bytes);
    }
    let bare = text.replace('-', "");
    for alphabet in [base32::Alphabet::Rfc4648 { padding: false }, base32::Alphabet::Crockford] {
        if let Some(bytes) = base32::decode(alphabet, &bare) {
            marked.mark(name, &bytes);
        }
    }
}

/// Everything that was said to this server, and everything that this test knows.
pub(crate) fn known(url: &str) -> Canaries {
    let mut known = KEPT.with_borrow(Clone::clone);
    let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(marked) = said.get(url.trim_end_matches('/')) {
        known.add(marked);
    }
    known
}

/// None of it is in the log, nor in the database's file, its log or its index.
#[track_caller]
pub(crate) fn assert_kept(url: &str, log: &str, data: &Path) {
    let known = known(url);
    if known.is_empty() {
        return;
    }
    assert_none(&known, "the log", log.as_bytes());
    for end in ["", "-wal", "-shm", "-journal"] {
        // Which of them there are is the database's affair.
        if let Ok(bytes) = std::fs::read(data.join(format!("countersign.sqlite{end}"))) {
            assert_none(&known, &format!("the database's file {end}"), &bytes);
        }
    }
}

/// None of it shows in these bytes.
#[track_caller]
pub(crate) fn assert_none(known: &Canaries, place: &str, shown: &[u8]) {
    let search = known.search().unwrap();
    let found = search.find(shown);
    let lines = shown.split(|byte| *byte == b'\n').filter(|line| !search.find(line).is_empty());
    let lines: Vec<String> = lines.take(5).map(outline).collect();
    assert!(found.is_empty(), "{place} holds what nobody may see: {found:?} in {lines:#?}");
}

/// A line as it can be shown: each word with a digit is blanked.
fn outline(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    line.split_inclusive(|letter: char| !letter.is_alphanumeric())
        .map(|word| {
            let blank = word.contains(|letter: char| letter.is_ascii_digit());
            let hidden = |letter: char| if letter.is_alphanumeric() { '#' } else { letter };
            word.chars()
                .map(|letter| if blank { hidden(letter) } else { letter })
                .collect::<String>()
        })
        .collect::<String>()
        .chars()
        .take(2000)
        .collect()
}
