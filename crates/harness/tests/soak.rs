//! A short soak: every kind of visit, every answer compared. What memory does takes longer to see: `make soak`.

use std::process::Command;

#[test]
fn a_short_soak_finds_every_answer_right() {
    let soak = Command::new(env!("CARGO_BIN_EXE_engraft-soak")).env("SOAK_SECONDS", "15").output().unwrap();
    let said = [soak.stderr, soak.stdout].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(soak.status.success(), "{said}");
    assert!(said.contains("every answer compared"), "{said}");
    let taken =
        said.lines().find_map(|line| line.split_once(" configurations taken")).map(|(taken, _)| taken);
    assert!(taken.unwrap().parse::<u32>().unwrap() > 0, "{said}");
}
