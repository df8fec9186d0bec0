//! The subkeys of one secret that were derived before.
//!
//! Every verification asks for the same few, and deriving one costs as much as what it is derived for. They are kept
//! ready to use: a cipher with its key, an HMAC with its key absorbed. Written once and never changed, so that asking
//! takes no lock; wiped when dropped, with the secret.

use alloc::boxed::Box;
use core::fmt;

use chacha20poly1305::XChaCha20Poly1305;
use hmac::Hmac;
use once_cell::race::OnceBox;
use sha2::Sha256;

use crate::Purpose;

/// How many purposes of one use are kept. A service has about thirty; one more is derived each time.
const KEPT: usize = 48;

/// What is kept of one use.
pub(crate) struct Subkeys<T> {
    kept: [OnceBox<(Purpose, T)>; KEPT],
}

/// Ciphers under their subkeys.
pub(crate) type Ciphers = Subkeys<XChaCha20Poly1305>;

/// HMACs with their subkeys absorbed.
pub(crate) type Macs = Subkeys<Hmac<Sha256>>;

impl<T> Subkeys<T> {
    pub(crate) const fn new() -> Self {
        Self { kept: [const { OnceBox::new() }; KEPT] }
    }

    /// Does this with the one of this purpose, made where it is not kept.
    pub(crate) fn with<R>(
        &self,
        purpose: Purpose,
        make: impl Fn() -> T,
        work: impl FnOnce(&T) -> R,
    ) -> R {
        for place in &self.kept {
            // Whoever comes first to an empty place fills it; what another put there may be of another purpose.
            let (whose, subkey) = place.get_or_init(|| Box::new((purpose, make())));
            if *whose == purpose {
                return work(subkey);
            }
        }
        work(&make())
    }
}

impl<T> fmt::Debug for Subkeys<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subkeys(..)")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec::Vec;
    use core::cell::Cell;

    use super::*;

    const NAMES: [&str; KEPT + 2] = {
        let mut names = [""; KEPT + 2];
        let mut n = 0;
        while n < names.len() {
            names[n] = "a purpose of its own, and how many of its letters there are, up to all"
                .split_at(n + 1)
                .0;
            n += 1;
        }
        names
    };

    #[test]
    fn each_purpose_has_its_own_and_is_derived_once_while_there_is_room() {
        let subkeys = Subkeys::new();
        let made = Cell::new(0);
        for _ in 0..3 {
            for name in NAMES {
                let make = || {
                    made.set(made.get() + 1);
                    name
                };
                subkeys.with(Purpose::new(name), make, |of| assert_eq!(*of, name));
            }
        }
        assert_eq!(made.get(), KEPT + 3 * 2, "those beyond the room are made each time");
    }

    #[test]
    fn whoever_asks_at_once_gets_the_same() {
        for _ in 0..20 {
            let (subkeys, begun) = (Subkeys::new(), std::sync::Barrier::new(4));
            let makers = std::thread::scope(|scope| {
                let asking = [0, 1, 2, 3].map(|maker| {
                    let (subkeys, begun) = (&subkeys, &begun);
                    scope.spawn(move || {
                        begun.wait();
                        let asked = (0..KEPT).map(|n| NAMES[(n * 7 + maker) % KEPT]);
                        let mut made: Vec<(&str, i32)> = asked
                            .map(|name| {
                                let make = || (name, i32::try_from(maker).unwrap());
                                subkeys.with(Purpose::new(name), make, |made| *made)
                            })
                            .collect();
                        made.sort_unstable();
                        made
                    })
                });
                asking.map(|asked| asked.join().unwrap())
            });
            assert_eq!(makers[0].len(), KEPT);
            assert!(makers.iter().all(|made| *made == makers[0]), "each was made once");
        }
    }
}
