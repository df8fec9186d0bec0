//! Links otp and codes without `std` and without `alloc`. A crate under them that asked for `std` would bring a second
//! panic handler, one that asked for `alloc` would need an allocator, and there is none: either does not build.
#![no_std]

use core::convert::Infallible;

use countersign_codes::{delivered, steam::Steam};
use countersign_otp::{Algorithm, Drift, Found, Secret, Totp, UnixTime, Window};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// A code made and found, under every hash, a Steam code, and a digest: whatever they need is linked.
#[unsafe(no_mangle)]
pub extern "C" fn countersign_bare(byte: u8, seconds: u64) -> bool {
    let now = UnixTime::from_secs(seconds);
    let secret = Secret::try_fill(20, |bytes| {
        bytes.fill(byte);
        Ok::<(), Infallible>(())
    });
    let Ok(secret) = secret else { return false };
    let Ok(secret) = Secret::from_base32(secret.to_base32().as_str()) else { return false };
    let found = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512].map(|algorithm| {
        let totp = Totp::new(algorithm, Totp::DEFAULT.digits(), Totp::DEFAULT.period());
        let code = totp.code(&totp.key(&secret), totp.step_at(now));
        delivered::digest(&[byte; 32], &[b"context"], &code);
        totp.find_raw(&secret, &code, Window::DEFAULT, Drift::NONE, None, now)
    });
    let steam = Steam.code(&Steam.key(&secret), Steam.step_at(now));
    found.iter().all(|found| *found != Found::No) && !steam.as_str().is_empty()
}
