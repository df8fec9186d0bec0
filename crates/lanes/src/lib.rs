#![doc = include_str!("../README.md")]
#![no_std]
#![deny(unsafe_code)]

mod bundle;
mod divisor;
mod hash;
mod kernel;
mod kernels;
mod schedule;

pub use bundle::Bundle;
pub use divisor::Divisor;
pub use hash::{Hash, Sha1, Sha256, Sha512};
pub use kernel::Kernel;
#[cfg(target_arch = "x86_64")]
pub use kernel::{Avx2, Avx512, ShaNi};
pub use schedule::Schedule;
