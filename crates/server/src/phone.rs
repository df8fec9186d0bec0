//! Phone numbers as people type them, in the one spelling of ITU-T E.164.
//!
//! Dashes, spaces, dots and parentheses are passed over. The zero that is dialled at home and not
//! from abroad, as in `+44 (0)20 ..`, is taken out: `phonenumber` knows where there is one and where,
//! as in Italy, it belongs to the number. So a number has one spelling, and one budget. What is
//! refused: a number without its country, one of a country that there is not, and anything longer
//! than a number can be, before the library sees it.

use countersign_device::{PhoneNumber, PhoneNumberError};
use phonenumber::metadata::DATABASE;

/// Longer than any number with all that is written between its digits.
const LONGEST: usize = 40;

/// Reads a number.
///
/// # Errors
/// [`PhoneNumberError`].
pub(crate) fn normalised(text: &str) -> Result<PhoneNumber, PhoneNumberError> {
    let rest = text.trim().strip_prefix('+').ok_or(PhoneNumberError)?;
    if rest.len() > LONGEST {
        return Err(PhoneNumberError);
    }
    let mut typed = String::from("+");
    for char in rest.chars() {
        match char {
            '0'..='9' => typed.push(char),
            '-' | ' ' | '.' | '(' | ')' => {}
            _ => return Err(PhoneNumberError),
        }
    }
    // One digit more than a number has: the zero that is taken out.
    if typed.len() > 17 {
        return Err(PhoneNumberError);
    }
    let (country, zero) = country(&typed).ok_or(PhoneNumberError)?;
    let national = typed.strip_prefix(country).ok_or(PhoneNumberError)?;
    let national = if zero { national.trim_start_matches('0') } else { national };
    PhoneNumber::parse(&format!("{country}{national}"))
}

/// The calling code that a number begins with, and whether a zero before its numbers is dialled at
/// home alone. No code begins another.
fn country(typed: &str) -> Option<(&str, bool)> {
    (2..=4).find_map(|end| {
        let code = typed.get(..end)?;
        let countries = DATABASE.by_code(&code.get(1..)?.parse().ok()?)?;
        let zero = countries.iter().any(|country| country.national_prefix() == Some("0"));
        Some((code, zero))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for (typed, number) in [
            ("+15555550100", "+15555550100"),
            ("+1-555-555-0100", "+15555550100"),
            ("+1 (555) 555.0100", "+15555550100"),
            ("+972504589346", "+972504589346"),
            ("+972-0504589346", "+972504589346"),
            ("+44 (0)20 7183 8750", "+442071838750"),
            ("+4402071838750", "+442071838750"),
            ("+442071838750", "+442071838750"),
            ("+390612345678", "+390612345678"),
            ("+4915112345678", "+4915112345678"),
            ("+78001234567", "+78001234567"),
            ("+88213000001", "+88213000001"),
        ] {
            assert_eq!(normalised(typed).unwrap().to_string(), number, "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_of_a_country_is_refused() {
        let long = format!("+1{}", "-".repeat(100));
        for text in [
            "",
            "+",
            "5555550100",
            "0015555550100",
            "+0123456789",
            "+1555555010a",
            "+1;ext=5",
            "tel:+15555550100",
            "+15555550100,15555550101",
            "+15555550100\r\n+15555550101",
            "+１５５５５５５０１００",
            "+2100000000000",
            "+12345678901234567",
            &long,
        ] {
            assert_eq!(normalised(text), Err(PhoneNumberError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_an_error_and_reading_it_again_changes_nothing(
            text in "\\+?[0-9 ().-]{0,24}",
        ) {
            if let Ok(number) = normalised(&text) {
                prop_assert_eq!(normalised(&number.to_string()), Ok(number));
            }
        }
    }
}
