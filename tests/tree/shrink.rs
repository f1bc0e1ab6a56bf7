//! The smallest document on which something still goes wrong.

/// Takes tokens out of a document for as long as `fails` says that it still fails. At most so many documents are tried.
pub(crate) fn shrink(tokens: Vec<String>, tries: usize, mut fails: impl FnMut(&str) -> bool) -> String {
    let mut left = tries;
    let tokens = smaller(tokens, &mut left, &mut fails);
    // Then what is in the tags.
    let pieces = tokens.iter().flat_map(|token| pieces(token)).collect();
    smaller(pieces, &mut left, &mut fails).concat()
}

fn smaller(mut tokens: Vec<String>, left: &mut usize, fails: &mut impl FnMut(&str) -> bool) -> Vec<String> {
    let mut size = tokens.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut some = false;
        while at < tokens.len() {
            if *left == 0 {
                return tokens;
            }
            *left -= 1;
            let mut without = tokens.clone();
            without.drain(at..(at + size).min(tokens.len()));
            if fails(&without.concat()) {
                tokens = without;
                some = true;
            } else {
                at += size;
            }
        }
        if !some || size > 1 {
            size /= 2;
        }
    }
    tokens
}

/// A token cut before each space or quoted value, so that attributes can go.
fn pieces(token: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for char in token.chars() {
        if char.is_whitespace() || char == '>' {
            out.push(String::new());
        }
        if let Some(last) = out.last_mut() {
            last.push(char);
        }
    }
    out
}

/// A document, cut before and after its tags.
pub(crate) fn tokens(document: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for char in document.chars() {
        if char == '<' {
            out.push(String::new());
        }
        if let Some(last) = out.last_mut() {
            last.push(char);
        }
        if char == '>' {
            out.push(String::new());
        }
    }
    out.retain(|token| !token.is_empty());
    out
}
