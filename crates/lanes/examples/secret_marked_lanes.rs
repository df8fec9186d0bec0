//! Runs one kernel on memory that valgrind was told is secret: it then reports every branch and every
//! address that depends on it. `tests/constant_time.rs` runs this and judges the report.
//!
//! A secret is marked as undefined memory, by the client request of valgrind's memcheck: a sequence of
//! instructions that does nothing on a processor.
#![allow(unsafe_code, reason = "the client request is a sequence of instructions")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a harness that cannot go on fails")]

use core::hint::black_box;

use countersign_lanes::{Bundle, Hash, Kernel, Schedule, Sha1, Sha256, Sha512};

/// Tells memcheck that the bytes of these words are undefined. They are secret where they are read through
/// what is returned: the compiler knows nothing of it, so that it looks at the memory.
fn mark<T>(words: &[T]) -> &[T] {
    const MAKE_MEM_UNDEFINED: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16 | 1;
    let request =
        [MAKE_MEM_UNDEFINED, words.as_ptr().expose_provenance(), size_of_val(words), 0, 0, 0];
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the rotations of rdi add up to 128, and rbx is exchanged with itself; under valgrind
    // the request is read, and the answer is put into rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") request.as_ptr(), inout("rdx") 0_usize => _,
        );
    }
    black_box(request);
    black_box(words)
}

/// Everything that a kernel does, on secret states, tails and blocks, with whole and with partial bundles.
fn all<H: Hash>(kernel: Kernel, state: H::State, block: H::Block) {
    let states = [state; 74];
    let (first, second) = mark(&states).split_at(37);

    let blocks = [block; 37];
    let blocks = mark(&blocks);
    for count in [1, 2, 3, 7, 8, 16, 37] {
        let mut states = first.to_vec();
        kernel.compress::<H>(&mut states[..count], blocks);
        black_box(states);
    }

    let mut bundles = [const { Bundle::<H>::new() }; 3];
    for bundle in &mut bundles {
        for lane in 0..H::LANES {
            bundle.set(lane, &first[lane], &second[lane]);
        }
    }
    let tails = [H::splat(0x0123_4567_89ab_cdef_u64); 3];
    let tails = mark(&tails);
    let tail = tails[0].as_ref()[0];
    let mut out = [H::splat(0); 3];
    for count in 1..=3 {
        kernel.nested::<H>(&bundles[..count], tails, &mut out);
        black_box(&out);
        kernel.nested_shared::<H>(&bundles[..count], &Schedule::new(tail), &mut out);
        black_box(&out);
    }
    black_box(kernel.nested_few::<H, 1>(&first[0], &second[0], [tail]));
    black_box(kernel.nested_few::<H, 2>(&first[0], &second[0], [tail; 2]));
    black_box(kernel.nested_few::<H, 3>(&first[0], &second[0], [tail; 3]));
    black_box(kernel.nested_few::<H, 4>(&first[0], &second[0], [tail; 4]));
}

fn main() {
    let secret = [0x5a_u8; 256];
    let secret = mark(&secret);
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "list" => Kernel::available().for_each(|kernel| println!("{}", kernel.name())),
        // What must be reported, or nothing that this shows is worth anything.
        "branch" => {
            if secret[3] & 1 == 1 {
                black_box(1);
            }
        }
        "address" => {
            let table: Vec<u8> = (0..=255).collect();
            black_box(table[usize::from(secret[3])]);
        }
        name => {
            let kernel = Kernel::available().find(|kernel| kernel.name() == name).unwrap();
            all::<Sha1>(kernel, [0x5a5a_5a5a; 5], [0xa5; 64]);
            all::<Sha256>(kernel, [0x5a5a_5a5a; 8], [0xa5; 64]);
            all::<Sha512>(kernel, [0x5a5a_5a5a_5a5a_5a5a; 8], [0xa5; 128]);
        }
    }
}
