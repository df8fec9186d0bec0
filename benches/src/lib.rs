//! Benches of Countersign's one-time passwords, and the peers they are measured against.
#![deny(unsafe_code)]
