use crate::secret::*;
use crate::*;
extern crate std;
use std::format;

#[test]
fn a_secret_has_16_to_256_bytes() {
    let bytes = [7; 300];
    for len in 0..=300 {
        let secret = Secret::from_bytes(&bytes[..len]);
        match len {
            0..16 => assert_eq!(secret.unwrap_err(), Invalid::ShortSecret),
            16..=256 => {
                let secret = secret.unwrap();
                assert_eq!(secret.expose(), &bytes[..len]);
                assert!(!secret.is_short());
            }
            _ => assert_eq!(secret.unwrap_err(), Invalid::LongSecret),
        }
    }
}

#[test]
fn a_short_one_comes_in_by_its_own_door() {
    assert_eq!(Secret::import_short(&[]).unwrap_err(), Invalid::ShortSecret);
    assert_eq!(Secret::import_short(&[0; 257]).unwrap_err(), Invalid::LongSecret);
    for len in 1..=256 {
        assert_eq!(Secret::import_short(&[1; 256][..len]).unwrap().is_short(), len < 16);
    }
    assert!(Secret::import_short_base32("JBSWY3DPEHPK3PXP").unwrap().is_short());
    assert_eq!(Secret::from_base32("JBSWY3DPEHPK3PXP").unwrap_err(), Invalid::ShortSecret);
}

#[test]
fn it_is_filled_in_place_or_not_at_all() {
    let secret = Secret::try_fill(20, |buf| {
        assert_eq!(buf.len(), 20);
        buf.fill(9);
        Ok::<_, &str>(())
    });
    assert_eq!(secret.unwrap().expose(), [9; 20]);
    assert_eq!(Secret::try_fill(20, |_| Err("dry")).unwrap_err(), FillError::Source("dry"));
    for (len, error) in [(15, Invalid::ShortSecret), (257, Invalid::LongSecret)] {
        let refused = Secret::try_fill(len, |_| Ok::<_, &str>(())).unwrap_err();
        assert_eq!(refused, FillError::Invalid(error));
    }
}

#[test]
fn it_says_nothing() {
    assert_eq!(format!("{:?}", Secret::from_bytes(&[0x41; 16]).unwrap()), "Secret(..)");
    let (source, length) = (FillError::Source("dry"), FillError::Invalid(Invalid::LongSecret));
    assert_eq!(format!("{source}"), "no random bytes: dry");
    assert_eq!(
        format!("{}", {
            let error: FillError<&str> = length;
            error
        }),
        "a secret has at most 256 bytes"
    );
}
