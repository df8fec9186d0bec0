//! Vendor tokens: what a service presents on the management routes.
//!
//! Sealed, of a kind of their own: no access token, login or challenge opens as one, and whoever has
//! the keys of the data directory can make one. They end; a service fetches another before that.

use countersign_ceremony::env::Random;
use countersign_otp::UnixTime;
use countersign_token::{Kind, Token};
use countersign_vault::Vault;

use crate::node::{NotUp, REALM};

/// The kind of vendor tokens.
#[derive(Clone, Copy, Debug)]
pub enum VendorKind {}

impl Kind for VendorKind {
    const NAME: &'static str = "vendor";
    /// When it was issued and when it ends, in seconds.
    type Claims = (u64, u64);
}

/// Makes a token that lives so many seconds.
///
/// # Errors
/// The system gives no random bytes, or the vault does not seal.
pub fn issue(
    vault: &dyn Vault,
    random: &dyn Random,
    lives: u64,
    now: UnixTime,
) -> Result<String, NotUp> {
    let mut nonce = [0; 24];
    random.try_fill(&mut nonce).map_err(|error| NotUp(error.to_string()))?;
    let claims = (now.secs(), now.saturating_add(lives).secs());
    let token = Token::<VendorKind>::seal(vault, &[REALM.as_bytes()], nonce, &claims);
    token.map(Token::into_string).map_err(|error| NotUp(error.to_string()))
}

/// When this token was issued, if it is one and has not ended.
#[must_use]
pub fn check(vault: &dyn Vault, token: &str, now: UnixTime) -> Option<UnixTime> {
    let (issued, ends) = Token::<VendorKind>::open(vault, &[REALM.as_bytes()], token).ok()?;
    (now < UnixTime::from_secs(ends)).then(|| UnixTime::from_secs(issued))
}

#[cfg(test)]
mod tests {
    use countersign_vault::Ring;

    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_token_ends_and_opens_under_its_own_keys_alone() {
        let ring = || Ring::try_new(|buf| SystemRandom.try_fill(buf)).unwrap();
        let (ours, theirs) = (ring(), ring());
        let now = UnixTime::from_secs(1_000);
        let token = issue(&ours, &SystemRandom, 60, now).unwrap();
        assert_eq!(check(&ours, &token, UnixTime::from_secs(1_059)), Some(now));
        assert_eq!(check(&ours, &token, UnixTime::from_secs(1_060)), None);
        assert_eq!(check(&theirs, &token, now), None);
        assert_eq!(check(&ours, "", now), None);
    }
}
