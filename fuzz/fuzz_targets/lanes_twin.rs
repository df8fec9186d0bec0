//! Every kernel that the processor has against a naive twin: the block functions of `sha1` and `sha2`.
#![no_main]

use countersign_lanes::{Bundle, Hash, Kernel, Schedule, Sha1, Sha256, Sha512};
use libfuzzer_sys::fuzz_target;

macro_rules! twin {
    ($name:ident, $hash:ty, $word:ty, $words:literal, $bytes:literal, $compress:path) => {
        fn $name(input: &[u8]) {
            let mut bytes = input.iter().copied().cycle();
            let mut next = || bytes.next().unwrap_or(0);
            let count = usize::from(next() % 40);
            let mut word = || <$word>::from_be_bytes(std::array::from_fn(|_| next()));
            let states: Vec<[$word; $words]> =
                (0..count + 32).map(|_| std::array::from_fn(|_| word())).collect();
            let tail = u64::from(word()) << 17 | u64::from(word());
            let blocks: Vec<[u8; $bytes]> =
                (0..count).map(|_| std::array::from_fn(|_| next())).collect();

            let mut expected = states[..count].to_vec();
            for (state, block) in expected.iter_mut().zip(&blocks) {
                $compress(state, std::slice::from_ref(block));
            }
            let last = |message: &[u8]| {
                let mut block = [0; $bytes];
                block[..message.len()].copy_from_slice(message);
                block[message.len()] = 0x80;
                block[$bytes - 8..]
                    .copy_from_slice(&(8 * ($bytes + message.len()) as u64).to_be_bytes());
                block
            };
            let nested = |first: &[$word; $words], second: &[$word; $words], tail: u64| {
                let (mut inner, mut outer) = (*first, *second);
                $compress(&mut inner, &[last(&tail.to_be_bytes())]);
                $compress(&mut outer, &[last(inner.map(<$word>::to_be_bytes).as_flattened())]);
                let digest = outer.map(<$word>::to_be_bytes);
                let digest = digest.as_flattened();
                let offset = usize::from(digest[digest.len() - 1] & 15);
                u32::from_be_bytes(std::array::from_fn(|i| digest[offset + i])) & 0x7fff_ffff
            };
            let lanes = <$hash as Hash>::LANES;
            let mut bundle = Bundle::<$hash>::new();
            for lane in 0..lanes {
                bundle.set(lane, &states[lane], &states[lane + 16]);
            }
            let truncated: Vec<u32> =
                (0..lanes).map(|l| nested(&states[l], &states[l + 16], tail)).collect();
            for kernel in Kernel::available() {
                let mut computed = states[..count].to_vec();
                kernel.compress::<$hash>(&mut computed, &blocks);
                assert_eq!(computed, expected, "{}", kernel.name());
                if let Some(block) = blocks.first() {
                    let masks = [block[0], block[1]];
                    let masked = masks.map(|mask| {
                        let mut state = states[0];
                        $compress(&mut state, &[block.map(|byte| byte ^ mask)]);
                        state
                    });
                    let both = kernel.compress_masked::<$hash>(&states[0], block, masks);
                    assert_eq!(both, masked, "{}", kernel.name());
                }
                let mut out = [<$hash as Hash>::splat(0); 3];
                let bundles = [bundle.clone(), bundle.clone(), bundle.clone()];
                kernel.nested::<$hash>(&bundles, &[<$hash as Hash>::splat(tail); 3], &mut out);
                assert!(out.iter().all(|out| out[..] == truncated[..]), "{}", kernel.name());
                kernel.nested_shared::<$hash>(&bundles, &Schedule::new(tail), &mut out);
                assert!(out.iter().all(|out| out[..] == truncated[..]), "{}", kernel.name());
                let few = kernel.nested_few::<$hash, 3>(&states[0], &states[16], [tail; 3]);
                assert_eq!(few, [truncated[0]; 3], "{}", kernel.name());
            }
        }
    };
}
twin!(sha1, Sha1, u32, 5, 64, ::sha1::block_api::compress);
twin!(sha256, Sha256, u32, 8, 64, ::sha2::block_api::compress256);
twin!(sha512, Sha512, u64, 8, 128, ::sha2::block_api::compress512);

fuzz_target!(|input: &[u8]| {
    sha1(input);
    sha256(input);
    sha512(input);
});
