//! A driver for the fuzz targets that only mutates: `TARGET EXECUTIONS MAX_LEN CORPUS.. [SEED]`.

use std::{env, fs, path::Path, process};

/// As libFuzzer's: the body is run on each input.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: &[u8]| $body:block) => {
        #[unsafe(no_mangle)]
        pub extern "C" fn main() -> i32 {
            fn run($input: &[u8]) -> bool {
                let body = || $body;
                body();
                true
            }
            $crate::drive(run)
        }
    };
    (|$input:ident: &str| $body:block) => {
        #[unsafe(no_mangle)]
        pub extern "C" fn main() -> i32 {
            fn run(bytes: &[u8]) -> bool {
                let Ok($input) = core::str::from_utf8(bytes) else { return false };
                let body = || $body;
                body();
                true
            }
            $crate::drive(run)
        }
    };
}

/// Runs a target as often as asked. What is no text is no execution of a target that takes text.
pub fn drive(run: fn(&[u8]) -> bool) -> i32 {
    let mut arguments = env::args().skip(1);
    let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok());
    let (Some(executions), Some(max_len)) = (number(), number()) else { usage() };
    let (mut corpus, mut seed) = (vec![Vec::new()], 1);
    for argument in arguments {
        match argument.parse() {
            Ok(number) => seed = number,
            Err(_) => read(Path::new(&argument), &mut corpus),
        }
    }
    let max_len = usize::try_from(max_len).unwrap_or_else(|_| usage());
    corpus.iter_mut().for_each(|input| input.truncate(max_len));
    println!("{} inputs, seed {seed}", corpus.len());

    let (mut random, mut input) = (Random(seed), Vec::with_capacity(2 * max_len));
    let (mut done, mut skipped) = (0, 0_u64);
    while done < executions {
        random.mutated(&corpus, max_len, &mut input);
        let text = || String::from_utf8_lossy(&input).into_owned();
        let hook = Told(&text);
        if run(&input) {
            done += 1
        } else {
            skipped += 1
        }
        std::mem::forget(hook);
    }
    println!("{done} executions, {skipped} inputs were no text");
    0
}

/// Says on which input a target failed.
struct Told<'a>(&'a dyn Fn() -> String);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        eprintln!("failed on {:?}", (self.0)());
    }
}

fn usage() -> ! {
    eprintln!("TARGET EXECUTIONS MAX_LEN CORPUS.. [SEED]");
    process::exit(2)
}

fn read(folder: &Path, corpus: &mut Vec<Vec<u8>>) {
    let Ok(files) = fs::read_dir(folder) else { usage() };
    let mut files: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    files.sort();
    corpus.extend(files.iter().filter_map(|file| fs::read(file).ok()));
}

/// SplitMix (Steele and others, "SplittableRandom", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u128;
        usize::try_from(u128::from(self.next()) * bound >> 64).unwrap_or_default()
    }

    /// Any byte, more often an ASCII one.
    fn byte(&mut self) -> u8 {
        let [byte, choice, ..] = self.next().to_le_bytes();
        if choice < 32 { byte } else { byte & 0x7f }
    }

    /// An input of the corpus with one to eight changes, cut to `max_len`.
    fn mutated(&mut self, corpus: &[Vec<u8>], max_len: usize, input: &mut Vec<u8>) {
        input.clear();
        input.extend_from_slice(&corpus[self.below(corpus.len())]);
        for _ in 0..=self.next().trailing_zeros().min(7) {
            let (at, len) = (self.below(input.len() + 1), 1 + self.below(8));
            let end = (at + len).min(input.len());
            match self.below(8) {
                0 if at < end => input[at] ^= 1 << self.below(8),
                1 | 2 if at < end => input[at] = self.byte(),
                3 => input.insert(at, self.byte()),
                4 => drop(input.drain(at..end)),
                5 => input.extend_from_within(at..end),
                6 => input[at..end].reverse(),
                // The rest of another input, or a piece of it in the midst.
                _ => {
                    let other = &corpus[self.below(corpus.len())];
                    let from = self.below(other.len());
                    if self.below(2) == 0 {
                        input.truncate(at);
                        input.extend_from_slice(&other[from..]);
                    } else {
                        let piece = &other[from..(from + len).min(other.len())];
                        input.splice(at..at, piece.iter().copied());
                    }
                }
            }
            input.truncate(max_len);
        }
    }
}
