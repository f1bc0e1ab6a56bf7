//! Has libFuzzer make inputs for [`engraft_fuzz::payload`].

#![no_main]
#![expect(clippy::panic, reason = "by a panic libFuzzer learns that an input is of interest")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Err(why) = engraft_fuzz::payload::check(input) {
        panic!("{why}");
    }
});
