//! Passkeys (WebAuthn Level 3): credentials that an authenticator signs with.
//!
//! The signature is checked by an adapter, which keeps what it needs as opaque bytes. What the
//! record must hold about a credential whatever the adapter is stands here: its id, its signature
//! counter, and whether it is backed up.

mod parts;

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

pub use parts::{AdapterState, Attachment, Backup, CredentialId, PasskeyError};

use crate::{Device, DeviceId, FactorKind};

/// A passkey that is confirmed.
pub type Passkey = Device<Credential>;

/// A credential, as its adapter reported it: at its registration, and after each signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Is it part of the device it was made on?
    pub attachment: Attachment,
    /// How often it signed, by its own count; always 0 where it does not count.
    pub sign_count: u32,
    /// Is it, or may it be, on more than one device?
    pub backup: Backup,
    /// What the adapter needs to check the next signature, its public key among it.
    pub state: AdapterState,
}

/// What a signature, which the adapter found right, says about the authenticator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Signed {
    /// It is the one we know.
    Fresh,
    /// Its counter did not rise: there may be a copy of it (WebAuthn, 6.1.1), or this answer was
    /// overtaken by a later one.
    CountWentBack,
    /// It says of itself what cannot change: it was on one device alone and may now be on several,
    /// or the other way (WebAuthn, 6.1.3).
    BackupChanged,
    /// It signed for another credential, or the passkey is locked.
    Refused,
}

impl Passkey {
    /// A passkey that was registered with another system of the same domain, and has signed nothing
    /// here yet.
    #[must_use]
    pub fn imported(id: DeviceId, credential: Credential, now: UnixTime) -> Self {
        Self::new(id, credential, now)
    }

    /// One whose registration the adapter found right. What waits for that holds nothing yet: it is
    /// a challenge, and no pending device.
    #[must_use]
    pub fn registered(id: DeviceId, credential: Credential, now: UnixTime) -> Self {
        let mut passkey = Self::new(id, credential, now);
        passkey.life.succeed(now);
        passkey
    }

    /// The credential.
    #[must_use]
    pub const fn credential(&self) -> &Credential {
        &self.factor
    }

    /// The kind of factor that it is.
    #[must_use]
    pub const fn kind(&self) -> FactorKind {
        self.factor.attachment.kind()
    }

    /// Judges a signature by what the adapter reports of it. It changes nothing.
    pub fn judge(&self, reported: &Credential) -> Signed {
        let known = &self.factor;
        if self.is_locked() || known.id != reported.id {
            return Signed::Refused;
        }
        if known.backup.is_eligible() != reported.backup.is_eligible() {
            return Signed::BackupChanged;
        }
        let counts = known.sign_count != 0 || reported.sign_count != 0;
        if counts && reported.sign_count <= known.sign_count {
            return Signed::CountWentBack;
        }
        Signed::Fresh
    }

    /// Takes over what a [`Fresh`](Signed::Fresh) signature reported. Its id and attachment stay,
    /// and its counter never falls.
    pub fn signed(&mut self, reported: Credential, now: UnixTime) {
        let Credential { id: _, attachment: _, sign_count, backup, state } = reported;
        self.factor.sign_count = self.factor.sign_count.max(sign_count);
        self.factor.backup = backup;
        self.factor.state = state;
        self.life.succeed(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn credential(sign_count: u32, backup: Backup) -> Credential {
        Credential {
            id: CredentialId::from_bytes(&[7; 32]).unwrap(),
            attachment: Attachment::Platform,
            sign_count,
            backup,
            state: AdapterState::from_bytes(vec![0xab; 90]).unwrap(),
        }
    }

    fn passkey(sign_count: u32, backup: Backup) -> Passkey {
        let id = DeviceId::from_random_bytes([1; 16]);
        Passkey::registered(id, credential(sign_count, backup), NOW)
    }

    /// WebAuthn, 6.1.1: a counter that does not rise is told; one that is always 0 says nothing.
    #[test]
    fn a_counter_rises_or_is_told() {
        let counting = passkey(5, Backup::Never);
        for (count, says) in [
            (6, Signed::Fresh),
            (u32::MAX, Signed::Fresh),
            (5, Signed::CountWentBack),
            (4, Signed::CountWentBack),
            (0, Signed::CountWentBack),
        ] {
            assert_eq!(counting.judge(&credential(count, Backup::Never)), says, "{count}");
        }
        let uncounted = passkey(0, Backup::Done);
        assert_eq!(uncounted.judge(&credential(0, Backup::Done)), Signed::Fresh);
        assert_eq!(uncounted.judge(&credential(1, Backup::Done)), Signed::Fresh);
    }

    /// WebAuthn, 6.1.3: the state of a backup changes, whether there may be one does not.
    #[test]
    fn what_may_be_backed_up_stays_so() {
        let single = passkey(0, Backup::Never);
        assert_eq!(single.judge(&credential(0, Backup::Done)), Signed::BackupChanged);
        assert_eq!(single.judge(&credential(0, Backup::Possible)), Signed::BackupChanged);
        let synced = passkey(0, Backup::Possible);
        assert_eq!(synced.judge(&credential(0, Backup::Done)), Signed::Fresh);
        assert_eq!(synced.judge(&credential(0, Backup::Never)), Signed::BackupChanged);
    }

    /// B-11: another user's credential, and a locked one.
    #[test]
    fn another_credential_and_a_locked_one_are_refused() {
        let mut passkey = passkey(0, Backup::Never);
        let other = CredentialId::from_bytes(&[8; 32]).unwrap();
        let foreign = Credential { id: other, ..credential(0, Backup::Never) };
        assert_eq!(passkey.judge(&foreign), Signed::Refused);
        passkey.lock();
        assert_eq!(passkey.judge(&credential(1, Backup::Never)), Signed::Refused);
    }

    #[test]
    fn a_signature_raises_the_counter_and_keeps_the_identity() {
        let mut passkey = passkey(5, Backup::Possible);
        let later = NOW.saturating_add(60);
        let reported = Credential {
            id: CredentialId::from_bytes(&[8; 32]).unwrap(),
            attachment: Attachment::CrossPlatform,
            ..credential(9, Backup::Done)
        };
        passkey.signed(reported, later);
        assert_eq!(*passkey.credential(), credential(9, Backup::Done));
        assert_eq!(passkey.last_used(), Some(later));
        passkey.signed(credential(3, Backup::Done), later);
        assert_eq!(passkey.credential().sign_count, 9);
        assert_eq!(passkey.kind(), FactorKind::PasskeyPlatform);
    }

    #[test]
    fn it_survives_its_encoding_and_debug_shows_no_state() {
        let passkey = passkey(5, Backup::Done);
        let bytes = postcard::to_allocvec(&passkey).unwrap();
        assert_eq!(postcard::from_bytes::<Passkey>(&bytes), Ok(passkey.clone()));
        let shown = format!("{passkey:?}");
        assert!(!shown.contains("171") && !shown.contains("abab"), "{shown}");
    }
}
