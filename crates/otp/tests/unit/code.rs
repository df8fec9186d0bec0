use crate::code::*;
use crate::*;
use proptest::prelude::*;
extern crate std;
use std::{format, string::String};

#[test]
fn a_code_has_6_to_10_digits() {
    let digits = "0123456789012";
    for len in 0..=digits.len() {
        let text = &digits[..len];
        match Code::parse(text) {
            Ok(code) => {
                assert!((6..=10).contains(&len));
                assert_eq!(code.as_str(), text);
                assert_eq!(usize::from(code.digits()), len);
            }
            Err(error) => {
                assert!(!(6..=10).contains(&len));
                assert_eq!(error, Invalid::CodeLength);
            }
        }
    }
    assert_eq!(Code::parse(&"1".repeat(262)).unwrap_err(), Invalid::CodeLength);
}

#[test]
fn anything_else_is_refused() {
    let refused = [
        "12345 ",
        " 123456",
        "+12345",
        "-123456",
        "12345a",
        "123 456",
        "123-456",
        "1234\u{0}6",
        "12345\u{ff11}",
        "\u{661}\u{662}\u{663}",
        "1234.5",
        "0x1234",
        "1e5000",
        "12345/",
        "12345:",
    ];
    for text in refused {
        assert_eq!(Code::parse(text).unwrap_err(), Invalid::CodeCharacters, "{text:?}");
    }
    for place in 0..8 {
        let mut text = String::from("00000000");
        text.replace_range(place..=place, "x");
        assert_eq!(Code::parse(&text).unwrap_err(), Invalid::CodeCharacters);
    }
}

#[test]
fn equality_looks_at_every_digit_and_the_length() {
    let code = Code::parse("0000000000").unwrap();
    assert_eq!(code, code.clone());
    for place in 0..10 {
        let mut text = String::from("0000000000");
        text.replace_range(place..=place, "1");
        assert_ne!(code, Code::parse(&text).unwrap());
    }
    assert_ne!(code, Code::parse("000000000").unwrap());
}

#[test]
fn it_says_nothing() {
    assert_eq!(format!("{:?}", Code::parse("123456").unwrap()), "Code(..)");
}

proptest! {
    #[test]
    fn a_truncated_value_is_written_and_read(value in 0..1_u32 << 31, count in 6..=8_u8) {
        let code = Code::truncated(value, Digits::try_from(count).unwrap());
        let shown = value % 10_u32.pow(u32::from(count));
        let text = format!("{shown:0width$}", width = usize::from(count));
        prop_assert_eq!(code.as_str(), &text);
        prop_assert_eq!(code.last_eight(), u64::from(shown));
        prop_assert_eq!(Code::parse(&text).unwrap(), code);
    }

    #[test]
    fn only_digits_are_read(text in "\\PC{0,12}") {
        let digits = (6..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        prop_assert_eq!(Code::parse(&text).is_ok(), digits);
    }
}
