#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "qr")]
pub mod qr;
