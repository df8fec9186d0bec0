use crate::steam::*;
use countersign_otp::*;
use proptest::prelude::*;
extern crate std;
use std::format;

#[test]
fn codes_are_written_least_significant_first() {
    assert_eq!(SteamCode::from_value(0).as_str(), "22222");
    assert_eq!(SteamCode::from_value(1).as_str(), "32222");
    assert_eq!(SteamCode::from_value(26).as_str(), "23222");
    assert_eq!(SteamCode::from_value(26_u64.pow(5) - 1).as_str(), "YYYYY");
}

#[test]
fn only_its_alphabet_is_read() {
    for text in ["", "2222", "222222", "2222A", "2222 ", "1BCDF", "2222\u{e9}", "\u{661}222"] {
        assert_eq!(SteamCode::parse(text).unwrap_err(), Invalid::SteamCode, "{text}");
    }
    let code = SteamCode::parse("vwxy9").unwrap();
    assert_eq!(code.as_str(), "VWXY9");
    assert_eq!(format!("{code:?}"), "SteamCode(..)");
    assert_ne!(code, SteamCode::parse("VWXY8").unwrap());
    for byte in 0..=0x7f_u8 {
        let known = b"23456789BCDFGHJKMNPQRTVWXY".contains(&byte.to_ascii_uppercase());
        assert_eq!(SteamCode::parse(&format!("2222{}", char::from(byte))).is_ok(), known);
    }
}

#[test]
fn it_is_found_in_its_window_once() {
    let key = Steam.key(&Secret::from_bytes(&[5; 20]).unwrap());
    let now = UnixTime::from_secs(1_700_000_000);
    let step = Steam.step_at(now);
    let code = Steam.code(&key, step.checked_offset(-1).unwrap());
    let find = |spent, window| Steam.find(&key, &code, window, Drift::NONE, spent, now);
    let fresh =
        Found::Fresh { step: step.checked_offset(-1).unwrap(), drift: Drift::new(-1).unwrap() };
    assert_eq!(find(None, Window::DEFAULT), fresh);
    assert_eq!(find(step.checked_offset(-1), Window::DEFAULT), Found::Replayed);
    assert_eq!(find(None, Window::NONE), Found::No);
}

proptest! {
    #[test]
    fn a_value_is_written_and_read(value in 0..26_u64.pow(5)) {
        let code = SteamCode::from_value(value);
        prop_assert_eq!(code.value(), value);
        prop_assert_eq!(SteamCode::parse(code.as_str()).unwrap(), code);
    }
}
