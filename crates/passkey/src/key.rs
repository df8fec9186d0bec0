//! What is kept of a credential beside its id and counter: its public key, and whether its
//! authenticator verified the user when it was made.
//!
//! Algorithms and curves are kept by their numbers in the COSE registry (RFC 9053), so that what is
//! stored does not hang on how a library names them. A P-256 key takes 72 bytes.

use countersign_ceremony::env::Unproven;
use countersign_device::AdapterState;
use serde::{Deserialize, Serialize};
use webauthn_rs_core::proto::{
    COSEAlgorithm, COSEEC2Key, COSEKey, COSEKeyType, COSERSAKey, ECDSACurve,
};

/// A public key as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    algorithm: i32,
    public: Public,
    /// Did the authenticator verify its user when it made the credential? Then it does so always.
    pub(crate) verified: bool,
}

#[derive(Serialize, Deserialize)]
enum Public {
    Curve { number: u8, x: Vec<u8>, y: Vec<u8> },
    Rsa { n: Vec<u8>, e: [u8; 3] },
}

impl Kept {
    pub(crate) fn new(key: COSEKey, verified: bool) -> Result<Self, Unproven> {
        let public = match key.key {
            COSEKeyType::EC_EC2(COSEEC2Key { curve, x, y }) => {
                let number = match curve {
                    ECDSACurve::SECP256R1 => 1,
                    ECDSACurve::SECP384R1 => 2,
                    ECDSACurve::SECP521R1 => return Err(Unproven),
                };
                Public::Curve { number, x, y }
            }
            COSEKeyType::RSA(COSERSAKey { n, e }) => Public::Rsa { n, e },
            // We ask for none of these.
            COSEKeyType::EC_OKP(_) => return Err(Unproven),
        };
        let algorithm = match key.type_ {
            COSEAlgorithm::ES256 => -7,
            COSEAlgorithm::ES384 => -35,
            COSEAlgorithm::RS256 => -257,
            _ => return Err(Unproven),
        };
        Ok(Self { algorithm, public, verified })
    }

    pub(crate) fn to_state(&self) -> Result<AdapterState, Unproven> {
        let bytes = postcard::to_allocvec(self).map_err(|_| Unproven)?;
        AdapterState::from_bytes(bytes).map_err(|_| Unproven)
    }

    pub(crate) fn of(state: &AdapterState) -> Result<Self, Unproven> {
        postcard::from_bytes(state.as_bytes()).map_err(|_| Unproven)
    }

    pub(crate) fn into_key(self) -> Result<COSEKey, Unproven> {
        let type_ = COSEAlgorithm::try_from(i128::from(self.algorithm)).map_err(|()| Unproven)?;
        let key = match self.public {
            Public::Curve { number, x, y } => {
                let curve = ECDSACurve::try_from(i128::from(number)).map_err(|_| Unproven)?;
                COSEKeyType::EC_EC2(COSEEC2Key { curve, x, y })
            }
            Public::Rsa { n, e } => COSEKeyType::RSA(COSERSAKey { n, e }),
        };
        Ok(COSEKey { type_, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_small_and_the_same_again() {
        for (type_, curve, len) in [
            (COSEAlgorithm::ES256, ECDSACurve::SECP256R1, 32),
            (COSEAlgorithm::ES384, ECDSACurve::SECP384R1, 48),
        ] {
            let (x, y) = (vec![1; len], vec![2; len]);
            let key = COSEKey { type_, key: COSEKeyType::EC_EC2(COSEEC2Key { curve, x, y }) };
            let state = Kept::new(key.clone(), true).unwrap().to_state().unwrap();
            assert!(state.as_bytes().len() < 2 * len + 10);
            let kept = Kept::of(&state).unwrap();
            assert!(kept.verified);
            assert_eq!(kept.into_key().unwrap(), key);
        }
        let rsa = COSEKeyType::RSA(COSERSAKey { n: vec![3; 256], e: [1, 0, 1] });
        let key = COSEKey { type_: COSEAlgorithm::RS256, key: rsa };
        let kept = Kept::new(key.clone(), false).unwrap();
        assert_eq!(kept.into_key().unwrap(), key);
    }

    #[test]
    fn what_we_did_not_ask_for_is_not_kept() {
        let rsa = COSEKeyType::RSA(COSERSAKey { n: vec![3; 256], e: [1, 0, 1] });
        for type_ in [COSEAlgorithm::INSECURE_RS1, COSEAlgorithm::EDDSA, COSEAlgorithm::PS256] {
            assert!(Kept::new(COSEKey { type_, key: rsa.clone() }, false).is_err());
        }
        assert!(Kept::of(&AdapterState::from_bytes(vec![9; 40]).unwrap()).is_err());
    }
}
