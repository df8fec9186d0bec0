//! The numbers of decide, each with its reason, in one place.
//!
//! They are defaults that hold: a profile or a tenant may be stricter, nobody may be laxer.

/// What a guess is charged in: 1e-8 of a chance to be right. A code of six digits is 100.
pub const UNITS_PER_CERTAINTY: u64 = 100_000_000;

/// The ledger closes here: the chance of ever guessing in is at most 1e-4 for each refill.
pub const LEDGER_UNITS: u32 = 10_000;

/// What logins without a known browser may charge: two thirds, so that a stranger who has the
/// password cannot close the ledger for the owner's own browsers.
pub const STRANGER_UNITS: u32 = 6_667;

/// Half of the ledger: the owner is mailed the first link that refills it.
pub const LEDGER_HALF: u32 = LEDGER_UNITS / 2;

/// Links that refill the ledger, a year: with the ledger itself, three times 1e-4 a year for whoever has the
/// password and can have the owner open every link.
pub const REFILL_LINKS_A_YEAR: usize = 2;

/// How long such a link lives: as long as a holiday.
pub const REFILL_LINK_SECS: u64 = 30 * DAY_SECS;

/// Judged guesses in one login: a person mistypes, a machine enumerates.
pub const GUESSES_A_LOGIN: u8 = 5;

/// Failed guesses of one class in [`WINDOW_SECS`], over all logins, routes and tenants.
pub const GUESSES_A_WINDOW: u8 = 10;

/// The window of [`GUESSES_A_WINDOW`].
pub const WINDOW_SECS: u64 = 15 * 60;

/// From this unforgiven failure on, the next guess waits.
pub const FIRST_WAIT_AT: u32 = 11;

/// The first wait; each further unforgiven failure doubles it (NIST SP 800-63B-4, 3.2.2).
pub const FIRST_WAIT_SECS: u64 = 30;

/// The longest wait.
pub const LONGEST_WAIT_SECS: u64 = 60 * 60;

/// How old a session's proof may be where a factor is added, or removed without a code: a person who
/// has just logged in adds an app at once, and whoever finds an open session finds it later.
pub const FRESH_SECS: u64 = 5 * 60;

/// How long a login waits for its second factor.
pub const LOGIN_SECS: u64 = 10 * 60;

/// How many logins of one user may be touched at a time; beyond it 429.
pub const TOUCHED_LOGINS: usize = 32;

/// How many of them strangers may touch: they leave the owner's browsers their third.
pub const TOUCHED_BY_STRANGERS: usize = 21;

/// How long a delivered code lives at most (NIST SP 800-63B-4, 3.1.3.2; OWASP ASVS 6.5.5).
pub const DELIVERED_SECS: u64 = 10 * 60;

/// How long one waits before the code of one login is sent again.
pub const RESEND_SECS: u64 = 30;

/// How long a pending enrolment may be confirmed.
pub const PENDING_SECS: u64 = 10 * 60;

/// How many pending enrolments a user has; the oldest gives way.
pub const PENDING: usize = 3;

/// Authenticators of one user: what no person has more of.
pub const AUTHENTICATORS: usize = 10;

/// Phones of one user: each is a channel that somebody may take over, and nobody answers more.
pub const PHONES: usize = 5;

/// The tenants that a record keeps of those that its user logged in to: what a page lists.
pub const TENANTS: usize = 16;

/// Passkeys of one user: what no person has more of.
pub const PASSKEYS: usize = 10;

/// Recovery tries that pass the tag, a day.
pub const RECOVERIES_A_DAY: usize = 10;

/// Recovery codes of one user: what is written on one sheet, and keeps the record small.
pub const RECOVERY_CODES: u8 = 10;

/// A day.
pub const DAY_SECS: u64 = 24 * 60 * 60;

/// A year.
pub const YEAR_SECS: u64 = 365 * DAY_SECS;

/// How long the browser that recovered may enrol again without further proof.
pub const RECOVERY_GRANT_SECS: u64 = 15 * 60;

/// How long a mailbox that reset the password is no second factor.
pub const MAILBOX_RESET_SECS: u64 = DAY_SECS;

/// How far the record's last settlement may lie ahead of now before a clock is wrong.
pub const SKEW_SECS: u64 = 30;

/// From this skew against the store's clock a node stops deciding.
pub const NODE_SKEW_SECS: u64 = 30;

/// From this skew against the store's clock a node warns.
pub const NODE_SKEW_WARN_SECS: u64 = 5;

/// How many requests of one user may wait for one settlement; beyond it 429.
pub const WAITING: usize = 32;

/// How many write ids a record keeps, to tell a lost reply from a lost swap.
pub const WRITE_IDS: usize = 8;

/// How long an access token lives.
pub const ACCESS_SECS: u64 = 15 * 60;

/// How long a session lives, from its login on (NIST SP 800-63B-4, 2.1.3).
pub const SESSION_SECS: u64 = 30 * DAY_SECS;

/// Sends to a destination that is bound to the asking user: an hour, a day.
pub const PROVEN_SENDS: (usize, usize) = (6, 20);

/// Sends to a destination for enrolments of all users together: an hour, a day.
pub const UNPROVEN_SENDS: (usize, usize) = (3, 5);

/// Sends of one user to numbers that are not bound yet: an hour, a day. One account does not ring
/// at many doors; a person mistypes a number once or twice.
pub const UNPROVEN_SENDS_A_USER: (u32, u32) = (5, 10);

/// Sends to numbers not bound yet of one block of ten thousand, all users together: an hour, a day.
/// A town that enrols stays far below it; a range that is pumped for its fees does not (C-23).
pub const UNPROVEN_SENDS_A_BLOCK: (u32, u32) = (30, 100);

/// Over how many records the daily budget of a tenant is split, so that none is hot.
pub const TENANT_SHARDS: u8 = 16;

/// Mails of a tenant a day, over all its destinations.
pub const TENANT_MAILS_A_DAY: u32 = 16_000;

/// Messages to phones of a tenant a day: each costs money.
pub const TENANT_TEXTS_A_DAY: u32 = 8_000;

const _: () = {
    assert!(STRANGER_UNITS < LEDGER_UNITS);
    assert!(LEDGER_HALF < STRANGER_UNITS, "strangers alone reach it");
    assert!(TOUCHED_BY_STRANGERS < TOUCHED_LOGINS);
    assert!(GUESSES_A_LOGIN <= GUESSES_A_WINDOW);
    assert!(GUESSES_A_WINDOW <= 100, "NIST SP 800-63B-4, 3.2.2");
    assert!(DELIVERED_SECS <= 600, "NIST SP 800-63B-4, 3.1.3.2");
};
