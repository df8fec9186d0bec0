//! liboath, loaded at run time where it is installed: a peer in C without a part in the build.
#![allow(unsafe_code, reason = "calls into a C library")]

use std::{
    ffi::{c_char, c_int, c_uint},
    fmt,
};

use libloading::Library;

const OATH_TOTP: &str = "liboath.so.0";

type Generate = unsafe extern "C" fn(
    secret: *const c_char,
    secret_length: usize,
    now: i64,
    time_step_size: c_uint,
    start_offset: i64,
    digits: c_uint,
    output: *mut c_char,
) -> c_int;

type Validate = unsafe extern "C" fn(
    secret: *const c_char,
    secret_length: usize,
    now: i64,
    time_step_size: c_uint,
    start_offset: i64,
    window: usize,
    otp: *const c_char,
) -> c_int;

/// The library, open.
pub struct Oath {
    generate: Generate,
    validate: Validate,
    /// Open as long as the functions are held.
    _library: Library,
}

impl Oath {
    /// Opens the library, if there is one.
    #[must_use]
    pub fn open() -> Option<Self> {
        // SAFETY: liboath has no initialisers of its own (`oath_init` only checks versions).
        let library = unsafe { Library::new(OATH_TOTP) }.ok()?;
        // SAFETY: the type is that of oath.h, from 1.4.0 on.
        let generate = unsafe { *library.get::<Generate>(b"oath_totp_generate\0").ok()? };
        // SAFETY: the type is that of oath.h, from 1.6.0 on.
        let validate = unsafe { *library.get::<Validate>(b"oath_totp_validate\0").ok()? };
        Some(Self { generate, validate, _library: library })
    }

    /// The six digits of a code of SHA-1 and thirty seconds.
    #[must_use]
    pub fn generate(&self, secret: &[u8], now: i64) -> [u8; 7] {
        let mut output = [0_u8; 7];
        // SAFETY: the secret is as long as said, and the output has room for six digits and a zero.
        unsafe {
            (self.generate)(
                secret.as_ptr().cast(),
                secret.len(),
                now,
                30,
                0,
                6,
                output.as_mut_ptr().cast(),
            )
        };
        output
    }

    /// The distance in steps of a code within one step of now; negative where it is wrong.
    #[must_use]
    pub fn validate(&self, secret: &[u8], now: i64, code: &std::ffi::CStr) -> i32 {
        // SAFETY: the secret is as long as said, and the code ends with a zero.
        unsafe {
            (self.validate)(secret.as_ptr().cast(), secret.len(), now, 30, 0, 1, code.as_ptr())
        }
    }
}

impl fmt::Debug for Oath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Oath")
    }
}
