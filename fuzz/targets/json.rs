//! Has libFuzzer make inputs for [`engraft_fuzz::json`].

#![no_main]
#![expect(clippy::panic, reason = "by a panic libFuzzer learns that an input is of interest")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Err(why) = engraft_fuzz::json::check(input) {
        panic!("{why}");
    }
});
