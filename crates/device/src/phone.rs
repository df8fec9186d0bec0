//! Phones: a number that codes are sent to.
//!
//! SMS is a restricted factor (NIST SP 800-63B-4, 3.1.3.3): a number is bound by a code that came
//! to it, and another number is a new phone.

use std::fmt;

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use crate::{Device, DeviceId, Pending};

/// A phone that is confirmed.
pub type Phone = Device<PhoneNumber>;

/// A number in the form of ITU-T E.164: `+`, a country code, and the rest, 7 to 15 digits in all.
/// What people type is normalised before, where their country is known.
///
/// ```
/// # use countersign_device::PhoneNumber;
/// let number = PhoneNumber::parse("+15555550100")?;
/// assert_eq!((number.to_string(), number.mask()), ("+15555550100".into(), "+***00".into()));
/// # Ok::<(), countersign_device::PhoneNumberError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct PhoneNumber(u64);

/// By what a message reaches a phone. It is the same number, and the same factor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum PhoneChannel {
    /// A short message.
    #[default]
    Sms,
    /// `WhatsApp`.
    WhatsApp,
}

/// A text or number that is no phone number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PhoneNumberError;

impl fmt::Display for PhoneNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a phone number is + and 7 to 15 digits, the first of them not 0")
    }
}

impl std::error::Error for PhoneNumberError {}

impl PhoneNumber {
    /// A number that is nobody's: no country code begins so. For work that leads to nothing.
    pub const NONE: Self = Self(999_999_999_999_999);

    /// Checks a number. There is one way to write each.
    ///
    /// # Errors
    /// [`PhoneNumberError`].
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        let digits = text.strip_prefix('+').ok_or(PhoneNumberError)?;
        // A leading zero, or a second sign, would be a second spelling of a number.
        if digits.len() > 15 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneNumberError);
        }
        if digits.starts_with('0') {
            return Err(PhoneNumberError);
        }
        digits.parse::<u64>().map_err(|_| PhoneNumberError)?.try_into()
    }

    /// The block of ten thousand numbers that it lies in: all its digits but the last four. Numbers
    /// that somebody pumps for their fees come in such blocks.
    #[must_use]
    pub const fn block(&self) -> u64 {
        self.0 / 10_000
    }

    /// What may be shown before the second factor passed: the last two digits. It tells no length
    /// and no country.
    #[must_use]
    pub fn mask(&self) -> String {
        format!("+***{:02}", self.0 % 100)
    }
}

impl TryFrom<u64> for PhoneNumber {
    type Error = PhoneNumberError;

    fn try_from(digits: u64) -> Result<Self, PhoneNumberError> {
        if (1_000_000..=999_999_999_999_999).contains(&digits) {
            Ok(Self(digits))
        } else {
            Err(PhoneNumberError)
        }
    }
}

impl From<PhoneNumber> for u64 {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

impl fmt::Display for PhoneNumber {
    /// The whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.mask())
    }
}

impl Phone {
    /// A phone that was proven to be its owner's in another system.
    #[must_use]
    pub fn imported(id: DeviceId, number: PhoneNumber, now: UnixTime) -> Self {
        Self::new(id, number, now)
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> PhoneNumber {
        self.factor
    }

    /// A code that was sent to it was right.
    pub const fn succeed(&mut self, now: UnixTime) {
        self.life.succeed(now);
    }
}

impl Pending<PhoneNumber> {
    /// The number that is to be proven.
    #[must_use]
    pub const fn number(&self) -> PhoneNumber {
        self.candidate
    }

    /// Confirms it, by a right code that was sent to the number.
    #[must_use]
    pub fn confirm(self, now: UnixTime) -> Phone {
        let mut phone = Device::new(self.id(), self.candidate, now);
        phone.succeed(now);
        phone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeviceId, Label, LoginId, Opener};
    use proptest::prelude::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    proptest! {
        #[test]
        fn every_number_has_one_spelling(text in "\\+?[0-9]{0,17}") {
            if let Ok(number) = PhoneNumber::parse(&text) {
                prop_assert_eq!(number.to_string(), text);
                let bytes = postcard::to_allocvec(&number).unwrap();
                prop_assert_eq!(postcard::from_bytes::<PhoneNumber>(&bytes), Ok(number));
            }
        }

        #[test]
        fn a_mask_tells_two_digits(digits in "[1-9][0-9]{6,14}") {
            let number = PhoneNumber::parse(&format!("+{digits}")).unwrap();
            prop_assert_eq!(number.mask(), format!("+***{}", &digits[digits.len() - 2..]));
            let shown = format!("{number:?}");
            prop_assert!(!shown.contains(&digits));
        }
    }

    #[test]
    fn numbers_are_checked() {
        for good in ["+1234567", "+972504589346", "+123456789012345"] {
            assert_eq!(PhoneNumber::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "+",
            "123456789",
            "+123456",
            "+1234567890123456",
            "+0123456789",
            "++12345678",
            "+1-555-555-0100",
            "+1 555 5550100",
            "+1234567a",
            "+١٢٣٤٥٦٧٨",
            "+-1234567",
            " +1234567",
        ] {
            assert_eq!(PhoneNumber::parse(bad), Err(PhoneNumberError), "{bad:?}");
        }
        for bad in [0_u64, 999_999, 1_000_000_000_000_000, u64::MAX] {
            let bytes = postcard::to_allocvec(&bad).unwrap();
            assert!(postcard::from_bytes::<PhoneNumber>(&bytes).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_phone_is_confirmed_used_failed_at_and_locked() {
        let id = DeviceId::from_random_bytes([1; 16]);
        let opener = Opener::Login(LoginId::from_random_bytes([2; 16]));
        let number = PhoneNumber::parse("+15555550100").unwrap();
        let pending = Pending::of(id, number, opener, 3, NOW);
        assert_eq!(pending.number(), number);
        let later = NOW.saturating_add(9);
        let mut phone = pending.confirm(later);
        phone.rename(Label::clean("work"));
        assert_eq!((phone.id(), phone.number(), phone.created()), (id, number, later));
        assert_eq!(phone.label().as_str(), "work");
        let bytes = postcard::to_allocvec(&phone).unwrap();
        assert_eq!(postcard::from_bytes::<Phone>(&bytes), Ok(phone.clone()));
        (0..100).for_each(|_| phone.fail());
        assert!(phone.is_locked());
        assert!(!format!("{phone:?}").contains("5555550100"));
    }
}
