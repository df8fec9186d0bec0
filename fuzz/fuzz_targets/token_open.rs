//! Any text is opened as no token, sealed or opaque, but the ones that were made; and those in
//! their one form.
#![no_main]

use std::sync::LazyLock;

use countersign_token::{Kind, Opaque, Token};
use countersign_vault::Ring;
use libfuzzer_sys::fuzz_target;

enum Login {}

impl Kind for Login {
    const NAME: &'static str = "login";
    type Claims = (u64, String, Option<[u8; 16]>, Vec<u32>);
}

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

static TOKEN: LazyLock<Token<Login>> = LazyLock::new(|| {
    let claims = (7, "alice".to_owned(), Some([1; 16]), vec![1, 2, 3]);
    Token::seal(&*RING, &[b"realm"], [9; 24], &claims).expect("a token")
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    // Found by changing it: what opens is the token, octet by octet.
    if Token::<Login>::open(&*RING, &[b"realm"], text).is_ok() {
        assert_eq!(text, TOKEN.as_str());
    }
    if let Ok(token) = Opaque::<Login>::parse(text) {
        assert_eq!(&**token.to_text(), text);
    }

    // The same bytes as places to change in a token that opens.
    let mut changed = TOKEN.as_str().as_bytes().to_vec();
    for change in data.chunks_exact(2) {
        let place = usize::from(change[0]) % changed.len();
        changed[place] = change[1] & 0x7f;
    }
    let changed = str::from_utf8(&changed).expect("ASCII");
    let opened = Token::<Login>::open(&*RING, &[b"realm"], changed);
    assert_eq!(opened.is_ok(), changed == TOKEN.as_str());
});
