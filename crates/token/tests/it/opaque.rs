//! Opaque tokens: one canonical text, one digest a kind and family (attacks B-07, B-08).

use countersign_token::{FamilyId, Opaque, OpaqueError};
use proptest::prelude::*;

use crate::kinds::{Login, Session, filling, ring};

proptest! {
    #[test]
    fn reads_back(seed: u64) {
        let token = Opaque::<Login>::try_new(filling(seed)).unwrap();
        let text = token.to_text();
        prop_assert_eq!(text.len(), Opaque::<Login>::CHARS);
        let again = Opaque::<Login>::parse(&text).unwrap();
        prop_assert_eq!(again.family(), token.family());
        prop_assert_eq!(again.to_text(), text);
        prop_assert!(again.matches(&ring(1), &token.digest(&ring(1))));
    }

    #[test]
    fn any_text_is_read_as_itself_or_refused(text in "1?[A-Za-z0-9_=-]{62,66}|\\PC*") {
        if let Ok(token) = Opaque::<Login>::parse(&text) {
            prop_assert_eq!(&*token.to_text(), &text);
        }
    }
}

#[test]
fn every_other_character_gives_another_token_or_none() {
    let vault = ring(1);
    let token = Opaque::<Login>::try_new(filling(3)).unwrap();
    let (text, stored) = (token.to_text(), token.digest(&vault));
    for place in 0..text.len() {
        for byte in (0..128u8).filter(|byte| *byte != text.as_bytes()[place]) {
            let mut other = text.as_bytes().to_vec();
            other[place] = byte;
            let other = Opaque::<Login>::parse(str::from_utf8(&other).unwrap());
            assert!(other.is_err() || !other.unwrap().matches(&vault, &stored), "{place} {byte}");
        }
    }
}

#[test]
fn a_digest_is_of_one_kind_family_and_vault() {
    let token = Opaque::<Login>::try_new(filling(3)).unwrap();
    let stored = token.digest(&ring(1));
    let as_session = Opaque::<Session>::parse(&token.to_text()).unwrap();
    assert!(!as_session.matches(&ring(1), &stored));
    assert!(!token.matches(&ring(2), &stored));

    let of = |family: u8, seed| {
        Opaque::<Login>::try_in(FamilyId::from_bytes([family; 16]), filling(seed)).unwrap()
    };
    assert!(of(1, 5).matches(&ring(1), &of(1, 5).digest(&ring(1))));
    assert!(!of(1, 5).matches(&ring(1), &of(2, 5).digest(&ring(1))));
    assert!(!of(1, 5).matches(&ring(1), &of(1, 6).digest(&ring(1))));
}

#[test]
fn the_next_one_keeps_the_family_and_nothing_else() {
    let mut fill = filling(3);
    let token = Opaque::<Login>::try_new(&mut fill).unwrap();
    let next = token.try_next(&mut fill).unwrap();
    assert_eq!(next.family(), token.family());
    assert!(!next.matches(&ring(1), &token.digest(&ring(1))));
}

#[test]
fn other_versions_and_lengths_are_refused() {
    let text = Opaque::<Login>::try_new(filling(3)).unwrap().to_text();
    let (other, longer) = (format!("2{}", &text[1..]), format!("{}A", *text));
    let shorter = (0..text.len()).map(|length| &text[..length]);
    for text in shorter.chain([&*other, &longer, &"1".repeat(1 << 20)]) {
        assert_eq!(Opaque::<Login>::parse(text).unwrap_err(), OpaqueError, "{text}");
    }
}

#[test]
fn a_generator_that_fails_makes_no_token() {
    assert_eq!(Opaque::<Login>::try_new(|_| Err("no entropy")).unwrap_err(), "no entropy");
}

#[test]
fn debug_shows_the_family_and_no_secret() {
    let token = Opaque::<Login>::try_in(FamilyId::from_bytes([0xab; 16]), |secret| {
        secret.fill(0xcd);
        Ok::<_, ()>(())
    });
    let shown = format!("{:?}", token.unwrap());
    assert_eq!(shown, format!("Opaque<login>(FamilyId({}), ..)", "ab".repeat(16)));
}
