//! Nothing that computes or verifies a code allocates: shown by an allocator that counts.
#![allow(unsafe_code, clippy::unwrap_used, reason = "an allocator, and a test")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use countersign_batch::{self as batch, Around, Rack, Schedule, Sha1};
use countersign_otp::{
    Algorithm, Code, Digits, Drift, Found, Hotp, Keyed, LookAhead, Secret, Step, Totp, UnixTime,
    Window,
};

struct Counting;

thread_local! {
    /// Of this thread: the one that runs tests allocates when it likes.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn allocations() -> usize {
    ALLOCATIONS.get()
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends may allocate still.
        let _counted = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn codes_are_computed_and_verified_without_allocation() {
    let before = allocations();
    std::hint::black_box(vec![1]);
    assert!(allocations() > before, "the allocator counts");

    let before = allocations();
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        let secret = Secret::from_bytes(&[7; 20]).unwrap();
        let totp = Totp::new(algorithm, Digits::Six, Totp::DEFAULT.period());
        let key: Keyed = totp.key(&secret);
        let now = UnixTime::from_secs(59);
        let code = totp.code(&key, totp.step_at(now));
        let typed = Code::parse(code.as_str()).unwrap();
        let (window, drift) = (Window::DEFAULT, Drift::NONE);
        let found = totp.find(&key, &typed, window, drift, None, now);
        assert!(matches!(found, Found::Fresh { .. }));
        let found = totp.find_raw(&secret, &typed, window, drift, Some(Step::new(9)), now);
        assert_eq!(found, Found::Replayed);
        let hotp = Hotp::default();
        assert!(batch::look_ahead(&hotp, &key, &typed, 0, LookAhead::MAX).is_some());
        let mut numbers = [0; 50];
        batch::codes_of_each((0..50).map(|counter| (&key, counter)), Digits::Six, &mut numbers);
    }
    let key = Keyed::new(&Secret::from_bytes(&[7; 20]).unwrap(), Algorithm::Sha1);
    let mut racks = [Rack::<Sha1>::new(), Rack::new(), Rack::new()];
    assert!(batch::put(&mut racks[0], 3, &key));
    let mut numbers = [[0; 16]; 3];
    batch::codes(&racks, &[[5; 16]; 3], Digits::Six, &mut numbers);
    batch::codes_at(&racks, &Schedule::new(5), Digits::Six, &mut numbers);
    let around =
        Around::new(&Totp::DEFAULT, Window::DEFAULT, Drift::NONE, UnixTime::from_secs(150));
    let mut found = [[Found::No; 16]; 3];
    batch::find(&racks, &numbers, &[[None; 16]; 3], &around, &mut found);
    assert!(matches!(found[0][3], Found::Fresh { .. }));
    assert_eq!(allocations(), before);
}
