use crate::algorithm::*;

#[test]
fn only_six_to_eight_digits() {
    for count in 0..=u8::MAX {
        match Digits::try_from(count) {
            Ok(digits) => assert_eq!(digits.count(), count),
            Err(_) => assert!(!(6..=8).contains(&count)),
        }
    }
    assert_eq!(Digits::default(), Digits::Six);
}

#[test]
fn generated_secrets_have_the_length_of_the_hash() {
    assert_eq!(Algorithm::Sha1.secret_len(), 20);
    assert_eq!(Algorithm::Sha256.secret_len(), 32);
    assert_eq!(Algorithm::Sha512.secret_len(), 64);
    assert_eq!(Algorithm::default(), Algorithm::Sha1);
}

#[test]
fn names_are_those_of_the_uri() {
    let names = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512].map(Algorithm::name);
    assert_eq!(names, ["SHA1", "SHA256", "SHA512"]);
}
