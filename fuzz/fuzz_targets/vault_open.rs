//! Any bytes are opened as nothing but what was sealed; any text is read as a key file or refused,
//! and what is read has one form.
#![no_main]

use std::sync::LazyLock;

use countersign_vault::{Purpose, Ring, Vault};
use libfuzzer_sys::fuzz_target;

const RECORD: Purpose = Purpose::new("record");

static RING: LazyLock<Ring> = LazyLock::new(|| {
    let mut byte = 0u8;
    Ring::try_new(|secret| {
        secret.fill_with(|| {
            byte = byte.wrapping_mul(5).wrapping_add(3);
            byte
        });
        Ok::<_, ()>(())
    })
    .expect("a ring")
});

static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    RING.seal(RECORD, &[b"alice"], [9; 24], b"what nobody may read").expect("sealed")
});

fuzz_target!(|data: &[u8]| {
    if RING.open(RECORD, &[b"alice"], data).is_ok() {
        assert_eq!(data, &**SEALED);
    }

    let mut changed = SEALED.clone();
    for change in data.chunks_exact(2) {
        let place = usize::from(change[0]) % changed.len();
        changed[place] = change[1];
    }
    assert_eq!(RING.open(RECORD, &[b"alice"], &changed).is_ok(), changed == *SEALED);
    assert_eq!(RING.open(RECORD, &[data], &SEALED).is_ok(), data == b"alice");

    // A context cut anywhere is another context.
    let cut = data.len() / 2;
    let sealed = RING.seal(RECORD, &[data], [9; 24], b"").expect("sealed");
    assert!(RING.open(RECORD, &[&data[..cut], &data[cut..]], &sealed).is_err());
    assert!(RING.open(RECORD, &[data], &sealed).is_ok());

    if let Some(ring) = str::from_utf8(data).ok().and_then(|text| Ring::parse(text).ok()) {
        let text = ring.to_text();
        assert_eq!(*Ring::parse(&text).expect("what it wrote itself").to_text(), *text);
    }
});
